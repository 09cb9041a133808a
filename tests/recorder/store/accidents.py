"""A recorder that is sent a history, and what may befall it on the way."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

from hypothesis import event

from semantest_recorder.core.batch import NEXT_SEQ, Batch, Committed, EventMark, RawEvent, Refused, Verdict
from semantest_recorder.store.writer import Writer

from . import ingesting
from .ingesting import Recorder

OTHER = "20261121-110000-0d0d0d"
CLIENT = "checkout"


class Accidents:
    """A recorder that is sent a history, and what may befall it between two groups of batches, by chance."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder = folder
        self.chance = random.Random(seed)
        self.lives = 0
        self.path = folder / "life0.db"
        self.recorder = Recorder(Writer(self.path))
        self.received_ms = 0.0
        self.said = 0

    def send(self, batches: list[Batch]) -> list[Verdict]:
        return self.recorder.send_all(batches)

    def batch(self, source: str, first: int, events: list[RawEvent]) -> Batch:
        """With a time of its own, and now and then a mark that a guard set."""
        self.received_ms += self.chance.choice((0.0, 1.5))
        marks = [
            EventMark(index, kind, "by chance", self.chance.choice((None, 7)) if kind == "changed" else None)
            for index in range(len(events))
            for kind in ("suspicious", "changed", "dropped")
            if self.chance.random() < 0.03
        ]
        return Batch(source, first, events, self.received_ms, marks=tuple(marks))

    def befall(self, sent: list[Batch]) -> None:
        """One of: nothing, a restart, a kill, a resend, a gap, another event under a known seq, words of a client."""
        happening = self.chance.choice(("nothing", "restart", "kill", "again", "gap", "conflict", "client", "client"))
        event(happening)
        if happening == "restart":
            self.recorder.writer.close()
            self.recorder = Recorder(Writer(self.path))
        elif happening == "kill":
            self.kill()
        elif happening == "client":
            self.client()
        elif sent:
            batch = self.chance.choice(sent)
            last = batch.first_seq + len(batch.events) - 1
            if happening == "again":
                [verdict] = self.send([batch])
                assert isinstance(verdict, Committed)
                assert not verdict.fresh
            elif happening == "gap":
                [verdict] = self.send([Batch(batch.source, 10_000 + last, batch.events, 1.0)])
                assert isinstance(verdict, Refused)
                assert verdict.code == "SEQ_GAP"
            elif happening == "conflict":
                forged = [ingesting.event("custom/forged", number=self.chance.random())]
                [verdict] = self.send([Batch(batch.source, batch.first_seq, forged, 1.0)])
                assert isinstance(verdict, Refused)
                assert verdict.code == "SEQ_CONFLICT"

    def kill(self) -> None:
        """Goes on with the files as they are now: what a recorder leaves behind that is killed between two commits."""
        self.lives += 1
        after = self.folder / f"life{self.lives}.db"
        for suffix in ("", "-wal"):
            if Path(f"{self.path}{suffix}").exists():
                shutil.copy(f"{self.path}{suffix}", f"{after}{suffix}")
        self.recorder.writer.close()
        self.path, self.recorder = after, Recorder(Writer(after))

    def client(self) -> None:
        """One event of a client in a run of its own; the recorder numbers it."""
        source = f"live/{CLIENT}.main"
        opening = ingesting.event("run/start", runId=CLIENT, session=f"live/{CLIENT}", source=source, worker="main")
        self.said += 1
        kinds = ("test/start", "test/log", "test/passed", "test/failed", "test/suite/start", "custom/word")
        word = ingesting.event(self.chance.choice(kinds), float(self.said), testId=f"t{self.chance.randint(1, 3)}")
        [verdict] = self.send([Batch(source, NEXT_SEQ, [word], self.received_ms, opening)])
        assert isinstance(verdict, Committed)
        assert verdict.seq == self.said + 1
