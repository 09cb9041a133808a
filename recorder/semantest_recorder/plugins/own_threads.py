"""Threads for what plugins do apart: one that hangs takes nobody else's."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from threading import Thread
from typing import ParamSpec, TypeVar

from semantest_recorder.daemon_threads import carry_out

P = ParamSpec("P")
T = TypeVar("T")


class OwnThreads(ThreadPoolExecutor):
    """A thread for each call, which nobody waits for at the end; asyncio takes executors of this class only.

    A plugin that hangs is disabled after a few calls, which bounds how many there are.
    """

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Starts the call at once."""
        future: Future[T] = Future()
        call = partial(carry_out, future, partial(fn, *args, **kwargs))
        Thread(target=call, name="semantest-plugin-call", daemon=True).start()
        return future
