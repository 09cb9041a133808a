"""A letter for each state of a test or run, beside its colour: the same on pages, in terminals and in reports."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

LETTERS: Final[Mapping[str, str]] = {
    "passed": "✓",
    "failed": "F",
    "error": "E",
    "skipped": "s",
    "xfailed": "x",
    "xpassed": "X",
    "flaky": "~",
    "crashed": "!",
    "timeout": "T",
    "interrupted": "I",
    "cancelled": "C",
    "not_run": "-",
    "lost": "?",
    "pending": "·",
    "running": "▸",
}
#: What stands for a state that has no letter.
NO_LETTER: Final = "·"
#: In a strip of many runs in a terminal: what passed as pytest writes it, so that the others are seen.
STRIP_LETTERS: Final[Mapping[str, str]] = {**LETTERS, "passed": "."}
