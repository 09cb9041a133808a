"""A test message, sent by the recorder that runs, else from here."""

from __future__ import annotations

import asyncio
import os
import time

from semantest_recorder.alerting.desk import try_channels
from semantest_recorder.cli import daemon
from semantest_recorder.cli.alerts_change import ask_recorder
from semantest_recorder.cli.alerts_section import project_alerts
from semantest_recorder.cli.log_lines import configure_logging
from semantest_recorder.cli.place import working_directory
from semantest_recorder.cli.semantest_folder import semantest_folder
from semantest_recorder.cli.stop import EXIT_USAGE, Stop
from semantest_recorder.core.alerts.actions import Done, Trial
from semantest_recorder.core.refusal import Refusal
from semantest_recorder.notify.channels import Channels


def trial(directory: str | None, name: str) -> tuple[Done, str]:
    """The answers, and who sent it: ``the recorder`` or ``this command``. Needs nothing recorded. Raises ``Stop``."""
    here = working_directory(directory)
    folder = semantest_folder(directory, here)
    present = daemon.running(folder) if folder is not None and folder.is_dir() else None
    if present is not None:
        return ask_recorder(present[0], Trial(name=name)), "the recorder"
    settings = project_alerts(directory)
    if any(channel.kind == "log" for channel in settings.channels):
        configure_logging("text", "info")  # what is written into the log is to be seen
    channels = Channels(settings, os.environ)
    try:
        done = asyncio.run(try_channels(settings, channels, name, "", time.time() * 1000))
    except Refusal as refusal:
        raise Stop(str(refusal), EXIT_USAGE) from None
    return done, "this command"
