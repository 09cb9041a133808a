"""``screenshots``: which pictures there are of failed tests, in the log and in a file per run.

The pictures themselves are taken in the test process, which alone has the browser; what comes here are their events:
``test/attachment`` of the kind ``screenshot`` from pytest, ``test/screenshot`` from other clients. This plugin is the
recorder's switch for these (``keep``) and their index; the files come by HTTP, past all plugins. What is indexed is
what is stored: behind the event filter, and after a restart of the recorder, too.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import msgspec

from pytest_semantest.protocol.artifacts import ARTIFACTS, is_sha256, place_of
from pytest_semantest.protocol.layout import REPORTS
from semantest_recorder.core.batch import RawEvent
from semantest_recorder.plugins.arguments import Context, Picture, Run
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
    folder: str = REPORTS


class Screenshots:
    """Reads the pictures of a run when it closes; bounded, and what is left out is counted."""

    def __init__(self) -> None:
        self._options = ScreenshotOptions()
        self._context: Context | None = None
        #: By run, the pictures that have their line in the log.
        self._named: dict[str, set[str]] = {}

    @staticmethod
    def read(options: Mapping[str, Any]) -> ScreenshotOptions:
        """The options. Raises ``InvalidOptions``."""
        return read_options(options, ScreenshotOptions)

    @hookimpl
    def initialize(self, context: Context) -> None:
        """Takes the options."""
        self._context = context
        self._options = self.read(context.options)

    def concerns(self, events: Sequence[RawEvent]) -> bool:
        """Whether there may be pictures to refuse among these events."""
        return self._options.keep == "none" and any(event.type in (SCREENSHOT, ATTACHMENT) for event in events)

    @hookimpl(trylast=True)
    def on_event(self, event: Event) -> Any:
        """Drops the event of a picture if none are wanted."""
        return DROP if self._options.keep == "none" and _is_picture(event) else None

    @hookimpl
    async def after_test_run(self, run: Run) -> None:
        """Writes the index, if there is anything in it, and names the pictures of failed tests in the log."""
        if self._context is not None and self._options.keep != "none":
            await asyncio.to_thread(self._write, self._context, run.run_id)

    def _write(self, context: Context, run_id: str) -> None:
        tests: dict[str, list[dict[str, Any]]] = {}
        left_out = 0
        for picture in context.read_pictures(run_id):
            if self._options.keep == "failed" and not picture.failed:
                continue
            found = tests.setdefault(picture.test_id, []) if picture.test_id in tests or len(tests) < _TESTS else None
            if found is None or len(found) >= _PICTURES:
                left_out += 1
                continue
            found.append(_told(picture, context.directory))
            if picture.failed:
                self._name(context, run_id, picture.test_id, found[-1])
        if tests:
            path = context.directory / Path(self._options.folder).expanduser() / file_name(run_id, ".screenshots.json")
            write_whole(path, {"schema": SCHEMA, "run": run_id, "leftOut": left_out, "tests": tests})

    def _name(self, context: Context, run_id: str, test_id: str, picture: dict[str, Any]) -> None:
        """A line in the log, once."""
        if run_id not in self._named and len(self._named) >= _RUNS:
            del self._named[next(iter(self._named))]
        named = self._named.setdefault(run_id, set())
        if picture["id"] not in named:
            named.add(picture["id"])
            fields = {"run": run_id, "test": test_id}
            told = (one_line(test_id), one_line(_where(picture)))
            context.log.info("picture of %s: %s", *told, extra={"fields": fields})


def _is_picture(event: Event) -> bool:
    return event.type == SCREENSHOT or (event.type == ATTACHMENT and event.payload.get("kind") == "screenshot")


def _told(picture: Picture, directory: Path) -> dict[str, Any]:
    """What the index says of a picture; of one that was sent as an artifact, where its file is once it has come."""
    told = {key: picture.payload[key] for key in _FIELDS if key in picture.payload}
    sha256 = told.get("sha256")
    place = str(directory.absolute().joinpath(ARTIFACTS, *place_of(str(sha256)))) if is_sha256(sha256) else None
    return {"id": picture.id} | ({"path": place} if place is not None else {}) | told


def _where(picture: dict[str, Any]) -> str:
    """What the log says of a picture: its file, or why there is none."""
    if picture.get("omitted"):
        return f"{picture.get('name')} is not kept: {picture['omitted']}"
    return str(picture.get("path") or picture.get("artifact") or picture.get("name"))
