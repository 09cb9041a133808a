"""The shipper as pytest sees it: start it, see how far it is, wait for it for a bounded time.

No import of ``subprocess`` (4 ms) and no child of pytest's that stays: ``sh`` starts the shipper in a session of its
own and exits, so ``os.wait()`` in a test never meets it and Ctrl-C never reaches it.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from contextlib import suppress
from typing import Any

from pytest_semantest.protocol.layout import DISCOVERY, SHIP_LOCK, SHIP_STATE
from pytest_semantest.settings import Settings
from pytest_semantest.shipper.spawn import shipper_environment, spawn_command

_RELAUNCHES = 5
_POLL_S = 0.02
_LOOK_S = 1.0
#: States of ship.json in which waiting longer cannot help.
_HOPELESS = ("unreachable", "refused", "stopped")


class Shipper:
    """The shipper of one session; ``folder`` is ``.semantest/sessions/<session>``."""

    _sleep = time.sleep
    _monotonic = time.monotonic
    _open = os.open
    _close = os.close
    _flock = fcntl.flock
    _spawn = os.posix_spawn
    _waitpid = os.waitpid
    _read_file = open
    _loads = json.loads

    def __init__(self, folder: str, session: str, settings: Settings) -> None:
        self._state_path = os.path.join(folder, SHIP_STATE)
        self._lock_path = os.path.join(folder, SHIP_LOCK)
        self._discovery_path = os.path.join(settings.directory, DISCOVERY)
        self._arguments = spawn_command(settings.directory, session, url=settings.url or None)
        self._environment = shipper_environment(os.environ, token=settings.token or None, redact=settings.redact)
        self._launches = 0

    def launch(self) -> None:
        """Start a shipper. Raises ``OSError`` when there is no ``/bin/sh``."""
        self._launches += 1
        pid = Shipper._spawn(
            "/bin/sh",
            ["sh", "-c", '"$0" "$@" </dev/null >/dev/null 2>&1 &', *self._arguments],
            self._environment,
            setsid=True,
        )
        with suppress(ChildProcessError):  # where SIGCHLD is ignored, or a handler of the user's takes every child
            Shipper._waitpid(pid, 0)

    def relaunch_if_dead(self) -> None:
        """Start another shipper when nobody holds the session's lock; a pid may be a zombie's or somebody else's."""
        if self._launches > _RELAUNCHES or (self.state() or {}).get("state") == "done":
            return
        try:
            fd = Shipper._open(self._lock_path, os.O_RDWR | os.O_CLOEXEC)
        except OSError:
            return  # it has not come so far
        try:
            Shipper._flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return
        finally:
            Shipper._close(fd)
        self.launch()

    def state(self) -> dict[str, Any] | None:
        """What ship.json says, or ``None`` when there is none yet."""
        return self._object_in(self._state_path)

    def elsewhere(self, state: dict[str, Any] | None) -> str | None:
        """The address of the recorder that the session is meant for, ``None`` when it is the project's own."""
        if state is None or state.get("named") is not True:
            return None
        from pytest_semantest.protocol.destination import destination  # noqa: PLC0415 - only where one was named

        return destination(state, (self._object_in(self._discovery_path) or {}).get("url"))

    @staticmethod
    def _object_in(path: str) -> dict[str, Any] | None:
        # As protocol/small_file.py does it, which looks functions up that a test may have replaced.
        try:
            with Shipper._read_file(path, "rb") as file:
                found = Shipper._loads(file.read())
        except (OSError, ValueError):
            return None
        return found if isinstance(found, dict) else None

    def wait(self, seconds: float, acked: int, worker: str) -> dict[str, Any] | None:
        """Wait until all up to ``acked`` of ``worker`` and everything else is acknowledged; the last state seen.

        Stops at once when the shipper says that nothing can be reached or the user presses Ctrl-C, and after
        ``seconds`` in any case. A shipper that died meanwhile is replaced.
        """
        try:
            return self._wait(seconds, acked, worker)
        except KeyboardInterrupt:
            return self.state()

    def _wait(self, seconds: float, acked: int, worker: str) -> dict[str, Any] | None:
        now = Shipper._monotonic()
        deadline, next_look = now + seconds, now + _LOOK_S
        while True:
            state = self.state()
            if state is not None and is_done(state, acked, worker):
                return state
            if state is not None and state.get("state") in _HOPELESS:
                return state
            now = Shipper._monotonic()
            if now >= deadline:
                return state
            if now >= next_look:
                next_look = now + _LOOK_S
                self.relaunch_if_dead()
            Shipper._sleep(_POLL_S)


def is_done(state: dict[str, Any], acked: int, worker: str) -> bool:
    """Whether all of the session is acknowledged, and of ``worker`` at least all up to ``acked``."""
    source = state.get("sources", {}).get(worker, {})
    return state.get("state") == "done" and int(source.get("acked", 0)) >= acked
