"""What earlier runs left in the folder and is not in the database yet: taken in before a command reads, and told."""

from __future__ import annotations

from pathlib import Path

from pytest_semantest.protocol.layout import session_folders
from semantest_recorder.cli.note import say_note
from semantest_recorder.cli.session_notes import session_notes
from semantest_recorder.cli.take_in import SHIPPED, take_in


def take_in_leftovers(folder: Path, seconds: float) -> str:
    """Ship what is left over; why not all of it could be shipped, or an empty text."""
    if seconds <= 0 or not session_folders(folder):
        return ""
    shipped = take_in(folder, seconds)
    if shipped.exit_code == SHIPPED:
        return ""
    return shipped.said.splitlines()[-1] if shipped.said else f"the shipper did not finish in {seconds:g} s"


def unstored_notes(why: str) -> list[str]:
    """What to say when not all could be shipped; ``why`` is empty when all could."""
    return [f"some sessions are not in the database yet: {why}"] if why else []


def take_in_and_tell(folder: Path, seconds: float) -> None:
    """Ship what is left over, for a command that reads nothing but the database, and say what it will lack."""
    why = take_in_leftovers(folder, seconds)
    for told in (*session_notes(folder), *unstored_notes(why)):
        say_note(told)
