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
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from filelock import Timeout

from pytest_semantest.protocol.layout import SESSIONS, SHIP_YIELD, has_journal
from pytest_semantest.protocol.private_folder import require_private_folder
from pytest_semantest.protocol.redaction import Redactor, secret_values
from pytest_semantest.shipper.diagnostics import Diagnostics
from pytest_semantest.shipper.folder import lock_of, remove, sweep
from pytest_semantest.shipper.link import Link
from pytest_semantest.shipper.rendezvous import Rendezvous
from pytest_semantest.shipper.results import EXIT_CODES, Outcome, Result
from pytest_semantest.shipper.shipment import Clock, Shipment
from pytest_semantest.shipper.spawn import REDACT_VARIABLE, TOKEN_VARIABLE

GIVE_UP_S = 30.0
LOCK_S = 30.0
SYNC_S = 30.0
#: After SIGTERM: how long to go on sending, and when the system ends what hangs.
_LAST_SENDING_S = 2.0
_HARD_END_S = 4
#: How long a shipper waits for room on a full disk.
_ROOM_S = 3600.0


@dataclass(frozen=True, slots=True)
class Settings:
    """What the command line says; times in seconds.

    ``sync``: ship leftovers in the foreground, all of it within ``timeout``. There, ``url`` is the recorder of every
    session, ``here`` means the project's own, and ``otherwise`` is for sessions of which no recorder is known; with
    ``own`` sessions for named recorders are left alone.
    ``runs_tests``: it belongs to a run of the project's tests, as it does for the leftovers that are shipped behind it.
    ``deadline``, in monotonic time: when to leave a session, ``None``: only when there is no recorder.
    """

    directory: Path
    session: str | None
    url: str | None
    token: str | None
    sync: bool
    timeout: float
    give_up: float
    runs_tests: bool
    here: bool = False
    own: bool = False
    otherwise: str | None = None
    quiet: bool = False
    json: bool = False
    dry_run: bool = False
    deadline: float | None = None


#: Is told, in sync mode, how far the shipment is: now, acknowledged events, events, why there is no recorder.
Watcher = Callable[[float, int, int, str | None], None]


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
    """Runs the shipper and gives its exit code: 0, 2 for a wrong argument or folder, else as ``results`` says."""
    settings = parse(arguments)
    if not settings.directory.is_dir():
        print(f"{settings.directory} is no folder: nothing was recorded there", file=sys.stderr)  # noqa: T201
        return 2
    if not settings.dry_run:
        try:
            require_private_folder(str(settings.directory))
        except OSError as error:
            print(f"{error.filename}: {error.strerror}", file=sys.stderr)  # noqa: T201
            return 2
    termination = Termination()
    termination.install(interruptible=settings.sync)
    if settings.sync:
        from pytest_semantest.shipper.sync import sync  # noqa: PLC0415  not what a live run needs

        return sync(settings, termination)
    sweep(settings.directory)
    folder = settings.directory / SESSIONS / (settings.session or "")
    outcome = _ship_own(settings, folder, termination)
    if outcome is None:
        return 0
    if outcome in ("shipped", "stopped", "unreadable"):
        from pytest_semantest.shipper.leftovers import ship_others  # noqa: PLC0415  when nothing is pressing

        ship_others(settings, termination)
    return 0 if outcome == "terminated" else EXIT_CODES[outcome]


def _ship_own(settings: Settings, folder: Path, termination: Termination) -> Outcome | None:
    """How shipping the session ended; ``None`` when another shipper has it or has shipped it."""
    if not has_journal(folder):
        return None  # taking the lock would make the folder again
    try:
        lock = lock_of(folder)
        lock.acquire(timeout=LOCK_S)
    except (Timeout, OSError):
        return None
    with lock:
        (folder / SHIP_YIELD).unlink(missing_ok=True)  # of a sync that has given up
        return ship(settings, folder, termination).outcome if has_journal(folder) else None


def parse(arguments: Sequence[str]) -> Settings:
    """The settings that a command line gives. Raises ``SystemExit`` (2) with one line for a wrong one."""
    parser = argparse.ArgumentParser(prog="semantest shipper", allow_abbrev=False)
    parser.add_argument("--directory", type=Path, required=True, help="the .semantest folder")
    parser.add_argument("--session", help="the session to ship")
    parser.add_argument("--url", help="the recorder to ship to, instead of the project's own")
    parser.add_argument("--token-env", default=TOKEN_VARIABLE, help="the variable that holds the token")
    parser.add_argument("--give-up", type=float, help="seconds without a recorder")
    parser.add_argument("--sync", action="store_true", help="ship leftover sessions in the foreground; with it:")
    parser.add_argument("--here", action="store_true", help="all to the project's own recorder")
    parser.add_argument("--own", action="store_true", help="only what is meant for the project's own recorder")
    parser.add_argument("--otherwise", metavar="URL", help="the recorder of sessions of which none is known")
    parser.add_argument("--timeout", type=float, default=SYNC_S, help="seconds for all of it")
    parser.add_argument("--quiet", action="store_true", help="say only what failed")
    parser.add_argument("--json", action="store_true", help="print each result as a line of JSON")
    parser.add_argument("--dry-run", action="store_true", help="only say what would be done")
    given = parser.parse_args(arguments)
    if not given.sync and not given.session:
        parser.error("--session is needed without --sync")
    if given.session and Path(given.session).name != given.session:
        parser.error(f"{given.session!r} is no session name")
    give_up = given.timeout if given.sync else GIVE_UP_S
    return Settings(
        directory=given.directory.absolute(),
        session=given.session,
        url=given.url,
        token=_token(given.token_env, keep=not given.sync),
        sync=given.sync,
        timeout=given.timeout,
        give_up=give_up if given.give_up is None else given.give_up,
        runs_tests=not given.sync,
        here=given.here,
        own=given.own,
        otherwise=given.otherwise,
        quiet=given.quiet,
        json=given.json,
        dry_run=given.dry_run,
    )


def _token(variable: str, *, keep: bool) -> str | None:
    """The token in ``variable``, which a sync takes out: it is for named recorders, not for one that is started."""
    return (os.environ.get(variable) if keep else os.environ.pop(variable, None)) or None


def ship(settings: Settings, folder: Path, termination: Termination, watcher: Watcher | None = None) -> Result:
    """Ships one session, whose lock is held, to its end or to the end of what can be done.

    What it raises, ``OSError`` when the folder cannot be used, stands in the session's log.
    """
    log = Diagnostics(folder)
    log(f"shipping {folder.name}")
    try:
        return _ship(settings, folder, termination, watcher, log)
    except Exception:
        log(f"unexpected: {traceback.format_exc(limit=-6)}")  # nobody sees the stderr of a detached process
        raise


def _ship(
    settings: Settings, folder: Path, termination: Termination, watcher: Watcher | None, log: Diagnostics
) -> Result:
    rendezvous = Rendezvous(
        settings.directory, log, url=settings.url, token=settings.token, runs_tests=settings.runs_tests
    )
    give_up = settings.give_up if settings.sync else None  # a live run is followed for longer than one try takes
    link = Link(rendezvous, secrets.token_hex(8), log, time.monotonic(), deadline=settings.deadline, give_up=give_up)
    redactor = _redactor(settings.token, log)
    shipment = Shipment(folder, link, log, redactor, adopted=settings.sync)
    try:
        shipment.begin(_now())
        outcome = _loop(settings, shipment, termination, watcher)
    finally:
        shipment.finish(_now())
        link.close()
    acked, events = _counts(shipment)
    detail = shipment.stopped or link.refused or link.unreachable or shipment.unread or shipment.note or ""
    if outcome == "unreachable":
        detail = detail or link.failure or shipment.artifacts.failure or ""
    log(f"{outcome} {detail}".rstrip())
    if outcome == "shipped":
        damaged = [source.path for source in shipment.sources.values() if source.follower.damaged]
        damaged += shipment.artifacts.refused
        try:
            left = remove(folder, damaged, shipment.artifacts.untaken)
        except OSError as error:
            log(f"the session's folder cannot be deleted: {error.strerror}")
        else:
            if left:
                log(f"not deleted: {', '.join(left[:10])}")
    return Result(
        folder.name,
        outcome,
        detail,
        acked,
        events,
        recorder=settings.url,
        wants_token=outcome == "refused" and link.wants_token,
        in_vain=outcome == "unreachable" and link.in_vain,
        out_of_time=outcome == "running" and not shipment.is_shipped,
    )


def _counts(shipment: Shipment) -> tuple[int, int]:
    """How many events are acknowledged, and how many were read."""
    sources = shipment.sources.values()
    return sum(source.outbox.acked for source in sources), sum(source.follower.next_seq - 1 for source in sources)


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


def _loop(settings: Settings, shipment: Shipment, termination: Termination, watcher: Watcher | None) -> Outcome:
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
        if watcher is not None:
            watcher(clock.monotonic, *_counts(shipment), shipment.link.unreachable)
        _wait(shipment, clock.monotonic, settings.deadline)


def _outcome(settings: Settings, shipment: Shipment, now: float, quiet_since: float) -> Outcome | None:
    """Why the loop ends, ``None`` while it goes on. ``quiet_since``: no process of the session runs since then."""
    if shipment.is_running:
        return None
    if shipment.is_done and shipment.unread is None and not shipment.has_new_journals():
        return "shipped"
    if shipment.all_sent_but_stopped:
        return "stopped"
    waited = now - max(quiet_since, shipment.link.last_contact)
    if not settings.sync and now - quiet_since < _ROOM_S:
        # An end that a process left in memory would go with this shipper.
        waited = min(waited, now - shipment.without_room_at)
    nothing = shipment.is_read or (settings.sync and not shipment.sources)
    in_vain = shipment.is_done and shipment.unread is not None  # what can be read is shipped
    if ((shipment.run_id is None and nothing) or in_vain) and (settings.sync or waited > settings.give_up):
        return "unreadable"
    return _vain(settings, shipment, now, waited) or ("late" if _is_late(settings, now) else None)


def _running_outcome(settings: Settings, shipment: Shipment, now: float, began: float) -> Outcome | None:
    """Why a sync leaves a session that still runs, ``None`` while it goes on: nobody waits for its end."""
    if shipment.is_shipped:
        return "running"
    if shipment.all_sent_but_stopped:
        return "stopped"
    waited = now - max(began, shipment.link.last_contact)
    late = _is_late(settings, now) or now - began > settings.timeout
    return _vain(settings, shipment, now, waited) or ("running" if late else None)


def _vain(settings: Settings, shipment: Shipment, now: float, waited: float) -> Outcome | None:
    """Whether there is no recorder to go on with.

    A sync does not try a refused token twice, nor what fails until somebody corrects it: who started it sees it. The
    shipper of a run that is over leaves what it cannot ship to a sync that waits for it, and may know a better recorder
    or token.
    """
    link = shipment.link
    if settings.sync and link.refused:
        return "refused"
    if settings.sync and link.in_vain:
        return "unreachable"
    without = not link.is_open if _is_late(settings, now) else waited > settings.give_up
    if not settings.sync and (link.refused or link.unreachable):
        without = without or (shipment.folder / SHIP_YIELD).exists()
    if without:
        return "refused" if link.refused else "unreachable"
    return None


def _is_late(settings: Settings, now: float) -> bool:
    return settings.deadline is not None and now >= settings.deadline


def _wait(shipment: Shipment, now: float, deadline: float | None) -> None:
    """Waits until a message comes, a process dies, the next step is due or the time is over."""
    reading, writing = shipment.link.descriptors()
    poll = select.poll()
    for fd in (*reading, *shipment.descriptors()):
        poll.register(fd, select.POLLIN)
    for fd in writing:
        poll.register(fd, select.POLLIN | select.POLLOUT)
    seconds = shipment.wait_s(now)
    if deadline is not None:
        seconds = min(seconds, max(0.0, deadline - now))
    poll.poll(max(1.0, seconds * 1000) if seconds > 0 else 0)


def _now() -> Clock:
    return Clock(time.monotonic(), time.time() * 1000)
