"""Sends what is in the log once more: to who asked for it, and to subscribers. Nothing is stored or applied by it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from typing import Any

from semantest_recorder.core import messages
from semantest_recorder.server.peer import Peer, text_frame

#: What may wait for one of the readers before the replay waits for it, in bytes; for how long at most, in seconds.
_WAITING_BYTES = 1024 * 1024
_PATIENCE_S = 10.0
_LOOK_S = 0.02
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
        count, last_ms, error = 0, None, None
        try:
            async for page in pages(*self._range):
                for event in page:
                    if self._speed and last_ms is not None:
                        gap_s = (event["timestamp"] - last_ms) / 1000 / self._speed
                        await asyncio.sleep(min(max(gap_s, 0.0), _GAP_MAX_S))
                    last_ms = event["timestamp"]
                    self._send(event)
                    count += 1
                if self._asker.session.closed:
                    return
                await self._wait_for_readers(page)
        except Exception as problem:
            error = str(problem) or type(problem).__name__
            raise
        finally:
            ended = {**self.facts, "events": count, "completed": error is None} | ({"error": error} if error else {})
            frame = messages.encode("replayEnded", self._now_ms(), ended, id=self.facts["replayId"])
            self._asker.publish(frame, text_frame(frame))

    def _send(self, event: Mapping[str, Any]) -> None:
        frame = messages.encode("event", self._now_ms(), event, id=event["id"], replay=self.facts["replayId"])
        wire = text_frame(frame)
        self._asker.publish(frame, wire)
        for connection in self._targets(event["type"]):
            if connection is not self._asker:
                connection.publish(frame, wire)

    async def _wait_for_readers(self, page: Iterable[Mapping[str, Any]]) -> None:
        """A replay is faster than any reader: it waits for them, but not for one that does not read at all."""
        readers = {
            self._asker,
            *(reader for kind in {event["type"] for event in page} for reader in self._targets(kind)),
        }
        waited = 0.0
        while waited < _PATIENCE_S and any(reader.queued_bytes > _WAITING_BYTES for reader in readers):
            await asyncio.sleep(_LOOK_S)
            waited += _LOOK_S
        await asyncio.sleep(0)
