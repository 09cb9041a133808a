"""All of alerts that a recorder has, in one: channels, the watch with its outbox, and the desk."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from semantest_recorder.alerting.desk import AlertDesk
from semantest_recorder.alerting.watch import AlertWatch
from semantest_recorder.core.alerts.settings import AlertSettings
from semantest_recorder.daemon_threads import DaemonThreads
from semantest_recorder.notify.channels import Channels
from semantest_recorder.store.writer import Writer


class Alerts:
    """``watch`` runs in the loop, ``desk`` does what people ask for.

    ``link``: where readers of a message reach the recorder, empty when that is not known.
    """

    def __init__(
        self,
        writer: Writer,
        settings: AlertSettings,
        environment: Mapping[str, str],
        link: str,
        clock: Callable[[], float],
    ) -> None:
        channels = Channels(settings, environment)
        threads = DaemonThreads(2, "semantest-alerts")
        self.watch = AlertWatch(writer, settings, channels, link, clock, threads)
        self.desk = AlertDesk(writer, settings, channels, link, clock, self.watch.wake)
