"""Ends the processes that a test's folder was given to: shippers and recorders outlive the pytest that started them."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from pathlib import Path

import psutil

DEADLINE_S = 60.0


def end_processes_of(folder: Path) -> None:
    """Kills every process whose command line names ``folder`` or what is below it, until there is none.

    One that is found may have started another one meanwhile, so it looks until it finds nothing.
    """
    deadline = time.monotonic() + DEADLINE_S
    while found := _processes_of(str(folder)):
        assert time.monotonic() < deadline, f"these do not end: {found}"
        for process in found:
            with suppress(psutil.Error):
                process.kill()
        time.sleep(0.01)


def _processes_of(folder: str) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.pid != os.getpid() and any(folder in argument for argument in process.cmdline()):
                found.append(process)
    return found
