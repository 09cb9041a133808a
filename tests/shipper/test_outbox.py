from __future__ import annotations

import json
from collections import deque
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_semantest.shipper.outbox import (
    BATCH_BYTES,
    BATCH_EVENTS,
    HELD_BYTES,
    WINDOW,
    Outbox,
    ProtocolViolationError,
)


def filled(count: int, **options: Any) -> Outbox:
    outbox = Outbox("s.main", **options)
    for seq in range(outbox.wanted, outbox.wanted + count):
        outbox.push(seq, b"%d" % seq)
    return outbox


def frames(outbox: Outbox, now: float = 0.0) -> list[tuple[int, list[int]]]:
    found = []
    while (frame := outbox.next_frame(now)) is not None:
        message = json.loads(frame)
        assert (message["type"], message["source"]) == ("events", "s.main")
        found.append((message["firstSeq"], message["events"]))
    return found


def test_frames_carry_the_records_in_order_up_to_the_window() -> None:
    outbox = filled(BATCH_EVENTS * (WINDOW + 1))
    sent = frames(outbox)
    assert len(sent) == WINDOW
    assert [seq for _, events in sent for seq in events] == list(range(1, BATCH_EVENTS * WINDOW + 1))
    assert outbox.acknowledge(BATCH_EVENTS)
    assert frames(outbox) == [(BATCH_EVENTS * WINDOW + 1, list(range(BATCH_EVENTS * WINDOW + 1, 4501)))]


def test_a_batch_is_bounded_in_bytes_but_one_large_record_still_goes() -> None:
    outbox = Outbox("s.main")
    for seq in range(1, 4):
        outbox.push(seq, b'"%b"' % (b"x" * BATCH_BYTES))
    assert [len(events) for _, events in frames(outbox)] == [1, 1, 1]


def test_room_ends_and_comes_back_with_acks() -> None:
    outbox = Outbox("s.main")
    while outbox.has_room:
        outbox.push(outbox.wanted, b"x" * 100_000)
    assert (outbox.wanted - 1 - outbox.acked) * 100_000 >= HELD_BYTES
    while outbox.next_frame(0.0) is not None:
        pass
    outbox.acknowledge(10)
    assert outbox.has_room


def test_a_record_out_of_turn_is_refused() -> None:
    with pytest.raises(ValueError, match="record 2 pushed, 1 wanted"):
        Outbox("s.main").push(2, b"{}")


@pytest.mark.hazard(20)
def test_an_ack_of_what_was_never_sent_is_a_violation() -> None:
    outbox = filled(3)
    frames(outbox)
    with pytest.raises(ProtocolViolationError, match="ack of 4, but only 3 were sent"):
        outbox.acknowledge(4)


@pytest.mark.hazard(20)
def test_an_ack_below_an_earlier_one_is_a_violation_unless_batches_were_sent_again() -> None:
    outbox = filled(3)
    frames(outbox)
    outbox.acknowledge(3)
    with pytest.raises(ProtocolViolationError, match="ack of 2 after an ack of 3"):
        outbox.acknowledge(2)
    outbox.retry_later(0.0)
    assert not outbox.acknowledge(2)
    outbox.disconnected()
    with pytest.raises(ProtocolViolationError):
        outbox.acknowledge(2)


def test_what_a_predecessor_sent_counts_when_it_was_sent_again() -> None:
    outbox = filled(2, predecessor=True)
    frames(outbox)
    assert outbox.acknowledge(900)
    assert outbox.acked == 2


def test_a_throttle_waits_and_narrows_the_window_until_the_next_ack() -> None:
    outbox = filled(BATCH_EVENTS * 4)
    frames(outbox)
    outbox.throttle(10.0, 500.0, 1)
    assert frames(outbox, 10.4) == []
    assert [first for first, _ in frames(outbox, 10.5)] == [1]
    outbox.acknowledge(500)
    assert [first for first, _ in frames(outbox, 10.5)] == [501, 1001, 1501]


def test_a_recorder_that_lost_its_database_moves_wanted_back() -> None:
    outbox = filled(10)
    frames(outbox)
    outbox.acknowledge(8)
    outbox.rewind(0.0, 3)
    assert (outbox.acked, outbox.wanted) == (2, 3)
    for seq in range(3, 11):
        outbox.push(seq, b"%d" % seq)
    assert frames(outbox) == [(3, [3, 4, 5, 6, 7, 8, 9, 10])]
    with pytest.raises(ProtocolViolationError):
        outbox.rewind(0.0, 12)


def test_the_echo_of_batches_in_flight_does_not_lengthen_the_pause() -> None:
    outbox = filled(BATCH_EVENTS * WINDOW)
    frames(outbox)
    outbox.retry_later(0.0)
    for _ in range(WINDOW - 1):
        outbox.rewind(0.0, 1)
    assert frames(outbox, 0.09) == []
    assert len(frames(outbox, 0.11)) == WINDOW


def test_pauses_grow_while_nothing_is_acknowledged_and_start_again_after_an_ack() -> None:
    outbox = filled(10)
    now = 0.0
    waits = []
    for _ in range(9):
        frames(outbox, now)
        outbox.retry_later(now)
        start = now
        while not outbox.in_flight:
            now += 0.05
            outbox.next_frame(now)
        waits.append(now - start)
        outbox._flights.append(10)
    assert waits == sorted(waits)
    assert 4.9 < waits[-1] < 5.1
    outbox.acknowledge(5)
    outbox.retry_later(now)
    frames(outbox, now)
    assert frames(outbox, now + 0.11) or outbox.in_flight


def test_a_stopped_source_sends_nothing_more() -> None:
    outbox = filled(3)
    outbox.stop("because")
    assert frames(outbox) == []
    assert not outbox.has_room


ACTIONS = st.lists(
    st.sampled_from(["push", "send", "deliver", "answer", "cut", "throttle", "refuse", "lose database", "wait"]),
    max_size=200,
)


class Wire:
    """An outbox, a network that can be cut and a recorder that stores what follows what it has."""

    def __init__(self, total: int) -> None:
        self.outbox = Outbox("s.main")
        self.total = total
        self.now = 0.0
        self.stored: list[int] = []
        self.to_recorder: deque[tuple[int, list[int]]] = deque()
        self.to_shipper: deque[tuple[str, int]] = deque()
        self.next_verdict = "store"

    def push(self) -> None:
        for _ in range(7):
            if self.outbox.wanted <= self.total:
                self.outbox.push(self.outbox.wanted, b"%d" % self.outbox.wanted)

    def send(self) -> None:
        frame = self.outbox.next_frame(self.now)
        if frame is not None:
            message = json.loads(frame)
            assert message["events"] == list(range(message["firstSeq"], message["firstSeq"] + len(message["events"])))
            self.to_recorder.append((message["firstSeq"], message["events"]))

    def deliver(self) -> None:
        if not self.to_recorder:
            return
        first, events = self.to_recorder.popleft()
        verdict, self.next_verdict = self.next_verdict, "store"
        if verdict != "store":
            self.to_shipper.append((verdict, 0))
        elif first > len(self.stored) + 1:
            self.to_shipper.append(("gap", len(self.stored) + 1))
        else:
            assert self.stored[first - 1 :] == events[: len(self.stored) - first + 1]
            self.stored.extend(events[len(self.stored) - first + 1 :])
            self.to_shipper.append(("ack", len(self.stored)))

    def answer(self) -> None:
        if not self.to_shipper:
            return
        kind, seq = self.to_shipper.popleft()
        if kind == "ack":
            self.outbox.acknowledge(seq)
        elif kind == "gap":
            self.outbox.rewind(self.now, seq)
        elif kind == "throttle":
            self.outbox.throttle(self.now, 100.0, 1)
        else:
            self.outbox.retry_later(self.now)

    def cut(self) -> None:
        self.to_recorder.clear()
        self.to_shipper.clear()
        self.outbox.disconnected()

    def lose_database(self) -> None:
        """Loses what was committed last, and with it every connection."""
        del self.stored[len(self.stored) // 2 :]
        self.cut()

    def act(self, action: str) -> None:
        match action:
            case "throttle" | "refuse":
                self.next_verdict = action
            case "lose database":
                self.lose_database()
            case "wait":
                self.now += 1.0
            case _:
                getattr(self, action)()


@settings(max_examples=300, deadline=None)
@given(actions=ACTIONS, total=st.integers(1, 60))
def test_whatever_happens_every_record_is_stored_once_in_order_and_acknowledged(actions: list[str], total: int) -> None:
    wire = Wire(total)
    for action in actions:
        wire.act(action)
    wire.cut()
    for _ in range(200):  # from here on the network holds
        wire.now += 10.0
        for action in ("push", "send", "deliver", "answer"):
            wire.act(action)
        if wire.outbox.acked == total:
            break
    assert wire.stored == list(range(1, total + 1))
    assert wire.outbox.acked == total
