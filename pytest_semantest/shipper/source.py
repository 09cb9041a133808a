"""One process of a session as the shipper sees it: its journal, what is known of it, what is still to be shipped."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from pytest_semantest.protocol.appending import append_records
from pytest_semantest.protocol.closing import JournalDigest, SourceFacts, ending_event
from pytest_semantest.protocol.gaps import MAX_GAP
from pytest_semantest.protocol.identity import SHIPPER_WORKER
from pytest_semantest.protocol.layout import STATUS_SUFFIX
from pytest_semantest.protocol.record import STATUS_SIZE, decode_ending, decode_status, encode
from pytest_semantest.protocol.redaction import Redactor
from pytest_semantest.shipper.following import BEGINNING, JournalFollower, Position
from pytest_semantest.shipper.liveness import ProcessWatch
from pytest_semantest.shipper.outbox import Outbox
from pytest_semantest.shipper.output import CapturedOutput

#: A test that stays this long in one phase is worth a ``test/phase`` event, in seconds.
LONG_PHASE_S = 0.25
#: Errors that go when there is room again.
NO_ROOM = (errno.ENOSPC, errno.EDQUOT)


class FollowedSource:
    """Follows one journal of a session.

    ``source`` is the name to ship under, ``worker`` the journal's. ``predecessor``: another shipper followed it before.
    ``seen_alive``: its process was there; ``died_ms``: when it was seen to be gone; ``settled``: all that it wrote was
    read since. ``unnamed``: its first record cannot be read, so nothing of it is sent before ``name`` says whose it is;
    ``readable``: others can.
    """

    def __init__(self, path: Path, source: str, *, predecessor: bool) -> None:
        self.path = path
        self.worker = path.stem
        self.outbox = Outbox(source, predecessor=predecessor)
        self.digest = JournalDigest()
        self.follower = JournalFollower(path)
        self.watch: ProcessWatch | None = None
        self.died_ms: float | None = None
        self.seen_alive = False
        self.settled = False
        self.unnamed = False
        self.readable = False
        self._output: CapturedOutput | None = None
        self._unpushed: Position | None = None  # entries from here on are known to the digest, but not yet pushed
        self._slot_fd: int | None = None
        self._slot: tuple[int, str] | None = None
        self._slot_since = 0.0
        self._slot_told = False
        self._damage_told = 0
        self._ending_tried = False

    @property
    def is_own(self) -> bool:
        """Whether the shipper itself writes this journal."""
        return self.worker == SHIPPER_WORKER

    @property
    def is_dead(self) -> bool:
        """Whether its process was seen to be gone."""
        return self.died_ms is not None

    @property
    def is_shipped(self) -> bool:
        """Whether all that was read of it is acknowledged, and all was read."""
        read = self.follower.drained and self._unpushed is None and (self.settled or not self.is_dead)
        return read and self.outbox.acked >= self.follower.next_seq - 1

    def read(self) -> bool:
        """Reads what is new; true when there was something. Reading goes on when the outbox has no room."""
        self._find_place()
        any_read, final = False, self.is_dead and not self.is_own
        for entry in self.follower.read(final=final):
            any_read = True
            if entry.gap and entry.seq == 1 and self.follower.opening is None:
                self.unnamed, self._unpushed = True, BEGINNING
            if entry.seq > self.digest.last_seq:
                self.digest.observe(entry.seq, entry.body)
                self.readable = self.readable or not entry.gap
            if self._unpushed is None and entry.seq == self.outbox.wanted:
                self.outbox.push(entry.seq, entry.body)
        if self.watch is None and self.digest.start is not None and not self.is_own:
            self._meet_process(self.digest.start, self.digest.started_ms or 0.0)
        self.settled = final and self.follower.drained
        return any_read

    def meet_unnamed(self, start: Mapping[str, Any]) -> None:
        """Watches the process of ``guessed_start``, since the record that would name it cannot be read."""
        self.unnamed = True
        self._meet_process(dict(start), self.follower.modified_ms())

    def name(self, start: Mapping[str, Any], opening: Mapping[str, Any]) -> None:
        """Says whose journal it is, instead of its first record: the next read sends it from its beginning."""
        self.follower.opening = opening
        self.digest.start = {**start, **opening}

    def new_damage(self) -> list[str]:
        """What was found unreadable since the last call."""
        damage = self.follower.damage
        told, self._damage_told = self._damage_told, len(damage)
        return damage[told:]

    def look(self, now_ms: float) -> bool:
        """Looks whether the process lives; true when it was found dead just now."""
        if self.watch is None or self.is_dead or self.watch.alive(self.follower.modified_ms(), now_ms):
            return False
        self.died_ms = now_ms
        return True

    def long_phase(self, now: float) -> tuple[int, str] | None:
        """``(seq, phase)`` once for a phase that has lasted ``LONG_PHASE_S``; ``now`` in monotonic seconds."""
        slot = decode_status(self._status())
        if slot != self._slot:
            self._slot, self._slot_since, self._slot_told = slot, now, False
            return None
        if slot is None or self._slot_told or now - self._slot_since < LONG_PHASE_S:
            return None
        self._slot_told = True
        return slot

    def facts(self, *, redactor: Redactor, crash_told: bool) -> SourceFacts:
        """What ``closing_events`` wants to know."""
        needs_output = self.is_dead and not self.digest.ended and not crash_told
        return self.digest.facts(
            source=self.outbox.source,
            worker=self.worker,
            alive=not self.is_dead,
            status=self._status(),
            last_sign_ms=self._last_sign_ms(),
            died_ms=self.died_ms if self.seen_alive else None,
            last_output=self._output.tail(redactor) if self._output is not None and needs_output else (),
            crash_told=crash_told,
        )

    def write_ending(self, run_id: str) -> bool:
        """Writes the end record that the dead process could not write, if it left it in its slot; whether it did.

        In the journal it is as lasting as the others, and whoever reads it next finds it. Raises ``OSError``.
        """
        ending = decode_ending(self._status())
        if ending is None or self._ending_tried or ending.seq - self.digest.last_seq > MAX_GAP:
            return False
        seq = max(ending.seq, self.digest.last_seq + 1)  # something may have been written behind its end
        at_ms = self.died_ms if self.seen_alive and self.died_ms is not None else self._last_sign_ms()
        event = ending_event(ending, run_id=run_id, worker=self.worker, at_ms=round(at_ms, 3))
        try:
            append_records(self.path, [encode(seq, json.dumps(event, separators=(",", ":")).encode())])
        except OSError as error:
            self._ending_tried = error.errno not in NO_ROOM
            raise
        self._ending_tried = True
        return True

    def close(self) -> None:
        """Lets go of all that is held open."""
        self.follower.close()
        if self.watch is not None:
            self.watch.close()
        if self._output is not None:
            self._output.close()
        if self._slot_fd is not None:
            os.close(self._slot_fd)
            self._slot_fd = None

    def _find_place(self) -> None:
        """Goes where reading has to go on for the outbox, or notes where that is while it has no room."""
        if not self.outbox.has_room or (self.unnamed and self.follower.opening is None):
            if self._unpushed is None:
                self._unpushed = self.follower.position
            return
        if self.outbox.wanted < (self._unpushed.seq if self._unpushed else self.follower.position.seq) + 1:
            self._unpushed = BEGINNING  # the recorder lost what it had acknowledged
        if self._unpushed is not None:
            self.follower.seek(self._unpushed)
            self._unpushed = None

    def _meet_process(self, start: dict[str, Any], started_ms: float) -> None:
        self.watch = ProcessWatch(start, started_ms)
        self._status()  # held from now on: the memory behind it goes with its process
        if not self.watch.foreign:
            self._output = CapturedOutput(start.get("pid"), start.get("capture"))

    def _status(self) -> bytes:
        """The status slot's bytes. It is opened once and held."""
        if self._slot_fd is None:
            try:
                self._slot_fd = os.open(
                    self.path.with_suffix(STATUS_SUFFIX), os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK
                )
            except OSError:
                return b""
        try:
            return os.pread(self._slot_fd, STATUS_SIZE, 0)
        except OSError:
            return b""

    def _last_sign_ms(self) -> float:
        signs = [self.follower.modified_ms()]
        with suppress(OSError):
            signs.append(self.path.with_suffix(STATUS_SUFFIX).stat().st_mtime * 1000)
        return max(signs)
