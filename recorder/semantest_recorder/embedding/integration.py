"""The second composition root: writer, hub, queries and guard for a program that has its own event loop and server."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Collection, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from semantest_recorder.core.access import Credentials, Denied, Identity
from semantest_recorder.core.policy import Policy
from semantest_recorder.core.refusal import Refusal
from semantest_recorder.core.security import Security
from semantest_recorder.embedding.handlers import WebSocketHandlers
from semantest_recorder.embedding.in_process import InProcessPeer
from semantest_recorder.embedding.orchestrator import Orchestrator
from semantest_recorder.embedding.persistence import Persistence
from semantest_recorder.embedding.security import SecurityMiddleware
from semantest_recorder.embedding.spelling import camel_keys
from semantest_recorder.engine import Engine
from semantest_recorder.plugins.configuration import read_section
from semantest_recorder.plugins.registry import PluginRegistry
from semantest_recorder.server.hub import Hub
from semantest_recorder.store.errors import NotADatabase

_CLOSE_TIMEOUT_S = 2.0

_log = logging.getLogger(__name__)


class OrchestratorIntegration:
    """All of it, on one database. Raises what ``create_orchestrator_integration`` raises.

    It may be made before the event loop runs; everything else happens in the loop of its first use, and a call in
    another one is a ``RuntimeError``. ``token`` is what clients show to be let in while the policy requires
    authentication.
    """

    def __init__(
        self, db_path: str | Path, security_policy: Mapping[str, Any], plugins: Mapping[str, Any], token: str | None
    ) -> None:
        path = _checked(db_path)
        #: The guard in front of the log.
        self.security = Security(Policy().changed(camel_keys(security_policy)))
        registry = PluginRegistry(read_section(plugins))
        registry.load(None if plugins else [])  # the event filter is there in any case
        self.token = token or f"smt_{secrets.token_urlsafe(32)}"
        self.engine = Engine(path, registry, path.absolute().parent, own_place=False)
        self.archive = self.engine.archive
        #: Whether nothing is taken any more.
        self.stopping = False
        self._hub: Hub | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._peer: InProcessPeer | None = None
        self._time: asyncio.Task[None] | None = None
        self._end: asyncio.Task[None] | None = None
        self._orchestrator = Orchestrator(self)
        self._persistence = Persistence(self)
        self._security = SecurityMiddleware(self)

    @property
    def hub(self) -> Hub:
        """The hub, made at its first use, in the event loop. Raises ``Refusal`` (``STOPPING``) when it is the end.

        Raises ``RuntimeError`` in another loop than that of its first use: nothing would ever be answered there.
        """
        loop = asyncio.get_running_loop()
        if self._hub is None:
            if self.stopping:
                raise Refusal("STOPPING", "the recorder is stopping")
            self._hub = self.engine.start(self.security)
            self._time = asyncio.create_task(self.engine.keep_time())
            self._loop = loop
        elif loop is not self._loop:
            raise RuntimeError("this recorder lives in the event loop of its first use: go on there, not in another")
        return self._hub

    @property
    def peer(self) -> InProcessPeer:
        """The program's own part in the conversation."""
        hub = self.hub
        if self._peer is None:
            self._peer = InProcessPeer(hub)
        return self._peer

    def identify(self, authorization: Collection[str]) -> Identity | Denied:
        """Who is behind the Authorization headers of a handshake; anonymous only while the policy allows it."""
        anonymous = not self.security.policy.require_authentication
        found = Credentials(self.token, anonymous=anonymous).identify(authorization)
        if not isinstance(found, Denied):
            return found
        text = "this token is not valid here" if authorization else "send 'Authorization: Bearer TOKEN'"
        return found._replace(detail=text)

    def get_orchestrator(self) -> Orchestrator:
        """Runs."""
        return self._orchestrator

    def get_persistence(self) -> Persistence:
        """The log and what follows from it."""
        return self._persistence

    def get_security(self) -> SecurityMiddleware:
        """The guard."""
        return self._security

    def create_websocket_handlers(self) -> WebSocketHandlers:
        """Handlers for a WebSocket server of one's own."""
        return WebSocketHandlers(self)

    async def shutdown(self, *, cancel_runs: bool = False) -> None:
        """Commits what was taken, says goodbye to clients and closes the database; what was done before stays done.

        ``cancel_runs``: cancels runs that are not over, as the original did; else they may go on after a restart.
        A second call returns when the first one is through.
        """
        if self._end is None:
            self._end = asyncio.create_task(self._shut_down(cancel_runs=cancel_runs))
        await asyncio.shield(self._end)

    async def _shut_down(self, *, cancel_runs: bool) -> None:
        try:
            if cancel_runs and self._hub is not None:
                await self._cancel_runs(self._hub)
        finally:
            await self._close()

    async def _cancel_runs(self, hub: Hub) -> None:
        for run in hub.runs:
            try:
                await self._orchestrator.cancel_test_run(run.run_id, "the orchestrator is shut down")
            except Refusal as refusal:  # it was over in the meantime, or nothing can be written now
                if hub.runs.get(run.run_id) is not None:
                    _log.warning("run %s cannot be cancelled: %s", run.run_id, refusal)

    async def _close(self) -> None:
        self.stopping = True
        if self._time is not None:
            self._time.cancel()
            with suppress(asyncio.CancelledError):
                await self._time
        if self._hub is not None:
            self._hub.accepting = False
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(None, self.engine.writer.close)
        if self._hub is not None:
            await self._hub.close("the recorder is stopping", _CLOSE_TIMEOUT_S)
        await loop.run_in_executor(None, self.engine.dispatcher.close)
        self.engine.close()


def create_orchestrator_integration(
    db_path: str | Path = "semantest.db",
    security_policy: Mapping[str, Any] | None = None,
    *,
    plugins: Mapping[str, Any] | None = None,
    token: str | None = None,
) -> OrchestratorIntegration:
    """The whole system in one call, for embedding into somebody's own asyncio server.

    ``security_policy``: keys of the policy (docs/reference/wire.md), snake_case allowed; without
    ``require_authentication: False`` clients need ``token`` (by default a new one, see ``.token``). ``plugins``: a
    section as in the configuration (``{"enabled": ["performance"]}``); without it, plugins that happen to be installed
    stay out, but for the event filter, and ``register_plugin`` adds the program's own.
    Raises ``StoreError`` when the database cannot be opened (``NotADatabase``: the path names something else, which is
    left alone; ``InUse``: another program, or this one, writes it), ``InvalidPolicy`` or ``InvalidPlugins`` for a wrong
    key.
    """
    return OrchestratorIntegration(db_path, security_policy or {}, plugins or {}, token)


def _checked(db_path: str | Path) -> Path:
    """Raises ``NotADatabase`` for what SQLite understands and names no file."""
    text = str(db_path)
    if text in ("", ".", ":memory:") or text.startswith("file:"):
        raise NotADatabase(
            text, "names no file, and the log is read by connections of their own; a temporary folder keeps nothing"
        )
    return Path(db_path)
