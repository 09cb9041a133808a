"""A command that comes over HTTP: said and answered as on a connection, by the same rules."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec

from semantest_recorder.core.access import Identity
from semantest_recorder.core.refusal import Refusal
from semantest_recorder.server.handshake import Handshake
from semantest_recorder.server.hub import Hub
from semantest_recorder.server.peer import Peer


async def command(hub: Hub, identity: Identity, method: str, payload: object) -> Any:
    """The answer to one method of core/commands.py, asked by ``identity``. Raises ``Refusal``."""
    if not hub.accepting:
        raise Refusal("STOPPING", "the recorder is stopping")
    caller = _Caller(hub, identity)
    try:
        return await caller.ask(method, payload)
    finally:
        hub.leave(caller)


class _Caller(Peer):
    def __init__(self, hub: Hub, identity: Identity) -> None:
        super().__init__(hub.open_session(identity, Handshake(agent="HTTP request")), hub)
        self._answer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        hub.join(self)

    async def ask(self, method: str, payload: object) -> Any:
        frame = msgspec.json.encode({"id": "1", "type": "request", "method": method, "payload": payload})
        self.perform(self.session.receive(frame, self._hub.now_ms(), self._hub.pending_events))
        message = await self._answer
        if not message["success"]:
            raise Refusal(str(message["payload"]["code"]), str(message["error"]))
        return message.get("payload")

    async def wait_for_room(self) -> None:
        """Nothing waits here."""

    def _enqueue(self, frame: bytes, *, own: bool = True) -> None:  # noqa: ARG002 - nothing waits here
        message = msgspec.json.decode(frame)
        if message["type"] == "response" and not self._answer.done():
            self._answer.set_result(message)

    def _closes_soon(self) -> None:
        if not self._answer.done():
            self._answer.set_exception(Refusal("STOPPING", "the recorder is stopping"))
