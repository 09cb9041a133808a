"""Calls of plugins in the thread and event loop that they share: contained, timed, counted."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Generator
from contextlib import suppress
from time import perf_counter
from typing import Any

from pytest_semantest.protocol.configuration import bare
from semantest_recorder.plugins.arguments import Failure
from semantest_recorder.plugins.builtin.options import InvalidOptions
from semantest_recorder.plugins.calls import Implementation, described
from semantest_recorder.plugins.event import Event
from semantest_recorder.plugins.registry import PluginRegistry

#: After so many calls in a row that took too long an awaiting plugin is disabled: each of them held up all ingest.
MAX_TIMEOUTS = 3

_log = logging.getLogger(__name__)


class AbandonedError(BaseException):
    """The thread was replaced while a plugin was stuck in it: it has to end and to touch nothing more."""


class Caller:
    """Calls plugins. ``holding`` is read by the watchdog of another thread, which sets ``abandoned``."""

    def __init__(self, registry: PluginRegistry, limit_s: float) -> None:
        #: Whose call holds the thread, and the number of that call.
        self.holding: Implementation | None = None
        self.number = 0
        self.abandoned = False
        #: How often, in seconds, the thread shows that it is alive and is looked at.
        self.beat_s = min(0.5, limit_s / 10)
        self._registry = registry
        self._limit_s = limit_s
        self._left_behind: set[asyncio.Task[Any]] = set()
        #: Plugins and hooks whose call that goes on tried to cancel what is not theirs.
        self._cancelling: set[tuple[str, str]] = set()

    def begin(self, call: Implementation, argument: object) -> Any:
        """Calls it and gives what it gives, which may have to be awaited with ``finish``. Raises what it raises."""
        if self.abandoned:
            raise AbandonedError
        self.number += 1
        self.holding = call
        try:
            given = call.call(argument)
        except asyncio.CancelledError as error:  # it would end the task that calls plugins
            raise RuntimeError("it was cancelled") from error
        finally:
            self.holding = None
            if self.abandoned:
                raise AbandonedError
        if self._cancelling:
            self._refuse_cancelling(call)
        return given

    async def finish(self, call: Implementation, given: Any, patience: float = 1) -> Any:
        """Awaits what ``begin`` gave. Raises ``TimeoutError`` after the limit, and what the plugin raises.

        ``patience``: so many times the limit.
        """
        task = asyncio.ensure_future(_noticed(self, call, given))
        try:
            done, _ = await asyncio.wait({task}, timeout=self._limit_s * patience)
        except asyncio.CancelledError:  # nobody waits for it any more
            self._leave(task)
            raise
        if self.abandoned:
            raise AbandonedError
        if done:
            if self._cancelling:
                self._refuse_cancelling(call)
            if task.cancelled():
                raise RuntimeError("it was cancelled")
            return task.result()
        self._leave(task)
        raise TimeoutError(f"took longer than {self._limit_s * patience:g} s")

    def note_cancelling(self) -> None:
        """A task tries to cancel those that call plugins: that is a failure of the call that holds the thread."""
        if self.holding is not None:
            self._cancelling.add((self.holding.plugin, self.holding.hook))

    def _refuse_cancelling(self, call: Implementation) -> None:
        if (call.plugin, call.hook) in self._cancelling:
            self._cancelling.discard((call.plugin, call.hook))
            raise RuntimeError("it cancelled tasks that are not its own")

    async def run(
        self, call: Implementation, argument: object, *, event: Event | None = None, patience: float = 1
    ) -> bool:
        """One contained call, counted; whether it succeeded. Not for ``on_event``, whose result matters.

        Of a plugin that is disabled or gone only ``destroy`` is called.
        """
        if call.counts.is_off and call.hook != "destroy":
            return False
        started = perf_counter()
        try:
            given = self.begin(call, argument)
            if is_awaitable(given):
                await self.finish(call, given, patience)
        except (AbandonedError, asyncio.CancelledError):
            raise
        except BaseException as error:  # noqa: BLE001 - whatever a plugin raises, SystemExit included, others follow
            await self.fail(call, error, perf_counter() - started, event)
            return False
        call.counts.succeeded(perf_counter() - started)
        return True

    async def fail(self, call: Implementation, error: BaseException, seconds: float, event: Event | None = None) -> str:
        """Counts a failed call, says so, disables a plugin that goes on taking too long, and tells ``on_error``."""
        timed_out = isinstance(error, TimeoutError) and seconds >= self._limit_s
        misconfigured = isinstance(error, InvalidOptions)
        message = f"[plugins.{bare(call.plugin)}] {error}" if misconfigured else described(error)
        message = str(error) if timed_out else message
        call.counts.failed(message, seconds, timed_out=timed_out)
        if misconfigured:  # the text says all, where it came from in our code nothing
            disable_loudly(self._registry, call, message)
        elif call.counts.is_worth_a_line():
            _log.warning(
                "plugin %s: %s failed%s: %s",
                call.plugin,
                call.hook,
                f" (for the {call.counts.failures}th time)" if call.counts.failures > 1 else "",
                message,
                exc_info=None if timed_out else error,
            )
        if call.counts.timeouts_in_a_row >= MAX_TIMEOUTS and not call.guards:
            disable_loudly(self._registry, call, f"{call.hook} {message}, {MAX_TIMEOUTS} times in a row")
        if call.hook != "on_error":
            await self.tell_error(Failure(call.plugin, call.hook, message, timed_out, event))
        return message

    async def tell_error(self, failure: Failure) -> None:
        """Calls ``on_error`` of all plugins; a failure of that is only logged and counted."""
        for call in self._registry.calls("on_error"):
            await self.run(call, failure)

    async def part_with_calls(self, patience_s: float) -> None:
        """Waits a moment for calls that were given up; they may refuse to be cancelled."""
        if self._left_behind:
            await asyncio.wait(self._left_behind, timeout=patience_s)

    def _leave(self, task: asyncio.Task[Any]) -> None:
        task.cancel()
        self._left_behind.add(task)  # it may refuse to be cancelled: nobody waits for it
        task.add_done_callback(self._forget)

    def _forget(self, task: asyncio.Task[Any]) -> None:
        self._left_behind.discard(task)
        with suppress(BaseException):
            task.exception()


def disable_loudly(registry: PluginRegistry, call: Implementation, reason: str) -> None:
    """Takes a plugin out of the game, and says so."""
    registry.disable(call.plugin, reason)
    _log.error("plugin %s is disabled until the recorder starts again: %s", call.plugin, reason)


def is_awaitable(given: object) -> bool:
    """Whether a call's result is yet to come."""
    return given is not None and hasattr(given, "__await__")


async def _noticed(caller: Caller, call: Implementation, given: Any) -> Any:
    """Awaits a plugin's coroutine; while a step of it holds the thread, the watchdog can see whose it is."""
    try:
        return await (_Steps(caller, call, given) if asyncio.iscoroutine(given) else given)
    except (SystemExit, KeyboardInterrupt) as error:  # out of a task these would end the loop
        raise RuntimeError(described(error)) from error


class _Steps:
    """An awaitable that runs a coroutine step by step."""

    def __init__(self, caller: Caller, call: Implementation, coroutine: Coroutine[Any, Any, Any]) -> None:
        self._caller = caller
        self._call = call
        self._coroutine = coroutine

    def __await__(self) -> Generator[Any, Any, Any]:
        sent: Any = None
        thrown: BaseException | None = None
        while True:
            self._caller.number += 1
            self._caller.holding = self._call
            try:
                waits_for = self._coroutine.throw(thrown) if thrown is not None else self._coroutine.send(sent)
            except StopIteration as stop:
                return stop.value
            finally:
                self._caller.holding = None
            sent, thrown = None, None
            try:
                sent = yield waits_for
            except GeneratorExit:
                self._coroutine.close()
                raise
            except BaseException as error:  # noqa: BLE001 - a cancellation, which is the coroutine's to see
                thrown = error
