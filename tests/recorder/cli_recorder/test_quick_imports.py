"""Quick imports leave the interpreter as they found it."""

from __future__ import annotations

import gc
import os
import subprocess
import sys

import pytest

from semantest_recorder.quick_imports import quick_imports


def test_everything_is_as_before_also_after_a_failure() -> None:
    with quick_imports():
        assert not gc.isenabled()
    with pytest.raises(ImportError), quick_imports():
        raise ImportError
    assert gc.isenabled()


def test_the_command_itself_imports_nothing_heavy() -> None:
    program = """
import sys
import semantest_recorder.cli.recorder
heavy = {"aiohttp", "asyncio", "msgspec", "filelock", "sqlite3", "rich", "psutil"} & set(sys.modules)
assert not heavy, heavy
"""
    unmeasured = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
    subprocess.run([sys.executable, "-c", program], check=True, env=unmeasured)
