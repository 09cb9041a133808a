"""The channel ``apprise``: Slack, Teams, mail and a hundred others, by the address that apprise has for each."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from contextvars import ContextVar
from importlib import import_module
from typing import Any, Final

import msgspec

from semantest_recorder.core.alerts.delivery import Answer
from semantest_recorder.core.alerts.message import Message
from semantest_recorder.core.alerts.settings import Channel
from semantest_recorder.daemon_threads import DaemonThreads
from semantest_recorder.notify.channel import NotSetUp, Secrets, variable

_MISSING: Final = "apprise is not installed: pip install 'pytest-semantest[notify]' where the recorder runs"
#: Whose call this is: apprise may work in threads of its own, to which it gives the context.
_call: ContextVar[object] = ContextVar("semantest_apprise_call", default=None)
_APPRISE_TYPES: Final = {"info": "info", "warning": "warning", "critical": "failure"}


class AppriseChannel:
    """Sends to the address in the channel's variable, in a thread of its own: apprise waits for what it calls.

    A call that takes longer than the channel's time is given up, and holds up this channel only. Raises ``NotSetUp``.
    """

    def __init__(self, channel: Channel, environment: Mapping[str, str]) -> None:
        url = variable(environment, channel.url_env)
        try:
            self._apprise = import_module("apprise")
        except ImportError:
            raise NotSetUp(_MISSING) from None
        # It logs what it sends, and where to.
        logging.getLogger("apprise").propagate = False
        self._target: Any = self._apprise.Apprise(
            asset=self._apprise.AppriseAsset(app_id="Semantest", async_mode=False)
        )
        if not self._target.add(url):
            raise NotSetUp(f"the variable {channel.url_env} holds no address that apprise knows")
        self._secrets = Secrets(url)
        self._timeout_s = channel.timeout_s
        self._thread = DaemonThreads(1, f"semantest-notify-{channel.name}")

    async def send(self, delivery_id: str, body: bytes) -> Answer:  # noqa: ARG002 - no service has a place for the id
        """As ``Channel`` has it."""
        message = msgspec.json.decode(body, type=Message)
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._timeout_s):
                return await loop.run_in_executor(self._thread, self._notify, message)
        except TimeoutError:
            return Answer(is_delivered=False, text=f"the service did not answer within {self._timeout_s:g} s")

    def _notify(self, message: Message) -> Answer:
        kind = "success" if message.state == "resolved" else _APPRISE_TYPES[message.severity]
        log, warnings = logging.getLogger("apprise"), _Warnings()
        log.addHandler(warnings)
        token = _call.set(warnings)
        try:
            sent = self._target.notify(
                title=message.title,
                body=message.text,
                notify_type=self._apprise.NotifyType(kind),
                body_format=self._apprise.NotifyFormat.TEXT,
            )
        except Exception as error:  # noqa: BLE001 - one of a hundred services
            return Answer(is_delivered=False, text=f"apprise failed: {type(error).__name__}")
        finally:
            _call.reset(token)
            log.removeHandler(warnings)
        if sent:
            return Answer(is_delivered=True, text="the service took it")
        said = " ".join(" ".join(warnings.said).split())
        return Answer(is_delivered=False, text=self._secrets.without(f"the service did not take it: {said}"))


class _Warnings(logging.Handler):
    """What apprise says in one call: in others it may speak of other channels, whose secrets are not known there."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keeps the words of a record."""
        if _call.get() is self:
            self.said.append(record.getMessage())
