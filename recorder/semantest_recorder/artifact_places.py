"""Where artifacts are on disk: with the project's recorder, or still in the folder of their session."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from pytest_semantest.protocol.artifacts import ARTIFACTS, is_sha256, place_of
from pytest_semantest.protocol.layout import visible_folders
from semantest_recorder.reports.details import PlaceOf


def place_finder(folder: Path, sessions: Iterable[Path] = ()) -> PlaceOf:
    """Finds artifacts of the ``.semantest`` folder; ``sessions`` are folders of sessions that may lie elsewhere."""
    stored = folder / ARTIFACTS
    waiting = [session / ARTIFACTS for session in (*sessions, *visible_folders(folder))]

    def find(sha256: str) -> str | None:
        if not is_sha256(sha256):  # what an event says is no path
            return None
        places = [stored.joinpath(*place_of(sha256)), *(one / sha256 for one in waiting)]
        return next((str(place.absolute()) for place in places if place.is_file()), None)

    return find


def kept_place_finder(folder: Path) -> PlaceOf:
    """The same for what outlives the sessions: of what still waits in one, where the recorder is going to have it."""
    find = place_finder(folder)

    def find_kept(sha256: str) -> str | None:
        return str(folder.absolute().joinpath(ARTIFACTS, *place_of(sha256))) if find(sha256) is not None else None

    return find_kept
