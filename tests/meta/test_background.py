"""The tests say the same in the background of a shell, which starts programs there with SIGINT ignored."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_PROGRAM = """
import runpy, signal, sys
assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
runpy.run_path(sys.argv[1])
signal.raise_signal(signal.SIGINT)
"""


def test_ctrl_c_reaches_what_tests_start() -> None:
    shell = ["sh", "-c", 'trap "" INT; exec "$@"', "sh"]
    done = subprocess.run(
        [*shell, sys.executable, "-c", _PROGRAM, ROOT / "conftest.py"], capture_output=True, text=True, check=False
    )
    assert "KeyboardInterrupt" in done.stderr
