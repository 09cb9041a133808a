"""What a run still owes with its reruns, held to docs/design/rerun.md."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_semantest.protocol.events import BAD_STATES, FINAL_STATES
from semantest_recorder.core.rerun_chain import ChainRun, Owed, Told, chain_run, owed_by
from semantest_recorder.core.rows import ResultRow, RunRow, SourceRow

PAGE = Path(__file__).parents[3] / "docs" / "design" / "rerun.md"
NAMES = ["a.py::t1", "a.py::t2", "d/b.py::t3[x/y]", "d/b.py", "d"]
STATES = ["passed", "failed", "flaky", "not_run", "error"]


def run(
    name: str, tests: dict[str, str], *of: str, state: str = "failed", since: float = 0.0, **more: object
) -> ChainRun:
    told = {test: Told(state, state in BAD_STATES) for test, state in tests.items()}
    facts = {"complete": True, "whole": False, "renamed": {}} | more
    return msgspec.convert(
        {"id": name, "state": state, "since_ms": since, "rerun_of": of, "tests": told, **facts}, ChainRun
    )


def owed(*runs: ChainRun, named: tuple[str, ...] = ("root",)) -> Owed:
    return owed_by(named, {one.id: one for one in runs})


def debts(found: Owed) -> set[str]:
    return {test for test, told in found.tests.items() if told.owed}


def test_states_are_owed_as_the_page_says() -> None:
    rows = dict(re.findall(r"^\| (\w+) \| (yes|no) \|$", PAGE.read_text("utf-8"), re.MULTILINE))
    assert set(rows) == {*FINAL_STATES, "pending", "running"}
    for state, word in rows.items():
        told = chain_run(RunRow("r"), 0.0, [], [ResultRow("t", state)]).tests["t"]
        assert (told.state, told.owed) == (state, word == "yes")


def test_a_failure_in_quarantine_that_does_not_count_is_not_owed() -> None:
    results = [ResultRow("t", "failed", forgiven=True), ResultRow("u", "failed")]
    assert debts(owed(chain_run(RunRow("root", state="failed"), 0.0, [], results))) == {"u"}


histories = st.lists(
    st.dictionaries(st.sampled_from(NAMES), st.sampled_from(STATES), max_size=len(NAMES)), min_size=1, max_size=5
)


@given(histories)
def test_the_last_run_that_has_a_test_decides(history: list[dict[str, str]]) -> None:
    """Whichever run of the chain is asked for, and whatever its clocks say of one run behind the other."""
    runs = [
        run(f"r{number}", tests, *([f"r{number - 1}"] if number else []), since=float(-number))
        for number, tests in enumerate(history)
    ]
    expected: dict[str, str] = {}
    for tests in history:
        expected |= tests
    for asked in runs:
        found = owed(*runs, named=(asked.id,))
        assert {name: told.state for name, told in found.tests.items()} == expected
        assert found.outstanding == sum(state in BAD_STATES for state in expected.values())
        assert found.chain == [one.id for one in runs]


def test_green_is_a_chain_that_owes_nothing_and_whose_last_run_passed() -> None:
    root = run("root", {"t1": "failed", "t2": "passed"})
    assert owed(root).state == "failed"
    again = run("again", {"t1": "passed"}, "root", state="passed")
    assert owed(root, again).state == "passed"
    assert owed(root, msgspec.structs.replace(again, state="failed")).state == "failed"
    assert owed(root, msgspec.structs.replace(again, state="running")).state == "running"
    assert owed(root, msgspec.structs.replace(again, tests={})).outstanding == 1
    assert owed(run("root", {"t1": "passed"})).state == "failed", "it failed for another reason than its tests"


def test_what_one_of_several_runs_owes_is_owed() -> None:
    one, two = run("one", {"t": "failed"}), run("two", {"t": "passed", "u": "failed"})
    of_one = run("again", {"t": "passed"}, "one", state="passed")
    assert debts(owed(one, two, named=("one", "two"))) == {"t", "u"}
    assert debts(owed(one, two, of_one, named=("one", "two"))) == {"u"}
    other = run("other", {"t": "failed"})
    assert debts(owed(one, other, of_one, named=("one", "other"))) == {"t"}, "it passed on one machine only"
    of_both = run("both", {"t": "passed"}, "one", "other", state="passed")
    assert owed(one, other, of_both, named=("one", "other")).state == "passed"


def test_a_test_is_owed_under_its_new_name() -> None:
    again = run("again", {"new": "failed"}, "root", renamed={"old": "new"})
    assert debts(owed(run("root", {"old": "failed"}), again)) == {"new"}


def test_a_file_that_could_not_be_collected_is_owed_until_a_session_saw_all_of_it() -> None:
    root = run("root", {"b.py": "error"})
    part = run("part", {"b.py::t1": "passed"}, "root", state="passed")
    assert debts(owed(root, part)) == {"b.py"}, "nobody knows what else is in it"
    rest = run("rest", {"b.py::t2": "passed"}, "part", state="passed", mended=["b.py"])
    assert owed(root, part, rest).state == "passed"
    assert debts(owed(root, part, rest, run("later", {"b.py": "error"}, "rest"))) == {"b.py"}


def test_an_incomplete_run_is_made_complete_by_a_rerun_that_saw_everything() -> None:
    root = run("root", {"t": "passed"}, complete=False)
    part = run("part", {"u": "passed"}, "root", state="passed")
    assert not owed(root, part).complete
    assert owed(root, part).state == "failed"
    assert owed(root, msgspec.structs.replace(part, whole=True)).state == "passed"


def test_a_chain_whose_beginning_is_gone_is_not_green() -> None:
    again = run("again", {"t": "passed"}, "root", state="passed")
    found = owed(again, named=("again",))
    assert (found.missing, found.state) == (["root"], "failed")


def test_runs_that_rerun_each_other_end_nowhere_but_here() -> None:
    found = owed(run("root", {"t": "passed"}, "again", state="passed"), run("again", {}, "root", state="passed"))
    assert found.state == "failed"


@pytest.mark.parametrize(
    ("more", "complete"),
    [
        ({"planned": 3, "plan_known": 3, "state": "crashed", "gaps": 1}, True),
        ({"planned": 3, "plan_known": 2, "state": "ended", "exit_code": 0}, False),
        ({"planned": 0, "state": "ended", "exit_code": 5}, True),
        ({"planned": 0, "state": "ended", "exit_code": 4}, False),
        ({"planned": 0, "state": "ended", "exit_code": 0, "gaps": 1}, False),
        ({"planned": 0, "state": "crashed"}, False),
    ],
)
def test_a_run_names_its_tests_when_its_plan_is_known(more: dict[str, object], complete: bool) -> None:
    row = msgspec.convert({"source": "s.main", "run_id": "r", "session": "s", "worker": "main", **more}, SourceRow)
    assert chain_run(RunRow("r"), 0.0, [row], []).complete is complete


def test_shards_that_did_not_come_are_owed_unless_one_is_named_alone() -> None:
    def shard(index: int, of: int = 3) -> SourceRow:
        told = {"collected": 2, "checksum": "c", "shard": {"index": index, "of": of}}
        return SourceRow(
            *(f"s{index}.main", "r", f"s{index}", "main", "ended"),
            exit_code=0,
            planned=1,
            plan_known=1,
            selection=msgspec.json.encode(told).decode(),
        )

    assert chain_run(RunRow("r"), 0.0, [shard(1)], []).complete
    assert not chain_run(RunRow("r"), 0.0, [shard(1), shard(3)], []).complete

    def both(second: str) -> Owed:
        tests = [[ResultRow("t1", "passed", 0)], [ResultRow(second, "passed", 0)]]
        runs = [chain_run(RunRow(f"r{at}"), 0.0, [shard(at, 2)], tests[at - 1]) for at in (1, 2)]
        return owed(*runs, named=("r1", "r2"))

    assert both("t2").complete
    assert not both("t1").complete, "they went by different histories, and one test is in neither"
