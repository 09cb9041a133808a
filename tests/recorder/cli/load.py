"""A client that sends a run without a pause while other things happen, over a real WebSocket."""

from __future__ import annotations

import json
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import websocket

RUN = "20261121-120000-10ad00"
SOURCE = f"{RUN}.main"
TESTS_AT_ONCE = 20
DEADLINE_S = 60.0


class Load:
    """Sends batches, each after the acknowledgement of the one before, from ``start`` to ``finish``.

    When the recorder goes away it connects again and sends what was not acknowledged, as a shipper does.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.events: list[dict[str, Any]] = [_event("run/start", runId=RUN, session=RUN, source=SOURCE, worker="main")]
        self.acked = 0
        self.failure: str | None = None
        self._grown = threading.Condition()
        self._finish = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)

    def start(self) -> Load:
        self._thread.start()
        self.wait_for(1)
        return self

    def wait_for(self, more: int) -> None:
        """Until so many more events are acknowledged."""
        with self._grown:
            wanted = self.acked + more
            assert self._grown.wait_for(lambda: self.acked >= wanted or self.failure, DEADLINE_S)
        assert self.failure is None, self.failure

    def finish(self) -> int:
        """Sends no more; how many events were sent and acknowledged."""
        self._finish.set()
        self._thread.join(DEADLINE_S)
        assert not self._thread.is_alive()
        assert self.failure is None, self.failure
        return len(self.events)

    def _work(self) -> None:
        try:
            while not (self._finish.is_set() and self.acked == len(self.events)):
                try:
                    self._send_all(self._connect())
                except (OSError, websocket.WebSocketException):
                    time.sleep(0.05)
        except Exception as error:  # noqa: BLE001 - the test that waits says it
            self.failure = repr(error)

    def _connect(self) -> websocket.WebSocket:
        found = json.loads((self.folder / "recorder.json").read_text())
        connection = websocket.create_connection(
            found["url"].replace("http", "ws", 1) + "/ws",
            header={"Authorization": f"Bearer {found['token']}"},
            suppress_origin=True,
            http_no_proxy=["*"],
            timeout=DEADLINE_S,
        )
        connection.recv()
        return connection

    def _send_all(self, connection: websocket.WebSocket) -> None:
        with closing(connection):
            while not (self._finish.is_set() and self.acked == len(self.events)):
                if self.acked == len(self.events):
                    self._grow()
                first = self.acked
                message = {"type": "events", "source": SOURCE, "firstSeq": first + 1, "events": self.events[first:]}
                connection.send(json.dumps(message))
                answer = json.loads(connection.recv())
                assert answer["type"] == "ack", answer
                with self._grown:
                    self.acked = answer["seq"]
                    self._grown.notify_all()

    def _grow(self) -> None:
        number = len(self.events)
        for test in (f"a.py::t{number + index}" for index in range(TESTS_AT_ONCE)):
            self.events.append(_event("test/start", testId=test, attempt=1, file="a.py", line=1))
            self.events.append(_event("test/end", testId=test, attempt=1, outcome="passed", duration=1.0))


def _event(kind: str, **payload: Any) -> dict[str, Any]:
    return {"type": kind, "timestamp": time.time() * 1000, "payload": payload}
