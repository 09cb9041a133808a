"""Who attends a pytest that runs: the connections that send its journals, and are told when it is to be stopped."""

from __future__ import annotations

from pytest_semantest.protocol.events import RUN_CANCEL
from semantest_recorder.core.access import INGESTERS
from semantest_recorder.core.active_runs import ActiveRuns
from semantest_recorder.core.batch import LIVE, Committed
from semantest_recorder.server.peer import Peer


class Attendance:
    """By run and connection. Times are in milliseconds since the epoch."""

    def __init__(self, runs: ActiveRuns) -> None:
        self._runs = runs
        self._senders: dict[str, dict[str, Peer]] = {}

    def greeted(self, peer: Peer, now_ms: float) -> None:
        """A shipper that comes back says which run it attends: it may have nothing to send."""
        client = peer.session.client
        if self._runs.get(client.attends) is not None and client.identity.has_any(INGESTERS):
            self._add(peer, client.attends, now_ms)

    def committed(self, peer: Peer | None, verdict: Committed, now_ms: float) -> None:
        """Something was committed: a connection sends its run, or the run is being cancelled.

        It is the commit that counts: whoever asked for the cancellation may be gone by now.
        """
        if not verdict.run_state:
            return
        if self._runs.get(verdict.run_id) is None:
            self._senders.pop(verdict.run_id, None)
        elif peer is not None and not peer.session.closed and not verdict.source.startswith(LIVE):
            self._add(peer, verdict.run_id, now_ms)
        elif any(event.type == RUN_CANCEL for event in verdict.fresh):
            for sender in self._senders.get(verdict.run_id, {}).values():
                self._tell(sender, verdict.run_id, now_ms)

    def left(self, peer: Peer) -> None:
        """A connection has ended."""
        for senders in self._senders.values():
            senders.pop(peer.session.client.id, None)

    def forget(self, run_id: str) -> None:
        """The run was deleted."""
        self._senders.pop(run_id, None)

    def attended(self) -> set[str]:
        """The runs that somebody attends."""
        return {run_id for run_id, senders in self._senders.items() if senders}

    def ask_stack(self, run_id: str, worker: str, now_ms: float) -> int:
        """Asks who attends the run what a process of it is doing; how many were asked."""
        senders = list(self._senders.get(run_id, {}).values())
        for sender in senders:
            sender.perform([sender.session.ask_stack(run_id, worker, now_ms)])
        return len(senders)

    def _add(self, peer: Peer, run_id: str, now_ms: float) -> None:
        senders = self._senders.setdefault(run_id, {})
        if peer.session.client.id not in senders:
            senders[peer.session.client.id] = peer
            self._tell(peer, run_id, now_ms)

    def _tell(self, peer: Peer, run_id: str, now_ms: float) -> None:
        run = self._runs.get(run_id)
        if run is not None and run.cancelling is not None:
            peer.perform([peer.session.cancel(run_id, run.cancelling, run.grace_ms, now_ms)])
