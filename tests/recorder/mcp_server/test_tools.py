"""The tools over a history that the real writer made, without a client."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from semantest_recorder.mcp_server.answer import Answer
from semantest_recorder.mcp_server.place import Place
from semantest_recorder.mcp_server.tools import TOOLS, NoAnswerError, ask
from semantest_recorder.reports.agent.tokens import LEAST_TOKENS, tokens
from tests.recorder.cli.recording import Recording
from tests.recorder.cli.suite_runs import FAILED, FLAKY, PASSED, record_run, run_id

LATER = 1_795_353_400_000.0
RUNNING = "20261122-000000-ffffff"
_TEST = {"test": "test_pay[0]"}
QUESTIONS: dict[str, dict[str, Any]] = {"test": _TEST, "history": _TEST, "blame": _TEST, "slower": {"since": run_id(2)}}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """Three runs of 40 tests in the database, and one in journals that a process left without its end."""
    folder = tmp_path_factory.mktemp("project") / ".semantest"
    tests = [f"tests/test_shop.py::test_pay[{number}]" for number in range(40)]
    record_run(folder, 1, dict.fromkeys(tests, PASSED))
    record_run(folder, 2, dict.fromkeys(tests, PASSED) | dict.fromkeys(tests[:4], FLAKY))  # more would be an outage
    record_run(folder, 3, dict.fromkeys(tests, FAILED))
    lonely = Recording(RUNNING, start_ms=LATER)
    lonely.start()
    lonely.plan("b.py::test_hangs", "b.py::test_later")
    lonely.begin("b.py::test_hangs")
    lonely.journal(folder)
    return Place(str(folder))


def answered(place: Place, name: str, **arguments: Any) -> Answer:
    return ask(place, name, arguments)


@pytest.mark.parametrize("name", TOOLS)
def test_every_tool_answers_within_the_budget_and_marks_what_is_data(place: Place, name: str) -> None:
    whole = answered(place, name, **QUESTIONS.get(name, {}), max_tokens=20_000)
    least = answered(place, name, **QUESTIONS.get(name, {}), max_tokens=LEAST_TOKENS)
    for found, most in ((whole, 20_000), (least, LEAST_TOKENS)):
        assert tokens(found.text) <= most
        assert tokens(json.dumps(found.structured)) <= most
        assert found.text.isascii()
        assert any(line.startswith("| ") for line in found.text.split("\n")) or name == "rerun_command"
    assert "Cut to" not in whole.text
    assert "leftOut" not in whole.structured


def test_what_is_in_journals_alone_is_read_or_told(place: Place) -> None:
    live = answered(place, "live")
    assert live.text.startswith(f"Run {RUNNING}: interrupted; ")
    assert "was read from its journals" in live.text
    assert answered(place, "runs").structured["runs"][0]["id"] == RUNNING
    assert answered(place, "report").structured["causes"][0]["tests"] == ["b.py::test_hangs"]
    (note,) = answered(place, "failures").structured["notes"]
    assert note.startswith(f"not in the database yet, and not in this answer: run {RUNNING}; ")


def test_a_run_that_goes_on_is_told_as_it_is(tmp_path: Path) -> None:
    recording = Recording(pid=os.getpid())
    recording.start()
    recording.plan("a.py::test_slow", "a.py::test_next")
    recording.begin("a.py::test_slow")
    recording.store(tmp_path)
    live = answered(Place(str(tmp_path)), "live")
    assert "0 of 2 tests: 1 running, 1 pending" in live.text
    assert "| main: a.py::test_slow in setup for " in live.text
    assert live.structured["running"][0]["testId"] == "a.py::test_slow"


def test_a_run_says_what_failed_and_how_to_run_it_again(place: Place) -> None:
    found = answered(place, "report", run=run_id(3)).structured
    (cause,) = found["causes"]
    assert (cause["kind"], found["green"], found["branch"]) == ("new", False, "main")
    assert len(cause["tests"]) + found.get("leftOut", {}).get("causes.tests", 0) == 40
    assert "passed only on a retry in 1 of 2 earlier runs" in cause["standing"]
    rerun = answered(place, "rerun_command", run=run_id(3))
    assert rerun.structured["command"] == found["rerun"]
    assert found["rerun"] in rerun.text
    assert answered(place, "rerun_command", run=run_id(1)).structured["command"] is None


def test_windows_and_branches_are_chosen(place: Place) -> None:
    assert len(answered(place, "failures", runs=2, branch="main").structured["runs"]) == 2
    assert answered(place, "runs", state="passed").text.count("\n| 2026") == 2
    assert answered(place, "flaky", limit=1).structured["total"] == 4
    assert answered(place, "slower", since=run_id(2), branch="main").structured["compared"] == 36
    assert answered(place, "diff", after=run_id(3), before=run_id(1)).structured["before"]["id"] == run_id(1)


@pytest.mark.parametrize(
    ("name", "arguments", "told"),
    [
        ("report", {"rum": "x"}, "there is no argument 'rum': did you mean 'run'?"),
        ("report", {"zzz": "x"}, "Arguments: max_tokens, run."),
        ("report", {"max_tokens": 5}, "Expected `int` >= 300 - at `$.max_tokens`"),
        ("report", {"run": f"{run_id(2)}x"}, f"did you mean {run_id(2)}"),
        ("test", {}, "missing required field `test`"),
        ("history", {"test": "test_pya"}, "did you mean tests/test_shop.py::test_pay?"),
        ("history", {"test": "test_pay"}, "has 40 sets of parameters"),
        ("failures", {"runs": 2, "branch": "mian"}, "did you mean main?"),
        ("failures", {"runs": 2, "run": "last"}, "give one"),
        ("failures", {"branch": "main"}, "`branch` goes with `runs`"),
        ("diff", {"before": "last", "base": "main"}, "give one"),
        ("runs", {"state": "faild"}, "Invalid enum value 'faild'"),
        ("slower", {"since": "7x"}, "no run '7x': the tool `runs` lists them"),
        ("report", {"run": "zzz"}, "no run 'zzz': the tool `runs` lists them"),
        ("flaky", {"branch": "zzz"}, "no run of branch 'zzz': the tool `runs` shows branches"),
        ("history", {"test": "zzzzzzzz"}, "no test 'zzzzzzzz': the tools `report` and `failures` name tests"),
        ("diff", {"after": run_id(1)}, "name two runs as `before` and `after` (the tool `runs` lists them)"),
    ],
)
def test_what_is_wrong_is_told_with_what_is_near(place: Place, name: str, arguments: dict[str, Any], told: str) -> None:
    with pytest.raises(NoAnswerError) as raised:
        ask(place, name, arguments)
    assert told in str(raised.value)
    assert tokens(str(raised.value)) <= 500


def test_without_any_recording_it_is_said(tmp_path: Path) -> None:
    with pytest.raises(NoAnswerError, match="nothing recorded: "):
        ask(Place(str(tmp_path / ".semantest")), "report", {})


def test_no_tool_writes_anything(place: Place) -> None:
    def files() -> dict[Path, bytes]:
        return {path: path.read_bytes() for path in place.folder.rglob("*") if path.is_file()}

    before = files()
    for name in TOOLS:
        ask(place, name, QUESTIONS.get(name, {}))
    assert files() == before
