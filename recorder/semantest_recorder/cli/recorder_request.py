"""Something that a recorder which runs is asked to do."""

from __future__ import annotations

import http.client
import json
from contextlib import closing
from typing import Any
from urllib.parse import urlsplit

from semantest_recorder.cli.stop import Stop
from semantest_recorder.discovery import Discovery


def post(found: Discovery, path: str, body: object, seconds: float, *, cut_short: str) -> dict[str, Any]:
    """The recorder's answer, waited for so many seconds. ``cut_short`` says what an end in the middle means.

    Raises ``Stop``.
    """
    address = urlsplit(found.url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=seconds)
    headers = {"Authorization": f"Bearer {found.token}", "Content-Type": "application/json"}
    try:
        with closing(connection):
            connection.request("POST", path, json.dumps(body), headers)
            response = connection.getresponse()
            answer = json.loads(response.read())
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise Stop(f"the recorder at {found.url} ended in the middle of it ({error}); {cut_short}") from None
    if response.status != 200:
        raise Stop(f"the recorder at {found.url} refused: {answer.get('detail', response.status)}")
    return dict(answer)
