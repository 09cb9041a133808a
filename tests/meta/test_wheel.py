"""What is tested is what people install: `make test` sets SEMANTEST_TEST_WHEEL and every process must use the wheel."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
from importlib import metadata
from pathlib import Path

import pytest

import pytest_semantest
import semantest_recorder

ROOT = Path(__file__).resolve().parents[2]
INSTALLED = Path(sysconfig.get_path("purelib")).resolve()

wheel_only = pytest.mark.skipif(
    os.environ.get("SEMANTEST_TEST_WHEEL") != "1", reason="not against the wheel (`make test-wheel` does that)"
)


@wheel_only
@pytest.mark.parametrize("package", [pytest_semantest, semantest_recorder])
def test_this_process_imports_the_installed_wheel(package: object) -> None:
    assert Path(str(getattr(package, "__file__", ""))).resolve().is_relative_to(INSTALLED)


@wheel_only
def test_a_new_process_in_the_checkout_imports_the_installed_wheel() -> None:
    code = "import json, pytest_semantest as a, semantest_recorder as b; print(json.dumps([a.__file__, b.__file__]))"
    done = subprocess.run([sys.executable, "-P", "-c", code], cwd=ROOT, capture_output=True, check=True)
    assert all(Path(file).resolve().is_relative_to(INSTALLED) for file in json.loads(done.stdout))


@wheel_only
def test_the_wheel_holds_every_file_of_both_packages() -> None:
    shipped = {str(file) for file in metadata.files("pytest-semantest") or ()}
    here = {
        str(file.relative_to(base))
        for base, package in ((ROOT, "pytest_semantest"), (ROOT / "recorder", "semantest_recorder"))
        for file in (base / package).rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }
    assert here
    assert sorted(here - shipped) == []


def test_both_commands_are_installed() -> None:
    scripts = {
        entry.name for entry in metadata.distribution("pytest-semantest").entry_points.select(group="console_scripts")
    }
    assert scripts == {"semantest", "semantest-recorder"}
    for script in scripts:
        done = subprocess.run([Path(sys.executable).parent / script, "--version"], capture_output=True, check=True)
        assert pytest_semantest.__version__ in done.stdout.decode()
