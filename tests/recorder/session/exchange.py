"""Sessions, the writer behind them and the database, one step at a time, and what must hold behind each step."""

from __future__ import annotations

import json
from collections import Counter, deque
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from semantest_recorder.core.access import ANONYMOUS, OWNER, Identity, Role
from semantest_recorder.core.active_runs import ActiveRuns
from semantest_recorder.core.batch import LIVE, Batch, Committed
from semantest_recorder.core.effects import Announce, Close, Effect, Ingest, Query, Send, Subscribed, Supersede
from semantest_recorder.core.measures import IngestMeasures
from semantest_recorder.core.own_events import LEASE_MS
from semantest_recorder.core.ownership import SourceOwners
from semantest_recorder.core.policy import Policy
from semantest_recorder.core.publishing import published
from semantest_recorder.core.security import Security
from semantest_recorder.core.session import Client, Limits, ServerFacts, Session, Shared
from semantest_recorder.store import ingest
from semantest_recorder.store.opening import open_for_writing
from tests.choices import Choices
from tests.recorder.core.histories import history_of
from tests.recorder.session.frames import Clients
from tests.recorder.session.talk import NOW

#: Beyond its own size, what the answer to one frame may take, in bytes: the list of what is wrong, a policy.
_ANSWER_MAX = 64 * 1024
_FRAMES_MAX = 60
_IDENTITIES = (
    *(OWNER, OWNER, OWNER, OWNER, OWNER, OWNER),
    *(Identity("ci", frozenset({Role.INGEST, Role.READ})),) * 3,
    Identity("bot", frozenset({Role.INGEST})),
    Identity("reader", frozenset({Role.READ})),
    Identity("boss", frozenset({Role.READ, Role.OPERATE, Role.ADMIN})),
    Identity("nobody", frozenset()),
    ANONYMOUS,
)


class Peer:
    """One client, and what it was told."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.query: Query | None = None
        #: How many answers each of its messages still waits for, by id.
        self.waiting: Counter[str] = Counter()


class Exchange:
    """Carries out what sessions ask for as the hub does: one writer, verdicts in order, one answer at a time."""

    def __init__(self, choose: Choices, folder: Path) -> None:
        self.choose = choose
        self.clients = Clients(choose, history_of(choose))
        self.connection, _notices = open_for_writing(folder / "semantest.db", lambda: NOW)
        self.ingest = ingest.Ingest(self.connection)
        self.owners, self.security = SourceOwners(), Security(Policy(require_authentication=False))
        self.runs = ActiveRuns(self._has_run)
        self.peers: list[Peer] = []
        self.queue: deque[tuple[Batch, Peer | None]] = deque()
        self.now = NOW
        self.said = 0
        self.made = 0
        self.connect()

    def _has_run(self, run_id: str) -> bool:
        try:
            return bool(self.connection.execute("SELECT 1 FROM runs WHERE id = ?", (run_id,)).fetchone())
        except UnicodeEncodeError:
            raise AssertionError(f"a run id that is no text reached the database: {run_id!r}") from None

    def play(self) -> None:
        """All that was chosen, and then what is left: everything is settled, answered and free in the end."""
        with closing(self.connection):
            while not self.choose.spent and self.said < _FRAMES_MAX:
                self.step()
            self.room(enough=True)
            self.settle()
            for peer in list(self.peers):
                self.check_settled(peer)
                self.disconnect(peer)
            self.settle()
            assert len(self.owners) == 0, "a source is free when its connection is gone"

    def step(self) -> None:
        choose = self.choose
        peer = choose.of(self.peers) if self.peers else self.connect()
        steps: Sequence[Callable[[], None]] = (
            *(lambda: self.say(peer),) * 8,
            *(lambda: self.commit(choose.number(1, 3)),) * 3,
            *(lambda: self.answer(peer),) * 2,
            lambda: self.pass_time(choose.of((10.0, 1001.0, LEASE_MS + 1))),
            lambda: self.disconnect(peer) if choose.yes(3) else None,
            lambda: self.perform(self.connect(), [], 0),
            lambda: self.room(enough=not choose.yes()),
        )
        choose.of(steps)()

    # -- steps -------------------------------------------------------------------------------------------------

    def connect(self) -> Peer:
        self.made += 1
        identity = self.choose.of(_IDENTITIES)
        client = Client(f"c{self.made}", identity, f"process {self.choose.number(1, 2)}", "tests/1")
        limits = Limits(max_pending_events=12, max_unacked_bytes=4000, max_waiting_requests=4)
        server = ServerFacts("1.2.3", 1, 1, NOW - 5000, limits)
        peer = Peer(Session(client, Shared(self.owners, self.runs, self.security, server, IngestMeasures()), self.now))
        self.peers.append(peer)
        self.perform(peer, peer.session.open(), _ANSWER_MAX)
        return peer

    def say(self, peer: Peer) -> None:
        self.said += 1
        name = f"q{self.said:04}"
        frame = self.clients.frame(name)
        if frame.answered:
            peer.waiting[name] = 1
        pending = sum(len(batch.events) for batch, _peer in self.queue)
        effects = peer.session.receive(frame.text, self.now, pending)
        self.perform(peer, effects, _ANSWER_MAX + 4 * len(frame.text))

    def commit(self, count: int) -> None:
        """The writer takes the oldest batches in one transaction."""
        group = [self.queue.popleft() for _ in range(min(count, len(self.queue)))]
        if not group:
            return
        for (batch, peer), verdict in zip(group, self.ingest.commit([batch for batch, _peer in group]), strict=True):
            assert verdict.source == batch.source
            if isinstance(verdict, Committed):
                self.runs.note(verdict, self.now)
                for message in published(verdict, lambda _kind: True):
                    assert json.loads(message.frame)["payload"]["type"] == message.type
            if peer is not None:
                self.perform(peer, peer.session.verdict(verdict, self.now), _ANSWER_MAX)

    def answer(self, peer: Peer) -> None:
        if peer.query is not None:
            peer.query, session = None, peer.session
            found = session.fail("STORE_ERROR", "why", self.now) if self.choose.yes(4) else None
            self.perform(peer, session.answer({"a": 1}, self.now) if found is None else found, _ANSWER_MAX)

    def pass_time(self, time_ms: float) -> None:
        self.now += time_ms
        self.queue += [(batch, None) for batch in self.runs.due(self.now)]

    def disconnect(self, peer: Peer) -> None:
        session = peer.session
        session.close()
        assert session.receive('{"type":"ping"}', self.now, 0) == [], "a closed session says nothing"
        assert session.client.id not in self.owners.sources().values()
        self.peers.remove(peer)
        self.security.forget(session.client.id)
        self.queue += [(batch, None) for batch in self.runs.leave(session.client.id, session.beside, self.now)]

    def room(self, *, enough: bool) -> None:
        """The database may grow, or not by a single page; now and then not a byte of it may change."""
        (pages,) = self.connection.execute("PRAGMA page_count").fetchone()
        self.connection.execute(f"PRAGMA max_page_count = {2**30 if enough else pages}").fetchall()
        self.connection.execute(f"PRAGMA query_only = {not enough and self.choose.yes()}").fetchall()

    def settle(self) -> None:
        """All that is queued and asked is settled and answered."""
        while self.queue or any(peer.query for peer in self.peers):
            self.commit(3)
            for peer in list(self.peers):
                self.answer(peer)

    # -- what must hold ----------------------------------------------------------------------------------------

    def perform(self, peer: Peer, effects: list[Effect], most: int) -> None:
        """Carries out what a session asks for, and looks at all that it says."""
        said = sum(len(effect.text) for effect in effects if isinstance(effect, Send))
        assert said <= most, f"{said} bytes in answer to one frame"
        for effect in effects:
            match effect:
                case Send(text):
                    self.check_said(peer, json.loads(text))
                case Ingest(batch):
                    holder = self.owners.sources().get(batch.source)
                    assert holder == peer.session.client.id or batch.source.startswith(LIVE), "one sends a source"
                    self.queue.append((batch, peer))
                case Announce(batch):
                    self.queue.append((batch, None))
                case Query():
                    assert peer.query is None, "one query at a time"
                    peer.query = effect
                case Supersede(connection):
                    for other in [one for one in self.peers if one.session.client.id == connection]:
                        self.disconnect(other)
                case Close():
                    assert effect is effects[-1], "nothing is sent behind a close"
                    self.disconnect(peer)
                case Subscribed():
                    pass

    def check_said(self, peer: Peer, message: dict[str, Any]) -> None:
        """What a shipper learns from it is what shippers go by."""
        if message["type"] == "error" and message["code"] == "SEQ_GAP":
            self.clients.go_on(message["details"]["source"], message["details"]["expected"])
        if message["type"] == "ack":
            self.clients.go_on(message["source"], message["seq"] + 1)
            stored = self.connection.execute(
                "SELECT count(*), min(seq), max(seq) FROM events JOIN sources USING (source_key)"
                " WHERE source = ? AND seq <= ?",
                (message["source"], message["seq"]),
            ).fetchone()
            assert stored == (message["seq"], 1, message["seq"]), "acked is stored, each seq once"
        name = str(message.get("requestId", message.get("id")))
        if name in peer.waiting:
            peer.waiting[name] -= 1
            assert peer.waiting[name] == 0, f"message {name} is answered twice"

    def check_settled(self, peer: Peer) -> None:
        session = peer.session
        assert session.unacked_bytes == 0
        assert not session._in_flight
        assert not session._dialogue._waiting
        assert session._dialogue._waiting_bytes == 0
        assert session._dialogue.submitted == session._dialogue.settled
        assert not +peer.waiting, f"messages without an answer: {+peer.waiting}"
