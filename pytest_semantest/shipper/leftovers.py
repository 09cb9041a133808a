"""``--sync``: ships the sessions that earlier shippers left, in the foreground, one after the other."""

from __future__ import annotations

import sys
import time

from filelock import Timeout

from pytest_semantest.shipper.folder import is_running, session_folders
from pytest_semantest.shipper.program import EXIT_CODES, Result, Settings, Termination, lock_of, ship

_SAYS = {
    "shipped": "shipped, {acked} events",
    "running": "still runs, {acked} events are acknowledged",
    "unreachable": "not shipped: {detail}",
    "refused": "not shipped: {detail}",
    "stopped": "not shipped completely: {detail}",
    "unreadable": "left where it is: none of its journals begins with a readable record",
    "terminated": "stopped, {acked} events are acknowledged",
}


def sync(settings: Settings, termination: Termination) -> int:
    """Ships one or all leftover sessions and says one line of each; gives the worst exit code."""
    code = 0
    folders = session_folders(settings.directory)
    if settings.session is not None:
        folders = [folder for folder in folders if folder.name == settings.session]
        if not folders:
            _say(settings, f"{settings.session}: nothing is left to be shipped")
    for folder in folders:
        if termination.deadline is not None:
            break
        lock = lock_of(folder)
        try:
            running = is_running(folder, time.time() * 1000)
            lock.acquire(timeout=0 if running else settings.timeout)
        except Timeout:
            _say(settings, f"{folder.name}: another shipper is at work")
            continue
        except OSError as error:
            if folder.is_dir():
                _say(settings, f"{folder.name}: cannot be read: {error.strerror}")
                code = max(code, EXIT_CODES["unreadable"])
            continue
        with lock:
            if not folder.is_dir():
                _say(settings, f"{folder.name}: shipped")
                continue
            result = ship(settings, folder, termination)
        _report(settings, result)
        code = max(code, EXIT_CODES[result.outcome])
        if result.outcome in ("unreachable", "refused"):
            break  # the next one would meet the same
    return code


def _report(settings: Settings, result: Result) -> None:
    text = _SAYS[result.outcome].format(acked=result.acked, detail=result.detail or "no recorder answered in time")
    _say(settings, f"{result.session}: {text}")


def _say(settings: Settings, text: str) -> None:
    if not settings.quiet:
        print(text, file=sys.stderr, flush=True)  # noqa: T201
