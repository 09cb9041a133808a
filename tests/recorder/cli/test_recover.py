"""``semantest recover``: a dead run out of its journals, read-only, damage told."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_semantest.protocol.closing import closing_events
from pytest_semantest.protocol.events import Event
from pytest_semantest.protocol.record import encode_status
from semantest_recorder.cli import recovery
from tests.recorder.cli.command import Said, semantest
from tests.recorder.cli.recording import RUN, START, Recording, green_run, small_run


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / ".semantest"


def contents(folder: Path) -> dict[str, str]:
    """Every file below ``folder`` with a digest of its bytes."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def killed_run() -> Recording:
    """One test passed, the second one was running, the third never began."""
    recording = Recording()
    recording.start()
    recording.plan("a.py::test_one", "a.py::test_two", "a.py::test_three")
    recording.test("a.py::test_one")
    recording.begin("a.py::test_two")
    return recording


def first_event(recording: Recording, pid: int, timestamp: float) -> None:
    """Make process ``pid`` the writer of main's journal, begun at ``timestamp``."""
    body = json.loads(recording.bodies["main"][0])
    body["payload"]["pid"], body["timestamp"] = pid, timestamp
    recording.bodies["main"][0] = json.dumps(body, separators=(",", ":")).encode()


def states(said: Said) -> dict[str, str]:
    return {test["id"]: test["state"] for test in said.json["recovered"][0]["report"]["tests"]}


def test_a_killed_run_names_the_test_that_was_running(folder: Path) -> None:
    session = killed_run().journal(folder)
    (session / "main.status").write_bytes(encode_status(5, "call"))
    before = contents(folder)
    said = semantest("recover", "--directory", folder)
    assert said.code == 1
    assert "CRASHED a.py::test_two" in said.out
    assert "(in call, " in said.out
    assert "1 planned test in 1 suite did not run" in said.out
    assert f"Run {RUN}: interrupted" in said.out
    assert contents(folder) == before, "nothing is changed or deleted"
    assert states(semantest("recover", "--directory", folder, "--json")) == {
        "a.py::test_one": "passed",
        "a.py::test_two": "crashed",
        "a.py::test_three": "not_run",
    }


def test_a_run_that_ended_by_itself_needs_no_closing(folder: Path) -> None:
    small_run().journal(folder)
    said = semantest("recover", "--directory", folder, "--output")
    assert said.code == 1
    assert f"Run {RUN}: failed" in said.out
    assert "    | printed by the test" in said.out
    green = green_run("20261121-100000-bbbbbb", start_ms=START + 1e6)
    green.journal(folder)
    assert semantest("recover", green.session, "--directory", folder).code == 0


def test_recover_and_the_recorder_tell_the_same(folder: Path, tmp_path: Path) -> None:
    small_run().journal(folder)
    small_run().store(tmp_path / "other")
    recovered = semantest("recover", "--directory", folder, "--json").json["recovered"][0]["report"]
    stored = semantest("report", "--directory", tmp_path / "other", "--json").json
    assert recovered == stored


def test_a_live_process_is_not_called_dead(folder: Path) -> None:
    recording = killed_run()
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        first_event(recording, child.pid, timestamp=4e12)  # later than the start of the process
        recording.journal(folder)
        said = semantest("recover", "--directory", folder, "--json")
        assert said.code == 4
        assert states(said)["a.py::test_two"] == "running"
    finally:
        child.communicate(b"\n")
    said = semantest("recover", "--directory", folder, "--json")
    assert said.code == 1
    assert states(said)["a.py::test_two"] == "crashed"


def test_a_reused_pid_is_another_process(folder: Path) -> None:
    recording = killed_run()
    first_event(recording, os.getpid(), timestamp=1e12)  # long before the process with this pid started
    recording.journal(folder)
    assert states(semantest("recover", "--directory", folder, "--json"))["a.py::test_two"] == "crashed"


def test_a_torn_record_is_told_with_offset_and_reason(folder: Path) -> None:
    session = killed_run().journal(folder)
    journal = session / "main.journal"
    data = journal.read_bytes()
    journal.write_bytes(data[:-10])
    said = semantest("recover", "--directory", folder)
    start = data[:-1].rindex(b"\n") + 1
    assert "Damage in the journals" in said.out
    assert f"main.journal: bytes {start} to {len(data) - 10}: unfinished record" in said.out
    damage = semantest("recover", "--directory", folder, "--json").json["recovered"][0]["damage"]
    assert damage == [{"file": "main.journal", "start": start, "end": len(data) - 10, "reason": "unfinished record"}]


def test_a_hole_in_a_journal_makes_what_it_hides_lost_and_never_green(folder: Path) -> None:
    recording = Recording()
    recording.start()
    recording.plan("a.py::test_one", "a.py::test_two")
    recording.test("a.py::test_one")
    recording.test("a.py::test_two")
    recording.end(0)
    journal = recording.journal(folder) / "main.journal"
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join(lines[:4] + lines[6:]))
    said = semantest("recover", "--directory", folder, "--json")
    assert said.code == 1
    assert states(said) == {"a.py::test_one": "passed", "a.py::test_two": "lost"}
    assert said.json["recovered"][0]["report"]["run"]["gaps"] == 2


def test_what_closes_a_journal_whose_first_record_is_destroyed_names_the_run(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recording = Recording(run_id="nightly")
    recording.start("gw0")
    recording.start()
    recording.begin("a.py::test_one")
    session = recording.journal(folder)
    journal = session / "main.journal"
    journal.write_bytes(b"x" + journal.read_bytes()[1:])
    closed: list[Event] = []

    def remembering(*arguments: Any, **more: Any) -> list[Event]:
        closed.extend(events := closing_events(*arguments, **more))
        return events

    monkeypatch.setattr(recovery, "closing_events", remembering)
    assert semantest("recover", "--directory", folder).code == 1
    assert [(event["type"], event["payload"]["runId"]) for event in closed] == [
        ("worker/crash", "nightly"),
        ("worker/crash", "nightly"),
        ("run/end", "nightly"),
    ]


def test_a_journal_whose_first_record_is_destroyed_still_says_what_it_has(folder: Path) -> None:
    recording = small_run()
    journal = recording.journal(folder) / "main.journal"
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"x" * len(lines[0]) + b"\n" + b"".join(lines[1:]))
    said = semantest("recover", "--directory", folder, "--json")
    assert said.code == 1
    assert states(said)["a.py::test_bad"] == "failed"
    assert said.json["recovered"][0]["run"] == RUN


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(cut=st.integers(0, 4000), flips=st.lists(st.tuples(st.integers(0, 4000), st.integers(1, 255)), max_size=4))
def test_no_damage_makes_it_stumble_or_invent(tmp_path: Path, cut: int, flips: list[tuple[int, int]]) -> None:
    folder = tmp_path / ".semantest"
    shutil.rmtree(folder, ignore_errors=True)
    journal = small_run().journal(folder) / "main.journal"
    data = bytearray(journal.read_bytes())
    for offset, mask in flips:
        data[offset % len(data)] ^= mask
    journal.write_bytes(bytes(data[: max(1, cut % (len(data) + 1))]))
    said = semantest("recover", "--directory", folder, "--json")
    assert said.code == 1
    report = said.json["recovered"][0]["report"]
    total = report["counts"].pop("total")
    assert total == sum(report["counts"].values()) == len(report["tests"])
    known = {
        "a.py::test_ok": {"passed"},
        "a.py::test_bad": {"failed"},
        "b.py::test_flaky": {"flaky", "passed", "failed"},
    }
    for test in report["tests"]:
        allowed = known.get(test["id"], {"skipped"}) | {"lost", "crashed", "not_run", "interrupted"}
        assert test["state"] in allowed, test


def test_workers_of_a_killed_session_are_closed_too(folder: Path) -> None:
    recording = Recording()
    recording.start()
    recording.start("gw0")
    recording.start("gw1")
    recording.plan("a.py::test_a", "a.py::test_b", "a.py::test_c")
    recording.begin("a.py::test_a", "gw0")
    recording.test("a.py::test_b", worker="gw1")
    recording.begin("a.py::test_c", "gw1")
    recording.journal(folder)
    assert states(semantest("recover", "--directory", folder, "--json")) == {
        "a.py::test_a": "crashed",
        "a.py::test_b": "passed",
        "a.py::test_c": "crashed",
    }


def test_a_folder_from_another_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    session = small_run().journal(tmp_path / ".semantest")
    copied = tmp_path / "artifacts" / "copy"
    shutil.copytree(session, copied)
    monkeypatch.chdir(tmp_path / "artifacts")
    said = semantest("recover", "copy")
    assert said.code == 1
    assert f"Run {RUN}: failed" in said.out


def test_all_sessions_and_shards_of_one_run_together(folder: Path) -> None:
    for number in (1, 2):
        shard = Recording(f"20261121-10000{number}-cccccc", run_id="build-7")
        shard.start()
        shard.plan(f"s{number}.py::test")
        shard.test(f"s{number}.py::test")
        shard.end(0)
        shard.journal(folder)
    killed_run().journal(folder)
    said = semantest("recover", "--all", "--directory", folder, "--json")
    found = {entry["run"]: len(entry["report"]["tests"]) for entry in said.json["recovered"]}
    assert found == {"build-7": 2, RUN: 3}
    assert said.code == 1
    text = semantest("recover", "--all", "--directory", folder)
    assert text.out.count("\nRun ") + text.out.startswith("Run ") == 2


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["nothing"], 3, "no session 'nothing' is left"),
        (["2026"], 2, "give more of it"),
        ([RUN, "--all"], 2, "not both"),
    ],
)
def test_a_session_that_cannot_be_found(folder: Path, arguments: list[str], code: int, words: str) -> None:
    killed_run().journal(folder)
    green_run("20261121-100000-bbbbbb").journal(folder)
    said = semantest("recover", *arguments, "--directory", folder)
    assert (said.code, said.out) == (code, "")
    assert words in said.err
    assert len(said.err.splitlines()) == 1


def test_nothing_left_to_recover(folder: Path) -> None:
    small_run().store(folder)
    said = semantest("recover", "--directory", folder)
    assert said.code == 3
    assert "nothing to recover" in said.err
    assert f"`semantest report --directory {folder}` shows the last run" in said.err


@pytest.mark.parametrize(
    ("name", "words"),
    [("nope", "no session 'nope' is left to recover"), ("no/such/folder", "no folder no/such/folder")],
)
def test_a_name_that_is_none_is_said_to_be_none_when_nothing_is_left(folder: Path, name: str, words: str) -> None:
    small_run().store(folder)
    said = semantest("recover", name, "--directory", folder)
    assert (said.code, said.out) == (3, "")
    assert words in said.err


def test_a_record_that_is_no_event_is_a_gap_and_told(folder: Path) -> None:
    recording = Recording()
    recording.start()
    recording.plan("a.py::test_x", "a.py::test_y")
    recording.test(
        "a.py::test_x", "failed", error={"message": "half \ud800 pair"}
    )  # no Unicode: JSON readers refuse it
    recording.test("a.py::test_y")
    recording.end(1)
    recording.journal(folder)
    said = semantest("recover", "--directory", folder)
    assert said.code == 1
    assert "LOST a.py::test_x" in said.out
    assert f"{RUN}.main 4: not an event" in said.out
    assert states(semantest("recover", "--directory", folder, "--json")) == {
        "a.py::test_x": "lost",
        "a.py::test_y": "passed",
    }


def test_a_status_slot_that_became_something_else_is_left_alone(folder: Path) -> None:
    session = killed_run().journal(folder)
    os.mkfifo(session / "main.status")  # as /proc/<pid>/fd/<n> of a process that took the pid over may be a pipe
    assert states(semantest("recover", "--directory", folder, "--json"))["a.py::test_two"] == "crashed"
