"""Fetches the snapshot of earlier runs from a recorder: a program that pytest waits for before it collects."""

from __future__ import annotations

import http.client
import os
import sys
from collections.abc import Sequence
from urllib.parse import urlencode

from pytest_semantest import __version__
from pytest_semantest.protocol.snapshot import SNAPSHOT_MAX, SNAPSHOT_PATH
from pytest_semantest.protocol.whole_file import write_whole
from pytest_semantest.selection.snapshot import parse_snapshot
from pytest_semantest.shipper.artifacts import connection_to
from pytest_semantest.shipper.spawn import TOKEN_VARIABLE

_REFUSALS = {
    401: "it does not know the token",
    403: "the token may not read: it needs the role read",
    404: "it has no snapshot yet, or is too old to keep one",
}


def main(arguments: Sequence[str]) -> int:
    """``URL PATH RUN``: the exit code is 0 when the snapshot is at ``PATH``; else stderr has one line that says why."""
    url, path, run_id = arguments
    try:
        content = _fetch(url, os.environ.get(TOKEN_VARIABLE), run_id)
        if content:  # the shards of the run have none
            parse_snapshot(content)  # what cannot be used takes no place of what can
        write_whole(path, content)
    except (OSError, http.client.HTTPException, ValueError) as error:
        print(getattr(error, "strerror", None) or error, file=sys.stderr)  # noqa: T201
        return 1
    return 0


def _fetch(url: str, token: str | None, run_id: str) -> bytes:
    """The snapshot; that of the shards of a run when one is named.

    Raises ``OSError``, ``HTTPException`` or ``ValueError``, which says what the recorder answered.
    """
    connection, prefix = connection_to(url)
    headers = {"User-Agent": f"pytest-semantest/{__version__}"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    try:
        query = f"?{urlencode({'run': run_id})}" if run_id else ""
        connection.request("GET", prefix + SNAPSHOT_PATH + query, headers=headers)
        response = connection.getresponse()
        content = response.read(SNAPSHOT_MAX + 1)
    finally:
        connection.close()
    if response.status != 200:
        raise ValueError(_REFUSALS.get(response.status, f"it answers {response.status}"))
    if len(content) > SNAPSHOT_MAX:
        raise ValueError(f"it is larger than {SNAPSHOT_MAX} bytes")
    return content
