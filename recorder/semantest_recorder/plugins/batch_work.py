"""How far one batch is on its way through ``on_event`` of all plugins; can be gone on with elsewhere (pure)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from semantest_recorder.core.batch import NEXT_SEQ, OPENING, Batch, EventMark, RawEvent
from semantest_recorder.core.marking import TOMBSTONE, marked, reopened, replaced
from semantest_recorder.plugins.calls import Implementation
from semantest_recorder.plugins.event import DROP, Event, UnusableEvent, accepted, may_be_dropped, without_words

FAILED = "failed"


class Place(NamedTuple):
    """Event number ``at`` of the batch, as it is now, before the call of ``position``; ``by``: who has changed it.

    ``at`` is ``OPENING`` for the batch's opening.
    """

    at: int
    position: int
    event: Event | None = None
    by: tuple[str, ...] = ()


class BatchWork:
    """One batch. ``done`` gets it when all its events have been through; those before ``first`` are stored already.

    Its opening goes past all but those that guard: whether it is stored is known at the commit only. ``idle`` are
    plugins that have nothing to do with these events: they are asked only for what another one changed.
    """

    def __init__(
        self,
        batch: Batch,
        calls: Sequence[Implementation],
        done: Callable[[Batch], None],
        *,
        first: int = 0,
        run_id: str | None = None,
        idle: frozenset[str] = frozenset(),
    ) -> None:
        self.batch = batch
        self.calls = calls
        self.done = done
        self._run_id = run_id
        self._idle = idle
        #: By position, which call is due then for an event that nobody has changed.
        self._due_unchanged = _due_unchanged(calls, idle)
        self._worker = batch.source.rpartition(".")[2]
        #: All that changes while it goes on, and always consistent: another thread may copy it at any time.
        self.place = Place(first if batch.opening is None else OPENING, 0)
        #: Whether the call that is due has begun.
        self.calling = False
        self._changes: dict[int, tuple[RawEvent, str]] = {}
        self._drops: dict[int, str] = {}
        self._failures: dict[int, str] = {}

    def resumed(self) -> BatchWork:
        """A copy that goes on behind the call that has begun, if one has; nobody waits for what that gives."""
        copy = BatchWork(self.batch, self.calls, self.done, run_id=self._run_id, idle=self._idle)
        copy.place = self.place
        copy._changes, copy._drops = dict(self._changes), dict(self._drops)
        copy._failures = dict(self._failures)
        if self.calling:
            call = self.calls[self.place.position]
            copy.failed(call.plugin, "was given up")
            copy.skip()
            copy.withhold(call)
        return copy

    def next_call(self) -> tuple[Implementation, Event] | None:
        """The call that is due, ``None`` when there is none any more."""
        place = self._on_its_way(self.place)
        while place.event is None or place.position >= len(self.calls):
            place = self._on_its_way(self._advance(place))
            if place.event is None:
                return None
        event, self.place = place.event, place
        self.calling = True
        return self.calls[place.position], event.fresh()

    def took(self, given: object) -> None:
        """What the call gave. Raises ``UnusableEvent``; the event then stays as it was, and the next call is due."""
        place, event = self.place, self.place.event
        self.calling = False
        if event is None:
            return
        self.place = Place(place.at, place.position + 1, event, place.by)
        if given is None:
            return
        plugin = self.calls[place.position].plugin
        if given is DROP:
            if not self._may_be_dropped(place.at, event):
                raise UnusableEvent(f"{event.type} cannot be dropped: its run would not close")
            self._drops[place.at] = f"plugin {plugin}"
            self.place = Place(place.at, len(self.calls), event)
            return
        after = accepted(event, given)
        if after is not None:
            self.place = Place(place.at, place.position + 1, after, (*place.by, plugin))

    def failed(self, plugin: str, message: str) -> None:
        """The call that was due is given up; the event stays as it was. Its first failure is marked."""
        self._failures.setdefault(self.place.at, f"plugin {plugin}: {message}")

    def withhold(self, call: Implementation) -> None:
        """One that guards has failed: of an event that it has not looked at only ids, states and numbers are stored."""
        place, event = self.place, self.place.event
        if not call.guards or event is None:
            return
        if self._may_be_dropped(place.at, event):
            self._drops[place.at] = f"plugin {call.plugin} could not look at it"
            self.place = Place(place.at, len(self.calls), event)
        else:
            self.place = Place(place.at, place.position, without_words(event), (*place.by, call.plugin))

    def skip(self) -> None:
        """Goes on to the next call."""
        self.calling = False
        self.place = self.place._replace(position=self.place.position + 1)

    def result(self) -> Batch:
        """The batch as it is to be stored."""
        changes = dict(self._changes)
        opening = changes.pop(OPENING, None)
        batch = replaced(self.batch, changes, self._drops)
        batch = batch if opening is None else reopened(batch, *opening)
        return marked(batch, [EventMark(index, FAILED, reason) for index, reason in self._failures.items()])

    def _on_its_way(self, place: Place) -> Place:
        """The place without the calls that have nothing to do with its event."""
        due = place.position if place.by else self._due_unchanged[place.position]
        return place if due == place.position else place._replace(position=due)

    def _advance(self, place: Place) -> Place:
        """Settles the event that is through, and goes on to the next one that plugins may see, if there is one."""
        index = place.at
        if place.event is not None:
            if place.by and index not in self._drops:
                self._changes[index] = place.event.raw, f"plugin {', '.join(place.by)}"
            index += 1
        events = self.batch.events
        while 0 <= index < len(events) and events[index].type == TOMBSTONE:
            index += 1
        if index >= len(events) or self._due_unchanged[0] == len(self.calls):
            self.place = Place(index, 0)
        elif index == OPENING and self.batch.opening is not None:
            guards = next((at for at, call in enumerate(self.calls) if call.guards), len(self.calls))
            self.place = Place(index, guards, self._event(self.batch.opening, None))
        else:
            first = self.batch.first_seq
            seq = None if first == NEXT_SEQ else first + index
            self.place = Place(index, 0, self._event(events[index], seq))
        return self.place

    def _event(self, raw: RawEvent, seq: int | None) -> Event:
        return Event(raw, source=self.batch.source, seq=seq, run_id=self._run_id, worker=self._worker)

    @staticmethod
    def _may_be_dropped(at: int, event: Event) -> bool:
        return at != OPENING and may_be_dropped(event.raw)


def _due_unchanged(calls: Sequence[Implementation], idle: frozenset[str]) -> tuple[int, ...]:
    due = [len(calls)]
    for position in reversed(range(len(calls))):
        due.append(due[-1] if calls[position].plugin in idle else position)
    return tuple(reversed(due))
