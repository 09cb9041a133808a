"""``json-report``: the report of each run as a file, written when the run closes."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from pytest_semantest.protocol.layout import REPORTS
from semantest_recorder.plugins.arguments import Context, Run
from semantest_recorder.plugins.builtin.files import file_name, write_whole
from semantest_recorder.plugins.builtin.options import read_options
from semantest_recorder.plugins.hookspecs import hookimpl


class JsonReportOptions(msgspec.Struct, frozen=True):
    """``folder``: where the files go, seen from the ``.semantest`` folder."""

    folder: str = REPORTS


class JsonReporter:
    """Writes ``<run>.json``: what ``semantest report --json`` prints, so all views agree; again after late events."""

    def __init__(self) -> None:
        self._context: Context | None = None
        self._folder = Path(REPORTS)

    @staticmethod
    def read(options: Mapping[str, Any]) -> JsonReportOptions:
        """The options. Raises ``InvalidOptions``."""
        return read_options(options, JsonReportOptions)

    @hookimpl
    def initialize(self, context: Context) -> None:
        """Takes the options."""
        self._context = context
        self._folder = context.directory / Path(self.read(context.options).folder).expanduser()

    @hookimpl
    async def after_test_run(self, run: Run) -> None:
        """Reads and writes in another thread: a large run takes a while, and others need not wait."""
        if self._context is not None:
            path = self._folder / file_name(run.run_id, ".json")
            await asyncio.to_thread(self._write, path, self._context, run.run_id)
            self._context.log.info("wrote %s", path, extra={"fields": {"run": run.run_id}})

    @staticmethod
    def _write(path: Path, context: Context, run_id: str) -> None:
        report: Any = context.read_report(run_id)
        write_whole(path, report)
