"""A client of the recorder for people's own programs, async and sync.

with Client.of_project(".") as client:
    client.start_run("nightly-7", name="Nightly")
    with client.test("login"):
        ...
    print(client.end_run("nightly-7")["status"])
"""

from __future__ import annotations

from semantest_recorder.client.asynchronous import AsyncClient
from semantest_recorder.client.blocking import Client
from semantest_recorder.client.errors import ClientError, CommandError, EventsRefusedError, NotConnectedError

__all__ = ["AsyncClient", "Client", "ClientError", "CommandError", "EventsRefusedError", "NotConnectedError"]
