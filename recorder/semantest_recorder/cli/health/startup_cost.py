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
_REPEATS = 3
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
    """Import times of this plugin and of every other ``pytest11`` plugin, and known running costs."""
    plugins = sorted({(point.name, point.module) for point in entry_points(group="pytest11")})
    modules = sorted({module for _, module in plugins}, key=lambda module: module != _OURS)
    try:
        took = _measured(modules)
    except (OSError, subprocess.SubprocessError, msgspec.DecodeError) as error:
        return [Check("start-up", "warn", f"could not be measured: {error}", "Check that pytest can be imported.")]
    checks = [_ours(took.get(_OURS))]
    checks += [_other(name, module, took.get(module)) for name, module in plugins if module != _OURS]
    if {"xdist", "rerunfailures"} <= {name for name, _ in plugins}:
        detail = "pytest-rerunfailures opens a socket and a thread of its own in every run with xdist"
        checks.append(Check("running cost", "ok", f"{detail}; that is not Semantest's, and needs no action"))
    return checks


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


def _other(name: str, module: str, took: float | str | None) -> Check:
    label = f"plugin {inert_line(name)}"
    if not isinstance(took, float):
        return Check(
            label, "warn", f"{module} cannot be imported: {inert_line(took or '')}", "pytest will fail to start."
        )
    detail, data = f"{took:.1f} ms at every start of pytest", {"ms": took}
    if took > _NOTABLE_MS:
        return Check(label, "warn", detail, f"Switch it off where it is not needed: `-p no:{inert_line(name)}`.", data)
    return Check(label, "ok", detail, data=data)
