"""A recorder that stands still: the connection is given up after a while, and nothing is lost or doubled."""

from __future__ import annotations

import json
import os
import select
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from pytest_semantest.shipper.link import SILENCE_S, Link
from pytest_semantest.shipper.outbox import Outbox
from pytest_semantest.shipper.rendezvous import Rendezvous
from tests.chaos.proxy import Proxy
from tests.recorder.cli_recorder.daemons import DEADLINE_S, Daemon
from tests.shipper.journals import Journal, session
from tests.shipper.test_recorder import expected, stored


@dataclass
class Sending:
    """A link whose clock the test turns on, so that no limit has to be waited for."""

    link: Link
    outbox: Outbox
    now: float = 0.0
    log: list[str] = field(default_factory=list)

    def step(self, seconds: float = 0.0) -> None:
        self.now += seconds
        self.link.step(self.now, {self.outbox.source: self.outbox}, [self.outbox])

    def until_acked(self, seq: int) -> None:
        """Steps until all up to ``seq`` is acknowledged; the clock goes on where the link waits for it."""
        deadline = time.monotonic() + DEADLINE_S
        while self.outbox.acked < seq:
            assert time.monotonic() < deadline, self.log
            reading, writing = self.link.descriptors()
            select.select(reading, writing, [], 0.1)
            self.step(0.0 if self.link.is_open else 0.1)


@pytest.fixture
def way(directory: Path) -> Iterator[Proxy]:
    """A way to the recorder that can be held up."""

    def port() -> int | None:
        address: str = json.loads((directory / "recorder.json").read_bytes())["url"]
        return urlsplit(address).port

    proxy = Proxy(port)
    yield proxy
    proxy.thaw()
    proxy.close()


@pytest.fixture
def recorder(directory: Path, way: Proxy) -> Iterator[Daemon]:
    daemon = Daemon(directory, "--allow-host", f"127.0.0.1:{way.port}").ready()
    yield daemon
    daemon.process.send_signal(signal.SIGCONT)
    daemon.end()


@pytest.mark.hazard(21)
@pytest.mark.parametrize("silence", ["recorder stopped", "connection half open"])
def test_a_recorder_that_is_silent_is_left_when_its_silence_lasts(
    directory: Path, recorder: Daemon, way: Proxy, silence: str
) -> None:
    journal = Journal(session(directory), pid=os.getpid())
    log: list[str] = []
    address, token = f"http://127.0.0.1:{way.port}", recorder.discovery["token"]
    link = Link(Rendezvous(directory, log.append, url=address, token=token), "instance", log.append, 0.0)
    sending = Sending(link, Outbox(journal.source), log=log)

    def push() -> None:
        for seq in range(sending.outbox.wanted, journal.seq + 1):
            sending.outbox.push(seq, journal.bodies[seq - 1])

    journal.start()
    push()
    sending.until_acked(1)

    if silence == "recorder stopped":
        recorder.process.send_signal(signal.SIGSTOP)
    else:
        way.freeze()
    sending.step(10 * SILENCE_S)
    assert link.is_open, "nobody waits for an answer: silence means nothing"
    journal.test("test_a.py::test_one")
    push()
    sending.step()
    assert sending.outbox.in_flight == 1
    sending.step(SILENCE_S - 0.1)
    assert link.is_open
    sending.step(0.2)
    assert not link.is_open
    assert log[-1] == f"no answer for {SILENCE_S:.0f} s"
    assert (sending.outbox.in_flight, sending.outbox.acked) == (0, 1)

    recorder.process.send_signal(signal.SIGCONT)
    way.thaw()  # what was sent on the connection before comes as well
    journal.end()
    push()
    sending.until_acked(journal.seq)
    link.close()
    assert stored(directory, journal.source) == expected(journal)
