"""Which formats there are."""

from __future__ import annotations

from importlib import import_module
from typing import Final

import msgspec

from semantest_recorder.reports.exporters.exporter import Exporter


class Format(msgspec.Struct, frozen=True):
    """One format. ``module`` has the exporter as ``function``; ``several``: one file can hold several runs.

    ``suffix``: how its files are called.
    """

    module: str
    title: str
    several: bool
    suffix: str
    function: str = "export"

    def exporter(self) -> Exporter:
        """The exporter, imported now."""
        found: Exporter = import_module(f"semantest_recorder.reports.exporters.{self.module}").__dict__[self.function]
        return found


#: By name, in the order in which people read them.
FORMATS: Final = {
    "html": Format("html", "a page to look at, search and print, in one file", several=False, suffix=".html"),
    "json": Format("json", "what `semantest report --json` prints", several=True, suffix=".json"),
    "junit": Format("junit", "JUnit XML as pytest writes it (xunit2), for CI servers", several=True, suffix=".xml"),
    "junit-xunit1": Format(
        *("junit", "the same with file and line (xunit1)"), several=True, suffix=".xml", function="export_xunit1"
    ),
    "ctrf": Format("ctrf", "Common Test Report Format", several=False, suffix=".json"),
    "markdown": Format("markdown", "a page for people", several=True, suffix=".md"),
    "agent": Format(
        "agent", "a short text for a coding agent, within a budget of tokens", several=False, suffix=".txt"
    ),
    "csv": Format("csv", "a table for spreadsheets", several=True, suffix=".csv"),
    "pytest-json-report": Format("json_report", "as the plugin of that name", several=False, suffix=".json"),
    "reportlog": Format("reportlog", "as the plugin pytest-reportlog: a line each", several=False, suffix=".jsonl"),
}
