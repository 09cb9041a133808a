"""Sessions that can be seen in the folder and not be read: what is missing from a report because of them."""

from __future__ import annotations

import os
from pathlib import Path

from pytest_semantest.protocol.layout import lost_its_journals, visible_folders
from semantest_recorder.reports.inert import inert_line


def session_notes(folder: Path) -> list[str]:
    """A line for each session whose folder cannot be looked into, or whose journals were taken away."""
    notes = []
    for session in visible_folders(folder):
        name = inert_line(session.name)
        if not os.access(session, os.R_OK | os.X_OK):
            if not session.exists():
                continue  # its shipper has just finished
            notes.append(f"session {name} cannot be read: {session} is not open to you")
        elif lost_its_journals(session):
            notes.append(f"the journals of session {name} were deleted from outside: what was not shipped yet is lost")
    return notes
