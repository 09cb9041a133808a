"""The shipper as a program: arguments, signals, the lock of the session, and the loop around ``Shipment.step``."""

from __future__ import annotations

import argparse
import json
import os
import re
import secrets
import select
import signal
import sys
import time
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from filelock import FileLock, Timeout

from pytest_semantest.protocol.layout import SESSIONS, SHIP_LOCK
from pytest_semantest.protocol.redaction import Redactor, secret_values
from pytest_semantest.shipper.diagnostics import Diagnostics
from pytest_semantest.shipper.folder import remove, sweep
from pytest_semantest.shipper.link import Link
from pytest_semantest.shipper.rendezvous import Rendezvous
from pytest_semantest.shipper.shipment import Clock, Shipment
from pytest_semantest.shipper.spawn import REDACT_VARIABLE, TOKEN_VARIABLE

GIVE_UP_S = 30.0
LOCK_S = 30.0
#: After SIGTERM: how long to go on sending, and when the system ends what hangs.
_LAST_SENDING_S = 2.0
_HARD_END_S = 4

Outcome = Literal["shipped", "running", "unreachable", "refused", "stopped", "unreadable", "terminated"]

EXIT_CODES: dict[Outcome, int] = {
    "shipped": 0,
    "running": 0,
    "terminated": 0,
    "unreachable": 3,
    "refused": 4,
    "stopped": 4,
    "unreadable": 5,
}


@dataclass(frozen=True, slots=True)
class Settings:
    """What the command line says. ``sync``: ship leftovers in the foreground; times in seconds."""

    directory: Path
    session: str | None
    url: str | None
    token: str | None
    sync: bool
    quiet: bool
    timeout: float
    give_up: float


@dataclass(frozen=True, slots=True)
class Result:
    """How the shipping of a session ended, with one line of detail and how much was acknowledged."""

    session: str
    outcome: Outcome
    detail: str
    acked: int


class Termination:
    """Whether SIGTERM came (in ``sync`` mode SIGINT too), and until when to go on."""

    def __init__(self) -> None:
        self.deadline: float | None = None

    def install(self, *, interruptible: bool) -> None:
        """Takes the signals over; SIGINT is ignored unless ``interruptible``."""
        signal.signal(signal.SIGTERM, self._on_signal)
        signal.signal(signal.SIGINT, self._on_signal if interruptible else signal.SIG_IGN)

    def _on_signal(self, _number: int, _frame: object) -> None:
        self.deadline = time.monotonic() + _LAST_SENDING_S
        signal.alarm(_HARD_END_S)  # its default action ends a connect that hangs; journals need no farewell


def main(arguments: Sequence[str]) -> int:
    """Runs the shipper and gives its exit code: 0, 2 for wrong arguments, else as ``EXIT_CODES`` says."""
    settings = parse(arguments)
    if not settings.directory.is_dir():
        print(f"{settings.directory} is no folder: nothing was recorded there", file=sys.stderr)  # noqa: T201
        return 2
    termination = Termination()
    termination.install(interruptible=settings.sync)
    sweep(settings.directory)
    if settings.sync:
        from pytest_semantest.shipper.leftovers import sync  # noqa: PLC0415  not what a live run needs

        return sync(settings, termination)
    folder = settings.directory / SESSIONS / (settings.session or "")
    lock = lock_of(folder)
    try:
        lock.acquire(timeout=LOCK_S)
    except (Timeout, OSError):
        return 0  # another shipper has the session, or it is gone
    with lock:
        outcome = ship(settings, folder, termination).outcome if folder.is_dir() else "shipped"
    if outcome in ("shipped", "stopped", "unreadable"):
        from pytest_semantest.shipper.leftovers import ship_others  # noqa: PLC0415  when nothing is pressing

        ship_others(settings, termination)
    return EXIT_CODES[outcome]


def parse(arguments: Sequence[str]) -> Settings:
    """The settings that a command line gives. Raises ``SystemExit`` (2) with one line for a wrong one."""
    parser = argparse.ArgumentParser(prog="semantest shipper", allow_abbrev=False)
    parser.add_argument("--directory", type=Path, required=True, help="the .semantest folder")
    parser.add_argument("--session", help="the session to ship")
    parser.add_argument("--url", help="the recorder to ship to, instead of the project's own")
    parser.add_argument("--token-env", default=TOKEN_VARIABLE, help="the variable that holds the token")
    parser.add_argument("--sync", action="store_true", help="ship leftover sessions in the foreground")
    parser.add_argument("--quiet", action="store_true", help="with --sync: print nothing")
    parser.add_argument("--timeout", type=float, default=LOCK_S, help="with --sync: seconds to wait for others")
    parser.add_argument("--give-up", type=float, default=GIVE_UP_S, help="seconds without a recorder")
    given = parser.parse_args(arguments)
    if not given.sync and not given.session:
        parser.error("--session is needed without --sync")
    if given.session and Path(given.session).name != given.session:
        parser.error(f"{given.session!r} is no session name")
    return Settings(
        directory=given.directory.absolute(),
        session=given.session,
        url=given.url,
        token=os.environ.get(given.token_env) or None,
        sync=given.sync,
        quiet=given.quiet,
        timeout=given.timeout,
        give_up=min(given.give_up, given.timeout) if given.sync else given.give_up,
    )


def lock_of(folder: Path) -> FileLock:
    """The lock that keeps one shipper per session."""
    return FileLock(folder / SHIP_LOCK)


def ship(settings: Settings, folder: Path, termination: Termination) -> Result:
    """Ships one session, whose lock is held, to its end or to the end of what can be done."""
    log = Diagnostics(folder)
    rendezvous = Rendezvous(settings.directory, log, url=settings.url, token=settings.token)
    link = Link(rendezvous, secrets.token_hex(8), log, time.monotonic())
    redactor = _redactor(settings.token, log)
    shipment = Shipment(folder, link, log, redactor, adopted=settings.sync)
    log(f"shipping {folder.name}")
    try:
        shipment.begin(_now())
        outcome = _loop(settings, shipment, termination)
    except Exception:
        log(f"unexpected: {traceback.format_exc(limit=-6)}")  # nobody sees the stderr of a detached process
        raise
    finally:
        shipment.finish(_now())
        link.close()
    acked = sum(source.outbox.acked for source in shipment.sources.values())
    detail = shipment.stopped or link.refused or link.unreachable or ""
    log(f"{outcome} {detail}".rstrip())
    if outcome == "shipped":
        damaged = [source.path for source in shipment.sources.values() if source.follower.damaged]
        try:
            left = remove(folder, damaged)
        except OSError as error:
            log(f"the session's folder cannot be deleted: {error.strerror}")
        else:
            if left:
                log(f"not deleted: {', '.join(left[:10])}")
    return Result(folder.name, outcome, detail, acked)


def _redactor(token: str | None, log: Diagnostics) -> Redactor:
    """What pytest masks: secrets of the environment, the token, and the user's own patterns that pytest handed over."""
    literals = [*([token] if token else []), *secret_values(os.environ)]
    try:
        given = json.loads(os.environ.get(REDACT_VARIABLE) or "[]")
    except ValueError:
        given = None
    if not isinstance(given, list):
        log(f"{REDACT_VARIABLE} is no JSON list")
        given = []
    patterns = []
    for number, pattern in enumerate(given, 1):
        try:
            re.compile(pattern)
        except (re.error, TypeError, OverflowError, RecursionError) as error:
            log(f"pattern {number} of {REDACT_VARIABLE} is left out: {error}")
        else:
            patterns.append(pattern)
    return Redactor(literals, patterns)


def _loop(settings: Settings, shipment: Shipment, termination: Termination) -> Outcome:
    began = quiet_since = time.monotonic()
    ending = False
    while True:
        clock = _now()
        if termination.deadline is not None and not ending:
            ending = True
            shipment.read_now()
        shipment.step(clock)
        if shipment.is_running:
            quiet_since = clock.monotonic
        if settings.sync and shipment.is_running:
            outcome = _running_outcome(settings, shipment, clock.monotonic, began)
        else:
            outcome = _outcome(settings, shipment, clock.monotonic, quiet_since)
        if outcome is None and ending and termination.deadline is not None:
            outcome = "terminated" if shipment.is_shipped or clock.monotonic >= termination.deadline else None
        if outcome is not None:
            return outcome
        _wait(shipment, clock.monotonic)


def _outcome(settings: Settings, shipment: Shipment, now: float, quiet_since: float) -> Outcome | None:
    """Why the loop ends, ``None`` while it goes on. ``quiet_since``: no process of the session runs since then."""
    if shipment.is_running:
        return None
    if shipment.is_done:
        return "shipped" if not shipment.has_new_journals() else None
    if shipment.all_sent_but_stopped:
        return "stopped"
    waited = now - max(quiet_since, shipment.link.last_contact)
    nothing = shipment.is_read or (settings.sync and not shipment.sources)
    if shipment.run_id is None and nothing and (settings.sync or waited > settings.give_up):
        return "unreadable"
    if waited > settings.give_up:
        return "refused" if shipment.link.refused else "unreachable"
    return None


def _running_outcome(settings: Settings, shipment: Shipment, now: float, began: float) -> Outcome | None:
    """Why a sync leaves a session that still runs, ``None`` while it goes on: nobody waits for its end."""
    if shipment.is_shipped:
        return "running"
    if shipment.all_sent_but_stopped:
        return "stopped"
    if now - max(began, shipment.link.last_contact) > settings.give_up:
        return "refused" if shipment.link.refused else "unreachable"
    return "running" if now - began > settings.timeout else None


def _wait(shipment: Shipment, now: float) -> None:
    """Waits until a message comes, a process dies or the next step is due."""
    reading, writing = shipment.link.descriptors()
    poll = select.poll()
    for fd in (*reading, *shipment.descriptors()):
        poll.register(fd, select.POLLIN)
    for fd in writing:
        poll.register(fd, select.POLLIN | select.POLLOUT)
    poll.poll(max(1.0, shipment.wait_s(now) * 1000) if shipment.wait_s(now) > 0 else 0)


def _now() -> Clock:
    return Clock(time.monotonic(), time.time() * 1000)
