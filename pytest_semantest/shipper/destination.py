"""Where the sessions that were left over go to."""

from __future__ import annotations

from pathlib import Path

from pytest_semantest.protocol.layout import DISCOVERY
from pytest_semantest.shipper.state import read_object, read_state


def meant_for(folder: Path, otherwise: str | None = None) -> str | None:
    """The address of the recorder that a session is meant for, by its shipper's word; ``None`` for the project's own.

    ``otherwise``: the recorder of a session whose shipper never told. A named recorder that turns out to be the
    project's own counts as that: its address and token may change.
    """
    told = read_state(folder)
    named, recorder = told.get("named"), told.get("recorder")
    if named is False:
        return None
    url = recorder if named is True and isinstance(recorder, str) else otherwise
    if url is None:
        return None
    own = read_object(folder.parent.parent / DISCOVERY).get("url")
    return None if isinstance(own, str) and own.rstrip("/") == url.rstrip("/") else url
