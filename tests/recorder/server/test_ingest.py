"""Batches over real sockets into a real database: acked means committed, limits delay, a source has one owner."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from semantest_recorder.core.session import Limits
from semantest_recorder.server import conflicts
from tests.recorder.server.running import RunningServer, batch, records_of_test, run_start, wait_until


def stored(server: RunningServer, source: str = "s.main") -> list[tuple[int, str]]:
    connection = sqlite3.connect(server.database)
    try:
        query = "SELECT seq, type FROM events JOIN sources USING (source_key) WHERE source = ? ORDER BY seq"
        return list(connection.execute(query, (source,)))
    finally:
        connection.close()


def test_what_is_acknowledged_is_in_the_database(server: RunningServer) -> None:
    client = server.connect()
    ack = client.ask(batch(1, [run_start(), *records_of_test(1)]))
    assert (ack["type"], ack["source"], ack["seq"]) == ("ack", "s.main", 3)
    assert stored(server) == [(1, "run/start"), (2, "test/start"), (3, "test/end")]


@pytest.mark.hazard(19)
def test_a_batch_delivered_twice_is_stored_once_and_a_gap_is_refused(server: RunningServer) -> None:
    client = server.connect()
    first = batch(1, [run_start(), *records_of_test(1)])
    assert client.ask(first)["seq"] == 3
    assert client.ask(first)["seq"] == 3
    error = client.ask(batch(9, records_of_test(2)))
    assert (error["code"], error["details"]) == ("SEQ_GAP", {"source": "s.main", "expected": 4})
    assert client.ask(batch(2, records_of_test(1) + records_of_test(2)))["seq"] == 5
    assert [seq for seq, _ in stored(server)] == [1, 2, 3, 4, 5]


@pytest.mark.hazard(19)
def test_batches_in_any_order_end_up_in_theirs(server: RunningServer) -> None:
    client = server.connect()
    events = [run_start(), *(record for number in range(6) for record in records_of_test(number))]
    batches = {first: batch(first, events[first - 1 : first + 3]) for first in range(1, 14, 4)}
    for first in (5, 1, 13, 9, 1, 5, 9, 5, 13, 1):
        answer = client.ask(batches[first])
        assert answer["type"] == "ack" or (answer["code"], answer["details"]["expected"] < first) == ("SEQ_GAP", True)
    assert stored(server) == [(seq, event["type"]) for seq, event in enumerate(events, 1)]


@pytest.mark.hazard(19)
def test_another_event_under_a_seq_that_is_taken_is_refused_and_logged(
    server: RunningServer, caplog: pytest.LogCaptureFixture
) -> None:
    client = server.connect()
    assert client.ask(batch(1, [run_start(), *records_of_test(1)]))["seq"] == 3
    refused = client.ask(batch(2, records_of_test(2)))
    assert (refused["code"], refused["details"]["source"]) == ("SEQ_CONFLICT", "s.main")
    assert caplog.messages == ["refused a batch: SEQ_CONFLICT: s.main sent another event as seq 2 before"]
    assert client.ask(batch(2, records_of_test(1) + records_of_test(2)))["seq"] == 5


def test_a_client_that_resends_what_was_refused_does_not_fill_the_log(
    server: RunningServer, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conflicts, "TOLD_MAX", 2)
    client, before = server.connect(), server.hub.status()["counts"]["refusedBatches"]
    for source in ("a.main", "b.main", "c.main"):
        assert client.ask(batch(1, [run_start(session=source[0]), *records_of_test(1)], source))["seq"] == 3
        for _ in range(3):
            assert client.ask(batch(2, records_of_test(2), source))["code"] == "SEQ_CONFLICT"
    assert caplog.messages == [
        *(f"refused a batch: SEQ_CONFLICT: {name}.main sent another event as seq 2 before" for name in "ab"),
        "no more of these are told: 2 sources had one",
    ]
    assert server.hub.status()["counts"]["refusedBatches"] == before + 9


def test_messages_are_handled_in_order_a_request_sees_what_was_sent_before_it(server: RunningServer) -> None:
    client = server.connect()
    client.send(batch(1, [run_start(), *records_of_test(1)]))
    client.send({"id": 1, "type": "request", "method": "echo", "payload": "after the batch"})
    client.send(batch(4, records_of_test(2)))
    kinds = [client.receive() for _ in range(3)]
    assert [m["type"] for m in kinds].index("response") > 0
    assert [m.get("seq") for m in kinds if m["type"] == "ack"] == [3, 5]


@pytest.mark.hazard(20)
def test_a_second_process_with_the_same_source_is_refused_until_the_first_has_left(server: RunningServer) -> None:
    first, second = server.connect(instance="p1"), server.connect(instance="p2")
    assert first.ask(batch(1, [run_start()]))["type"] == "ack"
    error = second.ask(batch(2, records_of_test(1)))
    assert (error["code"], error["details"]["source"]) == ("SOURCE_IN_USE", "s.main")
    first.close()
    wait_until(lambda: server.call(lambda: server.hub.status()["sources"]) == {})
    assert server.call(lambda: server.hub.status()["sourceCount"]) == 0
    assert second.ask(batch(2, records_of_test(1)))["seq"] == 3


def test_the_same_process_takes_over_and_its_dead_connection_is_closed(server: RunningServer) -> None:
    old, new = server.connect(instance="p1"), server.connect(instance="p1")
    assert old.ask(batch(1, [run_start()]))["type"] == "ack"
    assert new.ask(batch(2, records_of_test(1)))["seq"] == 3
    assert old.close_code() == 1000
    assert new.ask(batch(4, records_of_test(2)))["seq"] == 5


@pytest.mark.hazard(28)
def test_while_the_store_is_busy_batches_are_throttled_and_none_is_lost(
    serve: Callable[..., RunningServer],
) -> None:
    server = serve(limits=Limits(max_pending_events=40))
    client = server.connect()
    assert client.ask(batch(1, [run_start()]))["type"] == "ack"
    blocker = sqlite3.connect(server.database, isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    sent, throttle = 1, None
    while throttle is None:  # the writer waits for the lock: what is sent piles up
        client.send(batch(sent + 1, records_of_test(sent)))
        sent += 2
        client.send({"id": sent, "type": "ping"})
        message = client.receive()
        throttle = message if message["type"] == "throttle" else None
    assert (throttle["source"], throttle["credit"]) == ("s.main", 0)
    assert throttle["retryAfterMs"] > 0
    blocker.execute("ROLLBACK")
    blocker.close()
    acked = 0
    while acked < sent - 2:
        acked = client.until("ack")["seq"]
    assert acked == sent - 2, "nothing of the throttled batch was taken"
    wait_until(lambda: server.writer.pending_events == 0)
    client.send(batch(sent - 1, records_of_test(sent - 2)))
    assert client.until("ack")["seq"] == sent
    assert [seq for seq, _ in stored(server)] == list(range(1, sent + 1))


@pytest.mark.hazard(27)
@pytest.mark.parametrize(
    "event",
    [
        '{"type":"x","timestamp":NaN,"payload":{}}',
        '{"type":"x","timestamp":1,"payload":{"a":NaN}}',
        '{"type":"x","timestamp":1,"payload":' + '{"a":' * 50_000 + "1" + "}" * 50_000 + "}",
        '{"type":"x","timestamp":1,"payload":' + "[" * 50_000 + "]" * 50_000 + "}",
        '{"type":"x","timestamp":1,"payload":{"a":"\\x"}}',
        '{"type":"x","timestamp":"now","payload":{}}',
        "7",
    ],
    ids=["NaN-time", "NaN-inside", "nested-objects", "nested-arrays", "bad-escape", "time-as-text", "no-object"],
)
def test_an_unreadable_batch_is_refused_whole_and_the_stream_goes_on(server: RunningServer, event: str) -> None:
    client = server.connect()
    assert client.ask(batch(1, [run_start()]))["type"] == "ack"
    error = client.ask('{"type":"events","source":"s.main","firstSeq":2,"events":[' + event + "]}")
    assert (error["type"], error["code"]) == ("error", "INVALID_MESSAGE")
    assert client.ask(batch(2, records_of_test(1)))["seq"] == 3


@pytest.mark.hazard(27)
def test_a_million_keys_are_kept_as_they_came(server: RunningServer) -> None:
    client = server.connect()
    payload = dict.fromkeys(map(hex, range(1_000_000)), 0)
    ack = client.ask(batch(1, [run_start(), {"type": "custom/keys", "timestamp": 1.0, "payload": payload}]))
    assert (ack["type"], ack["seq"]) == ("ack", 2)
    assert stored(server)[-1] == (2, "custom/keys")


@pytest.mark.hazard(27)
def test_a_frame_above_the_limit_closes_with_1009_and_harms_nobody_else(serve: Callable[..., RunningServer]) -> None:
    server = serve(limits=Limits(max_frame_bytes=1024 * 1024))
    rude, polite = server.connect(), server.connect()
    with suppress(ConnectionError):  # it may be refused before all of it is out
        rude.send({"type": "ping", "payload": "x" * 1024 * 1024})
    assert rude.close_code() == 1009
    assert polite.ask({"type": "ping", "id": 1})["type"] == "pong"


@pytest.mark.hazard(27)
@pytest.mark.parametrize("opcode", [1, 2], ids=["text", "binary"])
def test_invalid_utf_8_closes_with_1007(server: RunningServer, opcode: int) -> None:
    rude, polite = server.connect(), server.connect()
    rude.socket.send(b'{"type":"ping","payload":"\xff\xfe"}', opcode)
    assert rude.close_code() == 1007
    assert polite.ask({"type": "ping", "id": 1})["type"] == "pong"


def test_many_sources_on_many_connections_at_once(server: RunningServer) -> None:
    clients = [server.connect() for _ in range(16)]
    starts = [run_start("r1", f"gw{n}" if n else "main") for n in range(16)]
    for round_number in range(5):
        for n, client in enumerate(clients):
            source = starts[n]["payload"]["source"]
            records: list[dict[str, Any]] = [starts[n]] if round_number == 0 else []
            records += records_of_test(1000 * n + round_number)
            client.send(batch(1 if round_number == 0 else 2 + 2 * round_number, records, source))
    for client in clients:
        assert [client.receive()["seq"] for _ in range(5)] == [3, 5, 7, 9, 11]
    counts = server.call(server.hub.status)["counts"]
    assert (counts["events"], counts["batches"], counts["refusedBatches"]) == (16 * 11, 80, 0)


def test_lone_surrogates_of_a_journal_are_stored_not_refused(server: RunningServer) -> None:
    client = server.connect()
    client.send(json.dumps(batch(1, [run_start(), {"type": "custom/x", "timestamp": 1.0, "payload": {"p": "\udcff"}}])))
    assert client.receive()["seq"] == 2
