"""Sends what is in the log once more: to subscribers, and to who asked for it where it may read. Nothing is stored."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from typing import Any

from semantest_recorder.core import messages
from semantest_recorder.core.access import READERS
from semantest_recorder.server.peer import Peer, text_frame

#: After how much the replay looks whether all readers follow, and what may wait for one of them then, in bytes; for how
#: long it waits at most, in seconds.
_WAITING_BYTES = 1024 * 1024
_PATIENCE_S = 10.0
_LOOK_S = 0.02
_PAUSE_S = 0.25
#: Gaps in the log that are longer than this are not waited out, in seconds of the replay.
_GAP_MAX_S = 60.0

Pages = Callable[[float, float, list[str] | None], AsyncIterator[list[dict[str, Any]]]]


class Replay:
    """One replay. ``targets`` tells who wants a type of event now."""

    def __init__(
        self,
        number: int,
        asker: Peer,
        targets: Callable[[str], Iterable[Peer]],
        now_ms: Callable[[], float],
        parameters: Mapping[str, Any],
    ) -> None:
        self._asker = asker
        self._targets = targets
        self._now_ms = now_ms
        self._readers: set[Peer] = set()
        self._speed: float = parameters["speed"]
        self._range = (parameters["start_ms"], parameters["end_ms"], parameters["types"])
        self.facts = {
            "replayId": f"replay-{number}",
            "startTime": parameters["start_ms"],
            "endTime": parameters["end_ms"],
            "types": parameters["types"],
            "speed": self._speed,
        }

    async def run(self, pages: Pages) -> None:
        """Sends all of it, then ``replayEnded``; ends early when the one who asked has gone."""
        count, last_ms, sent, error = 0, None, 0, None
        try:
            async for page in pages(*self._range):
                for event in page:
                    if self._speed and last_ms is not None:
                        await self._pause((event["timestamp"] - last_ms) / 1000 / self._speed)
                    if self._asker.session.closed:
                        return
                    last_ms = event["timestamp"]
                    sent += self._send(event)
                    count += 1
                    if sent > _WAITING_BYTES:
                        sent = 0
                        await self._wait_for_readers()
                await self._wait_for_readers()
        except Exception as problem:
            error = str(problem) or type(problem).__name__
            raise
        finally:
            ended = {**self.facts, "events": count, "completed": error is None} | ({"error": error} if error else {})
            frame = messages.encode("replayEnded", self._now_ms(), ended, id=self.facts["replayId"])
            self._asker.publish(frame, text_frame(frame))

    async def _pause(self, seconds: float) -> None:
        """As long as it took then, but no longer than whoever asked stays."""
        left = min(max(seconds, 0.0), _GAP_MAX_S)
        while left > 0 and not self._asker.session.closed:
            await asyncio.sleep(min(left, _PAUSE_S))
            left -= _PAUSE_S

    def _send(self, event: Mapping[str, Any]) -> int:
        """Sends one event, and tells how long it was."""
        frame = messages.encode("event", self._now_ms(), event, id=event["id"], replay=self.facts["replayId"])
        wire = text_frame(frame)
        if self._asker.session.client.identity.has_any(READERS):
            self._readers.add(self._asker)
            self._asker.publish(frame, wire)
        for connection in self._targets(event["type"]):
            if connection is not self._asker:
                self._readers.add(connection)
                connection.publish(frame, wire)
        return len(frame)

    async def _wait_for_readers(self) -> None:
        """A replay is faster than any reader: it waits for them, but not for who has gone or does not read at all."""
        readers, self._readers = self._readers, set()
        waited = 0.0
        await asyncio.sleep(0)
        while waited < _PATIENCE_S and any(
            reader.queued_bytes > _WAITING_BYTES and not reader.session.closed for reader in readers
        ):
            await asyncio.sleep(_LOOK_S)
            waited += _LOOK_S
