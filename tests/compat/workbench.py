"""Where a package's suite is run: its own environment with this project's wheel, and its unpacked source."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.compat.outcomes import Observed, parse_junit, parse_summary
from tests.compat.packages import Package

ROOT = Path(__file__).resolve().parents[2]
RUN_TIMEOUT = 1800
PIP = ("-m", "pip", "--quiet", "--disable-pip-version-check")


class IndexUnavailableError(Exception):
    """The package index did not give what was asked for."""


class SuiteBrokenError(Exception):
    """The suite could not be run or observed, so that there is nothing to compare."""


@dataclass(frozen=True)
class Workbench:
    """One package, ready to be tested; everything lies below ``folder``."""

    package: Package
    folder: Path
    source: Path

    @property
    def programs(self) -> Path:
        """The folder of the environment's executables."""
        return self.folder / "environment" / "bin"


def build_wheel(folder: Path) -> Path:
    """The wheel of the checkout, built into ``folder``; raises IndexUnavailableError when pip cannot build it."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("pytest_semantest-*.whl"):
        old.unlink()
    _pip("wheel", "--no-deps", "--wheel-dir", str(folder), str(ROOT))
    return next(folder.glob("pytest_semantest-*.whl"))


def prepare(package: Package, folder: Path, wheel: Path) -> Workbench:
    """Downloads, unpacks and installs what is not there yet; raises IndexUnavailableError when it cannot be had."""
    folder.mkdir(parents=True, exist_ok=True)
    source = _source(package, folder)
    python = folder / "environment" / "bin" / "python"
    into = ("--python", str(python), "install", "--no-compile")
    if python.exists():
        _pip(*into, "--force-reinstall", "--no-deps", str(wheel))
    else:
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder / "environment")], check=True)
    # All at once: the wheel's own requirements must not move the package under test.
    _pip(*into, package.pin, *package.requirements, str(wheel))
    return Workbench(package, folder, source)


def run_suite(bench: Workbench, name: str, arguments: Sequence[str], *, recorded: bool) -> Observed:
    """Runs the suite once and observes it; its files lie in ``runs/<name>``. Raises SuiteBrokenError."""
    run = bench.folder / "runs" / name
    run.mkdir(parents=True, exist_ok=True)
    junit, log = run / "junit.xml", run / "output.log"
    junit.unlink(missing_ok=True)
    plugin = ["--semantest"] if recorded else ["-p", "no:semantest"]
    command = [str(bench.programs / "pytest"), "-p", "no:cacheprovider", f"--junitxml={junit}", *plugin]
    with open(log, "wb") as output:
        done = subprocess.run(
            [*command, *bench.package.arguments, *arguments],
            cwd=bench.source,
            env=_suite_environment(bench, run),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            timeout=RUN_TIMEOUT,
            check=False,
        )
    text = log.read_text(errors="replace")
    try:
        return Observed(done.returncode, parse_junit(junit.read_bytes()), parse_summary(text))
    except (OSError, LookupError) as error:
        raise SuiteBrokenError(f"{bench.package.name} {name}: {error}\n{text[-3000:]}") from error


def read_report(bench: Workbench, name: str) -> Mapping[str, Any]:
    """``semantest report --json`` of a recorded run; stops its recorder. Raises SuiteBrokenError."""
    run = bench.folder / "runs" / name
    environment = _suite_environment(bench, run)
    try:
        done = subprocess.run(
            [str(bench.programs / "semantest"), "report", "--json"],
            cwd=run,
            env=environment,
            capture_output=True,
            timeout=RUN_TIMEOUT,
            check=False,
        )
    finally:
        stop = [str(bench.programs / "semantest-recorder"), "stop"]
        subprocess.run(stop, cwd=run, env=environment, check=False, capture_output=True)
    if done.returncode not in (0, 1):
        raise SuiteBrokenError(f"{bench.package.name} {name}: semantest report: {done.stderr.decode()[-2000:]}")
    report: Mapping[str, Any] = json.loads(done.stdout)
    return report


def _suite_environment(bench: Workbench, run: Path) -> dict[str, str]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTEST", "PYTHON", "SEMANTEST", "COV", "CI", "VIRTUAL_ENV"))
    }
    path = f"{bench.programs}{os.pathsep}{kept.get('PATH', '')}"
    return {**kept, "PATH": path, "PYTHONHASHSEED": "0", "SEMANTEST_DIR": str(run / "semantest")}


def _source(package: Package, folder: Path) -> Path:
    """The unpacked source distribution."""
    unpacked = folder / f"source-{package.version}"
    if not unpacked.exists():
        environment = {**os.environ, **package.build_environment}
        download = ("download", "--no-deps", "--no-binary", package.name, "--dest", str(folder), package.pin)
        _pip(*download, environment=environment)
        archives = sorted(folder.glob("*.tar.gz"))
        if len(archives) != 1:
            raise IndexUnavailableError(f"{package.pin}: one source archive expected, found {archives}")
        with tarfile.open(archives[0]) as archive:
            if hasattr(tarfile, "data_filter"):
                archive.extractall(unpacked, filter="data")
            else:  # Python 3.11 before 3.11.4, as in Debian 12; the archives are pinned and pip has just built them
                archive.extractall(unpacked)
        archives[0].unlink()
    inner = [entry for entry in unpacked.iterdir() if entry.is_dir()]
    return inner[0]


def _pip(*arguments: str, environment: Mapping[str, str] | None = None) -> None:
    done = subprocess.run(
        [sys.executable, *PIP, *arguments], env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise IndexUnavailableError(f"pip {' '.join(arguments)}\n{done.stderr[-2000:]}")
