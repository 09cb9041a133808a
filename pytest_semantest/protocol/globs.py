"""Patterns for names of tests, in which ``*`` is any text and ``?`` one character; all else is itself."""

from __future__ import annotations

import re


def is_glob(text: str) -> bool:
    """Whether it is a pattern. Brackets are those of parameters, not of a set."""
    return "*" in text or "?" in text


def glob_pattern(glob: str) -> re.Pattern[str]:
    """What ``fullmatch`` asks whether a name matches; in time that grows with the lengths of both, whatever they are.

    What stands between two stars is taken where it first fits, and never looked for again: were it to fit later, it
    would leave less for what follows.
    """
    first, *others = (_literally(part) for part in re.sub(r"\*+", "*", glob).split("*"))
    if not others:
        return re.compile(first, re.DOTALL)
    between = "".join(f"(?>.*?{part})" for part in others[:-1])
    return re.compile(f"{first}{between}.*{others[-1]}", re.DOTALL)


def _literally(text: str) -> str:
    return "".join("." if one == "?" else re.escape(one) for one in text)
