"""Ships one session: reads its journals, watches its processes, closes what died, sends until all is acknowledged.

``step`` does what can be done now and never waits; the program waits between steps.
"""

from __future__ import annotations

import os
import select
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pytest_semantest.protocol.identity import MAIN_WORKER, SHIPPER_WORKER, source_name
from pytest_semantest.protocol.layout import JOURNAL_SUFFIX, journal_paths
from pytest_semantest.protocol.redaction import Redactor
from pytest_semantest.shipper import unnamed
from pytest_semantest.shipper.artifacts import Artifacts
from pytest_semantest.shipper.diagnostics import Log
from pytest_semantest.shipper.folder import untaken_folder
from pytest_semantest.shipper.link import Link
from pytest_semantest.shipper.observing import Observer
from pytest_semantest.shipper.outbox import Outbox
from pytest_semantest.shipper.own_journal import OwnJournal
from pytest_semantest.shipper.source import FollowedSource
from pytest_semantest.shipper.stacks import StackDumps
from pytest_semantest.shipper.state import ShipState, State, StateFile, read_state
from pytest_semantest.shipper.stopping import Stopping

_LOOK_S = 0.1
_DISCOVER_S = 0.2
#: How long to wait before journals are read again: soon while something is written, else longer each time.
_BUSY_S = 0.05
_IDLE_S = 0.2


@dataclass(frozen=True, slots=True)
class Clock:
    """The time of one step: ``monotonic`` in seconds, ``wall_ms`` in milliseconds since the epoch."""

    monotonic: float
    wall_ms: float


class Shipment:
    """The session whose folder is ``folder``.

    ``adopted``: pytest may still run under another shipper's care, so nothing is closed while it does.
    Raises ``OSError`` when the folder cannot be read.
    """

    def __init__(self, folder: Path, link: Link, log: Log, redactor: Redactor, *, adopted: bool = False) -> None:
        self.folder = folder
        self.session = folder.name
        self.link = link
        self.sources: dict[str, FollowedSource] = {}  # by worker
        self._log = log
        self._adopted = adopted
        before = read_state(folder)
        self._predecessor = bool(before)
        # Trying another recorder by hand does not change which one the session is meant for, or that nobody knows.
        self._named_before = before.get("named")
        self._meant_for = before.get("recorder") if self._named_before is True else None
        self._stopping: Stopping | None = None
        self.artifacts = Artifacts(folder, log)
        self._own = OwnJournal(folder, self.session)
        self._state_file = StateFile(folder)
        #: Why journals cannot be read, by their names.
        self._unread: dict[str, str] = {}
        self._observer = Observer(self._own, redactor, log)
        self._stacks = StackDumps(redactor)
        self._next_look = 0.0
        self._next_discovery = 0.0
        self._next_read = 0.0
        self._pause = _BUSY_S

    # -- what is known -----------------------------------------------------------------------------------------

    @property
    def run_id(self) -> str | None:
        """The run that the session belongs to, ``None`` while that is not known."""
        return unnamed.run_of(self.sources.values(), self.session)

    @property
    def is_running(self) -> bool:
        """Whether a process of the session may still write."""
        return any(source.watch is not None and not source.is_dead for source in self._processes())

    @property
    def is_closed(self) -> bool:
        """Whether every process has ended or was told to be dead, and the run with it."""
        processes = list(self._processes())
        if not processes or any(source.digest.start is None for source in processes):
            return False
        told = self._own.crashes_told
        if not all(source.digest.ended or source.outbox.source in told for source in processes):
            return False
        main = self.sources.get(MAIN_WORKER)
        return main is None or main.digest.ended or self._own.run_end_told

    @property
    def is_shipped(self) -> bool:
        """Whether all there is was acknowledged."""
        own = self.sources.get(SHIPPER_WORKER)
        own_shipped = self._own.seq == 0 or (own is not None and own.outbox.acked >= self._own.seq)
        shipped = own_shipped and self.artifacts.is_shipped
        return shipped and all(source.is_shipped for source in self.sources.values())

    @property
    def is_done(self) -> bool:
        """Whether the session is closed and all of it acknowledged."""
        return self.is_closed and self.is_shipped and (self._own.context_told or not self._observer.wants_context)

    @property
    def is_told(self) -> bool:
        """Whether all that pytest's processes wrote, and what closes it, is acknowledged; the context may follow."""
        closing = self._own.crashes_told or self._own.run_end_told
        shipped = self.is_shipped if closing else all(s.is_shipped for s in self._processes())
        return self.is_closed and shipped and self.artifacts.is_shipped

    @property
    def is_read(self) -> bool:
        """Whether there are journals and all of them were read to their end."""
        return bool(self.sources) and all(source.follower.drained for source in self.sources.values())

    @property
    def stopped(self) -> str | None:
        """Why a source is not sent any more, ``None`` when all are."""
        return next((source.outbox.stopped for source in self.sources.values() if source.outbox.stopped), None)

    @property
    def unread(self) -> str | None:
        """Why a journal that is there cannot be read, ``None`` when each of them can."""
        return next((f"{name} cannot be read: {why}" for name, why in sorted(self._unread.items())), None)

    @property
    def without_room_at(self) -> float:
        """When the disk was last too full for what was to be written of this session, in monotonic seconds."""
        return self._observer.without_room_at

    @property
    def note(self) -> str | None:
        """What the user has to know although all is well."""
        count = len(self.artifacts.untaken)
        if not count:
            return None
        what = f"{count} attachment{' is' if count == 1 else 's are'} kept in {untaken_folder(self.folder)}"
        return f"the server takes no attachments; {what}"

    @property
    def all_sent_but_stopped(self) -> bool:
        """Whether nothing is left but what the recorder does not take."""
        if self.stopped is None or not self.artifacts.is_shipped:
            return False
        return all(source.outbox.stopped or source.is_shipped for source in self.sources.values())

    # -- what is done ------------------------------------------------------------------------------------------

    def step(self, clock: Clock) -> None:
        """Reads, observes, closes and sends what there is to do now."""
        self._discover(clock)
        died = self._look(clock)
        if died or clock.monotonic >= self._next_read:
            self._read(clock)
            self._observe(clock)
        outboxes = {source.outbox.source: source.outbox for source in self.sources.values()}
        self.link.run_id = self.run_id
        self.link.step(clock.monotonic, outboxes, list(self._sendable()))
        self.artifacts.step(clock.monotonic, self.link.endpoint if self.link.is_open else None)
        self.link.last_contact = max(self.link.last_contact, self.artifacts.last_progress)
        if self.link.cancelled is not None:
            self._stop(*self.link.cancelled, clock.monotonic)
        self._dump_stacks(clock)
        self._write_state(clock)

    def _stop(self, run_id: str, reason: str, grace_s: float, now: float) -> None:
        """The recorder cancels the run: pytest is to end, if this session belongs to it and runs here."""
        if not self._may_ask(run_id):
            return
        if self._stopping is None:
            self._log(f"the run is cancelled: {reason}")
            self._stopping = Stopping(self.folder, reason, grace_s, now)
        main = self.sources.get(MAIN_WORKER)
        workers = [source.watch for source in self._processes() if source is not main and source.watch is not None]
        for line in self._stopping.step(now, main.watch if main is not None else None, workers):
            self._log(line)

    def _may_ask(self, run_id: str) -> bool:
        """Whether the recorder may want something of processes of the run, and this session is of it.

        Of a session that was left, only the project's own recorder may: its folder may come from elsewhere and name
        both a recorder and processes that never were pytest's.
        """
        return run_id == self.run_id and not (self._adopted and self.link.named)

    def _dump_stacks(self, clock: Clock) -> None:
        """Asks processes for the stacks that somebody wants, and journals what comes."""
        asked, self.link.asked_stacks = self.link.asked_stacks, []
        run_id = self.run_id
        if run_id is None:
            return
        wanted = {worker for asked_run, worker in asked if self._may_ask(asked_run)}
        events = self._stacks.step(run_id, clock.monotonic, clock.wall_ms)
        for source in self._processes():
            if wanted & {source.worker, source.outbox.source}:
                events += self._stacks.ask(source, run_id, clock.monotonic, clock.wall_ms)
        if not events:
            return
        try:
            self._own.start(run_id, os.uname().nodename, clock.wall_ms)
            self._own.append(events)
        except OSError as error:
            self._log(f"stacks cannot be written: {error.strerror}")
        self.read_now()

    def read_now(self) -> None:
        """The next step reads the journals, however soon it comes."""
        self._next_read = self._next_discovery = 0.0

    def has_new_journals(self) -> bool:
        """Whether the folder holds a journal that was not taken up yet; the next step does."""
        names = {path.name for path in journal_paths(self.folder)} - self._unread.keys()
        new = any(name.removesuffix(JOURNAL_SUFFIX) not in self.sources for name in names)
        if new:
            self.read_now()
        return new

    def wait_s(self, now: float) -> float:
        """How long to wait for the next step when no descriptor becomes ready; ``now`` in monotonic seconds."""
        waits = [self._next_read - now, self.link.wait_s(now), self._stacks.wait_s()]
        return max(0.0, min(wait for wait in waits if wait is not None))

    def begin(self, clock: Clock) -> None:
        """Says in ship.json that there is a shipper."""
        self._write_state(clock)

    def finish(self, clock: Clock) -> None:
        """Writes the last state and lets go of everything."""
        self._write_state(Clock(clock.monotonic + 1, clock.wall_ms))
        self._stacks.close()
        for source in self.sources.values():
            source.close()

    def descriptors(self) -> Iterator[int]:
        """Descriptors that become readable when a process of the session dies."""
        for source in self._processes():
            fd = source.watch.fileno() if source.watch is not None and not source.is_dead else None
            if fd is not None:
                yield fd

    def _processes(self) -> Iterator[FollowedSource]:
        return (source for source in self.sources.values() if not source.is_own)

    def _discover(self, clock: Clock) -> None:
        """Takes up journals that are new; main is read first, the shipper's own last."""
        if clock.monotonic < self._next_discovery:
            return
        self._next_discovery = clock.monotonic + _DISCOVER_S
        try:
            names = [name for name in os.listdir(self.folder) if name.endswith(JOURNAL_SUFFIX)]
        except OSError:
            return  # somebody deleted the folder: what is open can still be shipped
        self._unread = {name: why for name, why in self._unread.items() if name in names}
        for name in sorted(names, key=lambda name: (not name.startswith(MAIN_WORKER), name)):
            self._take_up(self.folder / name)

    def _take_up(self, path: Path) -> None:
        worker = path.stem
        if worker in self.sources:
            return
        source = source_name(self.session, worker)
        try:
            followed = FollowedSource(path, source, predecessor=self._predecessor)
        except OSError as error:
            if path.name not in self._unread:
                self._log(f"{path.name} cannot be read: {error.strerror}")
            self._unread[path.name] = error.strerror or str(error)
            return
        self._unread.pop(path.name, None)
        self.sources[worker] = followed

    def _look(self, clock: Clock) -> bool:
        """Looks which processes live."""
        if clock.monotonic < self._next_look and not self._death_signalled():
            return False
        self._next_look = clock.monotonic + _LOOK_S
        died = [self._look_at(source, clock) for source in self._processes()]
        return any(died)

    def _look_at(self, source: FollowedSource, clock: Clock) -> bool:
        died = source.look(clock.wall_ms)
        if died and not source.digest.ended:
            self._log(f"{source.outbox.source} died without its end record")
        if source.watch is not None and not source.is_dead:
            source.seen_alive = True
        return died

    def _death_signalled(self) -> bool:
        return bool(_readable(list(self.descriptors())))

    def _read(self, clock: Clock) -> None:
        moved = False
        for source in self.sources.values():
            known = source.watch is not None
            moved = source.read() or moved
            if not known and self._look_at(source, clock):
                moved = source.read() or moved
            for damage in source.new_damage():
                self._log(damage)
        moved = self._name_unnamed(clock) or moved
        self.artifacts.look()
        self._pause = _BUSY_S if moved else min(self._pause * 1.5, _IDLE_S)
        more = any(not source.follower.drained for source in self.sources.values())
        self._next_read = clock.monotonic + (0.0 if more else self._pause)

    def _name_unnamed(self, clock: Clock) -> bool:
        """Says of journals whose first record cannot be read whose they are; whether that was news."""
        sources = self.sources.values()
        for source in unnamed.unmet(sources):
            unnamed.meet(source, sources)
            if self._look_at(source, clock):
                source.read()
        run_id = self.run_id
        return run_id is not None and unnamed.name(sources, self.session, run_id)

    def _observe(self, clock: Clock) -> None:
        """Writes down what the shipper itself sees: context, long phases, deaths."""
        run_id = self.run_id
        if run_id is None or (self._adopted and self.is_running):
            return
        processes = list(self._processes())
        self._observer.observe(processes, run_id, clock.monotonic, clock.wall_ms, closed=self.is_closed)
        if self._observer.wrote_ends:
            self.read_now()
        if SHIPPER_WORKER not in self.sources:
            self._take_up(self._own.path)

    def _sendable(self) -> Iterator[Outbox]:
        """Workers first, then main, whose end waits until theirs is sent; then what the shipper says of them."""
        workers = [source for source in self._processes() if source.worker != MAIN_WORKER]
        yield from (source.outbox for source in workers)
        main = self.sources.get(MAIN_WORKER)
        if main is not None:
            behind = any(source.outbox.unsent and not source.outbox.stopped for source in workers)
            if not (main.digest.ended and behind):
                yield main.outbox
        own = self.sources.get(SHIPPER_WORKER)
        if own is not None:
            yield own.outbox

    # -- ship.json ---------------------------------------------------------------------------------------------

    def _state(self) -> State:
        if self.is_told:
            return "done"
        if self.all_sent_but_stopped:
            return "stopped"
        if self.link.refused is not None:
            return "refused"
        if self.link.unreachable is not None:
            return "unreachable"
        if not self.link.is_open:
            return "connecting"
        return "idle" if self.is_shipped else "shipping"

    def _write_state(self, clock: Clock) -> None:
        state = ShipState(
            pid=os.getpid(),
            instance=self.link.instance,
            state=self._state(),
            recorder=(self._meant_for if self._adopted else None) or self.link.url,
            named=self._named_before if self._adopted else self.link.named,
            detail=self.stopped or self.link.refused or self.link.unreachable or self.note,
            sources={
                source.worker: {
                    "acked": source.outbox.acked,
                    "read": source.follower.next_seq - 1,
                    "ended": source.digest.ended or source.outbox.source in self._own.crashes_told,
                }
                for source in self.sources.values()
            },
        )
        try:
            self._state_file.write(state, clock.monotonic)
        except OSError as error:
            self._log(f"ship.json cannot be written: {error.strerror}")


def _readable(descriptors: list[int]) -> list[int]:
    poll = select.poll()
    for fd in descriptors:
        poll.register(fd, select.POLLIN)
    return [fd for fd, _ in poll.poll(0)] if descriptors else []
