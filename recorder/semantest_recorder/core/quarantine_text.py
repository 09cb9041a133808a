"""Changes to the text of a quarantine file that leave the rest of it as it stands, comments too (pure)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Final

from pytest_semantest.protocol.quarantine import TABLE, Entry, read_quarantine

_HEADING: Final = re.compile(r"^[ \t]*\[")
_OURS: Final = re.compile(rf"^[ \t]*\[\[[ \t]*{TABLE}[ \t]*\]\]")


class CannotEditError(Exception):
    """The text cannot be changed without a doubt; the message says what to do."""


def entry_text(entry: Entry) -> str:
    """The entry as it stands in a file, its last line ended."""
    texts = {"test": entry.test, "reason": entry.reason, "owner": entry.owner}
    lines = [f"[[{TABLE}]]", *(f"{key} = {json.dumps(text, ensure_ascii=False)}" for key, text in texts.items())]
    lines.append(f"expires = {entry.expires}")
    lines += [f"issue = {json.dumps(entry.issue, ensure_ascii=False)}"] if entry.issue else []
    lines += [f"added = {entry.added}"] if entry.added is not None else []
    return "".join(f"{line}\n" for line in lines)


def with_entries(text: str, entries: Iterable[Entry]) -> str:
    """The text with these entries at its end. Raises ``CannotEditError`` when one of them could not be read again."""
    changed, new = text, list(entries)
    for entry in new:
        gap = "" if not changed or changed.endswith("\n\n") else "\n" if changed.endswith("\n") else "\n\n"
        changed += gap + entry_text(entry)
    _check(changed, [*_tests(text), *(entry.test for entry in new)])
    return _ended_as(text, changed)


def without_entry(text: str, test: str) -> str:
    """The text without the entry of ``test`` and the comment right above it.

    Raises ``KeyError`` when there is none, ``CannotEditError`` when it is not clear where it stands.
    """
    tests = _tests(text)
    number = tests.index(test) if test in tests else -1
    if number < 0:
        raise KeyError(test)
    lines = text.splitlines(keepends=True)
    starts = [index for index, line in enumerate(lines) if _OURS.match(line)]
    if len(starts) != len(tests):
        raise CannotEditError(f"take the entry {test} out by hand: entries are not all under [[{TABLE}]] of their own")
    first = starts[number]
    end = next((index for index in range(first + 1, len(lines)) if _HEADING.match(lines[index])), len(lines))
    last = _above(lines, end) if end < len(lines) else end
    changed = "".join(lines[: _above(lines, first)] + lines[last:])
    del tests[number]
    _check(changed, tests)
    return changed


def _above(lines: list[str], heading: int) -> int:
    """Where the comment right above a heading begins; one that begins the file is the file's."""
    start = heading
    while start and lines[start - 1].lstrip().startswith("#"):
        start -= 1
    return start or heading


def _tests(text: str) -> list[str]:
    """The tests of the entries. Raises ``CannotEditError`` for a text with mistakes."""
    found = read_quarantine("the file", text.encode())
    if found.problems:
        raise CannotEditError(f"mend the file first: {found.problems[0]}")
    return [entry.test for entry in found.entries]


def _check(text: str, tests: list[str]) -> None:
    found = read_quarantine("the new entry", text.encode())
    if found.problems:
        raise CannotEditError(found.problems[0])
    if [entry.test for entry in found.entries] != tests:
        raise CannotEditError("change the file by hand: something else in it would change, too")


def _ended_as(text: str, changed: str) -> str:
    """With the line ends of ``text``."""
    return changed.replace("\r\n", "\n").replace("\n", "\r\n") if "\r\n" in text else changed
