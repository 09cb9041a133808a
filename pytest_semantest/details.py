"""What a test tells of itself, written down: steps, logs, attachments, screenshots, own events.

Imported at the first use of the ``semantest`` fixture in a recorded session, and for pictures of failed tests.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from itertools import count
from typing import Any

import pytest

from pytest_semantest import forks
from pytest_semantest.artifacts import ArtifactFolder, NotStoredError, Stored, media_type_of
from pytest_semantest.attempts import TestHooks
from pytest_semantest.containment import CONTAINED, contained
from pytest_semantest.fixtures import Semantest, Step
from pytest_semantest.pictures import NoPictureError, picture_of, pictured
from pytest_semantest.shared_journal import SharedJournal
from pytest_semantest.steps import Left, OpenStep, RecordedStep, innermost
from pytest_semantest.translate import Attempt
from pytest_semantest.values import parameter, plain

_NAME_MAX = 500
_MEDIA_TYPE_MAX = 100
_TOLD_MAX = 20
_PNG = "image/png"


class Details(Semantest):
    """The fixture of a recorded session. ``text_limit`` caps messages, in characters; ``items`` are those collected."""

    _getpid = os.getpid  # a test may replace the module's

    def __init__(
        self,
        tests: TestHooks,
        artifacts: ArtifactFolder,
        text_limit: int,
        items: Callable[[], Iterable[pytest.Item]],
    ) -> None:
        self._tests = tests
        self._artifacts = artifacts
        self._text_limit = text_limit
        self._items = items
        self._ids = count(1)
        self._pid = Details._getpid()
        self._depth = forks.depth
        SharedJournal.share(tests.journal)

    def contain(self, error: BaseException) -> None:
        """Hand on to the one who tells the user."""
        self._tests.contain(error)

    # -- steps ---------------------------------------------------------------------------------------------------

    def _step(self, name: object) -> Step:
        return RecordedStep(self, name)

    @contained
    def enter(self, owner: Step, name: object) -> OpenStep | None:
        """Write ``test/step/start``."""
        attempt = self._attempt("a step")
        if attempt is None:
            return None
        parent = innermost(attempt)
        step = OpenStep(owner, attempt, f"{next(self._ids)}", self._name(name), parent, self._tests.clock.now())
        payload: dict[str, Any] = {"stepId": step.step_id, "name": step.name}
        if parent is not None:
            payload["parentId"] = parent.step_id
        self._write("test/step/start", attempt, payload)
        return step

    @contained
    def leave(self, step: OpenStep, how: Left) -> None:
        """Write ``test/step/end``."""
        payload: dict[str, Any] = {
            "stepId": step.step_id,
            "name": step.name,
            "status": how.status,
            "duration": round(max(0.0, self._tests.clock.now() - step.began), 3),
        }
        if how.error is not None:
            payload["error"] = {"message": self._message(how.error), "type": type(how.error).__name__}
        self._write("test/step/end", step.attempt, payload)

    # -- logs and own events -------------------------------------------------------------------------------------

    @contained
    def _log(self, message: object, level: str, data: Mapping[str, object]) -> None:
        attempt = self._attempt("a log line")
        if attempt is None:
            return
        payload: dict[str, Any] = {"level": level, "message": self._text(message, self._text_limit)}
        if data:
            payload["data"] = plain(dict(data), self._tests.translator.text)
        self._write("test/log", attempt, self._placed(attempt, payload))

    @contained
    def _event(self, kind: str, payload: Mapping[str, object]) -> None:
        if not self._is_here:
            return
        found = plain(dict(payload), self._tests.translator.text)
        body = found if isinstance(found, dict) else {}
        attempt = self._tests.current
        if attempt is not None:
            body = {"testId": attempt.test_id, "attempt": attempt.number, **body}
        self._tests.write(self._text(kind, _NAME_MAX), body)

    # -- attachments ---------------------------------------------------------------------------------------------

    @contained
    def _attach(self, content: Any, name: str | None, media_type: str | None) -> None:
        attempt = self._attempt("an attachment")
        if attempt is None:
            return
        if isinstance(content, str):
            shown, kind = name or "text.txt", media_type or media_type_of(name or "text.txt")
            self._keep(attempt, shown, kind, lambda: self._artifacts.put_text(str.__str__(content)))
        elif isinstance(content, bytes | bytearray):
            data = bytes(content)
            kind = media_type or media_type_of(name or "", data[:16])
            self._keep(attempt, name or "data", kind, lambda: self._artifacts.put_bytes(data, kind))
        else:
            try:
                path = os.fspath(content)
            except CONTAINED as error:  # a path of the user's own make
                why = f"its path cannot be asked: {type(error).__name__}: {error}"
                self._note(attempt, name or type(content).__name__, media_type or "", "attachment", why)
                return
            shown = name or os.path.basename(os.fsdecode(path))
            kind = media_type or media_type_of(shown if name is None else os.fsdecode(path))
            self._keep(attempt, shown, kind, lambda: self._artifacts.put_file(path, kind))

    @contained
    def _screenshot(self, target: object, name: str | None) -> None:
        attempt = self._attempt("a screenshot")
        if attempt is None:
            return
        if target is not None:
            self.picture(attempt, target, name or "screenshot", None)
            return
        item = next((item for item in self._items() if self._tests.running.get(item.nodeid) is attempt), None)
        found = pictured(item) if item is not None else []
        for fixture, page in found:
            self.picture(attempt, page, name if name and len(found) == 1 else f"{name or 'screenshot'}-{fixture}", None)
        if not found:
            self._note(
                attempt, name or "screenshot", _PNG, "screenshot", "no fixture of the test is a page or a driver"
            )

    @contained
    def picture(self, attempt: Attempt, target: object, name: str, timeout_ms: float | None) -> None:
        """Attach a picture of ``target``; why there is none is noted in its place."""

        def put() -> Stored:
            try:
                data = picture_of(target, timeout_ms)
            except NoPictureError as error:
                raise NotStoredError(str(error)) from None
            return self._artifacts.put_bytes(data, _PNG)

        self._keep(attempt, name, _PNG, put, "screenshot")

    def _keep(
        self, attempt: Attempt, name: object, media_type: object, put: Callable[[], Stored], kind: str = "attachment"
    ) -> None:
        """Store the content, then write ``test/attachment``: what an event names is there."""
        try:
            stored = put()
        except NotStoredError as error:
            self._note(attempt, name, media_type, kind, str(error))
            return
        described = {**self._described(name, media_type, kind), "size": stored.size, "sha256": stored.sha256}
        self._write("test/attachment", attempt, self._placed(attempt, described))

    def _note(self, attempt: Attempt, name: object, media_type: object, kind: str, why: str) -> None:
        """Write ``test/attachment`` of what is not kept, and tell the user at the end."""
        reason = self._text(why, _NAME_MAX)
        described = {**self._described(name, media_type, kind), "omitted": reason}
        self._write("test/attachment", attempt, self._placed(attempt, described))
        self._tell(f"{attempt.test_id}: {kind} {described['name']!r} is not kept: {reason}")

    def _described(self, name: object, media_type: object, kind: str) -> dict[str, Any]:
        return {"name": self._name(name), "mediaType": self._text(media_type, _MEDIA_TYPE_MAX), "kind": kind}

    # -- all -----------------------------------------------------------------------------------------------------

    @property
    def _is_here(self) -> bool:
        """Whether this is the process that records: a child of a test writes nothing."""
        return self._depth == forks.depth and Details._getpid() == self._pid

    def _attempt(self, what: str) -> Attempt | None:
        """The attempt that runs, ``None`` when nothing is to be written."""
        if not self._is_here:
            return None
        attempt = self._tests.current
        if attempt is None:
            self._tell(f"{what} was told while no test was running; it is not kept")
        return attempt

    def _tell(self, line: str) -> None:
        notices = self._tests.notices
        if len(notices) < _TOLD_MAX and line not in notices:
            notices.append(line)

    def _write(self, kind: str, attempt: Attempt, payload: dict[str, Any]) -> None:
        if self._is_here:
            self._tests.write(kind, {"testId": attempt.test_id, "attempt": attempt.number, **payload})

    @staticmethod
    def _placed(attempt: Attempt, payload: dict[str, Any]) -> dict[str, Any]:
        """The payload with the step that it was told in."""
        step = innermost(attempt)
        return payload if step is None else {**payload, "stepId": step.step_id}

    def _name(self, value: object) -> str:
        return self._text(value, _NAME_MAX)

    def _text(self, value: object, limit: int) -> str:
        if isinstance(value, str):
            return self._tests.translator.text(str.__str__(value), limit)
        return parameter(value, self._tests.translator.text)

    def _message(self, error: BaseException) -> str:
        try:
            message = str(error)
        except Exception:  # noqa: BLE001 - a user's own
            message = f"<{type(error).__name__} that cannot be printed>"
        return self._text(message, self._text_limit)
