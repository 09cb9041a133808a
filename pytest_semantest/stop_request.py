"""A polite end for a pytest that ignores Ctrl-C: shells start programs in the background that way, and CI does, too.

The shipper writes why into ``stop`` in the session's folder; between two tests pytest looks whether it is there.
"""

from __future__ import annotations

import os
from typing import Any

import pytest

from pytest_semantest.protocol.layout import STOP
from pytest_semantest.protocol.printable import printable_line

_REASON_MAX = 2000


class StopRequest:
    """Ends the session after the test that runs when somebody asks for it."""

    def __init__(self, folder: str, session: pytest.Session) -> None:
        self._path = os.path.join(folder, STOP)
        #: xdist's controller looks at its own attribute.
        self._loop: Any = session.config.pluginmanager.getplugin("dsession") or session

    def pytest_runtest_logfinish(self) -> None:
        """Called after each test; in xdist's controller when a worker says that it has finished one."""
        try:
            with open(self._path, encoding="utf-8", errors="replace") as file:
                reason = file.read(_REASON_MAX)
        except OSError:
            return
        if not self._loop.shouldstop:
            self._loop.shouldstop = f"cancelled: {printable_line(reason)}"
