"""A run out of the journals of its sessions, with what the database has of it before: no recorder is needed.

Reads only. What dead processes left open is closed by the function that the shipper uses, so both tell the same story.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import time
from typing import Any

import msgspec

from pytest_semantest.protocol.closing import JournalDigest, SourceFacts, closing_events, type_of
from pytest_semantest.protocol.events import RUN_END, SHIPPER_START, WORKER_CRASH
from pytest_semantest.protocol.gaps import gap_body, opening_of, timestamp_of
from pytest_semantest.protocol.identity import MAIN_WORKER, SHIPPER_WORKER
from pytest_semantest.protocol.layout import STATUS_SUFFIX, journal_paths
from pytest_semantest.protocol.liveness import guessed_start
from pytest_semantest.protocol.record import STATUS_SIZE
from semantest_recorder.cli.journal_file import Entry, JournalDamage, JournalFile
from semantest_recorder.cli.liveness import writer_is_alive
from semantest_recorder.cli.lookup import FoundRun
from semantest_recorder.core.batch import RawEvent
from semantest_recorder.core.rows import TestEventRow
from semantest_recorder.core.run_state import RunState
from semantest_recorder.reports.aggregate import RunRows
from semantest_recorder.reports.inert import inert_line
from semantest_recorder.store.errors import RunNotFound
from semantest_recorder.store.reader import Reader

_decode_event = msgspec.json.Decoder(RawEvent).decode
_decode_payload = msgspec.json.decode
_APPLY_AT_ONCE = 2000


@dataclass(frozen=True, slots=True)
class SessionHead:
    """What a session's journals say: which run it belongs to, and when it began.

    ``start`` is the payload of the first event that says so, empty when none can be read. ``unreadable``: the files
    that were met on the way and could not be read, and why.
    """

    folder: Path
    session: str
    run_id: str
    started_ms: float
    start: Mapping[str, Any] = field(default_factory=dict)
    unreadable: Sequence[str] = ()


@dataclass(slots=True)
class Recovered:
    """A run as its journals tell it.

    ``unread`` are events whose payload could not be understood, ``unreadable`` files that could not be read, and why.
    """

    found: FoundRun
    folders: list[Path]
    damage: list[JournalDamage] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)


def session_head(folder: Path) -> SessionHead:
    """The head of a session folder, by the first record of any of its journals.

    Where none can be read: the run that an end record names, else one of the session's own name, as by default.
    Raises ``FileNotFoundError`` when the journals are gone.
    """
    files = journal_files(folder)
    for file in files:
        for entry in file.entries():
            if entry.seq == 1 and not entry.missing:
                payload = _payload(entry.body)
                if isinstance(run_id := payload.get("runId"), str) and run_id:
                    session = payload.get("session")
                    name = session if isinstance(session, str) else folder.name
                    return SessionHead(folder, name, run_id, timestamp_of(entry.body), payload, _unreadable(files))
            break
    return _head_by_the_rest(folder, files)


def _head_by_the_rest(folder: Path, files: Sequence[JournalFile]) -> SessionHead:
    ends, began = list[object](), list[float]()
    for file in files:
        digest = JournalDigest()
        for entry in file.entries():
            if not entry.missing:
                if not digest.last_seq:
                    began.append(timestamp_of(entry.body))
                digest.observe(entry.seq, entry.body)
        ends.append(digest.end.get("runId"))
    run_id = next((end for end in ends if isinstance(end, str) and end), folder.name)
    return SessionHead(folder, folder.name, run_id, min(began, default=0.0), unreadable=_unreadable(files))


def _unreadable(files: Iterable[JournalFile]) -> list[str]:
    return [
        inert_line(f"{file.path.parent.name}/{file.path.name} cannot be read: {file.unreadable}")
        for file in files
        if file.unreadable
    ]


def journal_files(folder: Path) -> list[JournalFile]:
    """The journals of a session folder: pytest's own, its workers', the shipper's.

    Raises ``FileNotFoundError`` when there is none any more: the session was shipped meanwhile.
    """
    order = {MAIN_WORKER: 0, SHIPPER_WORKER: 2}
    files = [JournalFile(path) for path in journal_paths(folder)]
    if not files:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(folder))
    return sorted(files, key=lambda file: (order.get(file.worker, 1), file.worker))


def recover(heads: Sequence[SessionHead], reader: Reader | None = None) -> Recovered:
    """The run of ``heads`` (all of one run), on top of what ``reader`` has of it. Raises ``FileNotFoundError``."""
    return _Recovery(heads, reader).read()


def events_by_source(head: SessionHead) -> tuple[dict[str, list[RawEvent]], bool]:
    """All events of a session from elsewhere, with those that close it; whether a process of it still runs here.

    One of another machine is over, however fresh its journals look: they were copied. Raises ``FileNotFoundError``.
    """
    recovery = _Recovery([head], None)
    recovery.is_copy, recovery.told = True, {}
    recovery.read()
    return recovery.told, recovery.any_alive


class _Recovery:
    def __init__(self, heads: Sequence[SessionHead], reader: Reader | None) -> None:
        self.heads = heads
        self.reader = reader if reader is not None and reader.exists() else None
        self.run_id = heads[0].run_id
        self.state = _stored_state(self.run_id, self.reader) or RunState(self.run_id)
        self.files: dict[str, JournalFile] = {}
        self.now_ms = time() * 1000
        self.unread: list[str] = []
        self.details: list[TestEventRow] = []
        #: Whether its folder came from elsewhere; the events by source, where somebody wants them.
        self.is_copy = False
        self.told: dict[str, list[RawEvent]] | None = None
        self.any_alive = False

    def read(self) -> Recovered:
        for head in self.heads:
            self._session(head)
        self.state.settle()
        changes = self.state.take()
        self.unread += [f"{event.source} {event.seq}: {event.reason}" for event in changes.unread]
        stored = [] if self.reader is None else self.reader.warnings(self.run_id)
        tests = self.state.tests.values()
        rows = RunRows(
            run=self.state.run,
            sources=[source.row for source in self.state.sources.values()],
            results=[test.result for test in tests],
            attempts=[attempt for test in tests for attempt in test.attempts],
            suites=[suite.row for suite in self.state.suites.values()],
            warnings=[*stored, *changes.warnings],
        )
        damage = [found for file in self.files.values() for found in file.damage]
        self.details = changes.test_events
        found = FoundRun(rows, self._payload_of, [], self._events_of)
        folders = [head.folder for head in self.heads]
        return Recovered(found, folders, damage, self.unread, _unreadable(self.files.values()))

    def _events_of(self, test_id: str) -> list[TestEventRow]:
        stored = [] if self.reader is None else self.reader.test_events(self.run_id, test_id)
        return [*stored, *(row for row in self.details if row.test_id == test_id)]

    def _session(self, head: SessionHead) -> None:
        files = journal_files(head.folder)
        facts: list[SourceFacts] = []
        crashes_told, run_end_told = self._told_by_shipper(files)
        for file in files:
            source = file.source(head.session)
            self.files[source] = file
            digest = JournalDigest()
            self._apply(head, source, file.worker, digest, file.entries())
            if file.worker == SHIPPER_WORKER:
                continue
            written_ms = 0.0 if self.is_copy else file.written_ms()  # when it was copied says nothing
            if digest.start is None:
                opening = opening_of(self.run_id, head.session, file.worker)
                digest.start = {**guessed_start(file.path.with_suffix(STATUS_SUFFIX), head.start), **opening}
                digest.started_ms = written_ms
            alive = writer_is_alive(digest.start, digest.started_ms or 0.0, written_ms, self.now_ms)
            self.any_alive = self.any_alive or alive
            if not alive:
                self._apply(head, source, file.worker, digest, file.torn_end())
            facts.append(
                digest.facts(
                    source=source,
                    worker=file.worker,
                    alive=alive,
                    status=_status(file.path),
                    last_sign_ms=written_ms,
                    crash_told=source in crashes_told,
                )
            )
        self._close(head, facts, run_end_told)

    def _apply(
        self, head: SessionHead, source: str, worker: str, digest: JournalDigest, entries: Iterable[Entry]
    ) -> None:
        """Feed the entries that the state does not have yet."""
        known = self.state.sources.get(source)
        done = known.row.last_seq if known is not None else 0
        first, events = 0, list[RawEvent]()
        for entry in entries:
            before = digest.last_body
            if not entry.missing:
                digest.observe(entry.seq, entry.body)
            if entry.seq <= done:
                continue
            first = first or entry.seq
            events.append(self._event(head, source, worker, entry, before))
            if len(events) >= _APPLY_AT_ONCE:
                self._take(source, first, events)
                first, events = 0, []
        if events:
            self._take(source, first, events)

    def _take(self, source: str, first: int, events: list[RawEvent]) -> None:
        self.state.apply_all(source, first, events)
        if self.told is not None:
            self.told.setdefault(source, []).extend(events)

    def _event(self, head: SessionHead, source: str, worker: str, entry: Entry, before: bytes) -> RawEvent:
        """The event of an entry; one that is missing or unreadable becomes a gap, which opens its source if need be."""
        if not entry.missing:
            try:
                event = _decode_event(entry.body)
            except (ValueError, RecursionError) as error:
                self.unread.append(f"{source} {entry.seq}: not an event: {error}")
            else:
                if entry.seq > 1 or _names_run(entry.body):
                    return event
                self.unread.append(f"{source} 1: the first record names no run")
        opening = opening_of(self.run_id, head.session, worker) if entry.seq == 1 else None
        return _decode_event(gap_body(before, opening))

    def _close(self, head: SessionHead, facts: list[SourceFacts], run_end_told: bool) -> None:
        """Close what dead processes left open, as the shipper would."""
        events = closing_events(facts, self.now_ms, run_end_told=run_end_told)
        if not events:
            return
        source = f"{head.session}.{SHIPPER_WORKER}"
        known = self.state.sources.get(source)
        last = known.row.last_seq if known is not None else 0
        if not last:
            opening = {"runId": self.run_id, "session": head.session, "source": source, "worker": SHIPPER_WORKER}
            events.insert(0, {"type": SHIPPER_START, "timestamp": events[0]["timestamp"], "payload": opening})
        raw = [_decode_event(msgspec.json.encode(event)) for event in events]
        self._take(source, last + 1, raw)

    def _told_by_shipper(self, files: Sequence[JournalFile]) -> tuple[set[str], bool]:
        """Which sources the shipper's journal already calls crashed, and whether it ended the run."""
        crashed: set[str] = set()
        ended = False
        for file in files:
            if file.worker == SHIPPER_WORKER:
                for entry in JournalFile(file.path).entries():
                    kind = type_of(entry.body)
                    ended = ended or kind == RUN_END
                    if kind == WORKER_CRASH:
                        crashed.add(str(_payload(entry.body).get("source")))
        return crashed, ended

    def _payload_of(self, source: str, seq: int) -> Mapping[str, Any] | None:
        file = self.files.get(source)
        body = file.body(seq) if file is not None else None
        if body is not None:
            return _payload(body)
        return self.reader.payload(source, seq) if self.reader is not None else None


def _stored_state(run_id: str, reader: Reader | None) -> RunState | None:
    """The run as the database has it; ``None`` when it does not."""
    if reader is None:
        return None
    try:
        run = reader.run(run_id)
    except RunNotFound:
        return None
    if run.id != run_id:
        return None
    return RunState.load(
        run,
        reader.sources(run_id),
        reader.results(run_id),
        reader.attempts(run_id),
        reader.suites(run_id),
        reader.crashes(run_id),
    )


def _names_run(body: bytes) -> bool:
    payload = _payload(body)
    return all(isinstance(payload.get(name), str) for name in ("runId", "session", "worker"))


def _payload(body: bytes) -> dict[str, Any]:
    try:
        event = _decode_payload(body)
    except (ValueError, RecursionError):
        return {}
    payload = event.get("payload") if isinstance(event, dict) else None
    return payload if isinstance(payload, dict) else {}


def _status(journal: Path) -> bytes:
    """The status slot beside a journal. It may be a link to the memory of a process that is gone or another one now."""
    try:
        descriptor = os.open(journal.with_suffix(STATUS_SUFFIX), os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:
        return b""
    try:
        return os.pread(descriptor, STATUS_SIZE, 0)  # fails on anything that is not a file
    except OSError:
        return b""
    finally:
        os.close(descriptor)
