"""Threads that hold up nobody's end: those of ``ThreadPoolExecutor`` are waited for when the interpreter ends."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, Future
from functools import partial
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class DaemonThreads(Executor):
    """Carries out calls, ``count`` at a time, in the order in which they came; what runs at the end is cut off."""

    def __init__(self, count: int, name: str) -> None:
        self._count = count
        self._name = name
        self._started = 0
        self._closed = False
        self._lock = Lock()
        self._calls: SimpleQueue[tuple[Callable[[], None], Callable[[], bool]] | None] = SimpleQueue()

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Queues a call. Raises ``RuntimeError`` after ``shutdown``."""
        future: Future[T] = Future()
        with self._lock:
            if self._closed:
                raise RuntimeError("no call is taken any more")
            self._calls.put((partial(carry_out, future, partial(fn, *args, **kwargs)), future.cancel))
            if self._started < self._count:
                self._started += 1
                Thread(target=self._work, name=f"{self._name}-{self._started}", daemon=True).start()
        return future

    def shutdown(self, wait: bool = False, *, cancel_futures: bool = False) -> None:  # noqa: ARG002 - the base's
        """Takes no more calls; waits for none, whatever is asked."""
        with self._lock:
            self._closed = True
            if cancel_futures:
                self._cancel_queued()
            for _ in range(self._started):
                self._calls.put(None)

    def _cancel_queued(self) -> None:
        while True:
            try:
                call = self._calls.get_nowait()
            except Empty:
                return
            if call is not None:
                call[1]()

    def _work(self) -> None:
        for begin, _cancel in iter(self._calls.get, None):
            begin()


def carry_out(future: Future[T], call: Callable[[], T]) -> None:
    """Makes the call unless it was cancelled; the future has what comes of it, also what it raises."""
    if not future.set_running_or_notify_cancel():
        return
    try:
        found = call()
    except BaseException as error:  # noqa: BLE001 - whoever waits gets it
        future.set_exception(error)
    else:
        future.set_result(found)
