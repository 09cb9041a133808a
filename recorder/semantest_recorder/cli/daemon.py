"""Start, stop and ask the project's recorder from outside."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pytest_semantest.protocol.layout import RECORDER_LOG, STARTING_LOCK
from pytest_semantest.protocol.liveness import process_exists
from pytest_semantest.protocol.private_folder import make_private_folder
from pytest_semantest.protocol.recorder_log import last_words, open_log
from semantest_recorder.cli.recorder import EXIT_ALREADY_RUNNING, EXIT_NOT_RUNNING
from semantest_recorder.cli.serve_options import Wanted
from semantest_recorder.cli.stop import Stop
from semantest_recorder.discovery import Discovery, read_discovery, serving_recorder

#: Version of what `status --json` prints: fields are only added within one.
STATUS_SCHEMA = 1
_POLL_S = 0.02
_ASK_TIMEOUT_S = 3.0
#: As runs start one for themselves: it ends when nobody has used it for so many seconds.
_ON_DEMAND = Wanted(arguments=["--on-demand", "600"], given={}, told={}, defaults={}, token=None)


def status(folder: Path) -> dict[str, Any]:
    """What the folder's recorder says of itself, with ``running``; only that and the folder when there is none.

    Raises ``Stop`` when there is one that does not answer.
    """
    present = running(folder)
    known = {"schema": STATUS_SCHEMA, "running": present is not None}
    return known | ({"directory": str(folder)} if present is None else present[1])


def running(folder: Path) -> tuple[Discovery, dict[str, Any]] | None:
    """The folder's recorder and what it says of itself, or ``None`` when none runs.

    A process id may have passed to a stranger, so only an answer proves a recorder. Raises ``Stop`` when somebody
    listens at its address and says nothing.
    """
    found = serving_recorder(folder)
    if found is None or not process_exists(found.pid):
        return None
    try:
        answer = ask(found)
    except TimeoutError:
        text = f"the recorder at {found.url} (pid {found.pid}) does not answer; end it with: kill -KILL {found.pid}"
        raise Stop(text) from None
    return None if answer is None else (found, answer)


def ask(found: Discovery) -> dict[str, Any] | None:
    """The answer of ``/api/v1/status``, or ``None`` when no recorder of ours is there.

    Raises ``TimeoutError`` when somebody is there who does not answer.
    """
    address = urlsplit(found.url)
    try:
        connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=_ASK_TIMEOUT_S)
    except http.client.InvalidURL:
        return None
    try:
        connection.request("GET", "/api/v1/status", headers={"Authorization": f"Bearer {found.token}"})
        response = connection.getresponse()
        body = response.read()
        answer = json.loads(body) if response.status == 200 else None
    except TimeoutError:
        raise
    except (OSError, http.client.HTTPException, ValueError):
        return None
    finally:
        connection.close()
    # One that is stopping is as good as gone: whoever starts another waits for its lock.
    return answer if isinstance(answer, dict) and answer.get("status") != "stopping" else None


def describe(found: dict[str, Any]) -> str:
    """The status as lines of text. Raises ``Stop`` when it is not that of a recorder."""
    if not found["running"]:
        return f"no recorder runs for {found['directory']}; start it with: semantest-recorder start"
    from semantest_recorder.reports.inert import inert_line  # noqa: PLC0415
    from semantest_recorder.reports.wording import plural, size  # noqa: PLC0415 - `start` and `stop` do without

    try:
        sources = found.get("sourceCount", len(found["sources"]))
        clients = f"{plural(sources, 'source')}, {plural(found['subscribers'], 'subscriber')}"
        public = f" (for other machines {found['publicUrl']})" if found.get("publicUrl") else ""
        process = f"pid {found['pid']}, version {found['version']}, up {_duration(found['uptimeMs'])}"
        lines = [
            f"running at {found['url']}{public}, {process}",
            f"database {found['database']}, {size(found['databaseBytes'])}",
            f"{plural(found['pendingEvents'], 'event')} pending, {clients}",
        ]
        if found["storeError"]:
            lines.append(f"the store refuses: {found['storeError']}")
        if found.get("refusedConnections"):
            lines.append(f"{plural(found['refusedConnections'], 'connection')} refused for want of room")
    except (KeyError, TypeError, ValueError):
        raise Stop(
            f"what answers at {found.get('url')} does not say what a recorder of this version says: "
            "see it with --json; stop it and start it again, or upgrade"
        ) from None
    return "\n".join(inert_line(line) for line in lines)


def start(folder: Path, wanted: Wanted, timeout_s: float) -> tuple[Discovery, list[str]]:
    """The folder's recorder as it is wanted, started detached if need be, and what to tell the user. Raises ``Stop``.

    One that a run started for itself, to end when idle, is replaced when something else is wanted.
    """
    present = running(folder)
    if present is not None and not _is_replaced(present, wanted):
        return _kept(present, wanted)
    deadline = time.monotonic() + timeout_s
    notes = [] if folder.is_dir() else [f"made {folder}"]
    try:
        make_private_folder(str(folder))
        with others_wait(folder, timeout_s):
            return _start(folder, wanted, deadline, notes)
    except OSError as error:
        raise Stop(f"cannot start the recorder in {error.filename or folder}: {error.strerror}") from None


def _start(folder: Path, wanted: Wanted, deadline: float, notes: list[str]) -> tuple[Discovery, list[str]]:
    while time.monotonic() < deadline:
        present = running(folder)
        if present is None:
            found = _launch(folder, wanted, deadline)
            if found is not None:
                return found, notes
        elif _is_replaced(present, wanted):
            _end(present[0], max(deadline - time.monotonic(), _POLL_S))
            notes.append(f"in place of the recorder that a run had started to end when idle (pid {present[0].pid})")
        else:
            return _kept(present, wanted)
    raise _not_ready(folder)


def serving(folder: Path, timeout_s: float) -> Discovery:
    """The folder's recorder; when there is none, one is started that ends when idle. Raises ``Stop``."""
    present = running(folder)
    if present is not None:
        return present[0]
    deadline = time.monotonic() + timeout_s
    try:
        with others_wait(folder, timeout_s):
            while time.monotonic() < deadline:
                present = running(folder)
                found = present[0] if present is not None else _launch(folder, _ON_DEMAND, deadline)
                if found is not None:
                    return found
    except OSError as error:
        raise Stop(f"cannot start the recorder in {error.filename or folder}: {error.strerror}") from None
    raise _not_ready(folder)


def _is_replaced(present: tuple[Discovery, dict[str, Any]], wanted: Wanted) -> bool:
    found, answer = present
    return wanted.replaces(answer.get("options") or {}, found.token)


def _kept(present: tuple[Discovery, dict[str, Any]], wanted: Wanted) -> tuple[Discovery, list[str]]:
    """The one that runs. Raises ``Stop`` when it lacks what is wanted."""
    found, answer = present
    options = answer.get("options") or {}
    missing = wanted.missing(options, found.token)
    if missing:
        text = f"a recorder runs at {found.url} (pid {found.pid}) without {', '.join(missing)}"
        raise Stop(f"{text}: stop it first with `semantest-recorder stop`", EXIT_ALREADY_RUNNING)
    idle = wanted.outlives(options)
    return found, [f"it ends after {idle:g} s without a client, as it was started"] if idle else []


@contextmanager
def others_wait(folder: Path, timeout_s: float) -> Iterator[None]:
    """Meanwhile no run and no other ``start`` starts one: a run would put its own in the place of one that ends."""
    from filelock import FileLock, Timeout  # noqa: PLC0415 - 25 ms, only when one is started

    lock = FileLock(folder / STARTING_LOCK, mode=0o600)
    try:
        lock.acquire(timeout=timeout_s)
    except Timeout:
        raise _not_ready(folder) from None
    try:
        yield
    finally:
        lock.release()


def _launch(folder: Path, wanted: Wanted, deadline: float) -> Discovery | None:
    """Starts ``serve`` detached and waits until it is ready; ``None`` when another one was quicker. Raises ``Stop``."""
    with os.fdopen(open_log(folder), "ab") as log:
        log_start = os.fstat(log.fileno()).st_size
        # -P: no module of the working directory can shadow ours
        serve = [sys.executable, "-P", "-m", "semantest_recorder.cli.recorder", "serve"]
        child = subprocess.Popen(
            [*serve, "--directory", folder, *wanted.arguments],
            env=os.environ if wanted.token is None else os.environ | {"SEMANTEST_TOKEN": wanted.token},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    while time.monotonic() < deadline:
        code = child.poll()
        if code == EXIT_ALREADY_RUNNING:
            return None
        if code is not None:
            raise Stop(last_words(folder, log_start) or f"the recorder ended with exit code {code}", code)
        found = read_discovery(folder)
        if found is not None and found.pid == child.pid and _answers(found):
            return found
        time.sleep(_POLL_S)
    raise _not_ready(folder)


def _not_ready(folder: Path) -> Stop:
    return Stop(f"the recorder was not ready in time; wait longer with --timeout, or see {folder / RECORDER_LOG}")


def _answers(found: Discovery) -> bool:
    try:
        return ask(found) is not None
    except TimeoutError:
        return False


def stop(folder: Path, timeout_s: float) -> str:
    """Sends SIGTERM, waits for the end and says how it went. Raises ``Stop``."""
    present = running(folder)
    if present is None:
        raise Stop(f"no recorder runs for {folder}", EXIT_NOT_RUNNING)
    found = present[0]
    _end(found, timeout_s)
    return f"stopped the recorder at {found.url} (pid {found.pid})"


def _end(found: Discovery, timeout_s: float) -> None:
    """Sends SIGTERM and waits for the end. Raises ``Stop``."""
    with suppress(ProcessLookupError):  # it has just ended by itself
        os.kill(found.pid, signal.SIGTERM)
    deadline = time.monotonic() + timeout_s
    while process_exists(found.pid):
        if time.monotonic() >= deadline:
            raise Stop(
                f"the recorder (pid {found.pid}) has not finished after {timeout_s:g} s; it still commits what it has. "
                "Wait with --timeout, or see recorder.log"
            )
        time.sleep(_POLL_S)


def _duration(milliseconds: float) -> str:
    minutes, seconds = divmod(int(milliseconds / 1000), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {seconds} s" if minutes else f"{seconds} s"
