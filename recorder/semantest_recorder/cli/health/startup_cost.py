"""What every start of pytest pays for in this environment, measured now in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import msgspec

import pytest_semantest
from semantest_recorder.cli.health.check import Check
from semantest_recorder.reports.inert import inert_line

#: A plugin that adds more milliseconds than this to every start is worth a word.
_NOTABLE_MS = 50.0
_SECONDS = 60.0
_REPEATS = 2
_OURS = "pytest_semantest.plugin"

_MEASURE = """
import sys, json
sys.path += [path for path in {folders!r} if path not in sys.path]
import importlib, time
import pytest
took = {{}}
for name in {modules!r}:
    start = time.perf_counter()
    try:
        importlib.import_module(name)
    except BaseException as error:
        took[name] = repr(error)
    else:
        took[name] = (time.perf_counter() - start) * 1000
print(json.dumps(took))
"""


def startup_checks() -> list[Check]:
    """Import times of this plugin and of every other package with ``pytest11`` plugins, and known running costs."""
    points = entry_points(group="pytest11")
    modules = sorted({point.module for point in points}, key=lambda module: (module != _OURS, module))
    try:
        took = _measured(modules)
    except (OSError, subprocess.SubprocessError, msgspec.DecodeError) as error:
        return [Check("start-up", "warn", f"could not be measured: {error}", "Check that pytest can be imported.")]
    packages: dict[str, dict[str, str]] = {}
    for point in points:
        if point.module != _OURS:
            package = point.dist.name if point.dist is not None else point.module
            packages.setdefault(package, {})[point.name] = point.module
    checks = [_ours(took.get(_OURS)), *sorted((_other(found, took) for found in packages.values()), key=_name)]
    if {"xdist", "rerunfailures"} <= {point.name for point in points}:
        detail = "pytest-rerunfailures opens a socket and a thread of its own in every run with xdist"
        checks.append(Check("running cost", "ok", f"{detail}; that is not Semantest's, and needs no action"))
    return checks


def _name(check: Check) -> str:
    return check.name


def _measured(modules: list[str]) -> dict[str, float | str]:
    """The smallest import time of each module in milliseconds, or the error that its import raised."""
    folders = [str(Path(pytest_semantest.__file__).parent.parent)]
    code = _MEASURE.format(folders=folders, modules=modules)
    best: dict[str, float | str] = {}
    for _ in range(_REPEATS):
        done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, timeout=_SECONDS, check=True)
        took = msgspec.json.decode(done.stdout.splitlines()[-1], type=dict[str, float | str])
        for module, value in took.items():
            known = best.get(module, value)
            best[module] = min(known, value) if isinstance(known, float) and isinstance(value, float) else value
    return best


def _ours(took: float | str | None) -> Check:
    if isinstance(took, float):
        return Check(
            "start-up", "ok", f"Semantest's plugin adds {took:.1f} ms when it is not active", data={"ms": took}
        )
    why = inert_line(took) if took else "it is not registered as a pytest plugin"
    return Check("start-up", "fail", f"Semantest's plugin cannot be loaded: {why}", "Reinstall pytest-semantest.")


def _other(plugins: dict[str, str], took: dict[str, float | str]) -> Check:
    """All plugins of a package together, modules by name: whichever is imported first pays for the others."""
    label = f"plugin {inert_line(min(plugins, key=len))}"
    times: list[float] = []
    for module in dict.fromkeys(plugins.values()):
        one = took.get(module)
        if not isinstance(one, float):
            why = f"{module} cannot be imported: {inert_line(one or '')}"
            return Check(label, "warn", why, "pytest will fail to start.")
        times.append(one)
    detail, data = f"{sum(times):.1f} ms at every start of pytest", {"ms": sum(times)}
    if sum(times) > _NOTABLE_MS:
        off = " ".join(f"-p no:{inert_line(name)}" for name in sorted(plugins))
        return Check(label, "warn", detail, f"Switch it off where it is not needed: `{off}`.", data)
    return Check(label, "ok", detail, data=data)
