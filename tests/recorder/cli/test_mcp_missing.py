"""``semantest mcp`` where the extra is not installed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.recorder.cli.project import SECONDS
from tests.user_environment import user_environment

_WITHOUT = """
import sys
sys.modules["mcp"] = None
from semantest_recorder.cli.semantest import main
main(["mcp"])
"""


def test_one_line_says_how_to_install_it(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _WITHOUT],
        cwd=tmp_path,
        env=user_environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert "uvx --from 'pytest-semantest[mcp]' semantest mcp" in line
