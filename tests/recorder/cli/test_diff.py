"""``semantest diff``: which runs are compared, and what is told of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from semantest_recorder.reports.json_schema import json_schema
from tests.recorder.cli.command import Said, semantest
from tests.recorder.cli.recording import START, Recording, small_run
from tests.recorder.cli.suite_runs import APART_MS, FAILED, FLAKY, PASSED, SKIPPED, Ran, record_run, run_id
from tests.recorder.reports.schema_check import violations

T = "tests/a.py::test_{}".format


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Seven runs of main, the last of which changes everything, and one of a branch before it."""
    folder = tmp_path_factory.mktemp("runs")
    for number in range(1, 7):
        record_run(
            folder,
            number,
            {
                T("breaks"): PASSED,
                T("bad"): FAILED,
                T("mended"): FAILED,
                T("shaky"): PASSED,
                T("left"): PASSED,
                T("slow"): Ran(ms=100.0 + number),
                T("quick"): Ran(ms=400.0 + number),
                T("named"): Ran(code="1-a"),
                T("gone"): Ran(code="2-b"),
            },
        )
    record_run(folder, 7, {T("breaks"): FAILED, T("bad"): FAILED}, branch="feature/x", deselected=7)
    record_run(
        folder,
        8,
        {
            T("breaks"): Ran("failed", message="assert 2 == 3\n+ more"),
            T("bad"): FAILED,
            T("mended"): PASSED,
            T("shaky"): FLAKY,
            T("left"): SKIPPED,
            T("slow"): Ran(ms=900.0),
            T("quick"): Ran(ms=40.0),
            T("called_otherwise"): Ran(code="1-a"),
            T("brand_new"): Ran(code="3-c"),
        },
    )
    return folder


def diff(folder: Path, *arguments: str) -> Said:
    return semantest("diff", *arguments, "--directory", folder, "--limit", "0")


def ids(found: object) -> dict[str, list[str]]:
    assert isinstance(found, dict)
    return {
        name: [test["id"] for test in tests]
        for name, tests in found.items()
        if isinstance(tests, list) and tests and "id" in tests[0]
    }


def test_the_last_run_against_the_one_before_of_its_branch(folder: Path) -> None:
    said = diff(folder, "--json")
    assert said.code == 1
    assert (said.json["before"]["id"], said.json["after"]["id"]) == (run_id(6), run_id(8))
    assert ids(said.json) == {
        "newlyFailing": [T("breaks")],
        "stillFailing": [T("bad")],
        "fixed": [T("mended")],
        "newlyFlaky": [T("shaky")],
        "newlySkipped": [T("left")],
        "added": [T("brand_new")],
        "removed": [T("gone")],
        "slower": [T("slow")],
        "faster": [T("quick")],
    }
    assert said.json["renamed"][0]["old"] == T("named")
    assert said.json["newlyFailing"][0]["error"]["message"] == "assert 2 == 3\n+ more"
    assert said.json["slower"][0]["usualMs"] == 103.5


def test_it_is_told_what_is_newly_bad_first(folder: Path) -> None:
    said = diff(folder)
    assert said.out.splitlines()[2] == (
        "  1 newly failing, 1 still failing, 1 fixed, 1 newly flaky, 1 newly skipped, 1 slower, 1 faster, "
        "1 renamed or moved, 1 added, 1 removed, 3 as before"
    )
    assert said.out.splitlines()[3:7] == [
        "",
        "Newly failing (1)",
        f"  FAILED  {T('breaks')}  (was passed)",
        "          tests/a.py:4: AssertionError: assert 2 == 3",
    ]
    assert f"  {T('named')} -> {T('called_otherwise')}  (alias)" in said.out
    assert f"104 ms -> 900 ms  {T('slow')}" in said.out


@pytest.mark.parametrize("command", ["diff", "failures", f"history {T('shaky')}", f"blame {T('breaks')}", "alias list"])
def test_json_is_of_the_published_form(folder: Path, command: str) -> None:
    words = command.split()
    schema = json_schema(" ".join(words[:2]) if words[0] == "alias" else words[0])
    found = semantest(*words, "--directory", folder, "--json").json
    assert found["schema"] == 1
    assert violations(found, {"$ref": schema["$ref"]}, schema["$defs"]) == []


def test_a_run_that_chose_its_tests_removes_none(folder: Path) -> None:
    found = diff(folder, run_id(6), run_id(7), "--json").json
    assert found["removed"] == []
    assert {test["why"] for test in found["notRun"]} == {"the run deselected 7 tests"}
    assert len(found["notRun"]) == 7
    back = diff(folder, run_id(7), run_id(8), "--json").json
    assert back["added"] == []
    assert len(back["notRunBefore"]) == 7


def test_a_broken_test_that_a_run_left_out_is_compared_with_its_last_verdict(folder: Path, tmp_path: Path) -> None:
    record_run(tmp_path, 1, {T("bad"): FAILED, T("fine"): PASSED})
    record_run(tmp_path, 2, {T("fine"): PASSED}, not_run=[T("bad")])
    record_run(tmp_path, 3, {T("bad"): FAILED, T("fine"): PASSED})
    said = diff(tmp_path)
    assert said.code == 0
    assert f"  FAILED  {T('bad')}" in said.out.partition("Still failing (1)")[2]


def test_the_last_run_of_another_branch(folder: Path) -> None:
    found = diff(folder, run_id(7), "--base", "main", "--json").json
    assert (found["before"]["branch"], found["before"]["id"]) == ("main", run_id(8))


def test_ci_knows_the_branch_of_a_commit(tmp_path: Path) -> None:
    record_run(tmp_path, 1, {T("one"): PASSED}, on_ci=True)
    record_run(tmp_path, 2, {T("one"): FAILED}, branch="feature")
    record_run(tmp_path, 3, {T("one"): FAILED}, on_ci=True)
    found = diff(tmp_path, "--json").json
    assert (found["before"]["id"], found["after"]["branch"]) == (run_id(1), "main")
    assert semantest("blame", "one", "--branch", "main", "--directory", tmp_path, "--json").json["runs"] == 2


def test_nothing_newly_bad_is_exit_code_0(folder: Path) -> None:
    said = diff(folder, run_id(2), run_id(3))
    assert said.code == 0
    assert "  2 still failing, 7 as before" in said.out


def test_a_run_that_goes_on_is_exit_code_4_unless_something_newly_fails(tmp_path: Path) -> None:
    record_run(tmp_path, 1, {T("one"): PASSED, T("two"): PASSED})
    record_run(tmp_path, 2, {T("one"): PASSED}, end=False)
    said = diff(tmp_path, "--sync-timeout", "0")
    assert said.code == 4
    assert "1 test: the run is not over" in said.out


def test_a_run_whose_shards_did_not_all_come_is_no_base(tmp_path: Path) -> None:
    record_run(tmp_path, 1, {T("a"): PASSED, T("b"): PASSED})
    shard = Recording(run_id(2), start_ms=START + 2 * APART_MS)
    shard.start()
    shard.add("main", "run/context", {"git": {"branch": "main", "commit": "c0ffee"}})
    shard.add("main", "run/selection", {"collected": 4, "checksum": "c", "shard": {"index": 1, "of": 2}})
    shard.plan(T("a"), T("b"))
    shard.test(T("a"))
    shard.test(T("b"))
    shard.end()
    shard.store(tmp_path)
    record_run(tmp_path, 3, {T("a"): PASSED}, branch="feature")
    assert diff(tmp_path, "--base", "main", "--json").json["before"]["id"] == run_id(1)


def test_a_base_is_no_run_of_a_part_of_the_suite(tmp_path: Path) -> None:
    suite = {T(name): PASSED for name in ("a", "b", "c", "d")}
    record_run(tmp_path, 1, suite)
    record_run(tmp_path, 2, {T("a"): PASSED}, args=("tests/a.py",))
    record_run(tmp_path, 3, {T("a"): PASSED, T("b"): FAILED}, branch="feature")
    found = diff(tmp_path, "--base", "main", "--json").json
    assert (found["before"]["id"], [one["id"] for one in found["removed"]]) == (run_id(1), [T("c"), T("d")])
    record_run(tmp_path, 4, {T("a"): PASSED, T("b"): PASSED})
    assert diff(tmp_path, run_id(3), "--base", "main", "--json").json["before"]["id"] == run_id(4)


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("20261121-00000x",), 3, f"no run '20261121-00000x': did you mean {run_id(8)}"),
        (("20261121-0",), 2, "is the start of 8 runs"),
        (("--base", "mian"), 3, "no run of branch 'mian': did you mean main?"),
        (("--base", "feature/x", run_id(7)), 3, "no run of branch 'feature/x' to compare with"),
        (("--base", "main", run_id(1), run_id(2)), 2, "name one run, or none"),
        ((run_id(7),), 3, f"there is no run of branch feature/x before {run_id(7)}"),
    ],
)
def test_what_cannot_be_compared(folder: Path, arguments: tuple[str, ...], code: int, told: str) -> None:
    said = diff(folder, *arguments)
    assert (said.code, said.out) == (code, "")
    assert told in said.err


def test_runs_that_only_journals_have_are_left_out_and_told(tmp_path: Path) -> None:
    small_run().journal(tmp_path)
    said = semantest("diff", "--directory", tmp_path, "--sync-timeout", "0")
    assert said.code == 3


def test_names_are_text_and_nothing_else(tmp_path: Path) -> None:
    evil = "tests/a.py::test_\x1b[2Jevil\u202e"
    record_run(tmp_path, 1, {T("one"): PASSED})
    record_run(tmp_path, 2, {evil: Ran("failed", message="\x1b]0;owned\x07gone")})
    for said in (diff(tmp_path), diff(tmp_path, "--json"), semantest("failures", "--directory", tmp_path)):
        assert said.code == 1
        assert not {"\x1b", "\u202e", "\x07"} & set(said.out)


def test_legs_of_a_matrix_that_follow_each_other_are_told_apart(tmp_path: Path) -> None:
    legs = (("3.12.1", "linux"), ("3.13.1", "mac"))
    for number, (python, machine) in enumerate(legs):
        record_run(tmp_path, number, {T("one"): PASSED}, environment={"python": python}, labels={"os": machine})
    said = diff(tmp_path)
    assert said.out.splitlines()[2:] == ["  not alike: Python 3.12.1 -> 3.13.1, os linux -> mac", "  1 as before"]
    python, label = diff(tmp_path, "--json").json["differences"]
    assert python == {"kind": "fact", "name": "Python", "before": "3.12.1", "after": "3.13.1"}
    assert (label["kind"], label["name"]) == ("label", "os")
