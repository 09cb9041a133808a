"""The CPythons of this machine: on PATH, of pyenv, and the one that runs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

_ASK = (
    "import json, sys; print(json.dumps([sys.implementation.name, sys.version_info[:3], sys.version_info[3],"
    " getattr(sys, '_base_executable', None) or sys.executable]))"
)
_ANSWER_S = 60


@dataclass(frozen=True, order=True)
class Interpreter:
    """A released CPython 3; ``version`` such as ``(3, 11, 7)``."""

    version: tuple[int, int, int]
    path: Path

    @property
    def minor(self) -> int:
        """The N of Python 3.N."""
        return self.version[1]


def find_pythons(minors: Iterable[int]) -> dict[int, Interpreter]:
    """By minor version, of several the one with the newest patch release."""
    wanted = set(minors)
    found: dict[int, Interpreter] = {}
    for candidate in dict.fromkeys(_candidates(wanted)):
        interpreter = ask(candidate)
        if interpreter is None or interpreter.minor not in wanted:
            continue
        best = found.get(interpreter.minor)
        if best is None or interpreter.version > best.version:
            found[interpreter.minor] = interpreter
    return dict(sorted(found.items()))


def ask(path: Path) -> Interpreter | None:
    """What the program says of itself; ``None`` for one that is no released CPython 3, or does not run."""
    try:
        done = subprocess.run(
            [path, "-I", "-c", _ASK], capture_output=True, check=True, timeout=_ANSWER_S, stdin=subprocess.DEVNULL
        )
        name, (major, minor, patch), level, executable = json.loads(done.stdout)
    except (OSError, subprocess.SubprocessError, ValueError):
        return None  # pyenv's shims are there for versions that are not chosen, too
    if (name, major, level) != ("cpython", 3, "final"):
        return None
    return Interpreter((major, minor, patch), Path(executable))


def _candidates(minors: set[int]) -> Iterator[Path]:
    yield Path(sys.executable)
    names = ["python3", *(f"python3.{minor}" for minor in sorted(minors))]
    folders = [Path(folder) for folder in os.environ.get("PATH", "").split(os.pathsep) if folder]
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    folders += sorted(pyenv.glob("versions/*/bin"))
    for folder in folders:
        for name in names:
            if (folder / name).is_file():
                yield folder / name
