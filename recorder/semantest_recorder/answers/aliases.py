"""Earlier names of tests."""

from __future__ import annotations

from pathlib import Path

from semantest_recorder.reports.alias_list import AliasList, alias_list
from semantest_recorder.store.identity import read_aliases


def aliases(database: Path) -> AliasList:
    """All aliases, oldest first, removed ones included. Raises what ``Reader`` raises."""
    return alias_list(read_aliases(database))
