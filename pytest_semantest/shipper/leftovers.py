"""The sessions that earlier shippers left: shipped one after the other, in the foreground or behind one's own."""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from pathlib import Path

from filelock import Timeout

from pytest_semantest.protocol.layout import has_journal, session_folders
from pytest_semantest.shipper.folder import is_running
from pytest_semantest.shipper.program import EXIT_CODES, Result, Settings, Termination, lock_of, ship
from pytest_semantest.shipper.state import read_state

#: How long a recorder may be silent while sessions of earlier runs are shipped beside one's own, in seconds.
OTHERS_S = 5.0

_SAYS = {
    "shipped": "shipped, {acked} events",
    "running": "still runs, {acked} events are acknowledged",
    "unreachable": "not shipped: {detail}",
    "refused": "not shipped: {detail}",
    "stopped": "not shipped completely: {detail}",
    "unreadable": "left where it is: no record of its journals can be read",
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
            if has_journal(folder):
                _say(settings, f"{folder.name}: cannot be read: {error.strerror}")
                code = max(code, EXIT_CODES["unreadable"])
            continue
        with lock:
            if not has_journal(folder):
                _say(settings, f"{folder.name}: shipped")
                continue
            result = ship(settings, folder, termination)
        _report(settings, result)
        code = max(code, EXIT_CODES[result.outcome])
        if result.outcome in ("unreachable", "refused"):
            break  # the next one would meet the same
    return code


def ship_others(settings: Settings, termination: Termination) -> None:
    """Ships, without a word, the ended sessions that are meant for the same recorder, while one answers.

    Left out are those that another shipper has, that still run, or that a recorder has refused before.
    """
    for folder in session_folders(settings.directory):
        if termination.deadline is not None:
            return
        if folder.name == settings.session or not _is_for(settings, folder):
            continue
        lock = lock_of(folder)
        try:
            if is_running(folder, time.time() * 1000):
                continue
            lock.acquire(timeout=0)
        except (Timeout, OSError):
            continue
        with lock:
            if not has_journal(folder):
                continue
            one = replace(settings, session=folder.name, sync=True, quiet=True, give_up=min(settings.give_up, OTHERS_S))
            if ship(one, folder, termination).outcome in ("unreachable", "refused"):
                return


def _is_for(settings: Settings, folder: Path) -> bool:
    """Whether the session goes where this shipper ships to, by the word of the shipper before, and may be taken."""
    told = read_state(folder)
    if told.get("state") == "stopped":
        return False  # it would be sent whole at every run; `semantest sync` tries again and says why not
    named = told.get("recorder") if told.get("named") is True else None
    return not told or named == settings.url


def _report(settings: Settings, result: Result) -> None:
    text = _SAYS[result.outcome].format(acked=result.acked, detail=result.detail or "no recorder answered in time")
    _say(settings, f"{result.session}: {text}")


def _say(settings: Settings, text: str) -> None:
    if not settings.quiet:
        print(text, file=sys.stderr, flush=True)  # noqa: T201
