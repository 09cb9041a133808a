"""What runs owe, asked by many at once."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from semantest_recorder.core.rerun_chain import Owed
from semantest_recorder.server.owed import owed_route
from tests.recorder.cli_recorder.daemons import answer_of
from tests.recorder.server.running import DEADLINE_S, TOKEN, RunningServer, wait_until

pytestmark = pytest.mark.hazard(31)

ASKED = 40


def test_who_asks_for_much_leaves_threads_to_others(serve: Callable[..., RunningServer]) -> None:
    """Attachments are found in threads, too."""
    asked, go_on = [0], Event()

    def find(_names: object) -> Owed:
        asked[0] += 1
        assert go_on.wait(DEADLINE_S)
        return Owed([], [], [], [], complete=True, state="passed", outstanding=0, tests={})

    server = serve(more_routes=lambda _hub: [owed_route(find)])
    url = f"http://127.0.0.1:{server.port}"
    with ThreadPoolExecutor(ASKED) as clients:
        answers = [clients.submit(answer_of, url, "GET", "/api/v1/owed?run=last", TOKEN) for _ in range(ASKED)]
        try:
            wait_until(lambda: asked[0] >= 2)
            assert answer_of(url, "GET", f"/api/v1/artifacts/{'0f' * 32}", TOKEN)[0] == 404
        finally:
            go_on.set()
        assert {answer.result(DEADLINE_S)[0] for answer in answers} == {200}
    assert asked[0] == ASKED
