"""What is answered: the same as commands print, and what no command does."""

from __future__ import annotations

from typing import Any, get_args

import pytest

from pytest_semantest.protocol.events import FINAL_STATES
from semantest_recorder.api.queries import RunState, TestState
from semantest_recorder.reports.aggregate import CLOSED_RUN_STATES
from tests.recorder.api.asking import Api, path_of
from tests.recorder.cli.command import semantest

FIRST, LAST = "20261121-093000-a1b2c3", "20261121-103000-d4e5f6"
BUY = "shop/a b.py::TestCart::test_buy[50% off/Ü]"

#: What a command prints with --json, and where the API answers the same.
SAME = [
    ("flaky", "/api/v1/analytics/flaky", {}),
    ("flaky --runs 5 --min-runs 2 --limit 3", "/api/v1/analytics/flaky", {"runs": 5, "minRuns": 2, "limit": 3}),
    ("slowest", "/api/v1/analytics/slowest", {}),
    ("slowest --by file --sort total", "/api/v1/analytics/slowest", {"by": "file", "sort": "total"}),
    ("slowest --phase setup --limit 2", "/api/v1/analytics/slowest", {"phase": "setup", "limit": 2}),
    ("slower --since last", "/api/v1/analytics/slower", {"since": "last"}),
    ("trends", "/api/v1/analytics/trends", {}),
    ("trends --by week", "/api/v1/analytics/trends", {"by": "week"}),
    ("failures --runs 20", "/api/v1/analytics/failures", {}),
    ("failures", "/api/v1/runs/last/failures", {}),
    ("diff", "/api/v1/runs/last/diff", {}),
    ("diff --base main", "/api/v1/runs/last/diff", {"branch": "main"}),
    ("alias list", "/api/v1/aliases", {}),
    ("report", "/api/v1/runs/last/report", {}),
    ("alerts", "/api/v1/alerts", {}),
]


@pytest.mark.parametrize(("command", "path", "query"), SAME, ids=[command for command, _path, _query in SAME])
def test_what_commands_print(long: Api, command: str, path: str, query: dict[str, Any]) -> None:
    printed = semantest(*command.split(), "--json", "--directory", long.folder).json
    assert long.json(path, **query) == printed
    assert long.json(path, **query) == printed, "and once more, of what was kept"


def test_history_and_blame_of_a_test(long: Api) -> None:
    test = long.json("/api/v1/analytics/flaky")["tests"][0]["id"]
    for command in ("history", "blame"):
        printed = semantest(command, test, "--json", "--directory", long.folder, "--sync-timeout", "0").json
        assert long.json(path_of("tests", test, command)) == printed
    known = long.json(path_of("tests", test))
    assert known["test"]["id"] == test
    assert known["last"] == long.json(path_of("tests", test, "history"))["runs"][0]


def test_runs_are_filtered_and_sorted(api: Api) -> None:
    def ids(**query: Any) -> list[str]:
        return [run["id"] for run in api.json("/api/v1/runs", **query)["runs"]]

    assert ids() == ids(sort="-started") == [LAST, FIRST]
    assert ids(sort="started") == ids(sort="duration") == [FIRST, LAST]
    assert ids(branch="main") == ids(commit="c0ffee") == ids(q="C0FFEE") == ids(q="103000") == [LAST]
    assert ids(label="team") == ids(label=["team=core", "shard=1=2"]) == [LAST]
    assert (
        ids(label=["team=other", "team=core"])
        == ids(label="team=other")
        == ids(state="passed")
        == ids(branch="other")
        == []
    )
    assert ids(state="passed,failed") == ids(state=["passed", "failed"]) == [LAST, FIRST]
    assert ids(since="2026-11-21T10:00:00Z") == [LAST]
    assert ids(until="2026-11-21T10:00:00Z") == ids(until="2026-11-21T11:00:00+01:00") == [FIRST]
    assert ids(since="2026-11-22") == []


def test_every_state_can_be_asked_for() -> None:
    assert set(get_args(TestState)) == {"pending", "running", *FINAL_STATES}
    assert set(get_args(RunState)) == {"pending", "running", *CLOSED_RUN_STATES}


def test_one_run_is_found_as_in_commands(api: Api) -> None:
    (printed, _first) = semantest("runs", "--json", "--directory", api.folder, "--sync-timeout", "0").json["runs"]
    for name in (LAST, "20261121-10", "last"):
        assert api.json(path_of("runs", name)) == {"schema": 1, "run": printed}


def test_results_are_filtered_and_sorted(api: Api) -> None:
    def ids(**query: Any) -> list[str]:
        page = api.json(f"/api/v1/runs/{FIRST}/results", **query)
        assert page["total"] == len(page["tests"])
        return [test["id"] for test in page["tests"]]

    planned = ["a.py::test_ok", "a.py::test_bad", "b.py::test_flaky", "b.py::test_skip[1-x]"]
    assert ids() == ids(sort="position") == ids(sort="started") == planned
    assert ids(sort="-started") == planned[::-1]
    assert ids(sort="id") == sorted(planned)
    assert ids(state="failed,flaky") == ids(state=["failed", "flaky"]) == planned[1:3]
    assert ids(suite="b.py") == planned[2:]
    assert ids(q="TEST_") == ids(worker="main") == planned
    assert ids(q="skip") == planned[3:]
    assert ids(worker="gw7") == []


def test_results_are_those_of_the_report(api: Api) -> None:
    told = {test["id"]: test for test in api.json(f"/api/v1/runs/{FIRST}/report")["tests"]}
    for test in api.json(f"/api/v1/runs/{FIRST}/results")["tests"]:
        whole = api.json(path_of("runs", FIRST, "results", test["id"]))
        assert whole["run"] == FIRST
        if told[test["id"]]["attemptsDetail"]:
            assert whole["test"] == told[test["id"]]
        assert {key: test[key] for key in ("state", "attempts", "durationMs")} == {
            key: whole["test"][key] for key in ("state", "attempts", "durationMs")
        }


def test_one_result_has_everything_that_the_test_told(api: Api) -> None:
    for name in (BUY, "test_buy", "off/Ü"):
        test = api.json(path_of("runs", "last", "results", name))["test"]
        assert test["id"] == BUY
    (attempt,) = test["attemptsDetail"]
    assert [(step["name"], step["status"]) for step in attempt["steps"]] == [("open the shop", "passed")]
    assert [log["message"] for log in attempt["logs"]] == ["hi"]
    (picture,) = attempt["attachments"]
    assert (picture["kind"], picture["place"]) == ("screenshot", f"/api/v1/artifacts/{'0f' * 32}")
    assert "assert 1 == 2" in attempt["error"]["stack"]
    assert attempt["output"][0]["text"] == "printed by the test\n"


def test_suites_are_those_of_the_report(long: Api) -> None:
    report = long.json("/api/v1/runs/last/report")
    assert long.json("/api/v1/runs/last/suites") == {
        "schema": 1,
        "run": report["run"]["id"],
        "suites": report["suites"],
    }


def test_events_by_type(api: Api) -> None:
    def kinds(**query: Any) -> list[str]:
        return [event["type"] for event in api.json("/api/v1/runs/last/events", **query)["events"]]

    steps = ["test/step/start", "test/step/end"]
    assert kinds(type="test/step/*") == kinds(type="test/step/start,test/step/end") == kinds(type=steps) == steps
    assert kinds(type="custom/*") == []
    pages = api.pages("/api/v1/runs/last/events", "events", limit=2)
    assert kinds() == [event["type"] for page in pages for event in page]
    (start,) = api.json("/api/v1/runs/last/events", type="run/start")["events"]
    assert start["payload"]["runId"] == LAST
    assert (start["source"], start["seq"]) == (f"{LAST}.main", 1)


def test_tests_are_searched(api: Api) -> None:
    def ids(**query: Any) -> list[str]:
        return [test["id"] for test in api.json("/api/v1/tests", **query)["tests"]]

    every = ["a.py::test_bad", "a.py::test_ok", "b.py::test_flaky", "b.py::test_skip[1-x]", BUY]
    assert ids() == every
    assert ids(q="TESTCART") == ids(q="OFF/Ü") == ids(suite="shop/a b.py::TestCart") == [BUY]
    assert ids(q="nothing") == []
    assert api.json("/api/v1/tests", q="skip")["tests"] == [
        {"id": "b.py::test_skip[1-x]", "suite": "b.py", "function": "b.py::test_skip", "params": "1-x"}
    ]


def test_statistics_add_up(long: Api) -> None:
    told = long.json("/api/v1/statistics")
    runs = long.json("/api/v1/runs", limit=1000)["runs"]
    assert told["runs"] == len(runs) == sum(told["states"].values()) == 14
    assert told["counts"]["total"] == sum(run["counts"]["total"] for run in runs)
    assert told["counts"]["flaky"] == sum(run["counts"]["flaky"] for run in runs) > 0
    assert told["tests"] == len([test for page in long.pages("/api/v1/tests", "tests", limit=50) for test in page])
    assert told["databaseBytes"] > 0


UNKNOWN = [
    ("/api/v1/runs/20261121-103000-d4e5f7", 404, "RUN_NOT_FOUND", "did you mean 20261121-103000-d4e5f6"),
    ("/api/v1/runs/20261121", 409, "AMBIGUOUS_NAME", "is the start of 2 runs"),
    ("/api/v1/runs/nope/report", 404, "RUN_NOT_FOUND", "no run 'nope'"),
    ("/api/v1/tests/test_flacky/history", 404, "TEST_NOT_FOUND", "did you mean b.py::test_flaky?"),
    ("/api/v1/tests/test_/blame", 409, "AMBIGUOUS_NAME", "is part of several tests"),
    ("/api/v1/runs/last/results/test_flaky", 404, "TEST_NOT_FOUND", "no run has the test b.py::test_flaky"),
    ("/api/v1/analytics/flaky?branch=mian", 404, "BRANCH_NOT_FOUND", "did you mean main?"),
    ("/api/v1/analytics/trends?window=1s", 404, "RUN_NOT_FOUND", "no run started in that time"),
    ("/api/v1/runs/20261121-09/diff", 404, "RUN_NOT_FOUND", "there is no run without a branch before"),
    ("/api/v1/runs?sort=startd", 400, "INVALID_REQUEST", "did you mean 'started'?"),
    ("/api/v1/runs?state=faild", 400, "INVALID_REQUEST", "did you mean 'failed'?"),
    ("/api/v1/runs?fields=id,stat", 400, "INVALID_REQUEST", "did you mean 'state'?"),
    ("/api/v1/runs?stat=failed", 400, "INVALID_REQUEST", "did you mean 'state'?"),
    ("/api/v1/runs?limit=1&limit=2", 400, "INVALID_REQUEST", "limit is given twice"),
    ("/api/v1/runs?limit=1001", 400, "INVALID_REQUEST", "<= 1000"),
    ("/api/v1/runs?since=2026-02-30", 400, "INVALID_REQUEST", "'2026-02-30' is no moment"),
    ("/api/v1/runs?cursor=abc", 400, "INVALID_REQUEST", "this is no cursor"),
    ("/api/v1/runs/last/events?type=test*", 400, "INVALID_PATTERN", "test*"),
    ("/api/v1/runs/last/diff?base=last&branch=main", 400, "INVALID_REQUEST", "give one"),
    ("/api/v1/runs/last/suites?limit=1", 400, "INVALID_REQUEST", "there is no parameter 'limit'; there are none"),
    ("/api/v1/run", 404, "NOT_FOUND", "did you mean /api/v1/runs"),
]


@pytest.mark.parametrize(("path", "status", "code", "detail"), UNKNOWN, ids=[path for path, *_rest in UNKNOWN])
def test_what_has_no_answer_says_what_would(api: Api, path: str, status: int, code: str, detail: str) -> None:
    told = api.problem(path)
    assert told[:2] == (status, code)
    assert detail in told[2]
