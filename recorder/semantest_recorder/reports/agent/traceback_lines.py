"""What a traceback says to whoever is to mend the code: the project's own lines, and the error."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import msgspec

#: `tests/test_a.py:9: ValueError` below the code (pytest's long form), or `a.py:9: in name` above it (the short one).
_PLACE = re.compile(r"(?P<file>[^\s<>|][^<>|]*?):(?P<line>\d+):(?P<short> in \S.*)?(?: \S+)?\s*")
#: `  File "a.py", line 9, in name` above the code, as Python itself writes it.
_NATIVE = re.compile(r'\s*File "(?P<file>[^"<>]+)", line (?P<line>\d+)(?P<short>, in .+)?\s*')
_ERROR = re.compile(r"E(?:\s(?P<text>.*))?")
_FOREIGN = re.compile(r"(?:^|[/\\])(?:site-packages|dist-packages|[Ll]ib[/\\]python\d[.\d]*|python3\.zip)[/\\]")


class Frame(msgspec.Struct, frozen=True):
    """A place in the code, and the line that stands there, without its indent; empty when it is not told."""

    file: str
    line: int
    source: str


class TracebackLines(msgspec.Struct, frozen=True):
    """The places, outermost first, and the lines of the error without pytest's ``E`` in front of them."""

    frames: list[Frame]
    error: list[str]

    @property
    def own(self) -> list[Frame]:
        """The places in code that is not installed, outermost first."""
        return [frame for frame in self.frames if is_own(frame.file)]


def is_own(file: str) -> bool:
    """Whether a file may be the project's: it belongs neither to Python nor to a package that is installed."""
    return not _FOREIGN.search(file)


def traceback_lines(stack: str) -> TracebackLines:
    """What is told by a traceback in one of pytest's forms, or in Python's own."""
    lines = stack.split("\n")
    return TracebackLines(list(_frames(lines)), list(_error(lines)))


def _frames(lines: Sequence[str]) -> Iterator[Frame]:
    marked = ""  # the line that pytest points to, whose place follows
    for number, line in enumerate(lines):
        if line.startswith(">"):
            marked = line[1:].strip()
            continue
        place = _NATIVE.fullmatch(line) or _PLACE.fullmatch(line)
        if place is None:
            continue
        below = lines[number + 1].strip() if place["short"] and number + 1 < len(lines) else ""
        yield Frame(place["file"], int(place["line"]), below or marked)
        marked = ""


def _error(lines: Sequence[str]) -> Iterator[str]:
    """The lines of the error without the indent of the first one, which is that of the code above."""
    indent: int | None = None
    for line in lines:
        found = _ERROR.fullmatch(line)
        if found is None:
            indent = None
            continue
        text = found["text"] or ""
        kept = text.lstrip(" ")
        own = len(text) - len(kept)
        indent = own if indent is None else indent
        yield " " * max(0, own - indent) + kept
