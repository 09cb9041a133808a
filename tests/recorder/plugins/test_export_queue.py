"""Runs that wait to be sent: order, what is tried again and what is given up."""

from __future__ import annotations

import logging
import threading

from semantest_recorder.plugins.builtin import export_queue
from semantest_recorder.plugins.builtin.export_queue import OWN_TRIES, TRIES, ExportQueue, NotSentError, pause_s

LOG = logging.getLogger("tests.export")


class Destination:
    """Takes runs once it is ``open``; the first ``refusals`` attempts raise ``error``."""

    def __init__(self, done: str, refusals: int = 0, error: Exception | None = None, only: str = "") -> None:
        self.tried: list[str] = []
        self.finished = threading.Event()
        self.open = threading.Event()
        self._done, self._refusals, self._only = done, refusals, only
        self._error = error or NotSentError("nobody listens")

    def send(self, run_id: str) -> None:
        assert self.open.wait(60)
        self.tried.append(run_id)
        if self._refusals and self._only in ("", run_id):
            self._refusals -= 1
            raise self._error
        if run_id == self._done:
            self.finished.set()


def test_pauses_grow_to_a_minute_and_all_of_them_are_half_an_hour() -> None:
    assert [pause_s(failures) for failures in (1, 2, 3, 7, 100)] == [1, 2, 4, 60, 60]
    assert 1700 < sum(pause_s(failures) for failures in range(1, TRIES)) < 2000


def test_runs_keep_their_order_while_nobody_takes_them() -> None:
    destination = Destination("c", refusals=3)
    queue = ExportQueue(destination.send, LOG, lambda _failures: 0.001)
    for run in "abca":
        queue.put(run)
    destination.open.set()
    assert destination.finished.wait(60)
    assert queue.finish(60) == []
    sent = destination.tried[3:]
    assert destination.tried[:3] == ["a"] * 3
    assert [run for place, run in enumerate(sent) if run not in sent[:place]] == ["a", "b", "c"]
    assert queue.status()["failures"] == 3
    queue.put("late")
    assert queue.status()["queued"] == 0


def test_a_run_that_nobody_takes_for_long_is_given_up() -> None:
    destination = Destination("b", refusals=TRIES, only="a")
    queue = ExportQueue(destination.send, LOG, lambda _failures: 0.0)
    queue.put("a")
    queue.put("b")
    destination.open.set()
    assert destination.finished.wait(60)
    assert queue.finish(60) == []
    assert destination.tried == ["a"] * TRIES + ["b"]
    assert queue.status() | {"exported": 1, "dropped": 1, "lastError": "nobody listens"} == queue.status()


def test_a_run_that_cannot_be_read_holds_up_no_other_one() -> None:
    destination = Destination("b", refusals=OWN_TRIES, error=LookupError("gone"), only="a")
    queue = ExportQueue(destination.send, LOG, lambda _failures: 3600.0)
    queue.put("a")
    queue.put("b")
    destination.open.set()
    assert destination.finished.wait(60)
    assert queue.finish(60) == []
    assert destination.tried.count("a") == OWN_TRIES
    assert destination.tried.index("b") < len(destination.tried) - 1
    assert queue.status()["dropped"] == 1
    assert queue.status()["lastError"] == "LookupError: gone"


def test_the_oldest_goes_when_too_many_wait() -> None:
    began, go_on = threading.Event(), threading.Event()

    def send(_run_id: str) -> None:
        began.set()
        go_on.wait(60)

    queue = ExportQueue(send, LOG)
    queue.put("first")
    assert began.wait(60)
    for number in range(export_queue.MOST_RUNS + 1):
        queue.put(str(number))
    assert queue.status() | {"queued": export_queue.MOST_RUNS + 1, "dropped": 1} == queue.status()
    assert len(queue.finish(0.0)) == export_queue.MOST_RUNS + 1
    go_on.set()
