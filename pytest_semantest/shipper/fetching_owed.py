"""Asks a recorder what runs owe: a program that pytest waits for before it collects."""

from __future__ import annotations

import http.client
import json
import os
import sys
from collections.abc import Sequence
from urllib.parse import urlencode

from pytest_semantest import __version__
from pytest_semantest.protocol.owed import OWED_MAX, OWED_PATH
from pytest_semantest.shipper.artifacts import connection_to
from pytest_semantest.shipper.spawn import TOKEN_VARIABLE


def main(arguments: Sequence[str]) -> int:
    """``URL RUN...``: the exit code is 0 when the answer is on stdout; else stderr has one line that says why."""
    url, *runs = arguments
    try:
        sys.stdout.buffer.write(_fetch(url, os.environ.get(TOKEN_VARIABLE), runs))
    except (OSError, http.client.HTTPException, ValueError) as error:
        print(getattr(error, "strerror", None) or error, file=sys.stderr)  # noqa: T201
        return 1
    return 0


def _fetch(url: str, token: str | None, runs: Sequence[str]) -> bytes:
    """The answer. Raises ``OSError``, ``HTTPException`` or ``ValueError``, which says what the recorder answered."""
    connection, prefix = connection_to(url)
    headers = {"User-Agent": f"pytest-semantest/{__version__}"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    try:
        query = urlencode([("run", run) for run in runs])
        connection.request("GET", f"{prefix}{OWED_PATH}?{query}", headers=headers)
        response = connection.getresponse()
        content = response.read(OWED_MAX + 1)
    finally:
        connection.close()
    if response.status != 200:
        raise ValueError(_reason(response.status, content))
    if len(content) > OWED_MAX:
        raise ValueError(f"its answer is larger than {OWED_MAX} bytes")
    return content


def _reason(status: int, content: bytes) -> str:
    """Why there is no answer: in a recorder's own words where it knows the question."""
    if status in (401, 403):
        return "it does not know the token" if status == 401 else "the token may not read: it needs the role read"
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        found = None
    known = isinstance(found, dict) and found.get("code") != "NOT_FOUND"  # that is a route which it does not have
    detail = found.get("detail") if known else None
    return detail if isinstance(detail, str) else f"it answers {status}: it may be too old to know what runs owe"
