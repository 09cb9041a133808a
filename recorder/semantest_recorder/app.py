"""The composition root of the daemon: writer, server, discovery file, signals, idle exit. Nothing else wires."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import secrets
import signal
import socket
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web

from pytest_semantest import __version__
from pytest_semantest.protocol.layout import DATABASE, HISTORY
from pytest_semantest.protocol.version import OLDEST_PROTOCOL, PROTOCOL_VERSION
from semantest_recorder.archive import Archive
from semantest_recorder.cleaning import Cleaner, resume
from semantest_recorder.core.access import AddressRules, Credentials, is_loopback
from semantest_recorder.core.policy import InvalidPolicy, Policy
from semantest_recorder.core.session import ServerFacts
from semantest_recorder.discovery import Discovery, RecorderLock, read_discovery, remove_discovery, write_discovery
from semantest_recorder.history import HistoryKeeper
from semantest_recorder.plugins.configuration import InvalidPlugins, PluginSettings
from semantest_recorder.plugins.dispatch import Dispatcher
from semantest_recorder.plugins.registry import PluginRegistry
from semantest_recorder.plugins.writing import PluginWriter
from semantest_recorder.run_reading import RunReading
from semantest_recorder.server.application import create_application, http_logger
from semantest_recorder.server.artifacts import artifact_routes
from semantest_recorder.server.cleanup import cleanup_route
from semantest_recorder.server.hub import Hub
from semantest_recorder.server.status import status_route
from semantest_recorder.store.artifacts import ArtifactStore
from semantest_recorder.store.errors import StoreError
from semantest_recorder.store.history import write_history
from semantest_recorder.store.writer import Writer

#: From the signal to the end: what has not been committed by then stays in its journals.
DRAIN_TIMEOUT_S = 4.0
_CLOSE_TIMEOUT_S = 1.0
_LOCK_WAIT_S = 10.0
_WATCH_S = 1.0
_TIME_S = 0.25
_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Settings:
    """What ``serve`` was asked for; ``idle_timeout_s`` 0 means never, ``port`` 0 any, ``token`` ``None`` a new one.

    ``policy``: what differs from the usual security policy, by its names (camelCase). ``told`` is the same, but for
    the token, as ``/api/v1/status`` shows it.
    """

    directory: Path
    host: str = "127.0.0.1"
    port: int = 0
    database: Path | None = None
    token: str | None = None
    anonymous: bool = False
    origins: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    idle_timeout_s: float = 0.0
    policy: Mapping[str, Any] = field(default_factory=dict)
    told: Mapping[str, Any] = field(default_factory=dict)
    plugins: PluginSettings = PluginSettings()  # noqa: RUF009 - frozen


class CannotServe(Exception):  # noqa: N818 - the name is the message
    """The recorder cannot start; one line that says what to do, and the exit code."""

    def __init__(self, message: str, exit_code: int = 1) -> None:
        super().__init__(message)
        self.exit_code = exit_code


def serve(settings: Settings, announce: Callable[[Discovery, Path], None]) -> bool:
    """Runs the recorder until a signal or idleness ends it; ``announce`` is called once it serves.

    ``False`` when the store could not finish in time: its thread still runs, and the caller ends the process.
    Raises ``CannotServe`` before that and ``AlreadyRunning`` when another recorder serves the folder.
    """
    if not is_loopback(settings.host):
        raise CannotServe(
            f"--host {settings.host} is not this machine's loopback address: this version listens on loopback only; "
            "use --host 127.0.0.1 and a tunnel such as `ssh -L`",
            2,
        )
    _policy(settings)
    registry = _load_plugins(settings.plugins)
    _make_directory(settings.directory)
    lock = RecorderLock(settings.directory)
    try:
        lock.acquire(_LOCK_WAIT_S)
    except OSError as error:
        raise CannotServe(f"cannot lock {settings.directory}: {error.strerror}; check who may write there") from None
    try:
        with _listen(settings.host, settings.port) as listener:
            database = settings.database or settings.directory / DATABASE
            try:
                writer = Writer(database)
            except StoreError as error:
                raise CannotServe(str(error)) from None
            for notice in writer.notices:
                _log.warning("%s", notice)
            dispatcher = _start_plugins(registry, settings.directory, database)
            return asyncio.run(_Daemon(settings, lock, writer, dispatcher, database, listener).run(announce))
    finally:
        lock.release()


def _load_plugins(settings: PluginSettings) -> PluginRegistry:
    """The plugins that are installed and enabled. Raises ``CannotServe``."""
    registry = PluginRegistry(settings)
    try:
        registry.load()
    except InvalidPlugins as error:
        raise CannotServe(str(error), 2) from None
    return registry


def _start_plugins(registry: PluginRegistry, directory: Path, database: Path) -> Dispatcher:
    reading = RunReading(database)
    dispatcher = Dispatcher(
        registry, directory, known=reading.known_source, read_summary=reading.summary, read_report=reading.report
    )
    dispatcher.start()
    return dispatcher


def _policy(settings: Settings) -> Policy:
    """The policy to begin with. Raises ``CannotServe``."""
    try:
        return Policy(require_authentication=not settings.anonymous).changed(settings.policy)
    except InvalidPolicy as error:
        raise CannotServe(f"[policy] {error}", 2) from None


def _make_directory(directory: Path) -> None:
    """Creates the ``.semantest`` folder, for its owner only and out of sight of git."""
    try:
        if not directory.is_dir():
            directory.mkdir(parents=True, mode=0o700)
        if not (directory / ".gitignore").exists():
            (directory / ".gitignore").write_text("*\n")
    except OSError as error:
        text = f"cannot write {directory}: {error.strerror}; name another folder with --directory"
        raise CannotServe(text) from None


def _listen(host: str, port: int) -> socket.socket:
    """A listening socket. Raises ``CannotServe``."""
    address = "127.0.0.1" if host.lower() == "localhost" else host.strip("[]")
    try:
        return socket.create_server((address, port), family=socket.AF_INET6 if ":" in address else socket.AF_INET)
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror  # theirs repeats it
        raise CannotServe(
            f"cannot listen on {host} port {port}: {reason}; free it or use --port 0 for any free port"
        ) from None


class _Daemon:
    """One run of the recorder, from a listening socket to its end."""

    def __init__(
        self,
        settings: Settings,
        lock: RecorderLock,
        writer: Writer,
        dispatcher: Dispatcher,
        database: Path,
        listener: socket.socket,
    ) -> None:
        self._settings = settings
        self._lock = lock
        self._dispatcher = dispatcher
        self._store = writer  # for what the recorder does by itself, past the plugins
        self._writer = PluginWriter(writer, dispatcher)
        self._database = database
        self._listener = listener
        host, port = listener.getsockname()[:2]
        self._port = int(port)
        self._discovery = Discovery(
            pid=os.getpid(),
            url=f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}",
            token=settings.token or f"smt_{secrets.token_urlsafe(32)}",
            version=__version__,
            protocol_version=PROTOCOL_VERSION,
        )
        self._reason = ""

    async def run(self, announce: Callable[[Discovery, Path], None]) -> bool:
        """Serves until stopped, then drains; whether all that was taken in has been committed."""
        stop = asyncio.Event()
        _on_signals(lambda reason: self._stop(stop, reason))
        facts = ServerFacts(__version__, PROTOCOL_VERSION, OLDEST_PROTOCOL, _now_ms())
        history = HistoryKeeper(lambda: write_history(self._database, self._settings.directory / HISTORY))
        archive = Archive(self._database)
        policy = _policy(self._settings)
        hub = Hub(self._writer, facts, _now_ms, archive, policy=policy, on_commit=history.note)
        archive.load_open_runs(hub.runs, _now_ms())
        runner, site = await self._start_server(hub)
        try:
            write_discovery(self._settings.directory, self._discovery)
        except OSError as error:
            await self._shut_down(hub, runner, site)
            text = f"cannot write the discovery file in {self._settings.directory}: {error.strerror}"
            raise CannotServe(text) from None
        gc.freeze()  # modules and functions stay: a collection that walks them all stops everything for some 15 ms
        tasks = [asyncio.create_task(work) for work in (self._watch(hub, stop), _keep_time(hub), history.run())]
        announce(self._discovery, self._database)
        await stop.wait()
        for task in tasks:
            task.cancel()
        _log.info("stopping: %s", self._reason)
        drained = await self._shut_down(hub, runner, site)
        archive.close()
        await history.finish()
        for number in _SIGNALS:  # the end is near; Python's own last steps would restore the default
            signal.signal(number, signal.SIG_IGN)
        return drained

    async def _start_server(self, hub: Hub) -> tuple[web.AppRunner, web.SockSite]:
        addresses = AddressRules(self._port, self._settings.hosts, self._settings.origins)
        credentials = Credentials(self._discovery.token, anonymous=self._settings.anonymous)
        artifacts = ArtifactStore(self._settings.directory)
        cleaner = Cleaner(self._store, _now_ms)
        resume(self._store)
        routes = [status_route(hub, self._process), *artifact_routes(artifacts), cleanup_route(cleaner.clean)]
        app = create_application(hub, addresses, credentials, routes)
        runner = web.AppRunner(
            app, access_log=None, logger=http_logger(), handle_signals=False, shutdown_timeout=_CLOSE_TIMEOUT_S
        )
        await runner.setup()
        site = web.SockSite(runner, self._listener)
        await site.start()
        return runner, site

    def _process(self) -> dict[str, Any]:
        """What ``/api/v1/status`` says about the process."""
        size = 0
        for suffix in ("", "-wal"):
            with suppress(OSError):
                size += self._database.with_name(self._database.name + suffix).stat().st_size
        return {
            "pid": self._discovery.pid,
            "url": self._discovery.url,
            "version": __version__,
            "protocolVersion": PROTOCOL_VERSION,
            "directory": str(self._settings.directory),
            "database": str(self._database),
            "databaseBytes": size,
            "options": self._settings.told,
            "plugins": self._dispatcher.status(),
        }

    def _stop(self, stop: asyncio.Event, reason: str) -> None:
        self._reason = self._reason or reason
        stop.set()

    async def _watch(self, hub: Hub, stop: asyncio.Event) -> None:
        """Ends a recorder that nobody uses, and one whose folder is gone: nobody can find it any more."""
        idle_ms = self._settings.idle_timeout_s * 1000
        while True:
            await asyncio.sleep(_WATCH_S if not idle_ms else min(_WATCH_S, self._settings.idle_timeout_s / 4))
            try:
                if read_discovery(self._settings.directory) != self._discovery:
                    if self._restore_discovery():
                        continue
                    self._stop(stop, f"{self._settings.directory} was removed or taken over")
                elif idle_ms and hub.idle_ms() >= idle_ms:
                    self._stop(stop, f"idle for {self._settings.idle_timeout_s:g} seconds")
            except Exception:  # noqa: BLE001 - whatever it is, the recorder is to end when idle
                _log.exception("cannot look after %s, trying on", self._settings.directory)

    def _restore_discovery(self) -> bool:
        """Writes the discovery file again when only it was lost and the folder still is ours."""
        try:
            if not self._lock.is_ours():
                return False
            write_discovery(self._settings.directory, self._discovery)
        except OSError:
            return False
        _log.warning("the discovery file was gone; it is there again")
        return True

    async def _shut_down(self, hub: Hub, runner: web.AppRunner, site: web.SockSite) -> bool:
        """Takes nothing more, commits and acknowledges what it has, says goodbye."""
        hub.accepting = False
        await site.stop()
        drained = await _in_thread(self._writer.close, DRAIN_TIMEOUT_S)
        if not drained:
            _log.error(
                "the store is not done after %g s; what is unacknowledged stays in the journals", DRAIN_TIMEOUT_S
            )
        await hub.close("the recorder is stopping", _CLOSE_TIMEOUT_S)
        remove_discovery(self._settings.directory, self._discovery)
        await runner.cleanup()
        return drained


async def _keep_time(hub: Hub) -> None:
    while True:
        await asyncio.sleep(_TIME_S)
        hub.keep_time()


def _on_signals(stop: Callable[[str], None]) -> None:
    """Calls ``stop`` in the running loop for a signal.

    The loop's own ``add_signal_handler`` would restore the default at its end, and a second SIGTERM, which service
    managers send, would turn an orderly end into a death.
    """
    loop = asyncio.get_running_loop()

    def handle(number: int, _frame: object) -> None:
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


def _now_ms() -> float:
    return time.time() * 1000.0
