"""The environments of cells: made by uv, which alone can resolve to the oldest releases, kept and used again."""

from __future__ import annotations

import os
import subprocess
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.matrix.cells import Cell, pinned, requirements_of
from tests.matrix.pythons import Interpreter

ROOT = Path(__file__).resolve().parents[2]
#: What the tests need beside the distribution; always the newest.
_TEST_GROUP = "pyproject.toml:cell"
_UNSOLVABLE = 1


class ToolUnavailableError(Exception):
    """uv or a package index cannot be had: nothing was found out."""


class UnsolvableError(Exception):
    """No set of releases fits what the cell asks for."""


@dataclass(frozen=True)
class Environment:
    """Where a cell's programs lie, and what is installed there: versions by canonical name."""

    folder: Path
    versions: dict[str, str]

    @property
    def programs(self) -> Path:
        """The folder of the executables."""
        return self.folder / "bin"


class Uv:
    """uv in an environment of its own below ``folder``, made when it is first needed."""

    def __init__(self, folder: Path) -> None:
        self._home = folder / "uv"

    def install(self) -> None:
        """Raises ToolUnavailableError."""
        if (self._home / "bin" / "uv").exists():
            return
        command: list[str | Path] = [ROOT / ".ci" / "environment", self._home, "--group", "matrix"]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        if done.returncode:
            raise ToolUnavailableError(f"uv could not be installed: {done.stderr[-2000:]}")

    def __call__(self, *arguments: str | Path, given: str = "") -> str:
        """What uv prints; ``given`` is its standard input. Raises UnsolvableError, ToolUnavailableError."""
        # Compared is what the cell asks for: neither a configuration of uv nor an environment that is active has a say.
        settings = {"UV_PYTHON_DOWNLOADS": "never", "UV_NO_CONFIG": "1", "UV_NO_PROGRESS": "1"}
        kept = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
        index = kept.get("PIP_INDEX_URL")
        settings |= {"UV_DEFAULT_INDEX": index} if index and "UV_DEFAULT_INDEX" not in kept else {}
        done = subprocess.run(
            [self._home / "bin" / "uv", "--quiet", *arguments],
            cwd=ROOT,
            env=kept | settings,
            input=given,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode == 0:
            return done.stdout
        said = f"uv {' '.join(map(str, arguments[:2]))}: {done.stderr[-2000:].strip()}"
        raise UnsolvableError(said) if done.returncode == _UNSOLVABLE else ToolUnavailableError(said)


def required() -> list[str]:
    """The requirements of the distribution as pyproject.toml writes them."""
    with open(ROOT / "pyproject.toml", "rb") as file:
        listed: list[str] = tomllib.load(file)["project"]["dependencies"]
    return listed


def newest_pre_release(uv: Uv, python: Interpreter) -> str | None:
    """pytest's pre-release when it is newer than the newest release, else ``None``; raises what ``Uv`` raises."""
    # A bound that is a pre-release itself lets uv take others.
    versions = [
        pinned(_compile(uv, python, [wanted], "--no-deps"))["pytest"] for wanted in ("pytest", "pytest>=8.2.0a0")
    ]
    release, newest = versions
    return None if newest == release else newest


def prepare(uv: Uv, cell: Cell, python: Interpreter, folder: Path, wheel: Path, pre_release: str | None) -> Environment:
    """The cell's environment with the wheel installed; only what changed is done again. Raises what ``Uv`` raises."""
    requires = required()
    oldest = pinned(_compile(uv, python, requires, "--resolution", "lowest-direct"))
    wanted = requirements_of(cell, requires, oldest, pre_release)
    # Tests that build and install packages need pip.
    compiled = _compile(uv, python, [*wanted, "pip"], "--group", _TEST_GROUP)
    home = folder / cell.name
    interpreter = home / "bin" / "python"
    if not interpreter.exists():
        uv("venv", "--clear", "--python", python.path, home)
    target = ("--python", interpreter)
    uv("pip", "sync", *target, "-", given=compiled)
    uv("pip", "install", *target, "--no-deps", "--reinstall", wheel)
    uv("pip", "check", *target)
    return Environment(home, pinned(uv("pip", "freeze", *target)))


def _compile(uv: Uv, python: Interpreter, wanted: Sequence[str], *options: str) -> str:
    return uv(
        "pip",
        "compile",
        "--no-header",
        "--no-annotate",
        "--python",
        python.path,
        *options,
        "-",
        given="\n".join(wanted),
    )
