"""Closes what a dead process left open: which test was running, what is known of it, and the end of its run.

Pure. The shipper uses it on the journals it follows and ``semantest recover`` on the journals of a dead run, so both
tell the same story. A ``JournalDigest`` learns the facts of one source from its events; ``closing_events`` turns the
facts of all sources of a session into the events that close it (docs/design/events.md).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from pytest_semantest.protocol.events import (
    RUN_END,
    RUN_START,
    SHIPPER_START,
    TEST_END,
    TEST_START,
    WORKER_CRASH,
    WORKER_END,
    WORKER_START,
    Event,
)
from pytest_semantest.protocol.identity import MAIN_WORKER
from pytest_semantest.protocol.record import Ending, decode_status

_TYPE_PREFIX = b'{"type":"'
_TYPE_MAX = 64
_STARTS = (RUN_START, WORKER_START, SHIPPER_START)


def type_of(body: bytes) -> str:
    """The type of the event in ``body``, read off its first bytes; ``""`` when it does not start with its type."""
    if not body.startswith(_TYPE_PREFIX):
        return ""
    start = len(_TYPE_PREFIX)
    end = body.find(b'"', start, start + _TYPE_MAX)
    return body[start:end].decode("ascii", "replace") if end > 0 else ""


@dataclass(frozen=True, slots=True)
class OpenTest:
    """A test that started and has not ended; ``seq`` is that of its ``test/start``, times are milliseconds."""

    test_id: str
    attempt: int
    started_ms: float
    seq: int
    timeout_ms: float | None = None


@dataclass(frozen=True, slots=True)
class SourceFacts:
    """What is known of one process of a session when it is judged. Times are milliseconds since the epoch.

    ``ended``: it wrote its end record. ``alive``: its process runs (or cannot be told to be dead). ``crash_told``:
    a ``worker/crash`` that names this source was already written. ``died_ms``: when its death was observed, ``None``
    when nobody looked. ``last_sign_ms``: its last sign of life, such as its last event or its journal's mtime.
    """

    source: str
    worker: str
    run_id: str
    ended: bool
    alive: bool
    pid: int | None = None
    open_test: OpenTest | None = None
    phase: str | None = None
    last_sign_ms: float | None = None
    died_ms: float | None = None
    last_output: tuple[tuple[str, str], ...] = ()
    stop_reason: str | None = None
    crash_told: bool = False

    @property
    def closed(self) -> bool:
        """Nothing more is to be expected of this source."""
        return self.ended or not self.alive

    @property
    def to_be_closed(self) -> bool:
        """Its process died without an end record, and nobody said so yet."""
        return not self.ended and not self.alive and not self.crash_told


def closing_events(sources: Sequence[SourceFacts], now_ms: float, *, run_end_told: bool = False) -> list[Event]:
    """The events that close the sources that died, workers first, then main, then the run.

    ``worker/crash`` for each source that died without its end record; ``run/end`` once main died without its own and
    every other source is closed too. ``run_end_told``: that ``run/end`` was already written. Nothing is said of
    sources that live or ended, so the function may be called again whenever a fact changes.
    """
    ordered = sorted(sources, key=lambda facts: (facts.worker == MAIN_WORKER, facts.worker))
    events = [_crash(facts, now_ms) for facts in ordered if facts.to_be_closed]
    main = next((facts for facts in ordered if facts.worker == MAIN_WORKER), None)
    if main is None or main.ended or run_end_told or not all(facts.closed for facts in ordered):
        return events
    payload = {
        "runId": main.run_id,
        "exitCode": None,
        "interrupted": True,
        "stopReason": _stop_reason(main, ordered),
    }
    events.append({"type": RUN_END, "timestamp": max(_died(facts, now_ms) for facts in ordered), "payload": payload})
    return events


def ending_event(ending: Ending, *, run_id: str, worker: str, at_ms: float) -> Event:
    """The end record that a process could not write itself, as it would have written it."""
    payload: dict[str, Any] = {"runId": run_id, "exitCode": ending.exit_code, "dropped": ending.dropped}
    if worker != MAIN_WORKER:
        return {"type": WORKER_END, "timestamp": at_ms, "payload": payload | {"worker": worker}}
    payload["stoppedEarly"] = ending.stopped_early
    if ending.stopped_early:  # without it the exit code would tell, and 2 is that of a stop, too
        payload["interrupted"] = ending.interrupted
    return {"type": RUN_END, "timestamp": at_ms, "payload": payload}


def _crash(facts: SourceFacts, now_ms: float) -> Event:
    at = _died(facts, now_ms)
    payload: dict[str, Any] = {
        "runId": facts.run_id,
        "worker": facts.worker,
        "source": facts.source,
        "reason": _reason(facts),
    }
    test = facts.open_test
    if test is not None:
        payload["testId"] = test.test_id
        payload["attempt"] = test.attempt
        # A process that died before anybody looked tells neither: its memory went with it.
        if facts.phase is not None:
            payload["phase"] = facts.phase
        if at > test.started_ms or facts.died_ms is not None:
            payload["elapsed"] = round(max(at - test.started_ms, 0.0), 3)
    if facts.last_output:
        payload["lastOutput"] = [{"stream": stream, "text": text} for stream, text in facts.last_output]
    return {"type": WORKER_CRASH, "timestamp": at, "payload": payload}


def _died(facts: SourceFacts, now_ms: float) -> float:
    """When the source's process died, as closely as it is known; never in the future."""
    at = facts.died_ms if facts.died_ms is not None else facts.last_sign_ms
    return round(min(at, now_ms), 3) if at is not None else round(now_ms, 3)


def _process(facts: SourceFacts) -> str:
    return "the process" if facts.pid is None else f"process {facts.pid}"


def _reason(facts: SourceFacts) -> str:
    where = "" if facts.open_test is not None else " while no test was running"
    told = f" ({facts.stop_reason})" if facts.stop_reason else ""
    return f"{_process(facts)} died{where}{told}"


def _stop_reason(main: SourceFacts, sources: Sequence[SourceFacts]) -> str:
    running = [facts.open_test.test_id for facts in sources if facts.open_test is not None and not facts.ended]
    if not running:
        return f"pytest ({_process(main)}) died while no test was running"
    more = f" and {len(running) - 1} more" if len(running) > 1 else ""
    return f"pytest ({_process(main)}) died while {running[0]}{more} was running"


@dataclass(slots=True)
class JournalDigest:
    """The facts of one source, learnt from its events in the order of their seq.

    Only a few events are parsed: the first, the end, and the last ``test/start`` when somebody asks for it.
    ``start``: payload of the source's first event, ``None`` until it came. ``started_ms``: that event's timestamp.
    ``ended``: the end record came; ``end``: its payload.
    """

    start: dict[str, Any] | None = None
    started_ms: float | None = None
    ended: bool = False
    end: dict[str, Any] = field(default_factory=dict)
    last_seq: int = 0
    _open: tuple[int, bytes] | None = None
    _last: bytes = b""

    def observe(self, seq: int, body: bytes) -> None:
        """Takes the next record of the journal; a body that is no event of a known shape changes nothing but seq."""
        self.last_seq = seq
        self._last = body
        kind = type_of(body)
        if kind == TEST_START:
            self._open = (seq, body)
        elif kind == TEST_END:
            self._open = None
        elif kind in _STARTS and self.start is None:
            event = event_in(body)
            self.start = event["payload"]
            self.started_ms = event["timestamp"]
        elif kind in (RUN_END, WORKER_END):
            self.ended = True
            self.end = event_in(body)["payload"]

    def feed(self, seq: int, event: Event) -> None:
        """Like ``observe``, for an event that is already parsed."""
        self.observe(seq, json.dumps(dict(event), separators=(",", ":")).encode())

    @property
    def open_test(self) -> OpenTest | None:
        """The test that was running after the last record, if one was."""
        if self._open is None:
            return None
        seq, body = self._open
        event = event_in(body)
        payload = event["payload"]
        attempt, timeout = payload.get("attempt"), payload.get("timeout")
        return OpenTest(
            test_id=str(payload.get("testId", "")),
            attempt=attempt if isinstance(attempt, int) and not isinstance(attempt, bool) else 1,
            started_ms=event["timestamp"],
            seq=seq,
            timeout_ms=_number(timeout),
        )

    @property
    def last_body(self) -> bytes:
        """The body of the last record, empty before the first."""
        return self._last

    @property
    def last_event_ms(self) -> float | None:
        """The timestamp of the last record, ``None`` when there is none that can be read."""
        return event_in(self._last)["timestamp"] or None

    def text(self, key: str) -> str | None:
        """A text field of the first event's payload (``runId``, ``session``, ``host`` ...), ``None`` without one."""
        value = (self.start or {}).get(key)
        return value if isinstance(value, str) and value else None

    def facts(
        self,
        *,
        source: str,
        worker: str,
        alive: bool,
        status: bytes = b"",
        last_sign_ms: float | None = None,
        died_ms: float | None = None,
        last_output: Sequence[tuple[str, str]] = (),
        crash_told: bool = False,
    ) -> SourceFacts:
        """What ``closing_events`` wants to know. ``status`` are the bytes of the status slot, empty without one.

        The phase is unknown without a slot that was ever written; ``last_sign_ms`` is used when it is later than
        the last event.
        """
        test = self.open_test
        slot = decode_status(status)
        phase = None
        if slot is not None and test is not None:
            # A slot that speaks of an earlier test was not written since: this one's setup did not end.
            phase = slot[1] if slot[0] == test.seq else "setup"
        pid = (self.start or {}).get("pid")
        signs = [at for at in (self.last_event_ms, last_sign_ms) if at is not None]
        return SourceFacts(
            source=source,
            worker=worker,
            run_id=self.text("runId") or "",
            ended=self.ended,
            alive=alive,
            pid=pid if isinstance(pid, int) else None,
            open_test=test,
            phase=phase,
            last_sign_ms=max(signs, default=None),
            died_ms=died_ms,
            last_output=tuple(last_output),
            crash_told=crash_told,
        )


def event_in(body: bytes) -> Event:
    """The event in ``body``; whatever cannot be read becomes an event without payload at time 0."""
    try:
        event = json.loads(body)
    except (ValueError, RecursionError):
        event = None
    if not isinstance(event, dict):
        event = {}
    payload, timestamp = event.get("payload"), event.get("timestamp")
    return {
        "type": str(event.get("type", "")),
        "timestamp": _number(timestamp) or 0.0,
        "payload": payload if isinstance(payload, dict) else {},
    }


def _number(value: object) -> float | None:
    """A finite number below the end of time, which JSON from a journal need not be."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if abs(value) < 1e15 else None
