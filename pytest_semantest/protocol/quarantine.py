"""The list of quarantined tests: what its file says, checked, and which entry a test falls under. Pure: bytes in.

::

    [[quarantine]]
    test = "tests/test_cart.py::test_total"  # node id, function, class, file, or a glob with * and ?
    reason = "the clock of the runners jumps"
    owner = "ann@example.org"
    expires = 2026-12-20
    issue = "https://example.org/issues/7"   # may be absent, as may be
    added = 2026-11-21

Described in docs/reference/quarantine.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from pytest_semantest.protocol.configuration import ConfigurationError, read_toml
from pytest_semantest.protocol.globs import glob_pattern, is_glob
from pytest_semantest.protocol.identity import split_params
from pytest_semantest.protocol.printable import printable_line

#: Where the list is looked for in the rootdir, and the name of its tables.
QUARANTINE_FILE = "semantest-quarantine.toml"
TABLE = "quarantine"
SCHEMA = 1

_REQUIRED = ("test", "reason", "owner", "expires")
_KEYS = (*_REQUIRED, "issue", "added")
_DATES = ("expires", "added")
#: Characters of each text.
_LONGEST = {"test": 2000, "reason": 500, "owner": 200, "issue": 500}
#: Tests that have nothing in common but what pytest asks of their names: a glob that fits them all fits everybody's.
_ANYBODYS = (
    "test_a.py::test_b",
    "c/tests/test_d.py::TestE::test_f",
    "g/h_test.py::TestI::test_j[k]",
    "l/test_m.py::test_n",
)
_HEADING = re.compile(rf"^[ \t]*\[\[[ \t]*{TABLE}[ \t]*\]\]", re.MULTILINE)


class Entry(NamedTuple):
    """One entry. ``place``: the file and the line or number of the entry, for messages."""

    test: str
    reason: str
    owner: str
    expires: date
    issue: str = ""
    added: date | None = None
    place: str = ""

    def is_expired(self, today: date) -> bool:
        """Whether it protects no more: ``expires`` is the last day on which it does."""
        return self.expires < today

    def facts(self) -> dict[str, str]:
        """What the record of a test says of it."""
        told = {"entry": self.test, "reason": self.reason, "owner": self.owner, "expires": self.expires.isoformat()}
        return told | ({"issue": self.issue} if self.issue else {})


class Quarantine(NamedTuple):
    """What a file says. ``problems``: what is wrong with it, a line each that says where and what to do."""

    entries: tuple[Entry, ...] = ()
    problems: tuple[str, ...] = ()


def read_quarantine(name: str, data: bytes) -> Quarantine:
    """What the file called ``name`` says. Raises nothing: what is wrong is in ``problems``."""
    try:
        document = read_toml(name, data)
    except ConfigurationError as error:
        return Quarantine(problems=error.problems)
    reading = _Reading(name, list(_lines_of(data.decode())))
    reading.top(document)
    return Quarantine(tuple(reading.entries), tuple(printable_line(line) for line in reading.problems))


def too_far_ahead(entries: Iterable[Entry], today: date, most_days: int) -> list[str]:
    """A line for each entry that ends more than ``most_days`` after ``today``."""
    last = _after(today, most_days)
    return [
        f"{entry.place}: expires is {entry.expires}, more than {most_days} days ahead: "
        f"{last} is the last day (quarantine-days sets how many)"
        for entry in entries
        if entry.expires > last
    ]


def _after(today: date, days: int) -> date:
    try:
        return today + timedelta(days)
    except OverflowError:
        return date.max


class Matcher:
    """Which entry a test falls under; of several the most exact: id, function, class, file, the first glob."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._exact: dict[str, Entry] = {}
        self._globs: list[tuple[re.Pattern[str], Entry]] = []
        for entry in entries:
            self._exact[entry.test] = entry
            if is_glob(entry.test):
                self._globs.append((glob_pattern(entry.test), entry))

    def find(self, test_id: str) -> Entry | None:
        """The entry of this test id, ``None`` when no entry is meant for it."""
        names = names_of(test_id)
        for name in names:
            if name in self._exact:
                return self._exact[name]
        return next((entry for pattern, entry in self._globs if any(map(pattern.fullmatch, names))), None)


def file_of(test: str) -> str:
    """The file that an entry's test is in; a pattern when that is one."""
    return test.partition("::")[0]


def unmatched(entries: Iterable[Entry], test_ids: Iterable[str]) -> list[Entry]:
    """Entries under which none of the tests falls, also where a more exact entry is what counts."""
    names: set[str] = set()
    for test_id in test_ids:
        names.update(names_of(test_id))
    return [entry for entry in entries if entry.test not in names and not _is_met(entry.test, names)]


def _is_met(test: str, names: Iterable[str]) -> bool:
    return is_glob(test) and any(map(glob_pattern(test).fullmatch, names))


def names_of(test_id: str) -> list[str]:
    """What an entry may call a test: its id, its function, the classes and the file that it is in."""
    names = [test_id, split_params(test_id)[0]]
    while "::" in names[-1]:
        names.append(names[-1].rpartition("::")[0])
    return names


def _lines_of(text: str) -> Iterator[int]:
    """The line of each ``[[quarantine]]``, from 1."""
    line, start = 1, 0
    for heading in _HEADING.finditer(text):
        line += text.count("\n", start, heading.start())
        start = heading.start()
        yield line


class _Reading:
    """One file, entry by entry."""

    def __init__(self, name: str, lines: list[int]) -> None:
        self._name = name
        self._lines = lines
        self.entries: list[Entry] = []
        self.problems: list[str] = []

    def top(self, document: Mapping[str, Any]) -> None:
        for key in document:
            if key not in (TABLE, "schema"):
                self._wrong(self._name, f"{key!r} is no key of this file{_nearest(key, (TABLE, 'schema'))}")
        schema = document.get("schema", SCHEMA)
        if type(schema) is not int or schema != SCHEMA:
            self._wrong(self._name, f"schema is {schema!r}, and this version reads {SCHEMA}: update pytest-semantest")
            return
        tables = document.get(TABLE, [])
        if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
            self._wrong(self._name, f"{TABLE} must be tables: write [[{TABLE}]] above each entry")
            return
        known: dict[str, str] = {}
        for number, table in enumerate(tables, 1):
            # Where a heading stands within a text, lines and entries do not agree.
            line = f":{self._lines[number - 1]}" if len(self._lines) == len(tables) else ""
            self._entry(f"{self._name}{line}: entry {number}", table, known)

    def _entry(self, place: str, table: Mapping[str, Any], known: dict[str, str]) -> None:
        before = len(self.problems)
        for key in table:
            if key not in _KEYS:
                self._wrong(place, f"{key!r} is no key{_nearest(key, _KEYS)}")
        for key in _REQUIRED:
            if key not in table:
                what = 'a date, such as expires = 2026-12-20: "for ever" is none' if key == "expires" else "a text"
                self._wrong(place, f"{key} is missing; it must be {what}")
        for key in _KEYS:
            if key in table:
                self._value(place, key, table[key])
        if len(self.problems) > before:
            return
        entry = Entry(
            *(table["test"], table["reason"].strip(), table["owner"].strip(), _day(table["expires"]) or date.min),
            issue=table.get("issue", ""),
            added=_day(table.get("added")),
            place=place,
        )
        if entry.test in known:
            self._wrong(place, f"{entry.test} is there twice: see {known[entry.test]}; remove one of them")
            return
        known[entry.test] = place
        self.entries.append(entry)

    def _value(self, place: str, key: str, value: Any) -> None:
        if key in _DATES:
            if _day(value) is None:
                self._wrong(place, f"{key} is {value!r}; it must be a date: {key} = 2026-12-20")
        elif not isinstance(value, str):
            self._wrong(place, f'{key} is {value!r}; it must be a text: {key} = "..."')
        elif not value.strip() or not value.isprintable():
            self._wrong(place, f"{key} must be one line that says something")
        elif len(value) > _LONGEST[key]:
            self._wrong(place, f"{key} has {len(value)} characters; {_LONGEST[key]} are the most")
        elif key == "test" and (problem := problem_of_test(value)):
            self._wrong(place, problem)

    def _wrong(self, place: str, what: str) -> None:
        self.problems.append(f"{place}: {what}")


def problem_of_test(test: str) -> str:
    """What is wrong with the test of an entry, empty when nothing is."""
    if test.startswith(("/", "./", "../")) or "\\" in test.partition("::")[0]:
        return f"test is {test}; it must be as pytest prints it: relative to the rootdir, with slashes"
    if test != test.strip() or test.endswith(("::", "/")):
        return f"test is {test!r}; it must be a node id, a function, a class, a file, or a glob such as tests/slow/*"
    if is_glob(test) and all(_is_met(test, names_of(test_id)) for test_id in _ANYBODYS):
        return f"test is {test}: every test; name files or functions"
    return ""


def _day(value: object) -> date | None:
    """A TOML date, or a text that is one."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", value):
        try:
            return date.fromisoformat(value)
        except ValueError:
            return None
    return None


def _nearest(written: str, known: Sequence[str]) -> str:
    from difflib import get_close_matches  # noqa: PLC0415 - for mistakes only

    near = get_close_matches(written, known, 1, 0.6)
    return f"; did you mean {near[0]}?" if near else f"; there are {', '.join(known)}"
