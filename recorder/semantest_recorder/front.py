"""What the daemon shows to others over HTTP: its application, on the sockets that it listens on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from aiohttp import web

from pytest_semantest.protocol.layout import DIRECTORY
from semantest_recorder.alerting.alerts import Alerts
from semantest_recorder.artifact_use import ArtifactUse
from semantest_recorder.core.access import AddressRules, Credentials
from semantest_recorder.core.exposure import is_wildcard
from semantest_recorder.daemon_settings import Settings
from semantest_recorder.descriptors import most_connections, raise_descriptor_limit
from semantest_recorder.discovery import Discovery
from semantest_recorder.engine import Engine, now_ms
from semantest_recorder.listening import Listener
from semantest_recorder.monitor import Monitor
from semantest_recorder.pages.dashboard import Dashboard
from semantest_recorder.pages.live_channel import LiveChannel
from semantest_recorder.served_routes import Parts, routes_of_rooms
from semantest_recorder.server.acceptor import Acceptor
from semantest_recorder.server.application import create_application, create_runner
from semantest_recorder.server.hub import Hub
from semantest_recorder.server.no_http import in_our_form
from semantest_recorder.server.observing import RequestMeasures
from semantest_recorder.server.stacks import StackRequests
from semantest_recorder.server.visitors import Visitors
from semantest_recorder.sign_in_file import keeper_of, read_sign_ins
from semantest_recorder.store.disk_use import bytes_on_disk
from semantest_recorder.token_file import TokenFile

#: How long requests that go on may take at the end, in seconds.
CLOSE_TIMEOUT_S = 1.0


class Front:
    """Lives in the loop from ``start`` on. ``channel`` and ``stacks`` hear of commits, so their owner makes them."""

    def __init__(
        self,
        settings: Settings,
        engine: Engine,
        tokens: TokenFile,
        listeners: Sequence[Listener],
        discovery: Discovery,
    ) -> None:
        self._settings = settings
        self._engine = engine
        self._listeners = listeners
        self._discovery = discovery
        #: Where others reach us, when that is not where this machine's own clients do.
        self.public_url = listeners[0].url if len(listeners) > 1 else None
        self._credentials = Credentials(discovery.token, anonymous=settings.anonymous, holder=tokens.holder)

    async def start(self, hub: Hub, alerts: Alerts, channel: LiveChannel, stacks: StackRequests) -> None:
        """Serves, until ``stop_listening`` and ``close``."""
        visitors = self._visitors()
        hub.security.check_tokens(visitors.still_valid)
        dashboard = self._dashboard(hub, alerts, channel)
        requests = RequestMeasures()
        artifacts = ArtifactUse(self._settings.directory)
        monitor = Monitor(hub, self._engine, requests, lambda: self._acceptor.status(), artifacts)  # noqa: PLW0108 - later
        parts = Parts(
            directory=self._settings.directory,
            status=self._status,
            hub=hub,
            engine=self._engine,
            alerts=alerts,
            stacks=stacks,
            monitor=monitor,
            visitors=visitors,
            dashboard=dashboard,
        )
        app = create_application(
            hub,
            self._addresses(),
            self._credentials,
            routes_of_rooms(parts),
            requests,
            visitors=visitors,
            welcome=lambda request: self._acceptor.welcome(request.protocol),
            error_page=dashboard.error_page,
        )
        self._runner = create_runner(app, CLOSE_TIMEOUT_S)
        await self._runner.setup()
        self._acceptor = self._accepting(self._runner)

    async def stop_listening(self) -> None:
        """Whoever connects from now on is refused; connections of clients stay."""
        await self._acceptor.stop()

    async def close(self) -> None:
        """Ends what still goes on."""
        await self._runner.cleanup()

    def _accepting(self, runner: web.AppRunner) -> Acceptor:
        if runner.server is None:
            raise RuntimeError("aiohttp made no server")  # it does; mypy cannot know
        acceptor = Acceptor(in_our_form(runner.server), most_connections(raise_descriptor_limit()))
        for listener in self._listeners:
            acceptor.listen(listener.socket, listener.certificate.context if listener.certificate is not None else None)
        return acceptor

    def _dashboard(self, hub: Hub, alerts: Alerts, channel: LiveChannel) -> Dashboard:
        def facts() -> dict[str, Any]:
            return {
                **self._status(),
                **hub.status(),
                "policy": hub.security.policy,
                "alerts": self._settings.alerts,
            }

        folder = self._settings.directory.resolve()
        title = folder.parent.name if folder.name == DIRECTORY else folder.name
        return Dashboard(self._engine.database, title, facts, alerts.desk.act, channel)

    def _visitors(self) -> Visitors:
        sign_ins = read_sign_ins(self._settings.directory)
        return Visitors(
            self._credentials,
            sign_ins,
            now_ms,
            keep=keeper_of(self._settings.directory, sign_ins, now_ms),
            secure=self._settings.tls_terminated or self._settings.tls_cert is not None,
        )

    def _addresses(self) -> AddressRules:
        settings = self._settings
        own_name = () if is_wildcard(settings.host) else (settings.host.strip("[]"),)
        return AddressRules(
            {listener.port: listener.scheme for listener in self._listeners},
            (*settings.hosts, *own_name) if self.public_url else settings.hosts,
            settings.origins,
            terminated=settings.tls_terminated,
        )

    def _status(self) -> dict[str, Any]:
        """What ``/api/v1/status`` says about the process."""
        database = self._engine.database
        return {
            "pid": self._discovery.pid,
            "url": self._discovery.url,
            "publicUrl": self.public_url,
            "version": self._discovery.version,
            "protocolVersion": self._discovery.protocol_version,
            "directory": str(self._settings.directory),
            "database": str(database),
            "databaseBytes": bytes_on_disk(database),
            "options": self._settings.told,
            "plugins": self._engine.dispatcher.status(),
            **self._acceptor.status(),
        }
