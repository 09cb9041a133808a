"""The channels of a recorder, as its configuration and its environment make them."""

from __future__ import annotations

from collections.abc import Mapping

from semantest_recorder.core.alerts.delivery import Answer
from semantest_recorder.core.alerts.settings import AlertSettings
from semantest_recorder.core.alerts.settings import Channel as ChannelSettings
from semantest_recorder.notify.channel import Channel, NotSetUp, VariableNotSet
from semantest_recorder.notify.log import LogChannel
from semantest_recorder.notify.through_apprise import AppriseChannel
from semantest_recorder.notify.webhook import WebhookChannel


class Channels:
    """Sends messages by the name of a channel.

    ``problems``: why some cannot be used, by name; ``unset``: the variable that some of these miss.
    """

    def __init__(self, settings: AlertSettings, environment: Mapping[str, str]) -> None:
        self._channels: dict[str, Channel] = {}
        self.problems: dict[str, str] = {}
        self.unset: dict[str, str] = {}
        for channel in settings.channels:
            try:
                self._channels[channel.name] = _made(channel, settings, environment)
            except NotSetUp as error:
                self.problems[channel.name] = str(error)
                if isinstance(error, VariableNotSet):
                    self.unset[channel.name] = error.name
            except Exception as error:  # noqa: BLE001 - a broken apprise must not keep a recorder from recording
                self.problems[channel.name] = f"it cannot be set up: {type(error).__name__}"

    async def send(self, name: str, delivery_id: str, body: bytes) -> Answer:
        """Tries once. What cannot be used at all answers so, finally: a new try needs somebody to set it up."""
        channel = self._channels.get(name)
        if channel is None:
            problem = self.problems.get(name, f"there is no channel {name} in the configuration any more")
            return Answer(is_delivered=False, text=problem, is_final=True)
        return await channel.send(delivery_id, body)


def _made(channel: ChannelSettings, settings: AlertSettings, environment: Mapping[str, str]) -> Channel:
    """Raises ``NotSetUp``."""
    if channel.kind == "webhook":
        return WebhookChannel(channel, environment, settings.allow_hosts)
    if channel.kind == "apprise":
        return AppriseChannel(channel, environment)
    return LogChannel()
