"""Where a soak takes place: a project, its recorder as a user would set it up, and a clock that goes faster."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

from semantest_recorder.discovery import read_discovery
from tests.chaos.fleet import Fleet
from tests.wall_clock import WallClock

#: Two hours of history: the database is full, and cleanups delete as much as comes, before the warm-up is over.
_CONFIGURATION = """
[recorder]
log-level = "info"

[policy]
max-events-per-second = 20000

[cleanup]
older-than = "2h"
keep = 400

[plugins]
enabled = ["event-filter", "json-report", "screenshots", "performance"]
"""


class CommandFailedError(Exception):
    """A command of the user's ended with another exit code than it should."""


class NoClockError(Exception):
    """The clock cannot be turned on this machine: hours would be minutes. The text says why."""


class Place:
    """A running recorder and the programs around it, until ``close``. ``speed``: how much faster the clock goes.

    Raises ``CommandFailedError`` when the recorder does not start, ``NoClockError``.
    """

    def __init__(self, root: Path, speed: float) -> None:
        self.clock = WallClock(root)
        if self.clock.reason:
            raise NoClockError(f"the clock cannot be turned: {self.clock.reason}")
        self.fleet = Fleet(root, self.clock.environment)
        self.folder = self.fleet.folder
        self._speed = speed
        self._jumped_s = 0.0
        self._began = time.monotonic()
        (root / "semantest.toml").write_text(_CONFIGURATION)
        self._command("semantest_recorder.cli.recorder", "start")
        found = read_discovery(self.folder)
        if found is None:
            raise CommandFailedError("semantest-recorder start: there is no recorder.json")
        self.url, self.token, self.pid = found.url, found.token, found.pid

    def now_ms(self) -> float:
        """The time that the recorder and its clients have."""
        return (time.time() + self._ahead_s()) * 1000

    def keep_time(self) -> None:
        """To be called several times a second: turns everybody's clock to where it should be by now."""
        self.clock.turn(self._ahead_s())

    def turn_on(self, seconds: float) -> None:
        """So much time passes at once."""
        self._jumped_s += seconds
        self.keep_time()

    def _ahead_s(self) -> float:
        return float(int(self._jumped_s + (time.monotonic() - self._began) * (self._speed - 1)))

    async def semantest(self, *arguments: str, codes: tuple[int, ...] = (0,)) -> str:
        """What ``semantest`` prints. Raises ``CommandFailedError``."""
        return await asyncio.to_thread(self._command, "semantest_recorder.cli.semantest", *arguments, codes=codes)

    def status(self) -> dict[str, Any]:
        """What the recorder says of itself; raises ``OSError`` when it does not answer."""
        request = urllib.request.Request(f"{self.url}/api/v1/status", headers={"Authorization": f"Bearer {self.token}"})
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=60) as answer:
            found: dict[str, Any] = json.loads(answer.read())
        return found

    def close(self) -> None:
        """Ends every process of the place."""
        self.fleet.end()

    def _command(self, module: str, *arguments: str, codes: tuple[int, ...] = (0,)) -> str:
        done = subprocess.run(
            [sys.executable, "-m", module, *arguments],
            cwd=self.fleet.root,
            env=self.fleet.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )
        if done.returncode not in codes:
            told = (done.stderr or done.stdout).strip()[-500:]
            raise CommandFailedError(f"{module} {' '.join(arguments)}: exit code {done.returncode}: {told}")
        return done.stdout
