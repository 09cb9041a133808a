"""Tracebacks for pages: which of their lines say what went wrong, and which were left out."""

from __future__ import annotations

from typing import NamedTuple

from semantest_recorder.reports.excerpt import excerpt, without_place
from semantest_recorder.reports.inert import inert
from semantest_recorder.reports.report import ErrorInfo
from semantest_recorder.reports.verdict import full_text
from semantest_recorder.reports.wording import plural


class Line(NamedTuple):
    """A line; ``kind``: ``error``, ``here`` (the line of code), ``gap`` (lines that are left out) or empty."""

    kind: str
    text: str


def traceback_lines(error: ErrorInfo | None, limit: int = 0) -> list[Line]:
    """The lines of an error's traceback, about ``limit`` of them (0: all); of one without a traceback its message."""
    if error is None:
        return []
    lines = without_place(inert(full_text(error)).strip("\n").split("\n"), error.file, error.line)
    shown = excerpt(lines, limit)
    return [Line("gap", plural(one, "line")) if isinstance(one, int) else Line(_kind(one), one) for one in shown]


def _kind(line: str) -> str:
    if line == "E" or line.startswith("E  "):
        return "error"
    return "here" if line.startswith(">") else ""
