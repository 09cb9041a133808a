"""Runs the shipper in sync mode for a command, and hears what it says of each session."""

from __future__ import annotations

import json
import signal
import subprocess
from pathlib import Path

import msgspec

from semantest_recorder.cli.advice import command_line
from semantest_recorder.cli.stop import Stop

TOKEN_VARIABLE = "SEMANTEST_TOKEN"  # noqa: S105  a name, not a token


class Outcome(msgspec.Struct, rename="camel"):
    """What became of one session, as the shipper tells it."""

    session: str
    outcome: str
    recorder: str | None = None
    acknowledged: int = 0
    events: int = 0
    detail: str = ""
    wants_token: bool = False
    in_vain: bool = False

    @property
    def is_shipped(self) -> bool:
        """Whether nothing of it is left here."""
        return self.outcome in ("shipped", "elsewhere")


def run_shipper(folder: Path, arguments: list[str], variable: str, token: str | None) -> tuple[int, list[Outcome]]:
    """The exit code of the shipper, whose lines go to stderr, and what it says of each session. Raises ``Stop``."""
    from semantest_recorder.cli.take_in import sync_command, sync_environment  # noqa: PLC0415

    environment = sync_environment()
    if token is not None:
        environment[variable] = token
    process = subprocess.Popen(sync_command(folder, *arguments), env=environment, stdout=subprocess.PIPE)
    try:
        said, _ = process.communicate()
    except KeyboardInterrupt:
        process.send_signal(signal.SIGINT)  # it ends within seconds and says how far it came
        said, _ = process.communicate()
    if process.returncode < 0:
        again = command_line("sync", folder)
        raise Stop(f"the shipper was killed by signal {-process.returncode}; no journal was lost. Run again: {again}")
    # Python's own JSON: it knows escapes for the bytes of a name that is no text.
    found = [msgspec.convert(json.loads(line), Outcome) for line in said.splitlines()]
    if process.returncode and not found:
        raise Stop(f"the shipper failed (exit code {process.returncode}); no journal was lost.")
    return process.returncode, found
