"""Values of keys, as files, variables and ini files have them, and what is wrong with them (pure)."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

from pytest_semantest.protocol.keys import FALSE, TRUE, URL, Key

_DURATION = re.compile(r"\d{1,12}(?:\.\d{1,6})?\s*[smhdw]", re.ASCII)
_SIZE = re.compile(r"\d{1,12}(?:\.\d{1,6})?\s*(?:(?:[kmgt]i?)?b)?", re.ASCII | re.IGNORECASE)


def shown(key: Key, value: Any) -> str:
    """The value in a line about it: not too long, and not at all when it is a secret."""
    text = repr(value) if not isinstance(value, bool) else str(value).lower()
    return "not shown here" if key.is_secret else text if len(text) <= 60 else f"{text[:57]}..."


def problem_of(key: Key, value: Any) -> str:
    """What is wrong with a value of a file, after "is ..., "; empty when nothing is."""
    return _CHECKS[key.kind](key, value)


def _flag(_key: Key, value: Any) -> str:
    return "" if isinstance(value, bool) else "and must be true or false"


def _text(_key: Key, value: Any) -> str:
    return "" if isinstance(value, str) else "and must be a string"


def _path(_key: Key, value: Any) -> str:
    return "" if isinstance(value, str) and "\0" not in value else "and must be a path"


def _matching(pattern: re.Pattern[str] | str, wanted: str) -> Callable[[Key, Any], str]:
    def check(_key: Key, value: Any) -> str:
        return "" if isinstance(value, str) and re.fullmatch(pattern, value) else f"and must be {wanted}"

    return check


def _url(_key: Key, value: Any) -> str:
    good = isinstance(value, str) and re.match(URL, value)
    return "" if good else "and must be a recorder's URL such as http://127.0.0.1:8765"


def _choice(key: Key, value: Any) -> str:
    return "" if value in key.choices else f"and must be one of {', '.join(key.choices)}"


def _integer(key: Key, value: Any) -> str:
    good = isinstance(value, int) and not isinstance(value, bool) and key.limits[0] <= value <= key.limits[1]
    return "" if good else f"and must be a whole number from {key.limits[0]} to {key.limits[1]}"


def _seconds(_key: Key, value: Any) -> str:
    good = isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < 1e9
    return "" if good and not math.isnan(value) else "and must be a number of seconds from 0 up"


def _percent(_key: Key, value: Any) -> str:
    good = isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= 100
    return "" if good else "and must be a number from 0 to 100"


def _factor(_key: Key, value: Any) -> str:
    good = isinstance(value, (int, float)) and not isinstance(value, bool) and 1 <= value < 1e6
    return "" if good else "and must be a number from 1 up"


def _list(key: Key, value: Any) -> str:
    good = isinstance(value, list) and all(isinstance(one, str) for one in value)
    if good and key.choices and (wrong := [one for one in value if one not in key.choices]):
        return f"and {wrong[0]!r} is none of {', '.join(key.choices)}"
    return "" if good else 'and must be a list of strings: ["...", "..."]'


def _patterns(key: Key, value: Any) -> str:
    problem = _list(key, value)
    for text in () if problem else value:
        try:
            re.compile(text)
        except (re.error, OverflowError, RecursionError) as error:
            return f"and {text!r} is no regular expression ({error})"
    return problem


def _labels(_key: Key, value: Any) -> str:
    if not isinstance(value, dict) or not all(isinstance(one, str) for one in value.values()):
        return 'and must be a table of strings: { team = "core" }'
    wrong = [name for name in value if not name.strip() or "=" in name or "\n" in name]
    return f"and {wrong[0]!r} is no name of a label" if wrong else ""


_CHECKS: dict[str, Callable[[Key, Any], str]] = {
    "flag": _flag,
    "text": _text,
    "path": _path,
    "url": _url,
    "choice": _choice,
    "integer": _integer,
    "seconds": _seconds,
    "percent": _percent,
    "factor": _factor,
    "duration": _matching(_DURATION, 'an age such as "30d", "12h" or "90m"'),
    "size": _matching(_SIZE, 'a size such as "500MB" or "2 GB"'),
    "lines": _list,
    "patterns": _patterns,
    "words": _list,
    "labels": _labels,
}


def value_of_text(key: Key, text: str) -> Any:
    """What a variable or an ini file says, as a file would hold it. Raises ``ValueError`` saying what is wrong."""
    value = _parsed(key, text)
    problem = problem_of(key, value)
    if problem:
        raise ValueError(f"is {shown(key, text)}, {problem}")
    return value


def _parsed(key: Key, text: str) -> Any:
    if key.kind == "flag":
        word = text.strip().lower()
        return word in TRUE if word in TRUE + FALSE else text
    if key.kind in ("integer", "seconds", "percent", "factor"):
        try:
            number = float(text)
        except ValueError:
            return text
        return int(number) if number.is_integer() else number
    if key.kind in ("lines", "patterns"):
        return [line for line in text.splitlines() if line]
    if key.kind == "words":
        return text.split()
    if key.kind == "labels":
        pairs = [line.partition("=") for line in text.replace(",", "\n").splitlines() if line.strip()]
        good = all(separator and name.strip() for name, separator, _ in pairs)
        return {name.strip(): value.strip() for name, _, value in pairs} if good else text
    return text.strip()
