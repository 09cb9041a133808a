"""Steps, logs and attachments from a real recorded run to show, report and recover."""

from __future__ import annotations

import hashlib
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.recorder.cli.project import Project

SUITE = """
    import os, signal

    def test_buy(semantest, tmp_path):
        with semantest.step("search"):
            semantest.log("typing", query="socks")
            semantest.event("custom/cart", {"total": 19.9})
        with semantest.step("pay"):
            semantest.attach(b"receipt", name="receipt.bin")
            assert 1 == 2

    def test_fine(semantest):
        with semantest.step("look around"):
            semantest.attach("all fine", name="note.txt")
"""
RECEIPT = hashlib.sha256(b"receipt").hexdigest()


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    made = Project(tmp_path)
    yield made
    made.close()


def test_show_and_report_tell_the_story_and_where_attachments_are(project: Project) -> None:
    project.write("test_shop.py", SUITE)
    assert project.pytest().returncode == 1
    place = project.folder / "artifacts" / RECEIPT[:2] / RECEIPT
    assert place.read_bytes() == b"receipt"
    for arguments in (("show", "test_buy"), ("report",)):
        lines = project.semantest(*arguments).stdout.replace("\n", " ")
        for part in (
            "search  passed",
            'info: typing  {"query":"socks"}',
            'event: custom/cart  {"total":19.9}',
            "pay  failed",
            "AssertionError: assert 1 == 2",
        ):
            assert part in lines, (part, lines)
        assert str(place) in lines.replace(" ", "")
    (attempt,) = project.json("show", "test_fine")["test"]["attemptsDetail"]
    assert [step["name"] for step in attempt["steps"]] == ["look around"]
    (note,) = attempt["attachments"]
    assert Path(note["place"]).read_text() == "all fine"
    report = project.json("report")
    (buy,) = [test for test in report["tests"] if test["id"].endswith("test_buy")]
    assert [step["status"] for step in buy["attemptsDetail"][0]["steps"]] == ["passed", "failed"]


def test_a_killed_run_keeps_steps_and_attachments(project: Project) -> None:
    project.write(
        "test_shop.py",
        """
        import os, signal

        def test_dies(semantest):
            with semantest.step("into the abyss"):
                semantest.attach(b"receipt", name="receipt.bin")
                os.kill(os.getpid(), signal.SIGKILL)
        """,
    )
    done = project.pytest("--semantest-url", "http://127.0.0.1:9")
    assert done.returncode == -signal.SIGKILL
    (session,) = (project.folder / "sessions").iterdir()
    said = project.semantest("recover").stdout
    assert "into the abyss  not finished" in said
    assert str(session / "artifacts" / RECEIPT) in said.replace("\n", "")
    moved = project.root / "elsewhere"
    copy = moved / session.name
    moved.mkdir()
    session.rename(copy)
    assert str(copy / "artifacts" / RECEIPT) in project.semantest("recover", str(copy)).stdout.replace("\n", "")
