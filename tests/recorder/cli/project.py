"""A user's project on disk, its pytest and its ``semantest`` in processes of their own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from textwrap import dedent
from typing import Any

from tests.leftovers import end_processes_of
from tests.recorder.cli.command import semantest_in
from tests.user_environment import user_environment

SECONDS = 90.0
#: Wait for the last acknowledgement however slow the machine is.
_PATIENT = ("-p", "no:cacheprovider", "--semantest-flush-timeout", "60")


class Project:
    """A folder with tests. ``close`` ends what still runs in it: recorders, shippers and what is in the background."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.folder = root / ".semantest"
        self._background: list[subprocess.Popen[str]] = []
        self.environment = user_environment()
        (root / "pytest.ini").write_text("[pytest]\n")

    def write(self, name: str, text: str) -> None:
        (self.root / name).write_text(dedent(text))

    def pytest(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "pytest", "--semantest", *_PATIENT, *arguments]
        return self._run(command)

    def background_pytest(self, *arguments: str) -> subprocess.Popen[str]:
        """Recorded pytest in the background, its output in pipes."""
        return self._popen([sys.executable, "-m", "pytest", "--semantest", *_PATIENT, *arguments])

    def semantest(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return self._run([sys.executable, "-m", "semantest_recorder.cli.semantest", *arguments], **environment)

    def recorder(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """``semantest-recorder``."""
        return self._run([sys.executable, "-m", "semantest_recorder.cli.recorder", *arguments])

    def run_script(self, script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """The installed console script."""
        return self._run([script, *arguments])

    def popen(self, *arguments: str, stdout: int = subprocess.PIPE) -> subprocess.Popen[str]:
        """``semantest`` in the background, its output in pipes, unless ``stdout`` is a terminal; Ctrl-C reaches it."""
        return self._popen([sys.executable, "-m", "semantest_recorder.cli.semantest", *arguments], stdout)

    def _popen(self, command: list[str], stdout: int = subprocess.PIPE) -> subprocess.Popen[str]:
        pipe = subprocess.PIPE
        process = subprocess.Popen(command, cwd=self.root, env=self.environment, stdout=stdout, stderr=pipe, text=True)
        self._background.append(process)
        return process

    def json(self, *arguments: str) -> Any:
        """What ``semantest`` gives to programs, in this process."""
        return semantest_in(self.root, self.environment, *arguments, "--json").json

    def close(self) -> None:
        for process in self._background:
            process.kill()
            process.wait()
            for stream in (process.stdout, process.stderr):
                if stream is not None:
                    stream.close()
        end_processes_of(self.root)

    def stop_recorder(self) -> None:
        if (self.folder / "recorder.json").exists():
            self.recorder("stop")

    def _run(self, command: list[str], **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            cwd=self.root,
            env=self.environment | environment,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
