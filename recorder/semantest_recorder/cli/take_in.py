"""Has the shipper bring the journals of ended sessions to the recorder (docs/design/shipping.md)."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import msgspec

from pytest_semantest.protocol.destination import destination
from pytest_semantest.protocol.layout import DISCOVERY, SHIP_STATE, session_folders
from pytest_semantest.protocol.small_file import read_object
from pytest_semantest.protocol.spawning import isolated_environment, shipper_command
from semantest_recorder.cli.note import say_note
from semantest_recorder.reports.wording import plural

#: The shipper's exit code when all is shipped or still runs.
SHIPPED = 0
_QUIET_SECONDS = 1.5
#: What the shipper may take beyond its own timeout.
_GRACE_SECONDS = 2.0


class Shipped(msgspec.Struct):
    """How the shipper ended: its exit code, ``None`` when it took too long, and what it wrote to stderr."""

    exit_code: int | None
    said: str = ""


def bound_elsewhere(session: Path) -> str | None:
    """The recorder, named by its user, that a session is meant for, by its shipper's word; ``None`` for the own one."""
    own = read_object(session.parent.parent / DISCOVERY).get("url")
    return destination(read_object(session / SHIP_STATE), own)


def sync_command(folder: Path, *arguments: str) -> list[str]:
    """The command line of the shipper in sync mode."""
    return shipper_command("--directory", str(folder), "--sync", *arguments)


def sync_environment() -> dict[str, str]:
    """The environment of such a shipper: nothing in it names another recorder."""
    elsewhere = ("SEMANTEST_URL", "SEMANTEST_TOKEN")
    return {name: value for name, value in isolated_environment(os.environ).items() if not name.startswith(elsewhere)}


def take_in(folder: Path, seconds: float) -> Shipped:
    """Ship what is left over to the project's own recorder, waiting at most ``seconds``.

    A session that is meant for a recorder elsewhere stays: shipped here, it would be missing there.
    """
    if all(bound_elsewhere(session) for session in session_folders(folder)):
        return Shipped(SHIPPED)
    process = subprocess.Popen(
        sync_command(folder, "--own", "--timeout", f"{seconds:g}"),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=sync_environment(),
        start_new_session=True,  # Ctrl-C ends the report, not a shipment on its way
    )
    try:
        _, said = _patiently(process, folder, seconds)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGTERM)
        if process.stderr is not None:
            process.stderr.close()
        return Shipped(None)
    return Shipped(process.returncode, said.decode("utf-8", "replace").strip())


def _patiently(process: subprocess.Popen[bytes], folder: Path, seconds: float) -> tuple[bytes, bytes]:
    """Wait for the shipper, and say so when it takes a while. Raises ``TimeoutExpired``."""
    try:
        return process.communicate(timeout=_QUIET_SECONDS)
    except subprocess.TimeoutExpired:
        left = plural(len(session_folders(folder)), "session")
        say_note(f"shipping {left} to the recorder first (at most {seconds:g} s) ...")
        return process.communicate(timeout=seconds + _GRACE_SECONDS)
