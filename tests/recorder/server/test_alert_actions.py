"""What people ask for of alerts over HTTP: read, carried out, and refused in our form."""

from __future__ import annotations

import json
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from semantest_recorder.core.alerts.actions import Action, Done, EndSilence
from semantest_recorder.core.refusal import Refusal
from semantest_recorder.server.alerts import alert_actions_route
from tests.recorder.server.running import DEADLINE_S, TOKEN, RunningServer


def test_an_action_is_carried_out_or_refused(tmp_path: Path) -> None:
    asked: list[Action] = []

    async def act(action: Action) -> Done:
        asked.append(action)
        if isinstance(action, EndSilence):
            raise Refusal(action.id, "as asked")
        return Done()

    server = RunningServer(tmp_path / "semantest.db", more_routes=lambda _hub: [alert_actions_route(act)])

    def send(body: object) -> tuple[int, Any]:
        with closing(HTTPConnection("127.0.0.1", server.port, timeout=DEADLINE_S)) as connection:
            headers = {"Authorization": f"Bearer {TOKEN}"}
            connection.request("POST", "/api/v1/alerts/actions", json.dumps(body), headers)
            response = connection.getresponse()
            return response.status, json.loads(response.read())

    assert send({"do": "silence", "untilMs": 1.0})[0] == 200
    for code, status in (("STORE_ERROR", 503), ("INVALID_REQUEST", 400)):
        answer = send({"do": "unsilence", "id": code})
        assert (answer[0], answer[1]["code"], answer[1]["detail"]) == (status, code, "as asked")
    assert len(asked) == 3
    wrong: list[object] = [{}, [], {"do": "nothing"}, {"do": "silence", "untilMs": 1.0, "more": 1}]
    for body in wrong:
        answer = send(body)
        assert (answer[0], answer[1]["code"]) == (400, "INVALID_REQUEST")
    assert len(asked) == 3
    server.close()
