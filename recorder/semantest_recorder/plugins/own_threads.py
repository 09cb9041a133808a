"""Threads for what plugins do apart: one that hangs takes nobody else's."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Thread
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class OwnThreads(ThreadPoolExecutor):
    """A thread for each call, which nobody waits for at the end; asyncio takes executors of this class only.

    A plugin that hangs is disabled after a few calls, which bounds how many there are.
    """

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Starts the call at once."""
        future: Future[T] = Future()

        def run() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                future.set_result(fn(*args, **kwargs))
            except BaseException as error:  # noqa: BLE001 - it belongs to who waits for the result
                future.set_exception(error)

        Thread(target=run, name="semantest-plugin-call", daemon=True).start()
        return future
