"""Which recorder to ship to: the one that was named, else the project's own, which is started when it is not there."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from shlex import quote

from filelock import FileLock, Timeout

from pytest_semantest.protocol.configuration_files import find_configuration
from pytest_semantest.protocol.discovery_file import discard_abandoned, serving_recorder
from pytest_semantest.protocol.effective import plugin_settings
from pytest_semantest.protocol.layout import DISCOVERY, RECORDER_LOG, STARTING_LOCK
from pytest_semantest.protocol.liveness import process_exists
from pytest_semantest.protocol.lock_holders import has_recorder, has_starter
from pytest_semantest.protocol.private_folder import require_private_folder
from pytest_semantest.protocol.recorder_log import MOST_BYTES, last_words, open_log
from pytest_semantest.protocol.version import OLDEST_PROTOCOL
from pytest_semantest.shipper.diagnostics import Log
from pytest_semantest.shipper.spawn import shipper_environment

#: When a recorder that nobody configured otherwise ends.
IDLE_TIMEOUT_S = 600
#: How long a started recorder may take to be found, and how long to wait before another one is started.
START_S = 15.0
#: The exit code of a recorder whose options or configuration cannot be used.
_WRONG_OPTIONS = 2
#: The exit code of a recorder that found another one at work.
_ALREADY_SERVES = 4
#: What tells one version of a file from the next; empty when there is none.
FileFacts = tuple[int, ...]

_RECORDER = """\
import sys
sys.path.append({folder!r})
from semantest_recorder.cli.recorder import main
main()
"""


class UnreachableError(Exception):
    """There is no recorder to ship to; the text says why in one line.

    ``lasts``: nor later, until somebody corrects what is wrong.
    """

    def __init__(self, reason: str, *, lasts: bool = False) -> None:
        super().__init__(reason)
        self.lasts = lasts


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a recorder listens."""

    url: str
    token: str | None


class Rendezvous:
    """Finds the recorder of ``directory`` (the ``.semantest`` folder), or the one at ``url``.

    ``runs_tests``: the tests of the project run, so that its recorder may load the modules of the project, too.
    """

    def __init__(
        self, directory: Path, log: Log, *, url: str | None = None, token: str | None = None, runs_tests: bool = True
    ) -> None:
        self._directory = directory
        self._log = log
        self._runs_tests = runs_tests
        self._named = Endpoint(url, token) if url else None
        self._starting_until = 0.0
        self._child: subprocess.Popen[bytes] | None = None
        self._log_start = 0
        self._lock: FileLock | None = None
        #: The discovery files at whose address nobody answered, and to whose recorder a started one has left.
        self._distrusted: FileFacts | None = None
        self._forestalled_by: FileFacts | None = None
        self._seen: FileFacts = ()

    @property
    def named_url(self) -> str | None:
        """The address of the recorder that was named, ``None`` when it is the project's own."""
        return self._named.url if self._named is not None else None

    def find(self, now: float) -> Endpoint | None:
        """The recorder, or ``None`` while one is being started; ``now`` in seconds of a monotonic clock.

        Raises ``UnreachableError`` when there is none and none can be started.
        """
        if self._named is not None:
            return self._named
        self._seen = _facts(self._directory / DISCOVERY)
        endpoint = self._discovered()
        if endpoint is not None and self._seen != self._distrusted:
            self._arrived()
            return endpoint
        if self._starting_until == 0:
            if self._seen == self._forestalled_by and has_recorder(self._directory):
                return self._elsewhere(endpoint)
            self._start(now)
            return None
        if self._child is None and not has_starter(self._directory):
            self._starting_until = 0.0  # whoever was starting one has found it, or has given up
            return None
        ended = None if self._child is None else self._child.poll()
        if ended == _ALREADY_SERVES:
            self._forestalled_by = self._seen
            if endpoint is not None:
                self._arrived()
                return endpoint
        elif ended is not None:
            self._arrived()
            raise UnreachableError(self._why_it_ended(), lasts=ended == _WRONG_OPTIONS)
        if now > self._starting_until:
            self._arrived()
            raise UnreachableError(f"the recorder did not come up; {self._directory / RECORDER_LOG} may say why")
        return None

    def failed(self, endpoint: Endpoint) -> None:
        """Nobody answers at ``endpoint``: another recorder is started, unless the one there turns out to live."""
        if endpoint != self._named:
            self._distrusted = self._seen

    def _elsewhere(self, endpoint: Endpoint | None) -> Endpoint:
        """The recorder that serves the folder and was not reached: no other one can start, so it is tried again."""
        if endpoint is not None:
            return endpoint
        raise UnreachableError(
            f"a recorder that cannot be seen from here, in another container say, serves {self._directory}"
        )

    def _why_it_ended(self) -> str:
        path = self._directory / RECORDER_LOG
        reason = last_words(self._directory, self._log_start)
        return f"the recorder ended at once: {reason} [{path}]" if reason else f"the recorder ended at once, see {path}"

    def _discovered(self) -> Endpoint | None:
        found = serving_recorder(self._directory)
        if found is None or not process_exists(found.pid):
            return None
        if found.protocol_version < OLDEST_PROTOCOL:
            speaks = f"the recorder at {found.url} speaks protocol {found.protocol_version}"
            raise UnreachableError(f"{speaks}, {OLDEST_PROTOCOL} is needed: stop it and upgrade")
        return Endpoint(found.url, found.token)

    def _start(self, now: float) -> None:
        if not self._runs_tests:
            _refuse_reach(self._directory)
        lock = FileLock(self._directory / STARTING_LOCK)
        self._starting_until = now + START_S
        self._child = None  # an earlier one is not to blame for what comes now
        try:
            lock.acquire(timeout=0)
        except Timeout:
            return  # another shipper starts one
        except OSError as error:
            self._starting_until = 0.0
            raise UnreachableError(f"{self._directory} cannot be written: {error.strerror}") from None
        self._lock = lock
        self._log_start = _log_start(self._directory / RECORDER_LOG)
        try:
            self._child = start_recorder(self._directory, os.environ)
        except (OSError, UnreachableError) as error:
            self._arrived()
            raise UnreachableError(f"no recorder can be started: {error}") from None
        self._log(f"started a recorder, process {self._child.pid}")

    def _arrived(self) -> None:
        """Starting is over, one way or the other."""
        self._starting_until = 0.0
        if self._lock is not None:
            self._lock.release()
            self._lock = None


def _refuse_reach(directory: Path) -> None:
    """Raises ``UnreachableError`` when a recorder of the folder would run code beside it, or write elsewhere.

    Who only reads what somebody recorded, an artifact of CI say, does not want that.
    """
    found = find_configuration(str(directory))
    if found is None:
        return
    plugins = plugin_settings({}, found)
    folders = [options["folder"] for options in plugins.options.values() if "folder" in options]
    reach = "load modules" if plugins.modules else ""
    if not all(_is_inside(folder, directory) for folder in folders):
        reach = reach or "write to another folder"
    if reach:
        told = f"no recorder is started for that: by {' and '.join(found.files)} it would {reach}"
        advice = f"when you trust that, run: semantest-recorder start --directory {quote(str(directory))}"
        raise UnreachableError(f"{told}; {advice}", lasts=True)


def _is_inside(folder: object, directory: Path) -> bool:
    """Whether a folder that a plugin is told, as the plugin reads it, lies in ``directory``, links followed."""
    try:
        place = (directory / Path(str(folder)).expanduser()).resolve()
        return place.is_relative_to(directory.resolve())
    except (OSError, RuntimeError, ValueError):  # a loop of links, a user or a path that is none
        return False


def start_recorder(directory: Path, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """Starts the recorder of ``directory`` detached: its own session, no descriptor of ours.

    Raises ``UnreachableError`` when it is not installed, ``OSError`` when it cannot be started, or when others could
    have put something into the folder.
    """
    found = importlib.util.find_spec("semantest_recorder")
    if found is None or found.origin is None:
        raise UnreachableError("semantest_recorder is not installed beside pytest_semantest")
    code = _RECORDER.format(folder=str(Path(found.origin).parent.parent))
    arguments = ["serve", "--directory", str(directory), "--on-demand", str(IDLE_TIMEOUT_S)]
    require_private_folder(str(directory))
    discard_abandoned(directory)
    with os.fdopen(open_log(directory), "ab") as output:
        return subprocess.Popen(
            [sys.executable, "-I", "-c", code, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=directory,
            env=shipper_environment(environment),
            start_new_session=True,
            close_fds=True,
        )


def _facts(path: Path) -> FileFacts:
    try:
        found = path.stat()
    except OSError:
        return ()
    return found.st_dev, found.st_ino, found.st_mtime_ns, found.st_size


def _log_start(path: Path) -> int:
    """Where the next recorder's log will begin; one that has grown large is turned over first."""
    try:
        size = path.stat().st_size
    except OSError:
        return 0  # there is none; what else is wrong is met when it is opened
    return size if size <= MOST_BYTES else 0
