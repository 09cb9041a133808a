"""``screenshots``: which pictures there are of failed tests, in the log and in a file per run.

The pictures themselves are taken in the test process, which alone has the browser; what comes here are their events:
``test/attachment`` of the kind ``screenshot`` from pytest, ``test/screenshot`` from other clients. This plugin is the
recorder's switch for these (``keep``) and their index; the files come by HTTP, past all plugins.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import msgspec

from pytest_semantest.protocol.artifacts import ARTIFACTS, is_sha256, place_of
from semantest_recorder.core.batch import RawEvent
from semantest_recorder.plugins.arguments import Context, Run, Test
from semantest_recorder.plugins.builtin.files import file_name, write_whole
from semantest_recorder.plugins.builtin.lines import one_line
from semantest_recorder.plugins.builtin.options import read_options
from semantest_recorder.plugins.event import DROP, Event
from semantest_recorder.plugins.hookspecs import hookimpl

SCHEMA = 1
SCREENSHOT = "test/screenshot"
ATTACHMENT = "test/attachment"
_RUNS = 64
_TESTS = 10_000
_PICTURES = 100
_FIELDS = (
    *("name", "path", "artifact", "hash", "fullPage", "timestamp", "attempt"),
    *("mediaType", "size", "sha256", "omitted", "stepId"),
)


class ScreenshotOptions(msgspec.Struct, frozen=True):
    """``keep``: ``failed`` indexes those of failed tests, ``all`` all, ``none`` drops the events of all pictures.

    ``folder``: where ``<run>.screenshots.json`` goes, seen from the ``.semantest`` folder.
    """

    keep: Literal["failed", "all", "none"] = "failed"
    folder: str = "reports"


class Screenshots:
    """Collects pictures by run and test until the run closes; bounded, and what is left out is counted."""

    def __init__(self) -> None:
        self._options = ScreenshotOptions()
        self._context: Context | None = None
        self._folder = Path()
        self._log = logging.getLogger(__name__)
        self._pictures: dict[str, dict[str, list[dict[str, Any]]]] = {}
        self._failed: dict[str, set[str]] = {}
        self._left_out: dict[str, int] = {}

    @staticmethod
    def read(options: Mapping[str, Any]) -> ScreenshotOptions:
        """The options. Raises ``InvalidOptions``."""
        return read_options(options, ScreenshotOptions)

    @hookimpl
    def initialize(self, context: Context) -> None:
        """Takes the options."""
        self._context = context
        self._log = context.log
        self._options = self.read(context.options)
        self._folder = context.directory / Path(self._options.folder).expanduser()

    def concerns(self, events: Sequence[RawEvent]) -> bool:
        """Whether there may be pictures among these events."""
        return any(event.type in (SCREENSHOT, ATTACHMENT) for event in events)

    @hookimpl(trylast=True)
    def on_event(self, event: Event) -> Any:
        """Notes a picture, or drops its event."""
        if not _is_picture(event):
            return None
        if self._options.keep == "none":
            return DROP
        payload = event.payload
        run_id, test_id = payload.get("runId") or event.run_id, payload.get("testId")
        if isinstance(run_id, str) and isinstance(test_id, str):
            told = {key: payload[key] for key in _FIELDS if key in payload}
            self._note(run_id, test_id, {"id": event.id} | self._place(told) | told)
        return None

    @hookimpl
    def after_test(self, test: Test) -> None:
        """A failed test: its pictures are named in the log."""
        if test.status != "failed":
            return
        found = self._pictures.get(test.run_id, {}).get(test.test_id, [])
        if found:
            self._failed.setdefault(test.run_id, set()).add(test.test_id)
        for picture in found:
            if picture.get("attempt", test.attempt) == test.attempt:  # earlier attempts had their lines
                self._log.info("picture of %s: %s", one_line(test.test_id), one_line(_where(picture)))

    @hookimpl
    async def after_test_run(self, run: Run) -> None:
        """Writes the index, if there is anything in it."""
        failed, pictures = self._failed.get(run.run_id, set()), self._pictures.get(run.run_id, {})
        kept = {test: found for test, found in pictures.items() if self._options.keep == "all" or test in failed}
        if kept and self._context is not None:
            path = self._folder
            content = {"schema": SCHEMA, "run": run.run_id, "leftOut": self._left_out.get(run.run_id, 0), "tests": kept}
            await asyncio.to_thread(write_whole, path / file_name(run.run_id, ".screenshots.json"), content)

    def _place(self, told: dict[str, Any]) -> dict[str, Any]:
        """Where the file of a picture is that was sent as an artifact, as soon as the recorder has it."""
        sha256 = told.get("sha256")
        if self._context is None or not is_sha256(sha256):
            return {}
        return {"path": str(self._context.directory.absolute().joinpath(ARTIFACTS, *place_of(str(sha256))))}

    def _note(self, run_id: str, test_id: str, picture: dict[str, Any]) -> None:
        if run_id not in self._pictures and len(self._pictures) >= _RUNS:
            oldest = next(iter(self._pictures))
            for kept in (self._pictures, self._failed, self._left_out):
                kept.pop(oldest, None)
        tests = self._pictures.setdefault(run_id, {})
        found = tests.setdefault(test_id, []) if test_id in tests or len(tests) < _TESTS else None
        if found is None or len(found) >= _PICTURES:
            self._left_out[run_id] = self._left_out.get(run_id, 0) + 1
        else:
            found.append(picture)


def _is_picture(event: Event) -> bool:
    return event.type == SCREENSHOT or (event.type == ATTACHMENT and event.payload.get("kind") == "screenshot")


def _where(picture: dict[str, Any]) -> str:
    """What the log says of a picture: its file, or why there is none."""
    if picture.get("omitted"):
        return f"{picture.get('name')} is not kept: {picture['omitted']}"
    return str(picture.get("path") or picture.get("artifact") or picture.get("name"))
