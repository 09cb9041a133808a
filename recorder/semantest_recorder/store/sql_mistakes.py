"""What is wrong with the SQL that somebody typed: where it is, and which names are near."""

from __future__ import annotations

import difflib
import re
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Final

from semantest_recorder.core.views import VIEWS

_SYNTAX: Final = re.compile(r'near "(.*)": syntax error', re.DOTALL)
_NAMES: Final = (
    ("column", re.compile(r'no such column: "?([^"]+?)"?(?: - .*)?', re.DOTALL)),
    ("ambiguous", re.compile(r"ambiguous column name: (.+)", re.DOTALL)),
    ("table", re.compile(r"no such (?:table|view): (.+)", re.DOTALL)),
    ("function", re.compile(r"(?:no such function: |wrong number of arguments to function )(.+?)(?:\(\))?", re.DOTALL)),
    ("token", re.compile(r'unrecognized token: "(.+)"', re.DOTALL)),
)
_BINDING: Final = re.compile(r"did not supply a value for binding (?:parameter )?:?(\w+)")
_NOT_CODE: Final = re.compile(r"'(?:[^']|'')*'|--[^\n]*|/\*.*?(?:\*/|\Z)", re.DOTALL)
#: What a terminal, or who makes text harmless for one, would take for the end of a line.
_OTHER_ENDS: Final = re.compile("[\t\r\x0b\x0c\x85\u2028\u2029]")
#: A token may stand at so many places; looking at each compiles the SQL up to there.
_PLACES: Final = 50
#: A line of SQL is shown up to so many characters around the place.
_AROUND: Final = 60


def explain(connection: sqlite3.Connection, sql: str, problem: str, given: Sequence[str]) -> str:
    """SQLite's ``problem`` with ``sql`` for people: the place below, and what was meant perhaps.

    ``given``: names of the parameters. The SQL is compiled again, and not run.
    """
    if "one statement at a time" in problem:
        return "one query at a time: what stands behind the first `;` is another one"
    missing = _BINDING.search(problem)
    if missing is not None:
        known = f", and {', '.join(given)} is given" if given else ""
        return f"the query has a parameter :{missing[1]}{known}: give it with -p {missing[1]}=VALUE"
    if "inding" in problem:
        return "parameters have names here: write :name in the query, and -p name=VALUE"
    if "incomplete input" in problem:
        return f"the query ends too early{_shown(sql, len(sql.rstrip()), 1)}"
    syntax = _SYNTAX.fullmatch(problem)
    if syntax is not None:
        return _with_place(sql, problem, _syntax_error(connection, sql, syntax[1], problem), len(syntax[1]))
    for kind, pattern in _NAMES:
        named = pattern.fullmatch(problem)
        if named is not None:
            text = problem.partition(" - ")[0] + _near(sql, kind, named[1])
            return _with_place(sql, text, next(_places(sql, named[1]), None), len(named[1]))
    return " ".join(problem.split())


def _near(sql: str, kind: str, name: str) -> str:
    """A hint at the nearest names of that kind."""
    prefix, _, bare = name.rpartition(".")
    if kind == "table":
        known = list(VIEWS)
    elif kind == "column":
        known = _columns(sql)
    elif kind == "function":
        known = _functions()
    else:
        return f"; say whose, such as {_views(sql)[0]}.{bare}" if kind == "ambiguous" and _views(sql) else ""
    near = [] if kind == "function" and bare in known else difflib.get_close_matches(bare.lower(), known, 3, 0.5)
    if near:
        return (
            f"; did you mean {' or '.join(f'{prefix}.{one}' if prefix and kind == 'column' else one for one in near)}?"
        )
    if kind == "column" and known and not prefix:
        return f"; there are {', '.join(known)}"
    return f"; views: {', '.join(known)}" if kind == "table" else ""


def _columns(sql: str) -> list[str]:
    """The columns of the views that the SQL names; of all views when it names none."""
    return list(dict.fromkeys(column for name in _views(sql) or VIEWS for column in VIEWS[name].columns))


def _views(sql: str) -> list[str]:
    """The views that the SQL names."""
    words = {word.lower() for word in re.findall(r"\w+", _code(sql))}
    return [name for name in VIEWS if name in words]


def _functions() -> list[str]:
    with closing(sqlite3.connect(":memory:")) as connection:
        return sorted({row[0] for row in connection.execute("SELECT name FROM pragma_function_list")})


def _syntax_error(connection: sqlite3.Connection, sql: str, token: str, problem: str) -> int | None:
    """Where the token is that SQLite stumbled over: the first place up to which the SQL has the same error."""
    for number, start in enumerate(_places(sql, token)):
        if number == _PLACES:
            break
        try:
            connection.execute("EXPLAIN " + sql[: start + len(token)])
        except (sqlite3.Error, sqlite3.Warning) as error:
            if str(error) == problem:
                return start
    return None


def _places(sql: str, token: str) -> Iterator[int]:
    """Where the token stands, outside of texts and comments unless it is nowhere else."""
    before, behind = (r"\b" if re.match(r"\w", token[at]) else "" for at in (0, -1))
    pattern = re.compile(before + re.escape(token) + behind, re.IGNORECASE)
    found = [match.start() for match in pattern.finditer(_code(sql))]
    yield from found or [match.start() for match in pattern.finditer(sql)]


def _code(sql: str) -> str:
    """The SQL with blanks for texts and comments."""
    return _NOT_CODE.sub(lambda match: " " * len(match[0]), sql)


def _with_place(sql: str, text: str, start: int | None, length: int) -> str:
    told = " ".join(text.split())  # a token may have several lines
    return told if start is None else told + _shown(sql, start, length)


def _shown(sql: str, start: int, length: int) -> str:
    """The line of that place, and a mark below it."""
    begin = sql.rfind("\n", 0, start) + 1
    end = sql.find("\n", start)
    line = _OTHER_ENDS.sub(" ", sql[begin : len(sql) if end < 0 else end]).rstrip()
    at = start - begin
    cut = max(0, at - _AROUND)
    shown = line[cut : at + length + _AROUND]
    number = f"line {sql.count(chr(10), 0, start) + 1}: " if "\n" in sql.strip() else ""
    head = f"  {number}{'...' if cut else ''}"
    mark = "^" * max(1, min(length, len(shown) - (at - cut)))
    return f"\n{head}{shown}\n{' ' * (len(head) + at - cut)}{mark}"
