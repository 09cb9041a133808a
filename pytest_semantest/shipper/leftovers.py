"""The sessions that earlier shippers left, shipped behind one's own."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

from pytest_semantest.protocol.destination import destination, is_same_recorder
from pytest_semantest.protocol.layout import DISCOVERY, has_journal, session_folders
from pytest_semantest.protocol.small_file import read_object
from pytest_semantest.shipper.folder import is_running, lock_of
from pytest_semantest.shipper.program import Settings, Termination, ship
from pytest_semantest.shipper.results import Outcome
from pytest_semantest.shipper.state import read_state

#: How long a recorder may be silent while sessions of earlier runs are shipped beside one's own, in seconds.
OTHERS_S = 5.0


def ship_others(settings: Settings, termination: Termination) -> None:
    """Ships, without a word, the ended sessions that are meant for the same recorder, while one answers.

    Left out are those that another shipper has, that still run, or that a recorder has refused before.
    """
    for folder in session_folders(settings.directory):
        if termination.deadline is not None:
            return
        if folder.name == settings.session or not _is_for(settings, folder):
            continue
        try:
            outcome = _ship_one(settings, folder, termination)
        except Exception:  # noqa: BLE001, S112  its log has it, and those behind it are to be shipped
            continue
        if outcome in ("unreachable", "refused"):
            return


def _ship_one(settings: Settings, folder: Path, termination: Termination) -> Outcome | None:
    """How shipping a session ended; ``None`` for one that runs, or is gone. Raises ``Timeout`` for one that is held."""
    if is_running(folder, time.time() * 1000):
        return None
    with lock_of(folder).acquire(timeout=0):
        if not has_journal(folder):
            return None
        one = replace(settings, session=folder.name, sync=True, quiet=True, give_up=min(settings.give_up, OTHERS_S))
        return ship(one, folder, termination).outcome


def _is_for(settings: Settings, folder: Path) -> bool:
    """Whether the session goes where this shipper ships to, by the word of the shipper before, and may be taken."""
    told = read_state(folder)
    if told.get("state") == "stopped":
        return False  # it would be sent whole at every run; `semantest sync` tries again and says why not
    if told.get("named") is None:
        return True  # nobody knows
    own = read_object(settings.directory / DISCOVERY).get("url")
    ours = destination({"named": True, "recorder": settings.url}, own)
    return is_same_recorder(destination(told, own), ours)
