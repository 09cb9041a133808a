"""What a recorder is made of wherever it lives: writer, plugins, queries and hub on one database.

The daemon (app.py) and the embedding API build their servers around it.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from pytest_semantest import __version__
from pytest_semantest.protocol.version import OLDEST_PROTOCOL, PROTOCOL_VERSION
from semantest_recorder.archive import Archive
from semantest_recorder.cleaning import Cleaner, done_between, resume
from semantest_recorder.core.batch import Committed
from semantest_recorder.core.security import Security
from semantest_recorder.core.session import ServerFacts
from semantest_recorder.plugins.builtin.retry import worth_retrying
from semantest_recorder.plugins.dispatch import Dispatcher
from semantest_recorder.plugins.registry import PluginRegistry
from semantest_recorder.plugins.writing import PluginWriter
from semantest_recorder.run_reading import RunReading
from semantest_recorder.server.hub import Hub
from semantest_recorder.store.aliases import say_alias
from semantest_recorder.store.cleanup import Cleaned
from semantest_recorder.store.database_lock import DatabaseLock
from semantest_recorder.store.errors import StoreError
from semantest_recorder.store.writer import Writer

_TIME_S = 0.25
#: A store that refused something is tried again after so long, in seconds.
_TRIAL_S = 1.0

_log = logging.getLogger(__name__)


class Engine:
    """Opens the database and starts the plugins; what lives in the event loop is made by ``start``.

    ``folder``: where plugins write; ``lines_in_log``: what they say to people goes into the log; ``own_place``: see
    ``open_for_writing``. Until ``close`` nobody else can write the database. Raises ``StoreError`` when it cannot be
    opened, ``InUse`` when somebody else has it.
    """

    def __init__(
        self,
        database: Path,
        registry: PluginRegistry,
        folder: Path,
        *,
        own_place: bool,
        lines_in_log: bool = False,
    ) -> None:
        self.database = database
        reading = RunReading(database)
        self._lock = DatabaseLock(database)
        self._lock.acquire()
        try:
            #: For what the recorder does by itself, past the plugins.
            self.store = Writer(database, own_place=own_place)
        except BaseException:
            self._lock.release()
            raise
        resume(self.store)
        self.dispatcher = Dispatcher(
            registry,
            folder,
            known=reading.known_source,
            read_summary=reading.summary,
            read_report=reading.report,
            read_pictures=reading.pictures,
            read_steps=reading.steps,
            lines_in_log=lines_in_log,
        )
        self.dispatcher.start()
        #: What clients send goes through it.
        self.writer = PluginWriter(self.store, self.dispatcher)
        self.archive = Archive(database)
        self._hub: Hub | None = None
        self._trial_due_s = 0.0

    def start(self, security: Security, *on_commit: Callable[[Committed], None]) -> Hub:
        """The hub, once, in the loop that it will live in; it knows the runs that are not over.

        Each of ``on_commit`` is called in the loop for every commit. Raises ``StoreError`` when these runs cannot be
        read, though the database is not damaged: a damaged one is set aside.
        """

        def committed(verdict: Committed) -> None:
            for receiver in on_commit:
                receiver(verdict)

        facts = ServerFacts(__version__, PROTOCOL_VERSION, OLDEST_PROTOCOL, now_ms())
        hub = Hub(self.writer, facts, now_ms, self.archive, security=security, on_commit=committed)
        hub.runs.worth_retrying = worth_retrying(self.dispatcher.registry)
        try:
            self.archive.load_open_runs(hub.runs, now_ms())
        except StoreError:  # a large file was not read through when it was opened
            self.store.read_through()
            self.archive.load_open_runs(hub.runs, now_ms())
        self._hub = hub
        return hub

    async def keep_time(self, *others: Callable[[], None]) -> None:
        """Looks after what time alone brings about, ``others`` included, until it is cancelled."""
        while True:
            await asyncio.sleep(_TIME_S)
            try:
                if self._hub is not None:
                    self._hub.keep_time()
                    self._try_store(self._hub)
                for look in others:
                    look()
            except Exception:  # noqa: BLE001 - time goes on
                _log.exception("cannot look after runs and tokens, trying on")

    def _try_store(self, hub: Hub) -> None:
        """Whether a store that refused something takes something again: nobody may have anything more to store."""
        loop = asyncio.get_running_loop()
        if not hub.store_refuses or not hub.accepting or loop.time() < self._trial_due_s:
            return
        self._trial_due_s = math.inf  # one at a time

        def told(takes: bool) -> None:
            self._trial_due_s = loop.time() + _TRIAL_S
            if takes:
                hub.store_recovered()

        def done(takes: bool) -> None:
            with suppress(RuntimeError):  # the loop has ended
                loop.call_soon_threadsafe(told, takes)

        self.store.try_out(done)

    async def clean(self, run_ids: Sequence[str]) -> Cleaned:
        """Deletes runs; nobody knows them any more when it returns. Raises what ``Cleaner`` raises."""
        done = await Cleaner(self.store, now_ms).clean(run_ids)
        self.archive.forget_runs(done.deleted)
        if self._hub is not None:
            self._hub.forget_runs(done.deleted)
        return done

    async def say_alias(self, old: str, new: str, state: str) -> None:
        """As ``store.aliases.say_alias``, done when it returns. Raises ``RuntimeError`` with a text for the user."""
        await done_between(self.store, lambda ingest: say_alias(ingest, old, new, state, now_ms()))

    def close(self) -> None:
        """Lets go of the database, when ``writer`` is closed; no question is answered any more."""
        self.archive.close()
        self._lock.release()


def now_ms() -> float:
    """Milliseconds since the epoch."""
    return time.time() * 1000.0
