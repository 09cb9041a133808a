"""What tests say as a client without a journal, and how time passes for the recorder."""

from __future__ import annotations

import time
from typing import Any

from tests.recorder.server.running import Client, RunningServer


def now_ms() -> float:
    return time.time() * 1000


def say(client: Client, kind: str, payload: object, **more: Any) -> None:
    event = {"id": f"e{time.monotonic_ns()}", "type": kind, "timestamp": now_ms(), "payload": payload, **more}
    client.send({"id": "m1", "type": "event", "timestamp": now_ms(), "payload": event})


def request(client: Client, method: str, payload: object = None) -> Any:
    answer = client.ask({"id": "q", "type": "request", "method": method, "payload": payload})
    assert answer["type"] == "response", answer
    assert answer["success"], answer
    return answer["payload"]


def pass_time(server: RunningServer, ms: float) -> None:
    """What is due so much later is done now."""

    def submit() -> None:
        for due in server.hub.runs.due(now_ms() + ms, server.hub.attendance.attended()):
            server.hub.submit(due, None)

    server.call(submit)


def passing(client: Client, test_id: str, **more: Any) -> None:
    say(client, "test/start", {"testId": test_id, "testName": test_id, **more})
    say(client, "test/end", {"testId": test_id, "status": "passed", "duration": 3, **more})
