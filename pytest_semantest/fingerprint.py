"""What tells whether a test's own code is as it was: a checksum of the lines of its function.

The name of the function and the indentation of its first line are left out: a test that was renamed, or moved into a
class, keeps its fingerprint. What the test calls is not in it.
"""

from __future__ import annotations

import os
from types import CodeType, FunctionType
from zlib import crc32

import pytest

from pytest_semantest.containment import CONTAINED

#: A decorated function is looked for behind so many wrappers.
_WRAPPERS = 32
#: Bytes. A larger file is no test file that somebody wrote.
_FILE_MAX = 4 * 1024 * 1024


class Fingerprints:
    """Fingerprints of tests in the order in which they run: of functions and files only the last one is kept."""

    # Class attributes: fixtures that fake files patch the names of modules (HAZARDS 10).
    _open = os.open
    _read = os.read
    _close = os.close

    def __init__(self) -> None:
        self._function: object = None
        self._found = ""
        self._file = ""
        self._lines: list[bytes] = []

    def of(self, item: pytest.Item) -> str:
        """``1a2b3c4d-5e``: CRC-32 and number of bytes, both in hex; empty for what is no function in a file."""
        function = getattr(item, "function", None)
        if function is not self._function:  # the cases of a parametrized test have one function
            self._function = function
            try:
                self._found = self._make(function)
            except CONTAINED:  # wrappers may be any object
                self._found = ""
        return self._found

    def _make(self, function: object) -> str:
        code = _code_of(function)
        if code is None:
            return ""
        if code.co_filename != self._file:
            self._file, self._lines = code.co_filename, self._read_lines(code.co_filename)
        first = code.co_firstlineno
        lines = self._lines[first - 1 : _last_line(code)]
        if not lines:
            return ""
        indent = len(lines[0]) - len(lines[0].lstrip())
        text = b"\n".join([line[indent:].rstrip() for line in lines]).replace(code.co_name.encode(), b"", 1)
        return f"{crc32(text):08x}-{len(text):x}"

    @staticmethod
    def _read_lines(path: str) -> list[bytes]:
        try:
            descriptor = Fingerprints._open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        except OSError:
            return []
        try:
            return Fingerprints._read(descriptor, _FILE_MAX).splitlines()
        finally:
            Fingerprints._close(descriptor)


def _code_of(function: object) -> CodeType | None:
    """The code of the function that the author of the test wrote."""
    for _ in range(_WRAPPERS):
        inner = getattr(function, "__wrapped__", None) or getattr(
            getattr(function, "hypothesis", None), "inner_test", None
        )
        if not isinstance(inner, FunctionType):
            break
        function = inner
    return getattr(function, "__code__", None)


def _last_line(code: CodeType) -> int:
    last = max((line for _, _, line in code.co_lines() if line is not None), default=code.co_firstlineno)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            last = max(last, _last_line(constant))
    return last
