"""Plugins beside ingest: their thread, who watches over it, and what they are told."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from functools import partial
from math import inf
from pathlib import Path
from threading import Event as Flag
from threading import RLock, Thread
from typing import Any

from semantest_recorder.core.batch import Batch, Committed, Verdict
from semantest_recorder.plugins.arguments import (
    Context,
    Failure,
    ReadPictures,
    ReadReport,
    ReadSteps,
    no_pictures,
    no_report,
    no_steps,
    to_stderr,
)
from semantest_recorder.plugins.backlog import Backlog, Known
from semantest_recorder.plugins.calls import Implementation
from semantest_recorder.plugins.configuration import InvalidPlugins
from semantest_recorder.plugins.registry import Plugin, PluginRegistry
from semantest_recorder.plugins.running import Caller, disable_loudly
from semantest_recorder.plugins.worker import PluginThread

#: Version of what ``semantest plugins --json`` prints: fields are only added within one.
PLUGINS_SCHEMA = 1
#: How long the end waits for hooks of what was recorded, when nobody gives it less, and for ``destroy``, in seconds.
TELL_TIMEOUT_S = 7.0
DESTROY_TIMEOUT_S = 1.0
#: And for the thread itself, whose tasks are cancelled then.
END_TIMEOUT_S = 0.5
_log = logging.getLogger(__name__)


def _unknown(_source: str) -> Known | None:
    return None


def _no_summary(_run_id: str) -> Mapping[str, Any]:
    return {}


class Dispatcher:
    """Runs the plugins of a registry. Every method returns at once, but for ``start`` and ``close``.

    ``known`` and what begins with ``read_`` read the database, and are called in other threads.
    ``lines_in_log``: what plugins say to people are records of the log, not lines on stderr.
    """

    def __init__(
        self,
        registry: PluginRegistry,
        directory: Path,
        *,
        known: Callable[[str], Known | None] = _unknown,
        read_summary: Callable[[str], Mapping[str, Any]] = _no_summary,
        read_report: ReadReport = no_report,
        read_pictures: ReadPictures = no_pictures,
        read_steps: ReadSteps = no_steps,
        lines_in_log: bool = False,
    ) -> None:
        self.registry = registry
        self._directory = directory
        self._read_report = read_report
        self._read_pictures = read_pictures
        self._read_steps = read_steps
        self._lines_in_log = lines_in_log
        self._limit_s = registry.settings.timeout
        self._backlog = Backlog(registry, known, read_summary)
        self._transforms = bool(registry.calls("on_event"))
        self._thread: PluginThread | None = None
        self._replaced = 0
        self._stop = Flag()
        self._watchdog: Thread | None = None
        #: Held while plugins come or go: one at a time. Never needed by the thread of the plugins or its watchdog.
        self._coming = RLock()

    @property
    def transforms(self) -> bool:
        """Whether batches have to go through ``transform``; once true, it stays so, or they would overtake others."""
        return self._transforms

    @property
    def pending_events(self) -> int:
        """Events of batches that are still with the plugins."""
        return self._backlog.pending_events

    def start(self) -> None:
        """Starts the thread and waits, a while, until the plugins are initialized; nothing without plugins."""
        with self._coming:
            for plugin in self.registry.plugins:
                if plugin.disabled.startswith("cannot"):
                    _log.error("plugin %s %s", plugin.name, plugin.disabled)
            if self._thread is None and any(not plugin.disabled for plugin in self.registry.plugins):
                self._launch(restarted=False)
                self._watchdog = Thread(target=self._watch, name="semantest-plugins-watch", daemon=True)
                self._watchdog.start()
                if self._thread is not None:
                    self._thread.ready.wait(self._limit_s)

    def register(self, plugin: object, name: str | None = None) -> Plugin:
        """Adds a plugin while running, and waits until it is initialized: only then its other hooks are called.

        One whose ``initialize`` fails is there, disabled, with the reason. Raises ``InvalidPlugins``.
        """
        with self._coming:
            if self._stop.is_set():
                raise InvalidPlugins("the recorder is stopping")
            taken = self.registry.register(plugin, name, waits=True)
            if self._thread is None:
                self.start()
            self._initialize(taken)
            self.registry.admit(taken)
            self._backlog.hooks_changed()
            self._transforms = self._transforms or bool(self.registry.calls("on_event"))
            return taken

    def unregister(self, name: str) -> None:
        """Takes a plugin away while running; its ``destroy`` is called. Raises ``InvalidPlugins``."""
        with self._coming:
            plugin = next((plugin for plugin in self.registry.plugins if plugin.name == name), None)
            self.registry.unregister(name)
            self._backlog.hooks_changed()
        thread = self._thread
        if plugin is not None and thread is not None and "destroy" in plugin.implementations:
            call = plugin.implementations["destroy"]

            async def destroy() -> None:
                await thread.caller.run(call, None)

            thread.call(destroy)

    def transform(self, batch: Batch, done: Callable[[Batch], None]) -> None:
        """Takes a batch through ``on_event`` of all plugins; ``done`` gets what is to be stored, in another thread.

        ``done`` is called in the order of the calls of ``transform``.
        """
        self._backlog.add(batch, done)
        self._wake()

    def settled(self, verdict: Verdict) -> None:
        """The oldest batch of a source that went through ``transform`` was committed or refused."""
        self._backlog.settled(verdict)

    def committed(self, verdict: Committed) -> None:
        """Something was committed: its hooks will be called. Never blocks, in whatever thread."""
        if self._thread is not None:
            self._backlog.committed(verdict)
            self._wake()

    def wait_until_worked(self, timeout_s: float) -> bool:
        """Waits until every batch is through; whether it was in time."""
        return self._backlog.wait_until_worked(timeout_s)

    def close(self, within_s: float = inf) -> None:
        """Tells what is left to tell, a report of a large run included, then calls ``destroy``; gives up in the end.

        ``within_s``: how long all of it may take, in seconds; ``destroy`` is called even so.
        """
        if self._thread is None or self._stop.is_set():
            return
        self._wake()
        # the watchdog and `destroy` come behind it
        tell_s = min(TELL_TIMEOUT_S, max(0.0, within_s - 2 * DESTROY_TIMEOUT_S - END_TIMEOUT_S))
        if not self._backlog.wait_until_told(tell_s):
            _log.warning("plugins are not done with what was recorded; they are not waited for any longer")
        self._stop.set()
        if self._watchdog is not None:
            self._watchdog.join(DESTROY_TIMEOUT_S)  # it may be about to replace the thread
        thread = self._thread
        if not thread.call(thread.destroy).wait(DESTROY_TIMEOUT_S):
            text = "plugins are not destroyed after %g s; they are not waited for any longer"
            _log.warning(text, DESTROY_TIMEOUT_S)
        thread.stop()
        thread.join(END_TIMEOUT_S)

    def status(self) -> dict[str, Any]:
        """For ``/api/v1/status``: every plugin with its calls and failures, and how far they are behind."""
        return {
            "timeoutMs": self._limit_s * 1000.0,
            "pendingEvents": self.pending_events,
            "waitingNotices": self._backlog.waiting_notices,
            "skippedEvents": self._backlog.skipped_events,
            "replacedThreads": self._replaced,
            "plugins": self.registry.to_wire(),
        }

    def _wake(self) -> None:
        thread = self._thread
        if thread is not None:
            thread.wake()

    def _context(self, name: str, *, restarted: bool) -> Context:
        options = next((plugin.options for plugin in self.registry.plugins if plugin.name == name), {})
        log = logging.getLogger(f"semantest.plugins.{name}")
        say = partial(log.info, "%s") if self._lines_in_log else to_stderr
        reading = self._read_pictures, self._read_steps
        return Context(name, self._directory, options, log, self._read_report, say, restarted, *reading)

    def _initialize(self, plugin: Plugin) -> None:
        """Calls ``initialize`` of one plugin and waits for it, in a new thread should one be necessary meanwhile.

        Raises ``InvalidPlugins`` when the recorder stops; the plugin is gone then.
        """
        call, tries = plugin.implementations.get("initialize"), 0
        while call is not None and not plugin.disabled:
            thread = self._thread
            if thread is None or self._stop.is_set():
                self.registry.unregister(plugin.name)
                raise InvalidPlugins("the recorder is stopping")
            make = partial(thread.initialize, call, self._context(plugin.name, restarted=tries > 0))
            done, tries = thread.call(make), tries + 1
            while not done.wait(thread.caller.beat_s) and thread is self._thread and not self._stop.is_set():
                pass
            if done.is_set() and call.counts.calls:  # it came back, and was not cut off with its thread
                return

    def _launch(self, *, restarted: bool, failures: tuple[Failure, ...] = ()) -> None:
        caller = Caller(self.registry, self._limit_s)
        self._thread = PluginThread(
            self._backlog, caller, lambda name: self._context(name, restarted=restarted), failures
        )
        self._thread.start()
        self._thread.wake()

    # -- the watchdog ------------------------------------------------------------------------------------------

    def _watch(self) -> None:
        """Counts how many times in a row it finds the same call, so that a suspended machine blames nobody."""
        pause = Caller(self.registry, self._limit_s).beat_s
        held: Implementation | None = None
        number, beat, rounds, silent = 0, 0.0, 0, 0
        while not self._stop.wait(pause):
            thread = self._thread
            if thread is None:
                continue
            if thread.has_ended_part and not self._stop.is_set():
                self._replace(thread, None, "the thread of all plugins works no more: it is replaced")
                rounds = silent = 0
                continue
            caller = thread.caller
            now = caller.number, caller.holding, thread.beat
            rounds = rounds + 1 if now[1] is not None and now[:2] == (number, held) else 0
            silent = silent + 1 if now[1] is None and now[2] == beat else 0
            number, held, beat = now
            if rounds * pause >= self._limit_s or silent * pause >= 2 * self._limit_s:
                self._replace(thread, held)
                rounds = silent = 0

    def _replace(
        self,
        stuck: PluginThread,
        held: Implementation | None,
        message: str = "a task of some plugin holds the thread of all plugins: it is replaced",
    ) -> None:
        """Leaves a stuck thread alone and goes on in a new one, without the plugin that is stuck in it."""
        stuck.caller.abandoned = True
        stuck.stop()
        failures: tuple[Failure, ...] = ()
        if held is None:
            _log.error("%s", message)
        else:
            message = f"{held.hook} held the thread of all plugins for more than {self._limit_s:g} s"
            held.counts.failed(message, self._limit_s, timed_out=True)
            if held.guards:
                _log.error("plugin %s: %s; of that event only ids and numbers are stored", held.plugin, message)
            else:
                disable_loudly(self.registry, held, message)
            failures = (Failure(held.plugin, held.hook, message, timed_out=True),)
        self._replaced += 1
        self._backlog.resume()
        self._backlog.hooks_changed()
        self._launch(restarted=True, failures=failures)
