"""How answers are sent: chosen fields, ETag, HEAD, compression; and who waits for whom."""

from __future__ import annotations

import asyncio
import gzip
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from threading import Event, Semaphore

import pytest
from msgspec import Struct

from semantest_recorder.api.desk import WAITING_MAX, Desk
from semantest_recorder.api.queries import Query
from semantest_recorder.api.reading import Asked, Reading
from semantest_recorder.core.refusal import Refusal
from semantest_recorder.server.hub import Hub
from semantest_recorder.server.routes import Doc, Route
from tests.recorder.api.asking import Api, served
from tests.recorder.cli.recording import START, green_run
from tests.recorder.server.running import DEADLINE_S, RunningServer, batch, records_of_test, run_start

HOUR_MS = 3_600_000.0
REPORT = "/api/v1/runs/last/report"


def test_only_chosen_fields(api: Api) -> None:
    (run, _other) = api.json("/api/v1/runs", fields="state,id")["runs"]
    assert list(run) == ["state", "id"]
    assert list(api.json("/api/v1/runs/last", fields="counts")["run"]) == ["counts"]
    assert list(api.json("/api/v1/tests/test_bad", fields=["id", "suite"])["test"]) == ["id", "suite"]
    page = api.json("/api/v1/runs/last/results", fields="id", limit=1)
    assert page["total"] == 2
    assert page["next"]


@pytest.mark.parametrize("path", ["/api/v1/runs", REPORT, "/api/v1/openapi.json", "/api/v1/analytics/flaky"])
def test_who_has_it_already_gets_headers_only(api: Api, path: str) -> None:
    first = api.get(path)
    etag = first.headers["etag"]
    assert etag.startswith('W/"')
    assert first.headers["cache-control"] == "private, no-cache"
    for told in (etag, etag.removeprefix("W/"), f'"other", {etag}', "*"):
        again = api.send("GET", path, headers={"If-None-Match": told})
        assert (again.status, again.body) == (304, b"")
        assert again.headers["etag"] == etag
    for told in ('"other"', 'W/"other"', "nonsense", '"'):
        assert api.send("GET", path, headers={"If-None-Match": told}).body == first.body
    head = api.send("HEAD", path)
    assert (head.status, head.body) == (200, b"")
    assert head.headers["etag"] == etag
    assert head.headers["content-length"] == str(len(first.body))
    assert api.send("HEAD", path, token="wrong").status == 401


@pytest.mark.parametrize("accepted", ["gzip", "br, GZIP;q=0.5", "*"])
def test_large_answers_are_compressed_for_who_takes_it(api: Api, accepted: str) -> None:
    plain = api.get(REPORT)
    assert "content-encoding" not in plain.headers
    packed = api.send("GET", REPORT, headers={"Accept-Encoding": accepted})
    assert packed.headers["content-encoding"] == "gzip"
    assert "Accept-Encoding" in packed.headers["vary"]
    assert gzip.decompress(packed.body) == plain.body
    small = api.send("GET", "/api/v1/aliases", headers={"Accept-Encoding": accepted})
    assert "content-encoding" not in small.headers
    for refused in ("identity", "gzip;q=0", "br, gzip; q=0.000"):
        assert "content-encoding" not in api.send("GET", REPORT, headers={"Accept-Encoding": refused}).headers


def test_what_is_kept_is_found_anew_after_an_event(api: Api, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("kept") / ".semantest"
    green_run("r1").store(folder)
    one = served(folder)
    try:
        before = [one.json(path) for path in (REPORT, "/api/v1/analytics/trends", "/api/v1/statistics")]
        assert before[1]["window"]["runs"] == 1
        client = one.server.connect()
        recording = green_run("r2", start_ms=START + 5000.0)
        events = [event for bodies in recording.bodies.values() for event in bodies]
        frame = b'{"type":"events","source":"r2.main","firstSeq":1,"events":[' + b",".join(events) + b"]}"
        client.send(frame.decode())
        client.until("ack")
        client.close()
        assert one.json(REPORT)["run"]["id"] == "r2"
        assert one.json("/api/v1/analytics/trends")["window"]["runs"] == 2
        assert one.json("/api/v1/statistics")["counts"]["passed"] == 2
        assert one.json("/api/v1/runs/r1")["run"]["counts"]["passed"] == 1
    finally:
        one.server.close()


def test_what_is_kept_of_a_length_of_time_gets_old_with_it(api: Api) -> None:
    path = "/api/v1/analytics/trends?window=2h"
    try:
        api.server.stands_ms = START + 2 * HOUR_MS
        assert api.json(path)["window"]["runs"] == 2
        api.server.stands_ms = START + 2.5 * HOUR_MS
        assert api.json(path)["window"]["runs"] == 1
        api.server.stands_ms = START + 4 * HOUR_MS
        assert api.problem(path)[:2] == (404, "RUN_NOT_FOUND")
    finally:
        api.server.stands_ms = None


def test_nobody_waits_behind_all_of_another() -> None:
    """While two questions of one are looked up, others queue; the next place goes to who came last to ask little."""
    order: list[str] = []
    go = Event()

    def find(name: str) -> str:
        assert go.wait(DEADLINE_S)
        order.append(name)
        return name

    async def scenario() -> None:
        desk = Desk()
        greedy = [asyncio.create_task(desk.ask("greedy", partial(find, f"g{n}"))) for n in range(WAITING_MAX)]
        await asyncio.sleep(0)
        with pytest.raises(Refusal, match="wait for an answer") as refused:
            await desk.ask("greedy", partial(find, "more"))
        assert refused.value.code == "RATE_LIMITED"
        modest = asyncio.create_task(desk.ask("modest", partial(find, "modest")))
        dear = asyncio.create_task(desk.ask("modest", partial(find, "dear"), dear=True))
        await asyncio.sleep(0)
        go.set()
        assert list(await asyncio.gather(modest, dear)) == ["modest", "dear"]
        await asyncio.gather(*greedy)
        assert await desk.ask("greedy", lambda: "free again") == "free again"

    asyncio.run(scenario())
    assert order.index("modest") <= 6


def test_events_are_taken_while_every_thread_of_the_api_is_busy(tmp_path: Path) -> None:
    asked, go = Semaphore(0), Event()

    def find(_asked: Asked) -> Struct:
        asked.release()
        assert go.wait(DEADLINE_S)
        return Query()

    def routes(_hub: Hub) -> list[Route]:
        reading = Reading()
        quick = reading.route("/api/v1/quick", Doc("quick", Query), find)
        return [quick, reading.route("/api/v1/dear", Doc("dear", Query), find, stamp=lambda _asked: 1)]

    one = Api(RunningServer(tmp_path / "semantest.db", more_routes=routes), tmp_path)
    with ThreadPoolExecutor() as readers:
        try:
            answers = [readers.submit(one.get, "/api/v1/dear")]
            assert asked.acquire(timeout=DEADLINE_S)
            answers += [readers.submit(one.get, "/api/v1/quick") for _ in range(4)]
            assert all(asked.acquire(timeout=DEADLINE_S) for _ in range(2))
            client = one.server.connect()
            client.send(batch(1, [run_start(), *records_of_test(1)]))
            assert client.until("ack")["seq"] == 3
            assert not any(answer.done() for answer in answers)
            client.close()
        finally:
            go.set()
    assert [answer.result().status for answer in answers] == [200] * 5
    one.server.close()


@pytest.mark.parametrize("dear", [False, True])
def test_a_fault_of_ours_is_no_trouble_of_the_store(tmp_path: Path, dear: bool) -> None:
    def find(_asked: Asked) -> Struct:
        raise ZeroDivisionError

    def routes(_hub: Hub) -> list[Route]:
        stamp = (lambda _asked: 1) if dear else None
        return [Reading().route("/api/v1/broken", Doc("broken", Query), find, stamp=stamp)]

    api = Api(RunningServer(tmp_path / "semantest.db", more_routes=routes), tmp_path)
    try:
        status, code, detail = api.problem("/api/v1/broken")
        assert (status, code) == (500, "INTERNAL_ERROR")
        assert "ZeroDivision" not in detail
    finally:
        api.server.close()
