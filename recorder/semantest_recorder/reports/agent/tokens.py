"""How many tokens a text takes, by a rule that needs no tokenizer; and texts to which the rule applies."""

from __future__ import annotations

from typing import Final

from semantest_recorder.reports.inert import inert, inert_line

#: So many ASCII characters are counted as one token. English has more in a token; code, paths and ids have about three.
CHARACTERS_PER_TOKEN: Final = 3
#: What is asked for when nobody says how many.
DEFAULT_TOKENS: Final = 2000
#: Below that there is no room for the verdict and for how to get the rest.
LEAST_TOKENS: Final = 300
#: With this in it, a line that a step of GitHub Actions prints is a command to its runner.
GITHUB_COMMAND: Final = "##["
_NAME_MAX = 60


def tokens(text: str) -> int:
    """How many tokens an ASCII text counts as: one for every three characters begun."""
    return -(-len(text) // CHARACTERS_PER_TOKEN)


def characters(most_tokens: int) -> int:
    """How many ASCII characters so many tokens hold."""
    return most_tokens * CHARACTERS_PER_TOKEN


def ascii_text(text: str) -> str:
    """A text as ASCII: escape sequences, control and direction characters are gone, the others stand as escapes.

    Newlines and tabs stay. So does what is ASCII and printable, but for what a runner of GitHub takes for a command.
    """
    return _escaped(inert(text))


def ascii_line(text: str) -> str:
    """The same on one line."""
    return _escaped(inert_line(text))


def _escaped(text: str) -> str:
    return text.encode("ascii", "backslashreplace").decode("ascii").replace(GITHUB_COMMAND, "#\\x23[")


def plain_name(text: str) -> str:
    """The name of a run or a branch, which anybody may have given, as one ASCII word that makes no sentence."""
    return "".join(ascii_line(text).split())[:_NAME_MAX]
