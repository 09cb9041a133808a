"""Runs that wait to be sent somewhere, and the thread that sends them: whoever queues one waits for nothing."""

from __future__ import annotations

import logging
from collections.abc import Callable
from threading import Condition, Thread
from time import monotonic
from typing import Any, Final

#: So many runs wait at most; of those beyond the oldest is given up.
MOST_RUNS: Final = 1000
#: After so many attempts a run is given up: with the pauses that is half an hour. Sooner when it is at fault itself.
TRIES: Final = 36
OWN_TRIES: Final = 3
_LONGEST_PAUSE_S: Final = 60.0


class NotSentError(Exception):
    """Nobody takes anything now; the text says why."""


def pause_s(failures: int) -> float:
    """For how many seconds nothing is tried after so many failures in a row (pure)."""
    return min(_LONGEST_PAUSE_S, 2.0 ** (failures - 1))


class ExportQueue:
    """Calls ``send`` with the id of each run, one after the other, in a thread of its own; again when it raises.

    ``send`` may block. After ``NotSentError`` nothing is sent for a pause (see ``pause_s``), then the same run; after
    any other exception the others come first.
    """

    def __init__(
        self, send: Callable[[str], None], log: logging.Logger, pause: Callable[[int], float] = pause_s
    ) -> None:
        self._send = send
        self._log = log
        self._pause = pause
        #: By run, how often it was tried; in the order in which they are sent.
        self._runs: dict[str, int] = {}
        self._sending: str | None = None
        self._tries = 0
        self._paused = False
        self._changed = Condition()
        self._closing = False
        self._exported = self._failures = self._dropped = 0
        self._last_error: str | None = None
        self._thread: Thread | None = None

    def put(self, run_id: str) -> None:
        """Queues a run; one that waits already waits on."""
        with self._changed:
            if self._closing:
                return
            if self._thread is None:
                self._thread = Thread(target=self._work, name="semantest-export", daemon=True)
                self._thread.start()
            self._runs.setdefault(run_id, 0)
            if len(self._runs) > MOST_RUNS:
                self._give_up(next(iter(self._runs)), f"more than {MOST_RUNS} runs wait")
            self._changed.notify_all()

    def finish(self, within_s: float) -> list[str]:
        """Waits for what is queued, no longer than ``within_s`` seconds, and not for a pause; gives what is left.

        Nothing is queued any more. Blocks.
        """
        ends_s = monotonic() + within_s
        with self._changed:
            while (self._runs or self._sending) and not self._paused and (left := ends_s - monotonic()) > 0:
                self._changed.wait(left)
            self._closing = True
            self._changed.notify_all()
            return list(dict.fromkeys([*([self._sending] if self._sending else []), *self._runs]))

    def status(self) -> dict[str, Any]:
        """``queued``, and ``exported``, ``failures`` and ``dropped`` since the start; ``lastError``."""
        with self._changed:
            return {
                "queued": len(self._runs) + (self._sending is not None),
                "exported": self._exported,
                "failures": self._failures,
                "dropped": self._dropped,
                "lastError": self._last_error,
            }

    def _work(self) -> None:
        refused = 0
        while (run_id := self._next(self._pause(refused) if refused else 0.0)) is not None:
            error: Exception | None = None
            try:
                self._send(run_id)
            except Exception as raised:  # noqa: BLE001 - whatever it is, the thread goes on
                error = raised
            refused = refused + 1 if isinstance(error, NotSentError) else 0
            with self._changed:
                self._sending = None
                if error is None:
                    self._exported += 1
                else:
                    self._failed(run_id, error, refused)
                self._changed.notify_all()

    def _next(self, pause_s: float) -> str | None:
        """The run that is sent next, after a pause; ``None`` at the end."""
        ends_s = monotonic() + pause_s
        with self._changed:
            self._paused = pause_s > 0
            self._changed.notify_all()
            while not self._closing and (not self._runs or monotonic() < ends_s):
                self._changed.wait(ends_s - monotonic() if self._runs else None)
            self._paused = False
            if self._closing:
                return None
            self._sending = next(iter(self._runs))
            self._tries = self._runs.pop(self._sending)
            return self._sending

    def _failed(self, run_id: str, error: Exception, refused: int) -> None:
        told = str(error) if refused else f"{type(error).__name__}: {error}"
        tries, fields = self._tries + 1, {"run": run_id}
        self._failures += 1
        self._last_error = told[:1000]
        if tries >= (TRIES if refused else OWN_TRIES):
            self._give_up(run_id, told)
            return
        self._runs = {run_id: tries, **self._runs} if refused else {**self._runs, run_id: tries}
        if self._closing:
            return  # the end says how many are left
        if not refused or str(refused).strip("0") == "1":  # the first in a row, the tenth, ...
            self._log.warning("run %s was not sent, trying on: %s", run_id, told[:1000], extra={"fields": fields})

    def _give_up(self, run_id: str, reason: str) -> None:
        self._runs.pop(run_id, None)
        self._dropped += 1
        self._log.error("run %s is given up: %s", run_id, reason, extra={"fields": {"run": run_id}})
