"""What ``semantest export`` writes, ``semantest import`` reads: the same tests, states, attempts and durations."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from semantest_recorder.cli.foreign_files import read_files
from semantest_recorder.cli.import_session import Asked, Imported, prepare
from semantest_recorder.core.rows import AttemptRow
from tests.recorder.cli.command import semantest
from tests.recorder.cli.recording import RUN, START, Recording, green_run
from tests.recorder.cli.test_missing_shards import shard

#: What a format has no word for, and what stands there instead.
_WORDS = {
    "junit": {"xpassed": "passed"},
    "junit-xunit1": {"xpassed": "passed"},
    "ctrf": {},
    "reportlog": {},
}


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with a test in each state that a run which was stopped can have."""
    folder = tmp_path_factory.mktemp("stored") / ".semantest"
    recording = Recording()
    recording.start()
    tests = ["passed", "failed", "error", "skipped", "xfailed", "xpassed"]
    recording.plan(*(f"tests/test_a.py::TestA::test_{name}[x.y-1]" for name in [*tests, "flaky", "never", "stopped"]))
    for name in tests:
        recording.test(f"tests/test_a.py::TestA::test_{name}[x.y-1]", name)
    recording.test("tests/test_a.py::TestA::test_flaky[x.y-1]", "failed", willRetry=True)
    recording.test("tests/test_a.py::TestA::test_flaky[x.y-1]", attempt=2)
    recording.test("tests/test_a.py::TestA::test_never[x.y-1]", "failed", willRetry=True)
    recording.test("tests/test_a.py::TestA::test_never[x.y-1]", "failed", attempt=2)
    recording.end(1, stoppedEarly=True)
    recording.store(folder)
    return folder


def read_back(stored: Path, kind: str, folder: Path, *runs: str) -> Imported:
    file = folder / f"export.{kind}"
    asked = [word for run in runs for word in ("--run", run)]
    assert semantest("export", "--format", kind, "-o", file, "--directory", stored, *asked).code == 0
    found = read_files(file, None)
    assert found.unread == []
    return prepare(folder / ".semantest", found.files, Asked(None, None, {}, None, None, None), 1.0)


@pytest.mark.parametrize("kind", ["junit", "junit-xunit1", "ctrf", "reportlog"])
def test_states_attempts_and_durations_come_back(stored: Path, tmp_path: Path, kind: str) -> None:
    native = semantest("report", "--json", "--directory", stored).json["tests"]
    imported = read_back(stored, kind, tmp_path).state
    words = _WORDS[kind]
    expected = {test["id"]: words.get(test["state"], test["state"]) for test in native}
    if kind == "reportlog":  # which knows no plan
        del expected["tests/test_a.py::TestA::test_stopped[x.y-1]"]
    assert {name: test.result.state for name, test in imported.tests.items()} == expected
    assert imported.run.exit_code == 1
    for test in native:
        known = imported.tests.get(test["id"])
        attempts: list[AttemptRow] = list(known.attempts) if known is not None else []
        told = test["attemptsDetail"] if known is not None else []
        outcomes = [words.get(one["outcome"], one["outcome"]) for one in told]
        assert [one.outcome for one in attempts] == outcomes, test["id"]
        if told:  # JUnit has no time for attempts before the last
            assert attempts[-1].duration_ms == pytest.approx(told[-1]["durationMs"], abs=0.5), test["id"]


def test_the_shape_of_json_report_has_no_attempts(stored: Path, tmp_path: Path) -> None:
    native = semantest("report", "--json", "--directory", stored).json["tests"]
    imported = read_back(stored, "pytest-json-report", tmp_path).state
    states = {test["id"]: test["state"].replace("flaky", "passed") for test in native}
    found = {name: test.result.state for name, test in imported.tests.items()}
    assert found == {name: state for name, state in states.items() if name in found}
    assert len(found) >= len(states) - 1


def _with_a_gap(recording: Recording) -> None:
    recording.add("main", "journal/gap", {"reason": "damaged"})
    recording.end(0)


def _without_a_session(recording: Recording) -> None:
    recording.end(0)
    recording.start("client")
    recording.add("client", "run/expect", {"sessions": 3})


def _died(recording: Recording) -> None:
    recording.start("shipper")
    crash = {"source": f"{RUN}.main", "worker": "main", "reason": "process 1 died"}
    recording.add("shipper", "worker/crash", crash)
    recording.end(0, "shipper")


@pytest.mark.parametrize("end", [_with_a_gap, _without_a_session, _died, lambda recording: recording.end(1)])
def test_a_run_that_is_red_without_a_bad_test_stays_red(end: Callable[[Recording], None], tmp_path: Path) -> None:
    recording = Recording()
    recording.start()
    recording.plan("a.py::test_ok")
    recording.test("a.py::test_ok")
    end(recording)
    recording.store(tmp_path / ".semantest")
    for kind in (*_WORDS, "pytest-json-report"):
        imported = read_back(tmp_path / ".semantest", kind, tmp_path).state
        assert imported.run.state in ("failed", "interrupted"), kind
        assert {name: test.result.state for name, test in imported.tests.items()} == {"a.py::test_ok": "passed"}


def test_a_run_without_all_of_its_shards_does_not_become_green(tmp_path: Path) -> None:
    shard(1).store(tmp_path / ".semantest")
    for kind in (*_WORDS, "pytest-json-report"):
        imported = read_back(tmp_path / ".semantest", kind, tmp_path).state
        told = (imported.run.state, imported.run.stop_reason)
        assert told == ("interrupted", "passed so far: 1 of 3 shards; missing: 2, 3"), kind
        assert list(imported.tests) == ["a.py::test_a"], kind


def test_a_test_of_two_runs_in_one_file_is_not_run_again(tmp_path: Path) -> None:
    other = "20261121-100000-0a0a0a"
    green_run().store(tmp_path / ".semantest")
    green_run(other).store(tmp_path / ".semantest")
    imported = read_back(tmp_path / ".semantest", "junit", tmp_path, RUN, other).state
    found = {name: test.result.state for name, test in imported.tests.items()}
    assert found == {"a.py::test_ok": "passed", "a.py::test_ok#2": "passed"}


@pytest.mark.parametrize("counts", [False, True])
def test_failures_in_quarantine_do_not_count_elsewhere_either(tmp_path: Path, counts: bool) -> None:
    entry = {
        "entry": "a.py",
        "reason": "the clock jumps, ann",
        "owner": "b (c)",
        "expires": "2026-12-20",
        "issue": "#7",
    }
    recording = Recording()
    recording.start()
    recording.plan(*(f"a.py::test_{name}" for name in ("ok", "failed", "error", "again", "free")))
    for name in ("ok", "failed", "error", "again"):
        recording.begin(f"a.py::test_{name}", quarantine=entry)
    recording.test("a.py::test_ok", userProperties=[["semantest.quarantine.reason", "not this one"]])
    recording.test("a.py::test_failed", "failed", forgiven=True)
    recording.test("a.py::test_error", "error", forgiven=not counts)
    recording.test("a.py::test_again", "failed", willRetry=True, forgiven=True)
    recording.test("a.py::test_again", "failed", attempt=2, forgiven=True)
    recording.test("a.py::test_free")
    recording.end(int(counts))
    stored = tmp_path / ".semantest"
    recording.store(stored)
    native = {
        test["id"]: test["quarantine"] for test in semantest("report", "--json", "--directory", stored).json["tests"]
    }
    assert [told and told["forgiven"] for told in native.values()] == [False, True, not counts, True, None]
    for kind in (*_WORDS, "pytest-json-report"):
        imported = read_back(stored, kind, tmp_path).state
        assert imported.run.state == ("failed" if counts else "passed"), kind
        assert imported.run.quarantined == 3 - counts
        for test_id, told in native.items():
            row = imported.tests[test_id].result
            assert row.forgiven == bool(told and told["forgiven"]), (kind, test_id)
            assert (json.loads(row.quarantine) if row.quarantine else None) == (entry if told else None), (
                kind,
                test_id,
            )
        (failed,) = imported.tests["a.py::test_failed"].attempts
        assert failed.error_message == "assert 1 == 2" or kind == "reportlog", kind


@pytest.mark.parametrize("kind", [*_WORDS, "pytest-json-report"])
def test_what_failed_in_one_job_and_passed_later_in_another_is_not_flaky(tmp_path: Path, kind: str) -> None:
    for number, outcome in enumerate(("failed", "passed")):
        job = Recording(f"job-{number}", run_id=RUN, start_ms=START + 1000 * number)
        job.start()
        job.plan("a.py::test_a")
        job.test("a.py::test_a", outcome)
        job.end(outcome == "failed")
        job.store(tmp_path / ".semantest")
    imported = read_back(tmp_path / ".semantest", kind, tmp_path).state
    assert (imported.run.state, imported.tests["a.py::test_a"].result.state) == ("failed", "failed")
