"""A polite end for a pytest that ignores Ctrl-C: shells start programs in the background that way, and CI does, too.

The shipper writes why into ``stop`` in the session's folder; between two tests pytest looks whether it is there.
"""

from __future__ import annotations

import os
from typing import Any

import pytest

from pytest_semantest.containment import CONTAINED
from pytest_semantest.protocol.layout import STOP
from pytest_semantest.protocol.printable import printable_line

_REASON_MAX_BYTES = 2000


class StopRequest:
    """Ends the session after the test that runs when somebody asks for it."""

    _open = os.open  # a test may replace the module's, and builtins.open
    _read = os.read
    _close = os.close

    def __init__(self, folder: str, session: pytest.Session) -> None:
        self._path = os.path.join(folder, STOP)
        #: xdist's controller looks at its own attribute.
        self._loop: Any = session.config.pluginmanager.getplugin("dsession") or session

    def pytest_runtest_logfinish(self) -> None:
        """Called after each test; in xdist's controller when a worker says that it has finished one."""
        try:
            reason = self._requested()
            if reason is not None and not self._loop.shouldstop:
                self._loop.shouldstop = f"cancelled: {printable_line(reason)}"
        except CONTAINED:  # whatever it is, a test must not end for it
            return

    def _requested(self) -> str | None:
        """Why the session is to end, ``None`` when nobody asks for it."""
        try:
            descriptor = StopRequest._open(self._path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            return None
        try:
            return StopRequest._read(descriptor, _REASON_MAX_BYTES).decode("utf-8", "replace")
        finally:
            StopRequest._close(descriptor)
