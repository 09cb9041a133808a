"""The composition root of the daemon: writer, server, discovery file, signals, idle exit. Nothing else wires."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path

from pytest_semantest import __version__
from pytest_semantest.protocol.layout import DATABASE, HISTORY, RECORDER_LOCK, TEST_SNAPSHOT
from pytest_semantest.protocol.private_folder import make_private_folder
from pytest_semantest.protocol.recorder_log import OwnLog
from pytest_semantest.protocol.version import PROTOCOL_VERSION
from semantest_recorder.alerting.alerts import Alerts
from semantest_recorder.core.policy import InvalidPolicy, Policy
from semantest_recorder.core.security import Security
from semantest_recorder.daemon_settings import Settings
from semantest_recorder.discovery import Discovery, RecorderLock, remove_discovery, write_discovery
from semantest_recorder.engine import Engine, now_ms
from semantest_recorder.folder_watch import FolderWatch
from semantest_recorder.front import CLOSE_TIMEOUT_S, Front
from semantest_recorder.history import HistoryKeeper
from semantest_recorder.listening import CannotServe, Listener, open_listeners, protection
from semantest_recorder.pages.live_channel import LiveChannel
from semantest_recorder.plugins.configuration import InvalidPlugins, PluginSettings
from semantest_recorder.plugins.registry import PluginRegistry
from semantest_recorder.sd_notify import tell_service_manager
from semantest_recorder.server.hub import Hub
from semantest_recorder.server.stacks import StackRequests
from semantest_recorder.store.errors import StoreError
from semantest_recorder.store.exchange import remove_drafts
from semantest_recorder.store.history import write_history
from semantest_recorder.store.snapshot import write_snapshot
from semantest_recorder.token_file import TokenFile, new_token

#: From the signal to the end, at most: another recorder waits 10 s for the folder, a container for its processes.
END_TIMEOUT_S = 9.0
#: Of these for the store: what has not been committed by then stays in its journals.
DRAIN_TIMEOUT_S = 4.0
_LOCK_WAIT_S = 10.0
_WATCH_S = 1.0
_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)

_log = logging.getLogger(__name__)

#: Is called once the recorder serves: what clients and commands of this machine go by, our address for other clients
#: when that is another one, and the database.
Announce = Callable[[Discovery, str | None, Path], None]


def serve(settings: Settings, announce: Announce) -> bool:
    """Runs the recorder until a signal or idleness ends it.

    ``False`` when the store could not finish in time: its thread still runs, and the caller ends the process.
    Raises ``CannotServe`` when it cannot begin, or had to end because its folder was removed or taken over, and
    ``AlreadyRunning`` when another recorder serves the folder.
    """
    certificate = protection(
        settings.host,
        (settings.tls_cert, settings.tls_key),
        terminated=settings.tls_terminated,
        anonymous=settings.anonymous,
        allowed_hosts=settings.hosts,
        allowed_origins=settings.origins,
    )
    _policy(settings)
    registry = _load_plugins(settings.plugins)
    lock = _take_folder(settings.directory)
    try:
        with ExitStack() as sockets:
            listeners = open_listeners(settings.host, settings.port, certificate)
            for listener in listeners:
                sockets.enter_context(listener.socket)
            return _serve_folder(settings, lock, registry, listeners, announce)
    except StoreError as error:
        raise CannotServe(str(error)) from None
    finally:
        lock.release()


def _take_folder(directory: Path) -> RecorderLock:
    """Makes the folder and takes its lock. Raises ``CannotServe`` and ``AlreadyRunning``."""
    try:
        make_private_folder(str(directory))
    except OSError as error:
        place = error.filename or directory
        raise CannotServe(f"cannot write {place}: {error.strerror}; name another folder with --directory") from None
    lock = RecorderLock(directory)
    try:
        lock.acquire(_LOCK_WAIT_S)
    except OSError as error:
        raise CannotServe(f"cannot lock {directory}: {error.strerror}; check who may write there") from None
    return lock


def _serve_folder(
    settings: Settings,
    lock: RecorderLock,
    registry: PluginRegistry,
    listeners: Sequence[Listener],
    announce: Announce,
) -> bool:
    """See ``serve``. Raises ``CannotServe`` and ``StoreError``."""
    database = settings.directory / DATABASE
    remove_drafts(database)
    engine = Engine(database, registry, settings.directory, own_place=True, lines_in_log=settings.json_log)
    daemon = _Daemon(settings, lock, engine, listeners)
    drained = asyncio.run(daemon.run(announce))
    if drained:  # else it is written until the process ends
        engine.close()
    if drained and daemon.lost:
        raise CannotServe(daemon.lost)
    return drained


def _load_plugins(settings: PluginSettings) -> PluginRegistry:
    """The plugins that are installed and enabled. Raises ``CannotServe``."""
    registry = PluginRegistry(settings)
    try:
        registry.load()
    except InvalidPlugins as error:
        raise CannotServe(str(error), 2) from None
    return registry


def _policy(settings: Settings) -> Policy:
    """The policy to begin with. Raises ``CannotServe``."""
    try:
        return Policy(require_authentication=not settings.anonymous).changed(settings.policy)
    except InvalidPolicy as error:
        raise CannotServe(f"[policy] {error}", 2) from None


class _Daemon:
    """One run of the recorder, from a listening socket to its end."""

    def __init__(self, settings: Settings, lock: RecorderLock, engine: Engine, listeners: Sequence[Listener]) -> None:
        self._settings = settings
        self._engine = engine
        self._database = engine.database
        self._listeners = listeners
        tokens = TokenFile(settings.directory, now_ms)
        engine.store.is_valid = tokens.is_valid
        self._discovery = Discovery(
            pid=os.getpid(),
            url=listeners[-1].url,
            token=settings.token or new_token(),
            version=__version__,
            protocol_version=PROTOCOL_VERSION,
        )
        self._folder = FolderWatch(settings.directory, lock, self._discovery)
        self._front = Front(settings, engine, tokens, listeners, self._discovery)
        self._alerts = Alerts(engine.store, settings.alerts, os.environ, self._front.public_url or "", now_ms)
        self._channel = LiveChannel(engine.database, now_ms)
        self._stacks = StackRequests()
        self._own_log = OwnLog(settings.directory)
        self._log_trouble = ""
        self._reason = ""
        #: Why the recorder had to end, though nobody asked it to.
        self.lost = ""

    async def run(self, announce: Announce) -> bool:
        """Serves until stopped, then drains; whether all that was taken in has been committed."""
        stop = asyncio.Event()
        _on_signals(lambda reason: self._stop(stop, reason))
        history = HistoryKeeper(self._write_history)
        listeners = history.note, self._alerts.watch.note, self._channel.note, self._stacks.note
        hub = self._engine.start(Security(_policy(self._settings)), *listeners)
        await self._front.start(hub, self._alerts, self._channel, self._stacks)
        try:
            write_discovery(self._settings.directory, self._discovery)
        except OSError as error:
            await self._shut_down(hub)
            text = f"cannot write the discovery file in {self._settings.directory}: {error.strerror}"
            raise CannotServe(text) from None
        gc.freeze()  # modules and functions stay: a collection that walks them all stops everything for some 15 ms
        works = (self._watch(hub, stop), self._keep_time(), history.run(), self._alerts.watch.run(hub))
        tasks = [asyncio.create_task(work) for work in works]
        announce(self._discovery, self._front.public_url, self._database)
        tell_service_manager("READY=1", f"STATUS=listening on {self._front.public_url or self._discovery.url}")
        await stop.wait()
        tell_service_manager("STOPPING=1", f"STATUS=stopping: {self._reason}")
        for task in tasks:
            task.cancel()
        _log.info("stopping: %s", self._reason)
        drained = await self._shut_down(hub)
        await history.finish()
        for number in _SIGNALS:  # the end is near; Python's own last steps would restore the default
            signal.signal(number, signal.SIG_IGN)
        return drained

    def _write_history(self) -> None:
        """What the next sessions of the project know of its tests."""
        write_history(self._database, self._settings.directory / HISTORY)
        write_snapshot(self._database, self._settings.directory / TEST_SNAPSHOT)

    def _stop(self, stop: asyncio.Event, reason: str) -> None:
        self._reason = self._reason or reason
        stop.set()

    async def _watch(self, hub: Hub, stop: asyncio.Event) -> None:
        """Ends a recorder that nobody uses, and one whose folder is gone: nobody can find it any more."""
        idle_s = self._settings.idle_timeout_s
        looks: list[Callable[[], None]] = [
            lambda: self._end_if_lost(stop),
            lambda: self._end_if_idle(hub, stop),
            self._look_after_log,
        ]
        while True:
            await asyncio.sleep(min(_WATCH_S, idle_s / 4) if idle_s else _WATCH_S)
            for look in looks:
                try:
                    look()
                except Exception:  # noqa: BLE001 - whatever it is, the others go on
                    _log.exception("cannot look after %s, trying on", self._settings.directory)

    def _end_if_lost(self, stop: asyncio.Event) -> None:
        if self._folder.is_lost():
            self.lost = f"{self._settings.directory}, or {RECORDER_LOCK} in it, was removed or taken over"
            self._stop(stop, self.lost)

    def _end_if_idle(self, hub: Hub, stop: asyncio.Event) -> None:
        idle_s = self._settings.idle_timeout_s
        if idle_s and hub.idle_ms() >= idle_s * 1000:
            self._stop(stop, f"idle for {idle_s:g} seconds")

    def _look_after_log(self) -> None:
        try:
            self._own_log.turn_over()
        except OSError as error:  # no room, say: it is tried again, and told once
            if str(error) != self._log_trouble:
                _log.warning("no new log can be begun, this one goes on: %s", error)
            self._log_trouble = str(error)

    async def _keep_time(self) -> None:
        own = [listener.certificate for listener in self._listeners if listener.certificate is not None]
        await self._engine.keep_time(*(certificate.renew for certificate in own))

    async def _shut_down(self, hub: Hub) -> bool:
        """Takes nothing more, commits and acknowledges what it has, says goodbye, lets plugins finish.

        Until all is committed, whoever asks is told so: /readyz answers 503. Then whoever connects is refused.
        """
        loop = asyncio.get_running_loop()
        ends_s = loop.time() + END_TIMEOUT_S
        hub.accepting = False
        drained = await _in_thread(self._engine.writer.close, DRAIN_TIMEOUT_S)
        if not drained:
            _log.error(
                "the store is not done after %g s; what is unacknowledged stays in the journals", DRAIN_TIMEOUT_S
            )
        await self._front.stop_listening()
        await hub.close("the recorder is stopping", CLOSE_TIMEOUT_S)
        self._channel.close()
        self._engine.archive.close()
        remove_discovery(self._settings.directory, self._discovery)
        await self._front.close()
        left_s = ends_s - loop.time()
        await _in_thread(lambda: self._engine.dispatcher.close(left_s), left_s)
        return drained and self._engine.writer.pending_events == 0


def _on_signals(stop: Callable[[str], None]) -> None:
    """Calls ``stop`` in the running loop for a signal.

    The loop's own ``add_signal_handler`` would restore the default at its end, and a second SIGTERM, which service
    managers send, would turn an orderly end into a death.
    """
    loop, tell = asyncio.get_running_loop(), sys.unraisablehook

    def be_quiet(raised: sys.UnraisableHookArgs) -> None:
        """Python tells of a signal that came while it was being ignored: that is what is wanted here."""
        if not (isinstance(raised.exc_value, OSError) and "race condition" in str(raised.exc_value)):
            tell(raised)

    sys.unraisablehook = be_quiet

    def handle(number: int, _frame: object) -> None:
        for other in _SIGNALS:  # one is enough; a volley would interrupt this very function for ever
            signal.signal(other, signal.SIG_IGN)
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(stop, f"received {signal.Signals(number).name}")

    for number in _SIGNALS:
        signal.signal(number, handle)


async def _in_thread(call: Callable[[], None], timeout_s: float) -> bool:
    """Runs a blocking call in a thread that cannot hold up the end of the process; whether it came back in time."""
    loop, done = asyncio.get_running_loop(), asyncio.Event()

    def run() -> None:
        call()
        with suppress(RuntimeError):  # the loop has ended without us
            loop.call_soon_threadsafe(done.set)

    threading.Thread(target=run, name="drain", daemon=True).start()
    try:
        async with asyncio.timeout(timeout_s):
            await done.wait()
    except TimeoutError:
        return False
    return True
