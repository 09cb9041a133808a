"""A whole session on a disk that has no room for its journal, or whose journal somebody deletes."""

from __future__ import annotations

import re
import subprocess

import pytest

from pytest_semantest.protocol.record import Damage, Record, scan
from tests.plugin.conftest import Record_, Recorded
from tests.recorder.small_disk import small_disk

pytestmark = pytest.mark.hazard(15)


def said(recorded: Recorded) -> list[str]:
    return [line for line in recorded.result.outlines if re.match("semantest: (?!recording to|not all shipped)", line)]


def test_a_disk_that_gets_full(pytester: pytest.Pytester, record: Record_) -> None:
    pytester.makepyfile(
        """
        import pytest
        @pytest.mark.parametrize("n", range(40))
        def test_n(n):
            print("x" * 5000)
            assert n % 2
        """
    )
    with small_disk(pytester.path / "small", "64k") as disk:
        recorded = record("--tb=no", f"--semantest-dir={disk}/kept")
        recorded.result.assert_outcomes(passed=20, failed=20)
        assert recorded.result.ret == 1
        (journal,) = disk.glob("kept/sessions/*/main.journal")
        items = list(scan(journal.read_bytes(), final=True))
    kept = [item.seq for item in items if isinstance(item, Record)]
    assert kept[:3] == [1, 2, 3]
    assert sum(isinstance(item, Damage) for item in items) <= 1
    problem, lost = (line for line in said(recorded) if "LOST" not in line)
    assert re.fullmatch(r"semantest: cannot write .*main\.journal: .*(full|No space left).*", problem)
    # Two records of each test, one more of each that failed; run/start, run/plan and run/end.
    assert re.match(rf"semantest: {40 * 2 + 20 + 3 - len(kept)} events are lost: ", lost)


def test_a_disk_that_is_read_only(pytester: pytest.Pytester, record: Record_) -> None:
    pytester.makepyfile("def test_a(): pass\ndef test_b(): assert 0")
    with small_disk(pytester.path / "small", "64k") as disk:
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        recorded = record("--tb=no", f"--semantest-dir={disk}/kept")
    recorded.result.assert_outcomes(passed=1, failed=1)
    assert recorded.result.ret == 1
    (line,) = said(recorded)
    assert re.fullmatch(r"semantest: not recording: cannot write .*/small/kept.*: Read-only file system; .*", line)


def test_a_folder_that_a_test_deletes(pytester: pytest.Pytester, record: Record_) -> None:
    pytester.makepyfile(
        """
        import os, shutil
        def test_deletes():
            shutil.rmtree(".semantest")
            os.closerange(100, 4096)
        def test_after(): pass
        def test_last(): pass
        """
    )
    recorded = record(subprocess=True)
    recorded.result.assert_outcomes(passed=3)
    assert recorded.result.ret == 0
    problem, lost = said(recorded)
    assert re.fullmatch(r"semantest: cannot write .*main\.journal: No such file or directory", problem)
    assert lost.startswith("semantest: 6 events are lost: ")
