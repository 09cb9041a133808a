"""The built-in reporters, behind a real writer: what they write, where, and that hostile names harm nobody."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from semantest_recorder.core.batch import RawEvent
from semantest_recorder.plugins import Context
from semantest_recorder.plugins.builtin import BUILTIN
from semantest_recorder.plugins.builtin.files import file_name
from semantest_recorder.plugins.builtin.lines import duration, one_line
from semantest_recorder.plugins.builtin.performance import Finding, PerformanceOptions, judge, usual_durations
from semantest_recorder.plugins.builtin.retry import Retry, RetryOptions, RetryPolicy, worth_retrying
from semantest_recorder.plugins.configuration import read_section
from semantest_recorder.plugins.registry import PluginRegistry
from semantest_recorder.run_reading import RunReading
from tests.recorder.store.ingesting import MAIN, RUN, attempt, event, passed, whole_run

from .plugged import Plugged, plugged, wait_for

FAILED = [
    event("test/start", 2.0, testId="a.py::bad", attempt=1),
    event("test/screenshot", 3.0, testId="a.py::bad", name="page", path="shots/1.png"),
    event("test/screenshot", 3.0, testId="a.py::t", name="fine", path="shots/2.png"),
    event(
        *("test/end", 4.0),
        testId="a.py::bad",
        attempt=1,
        outcome="failed",
        status="failed",
        duration=20_000.0,
        error={"message": "assert 1 == 2\nmore", "type": "AssertionError"},
    ),
]
EVENTS = whole_run(RUN, [*passed("a.py::t", duration=1500.0), *FAILED])


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "semantest.db"


def section(*names: str, **options: Any) -> dict[str, Any]:
    return {"enabled": list(names), "disabled": ["event-filter"] if "event-filter" not in names else [], **options}


def finish(recorder: Plugged, plugin: str) -> None:
    wait_for(lambda: recorder.counts(plugin, "after_test_run")["calls"] > 0)


def test_the_console_writes_a_line_per_test_and_a_summary(path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with plugged(path, section=section("console", console={"slowest": 1}), builtin=True) as recorder:
        recorder.send(MAIN, 1, EVENTS)
        finish(recorder, "console")
    assert capfd.readouterr().err.splitlines() == [
        f"run {RUN} started",
        "PASSED    a.py::t  1.50 s",
        "FAILED    a.py::bad  20.00 s: assert 1 == 2",
        f"run {RUN}: failed, 1 passed, 1 failed, 100 ms",
        "  slow: 20.00 s a.py::bad",
    ]


def test_the_console_may_tell_of_bad_tests_only(path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with plugged(path, section=section("console", console={"tests": "bad"}), builtin=True) as recorder:
        recorder.send(MAIN, 1, EVENTS)
        finish(recorder, "console")
    assert [line.split()[0] for line in capfd.readouterr().err.splitlines()] == ["run", "FAILED", "run"]


def test_the_console_says_when_shards_are_missing(path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    shard = event("run/selection", collected=2, shard={"index": 1, "of": 3}, checksum="c")
    with plugged(path, section=section("console", console={"tests": "none"}), builtin=True) as recorder:
        recorder.send(MAIN, 1, whole_run(RUN, [shard, *passed("a.py::t")]))
        finish(recorder, "console")
    assert capfd.readouterr().err.splitlines()[-1] == f"run {RUN}: passed so far: 1 of 3 shards, 1 passed, 100 ms"


@pytest.mark.hazard(33)
def test_names_do_nothing_to_a_terminal(path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with plugged(path, section=section("console"), builtin=True) as recorder:
        recorder.send(MAIN, 1, whole_run(RUN, passed("a.py::t\x1b[2J\u202e\nFAILED x")))
        finish(recorder, "console")
    err = capfd.readouterr().err
    assert "\x1b" not in err
    assert "\u202e" not in err
    assert len(err.splitlines()) == 3


def test_the_json_report_is_the_report_itself_and_follows_late_events(path: Path, tmp_path: Path) -> None:
    with plugged(path, section=section("json-report"), builtin=True) as recorder:
        recorder.send(MAIN, 1, EVENTS)
        finish(recorder, "json-report")
        file = tmp_path / "reports" / f"{RUN}.json"
        assert json.loads(file.read_text()) == json.loads(msgspec.json.encode(RunReading(path).report(RUN)))
        late = event("run/context", 300.0, git={"branch": "main"})
        recorder.send(MAIN, len(EVENTS) + 1, [late])
        wait_for(lambda: recorder.counts("json-report", "after_test_run")["calls"] == 2)
    found = json.loads(file.read_text())
    assert (found["schema"], found["run"]["git"]) == (1, {"branch": "main"})
    assert [entry.name for entry in file.parent.iterdir()] == [f"{RUN}.json"]


def test_a_report_that_cannot_be_written_is_a_counted_failure(path: Path, tmp_path: Path) -> None:
    (tmp_path / "reports").write_text("in the way")
    with plugged(path, section=section("json-report"), builtin=True) as recorder:
        recorder.send(MAIN, 1, EVENTS)
        wait_for(lambda: recorder.counts("json-report", "after_test_run")["failures"] == 1)
        assert recorder.counts("json-report", "after_test_run")["calls"] == 1
    assert (tmp_path / "reports").read_text() == "in the way"


@pytest.mark.hazard(34)
@given(st.text(min_size=1, max_size=150))
def test_a_run_id_is_no_path(run_id: str) -> None:
    name = file_name(run_id, ".json")
    assert Path(name).name == name
    assert name.isascii()
    assert not name.startswith(".")
    assert len(name) < 120


@pytest.mark.parametrize("run_id", [f"{RUN}.screenshots", f"{RUN}.Screenshots"])
def test_the_report_of_one_run_is_not_the_index_of_another(run_id: str) -> None:
    assert file_name(run_id, ".json").casefold() != file_name(RUN, ".screenshots.json").casefold()


def test_pictures_of_failed_tests_are_listed(path: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    with plugged(path, section=section("screenshots"), builtin=True) as recorder:
        recorder.send(MAIN, 1, EVENTS)
        finish(recorder, "screenshots")
    found = json.loads((tmp_path / "reports" / f"{RUN}.screenshots.json").read_text())
    picture = {"id": f"{MAIN}:5", "name": "page", "path": "shots/1.png"}
    assert found == {"schema": 1, "run": RUN, "leftOut": 0, "tests": {"a.py::bad": [picture]}}
    assert "picture of a.py::bad: shots/1.png" in caplog.text


def test_pictures_can_be_refused(path: Path, tmp_path: Path) -> None:
    options = section("screenshots", screenshots={"keep": "none"})
    with plugged(path, section=options, builtin=True) as recorder:
        recorder.send(MAIN, 1, EVENTS)
        assert [row[:2] for row in recorder.marks()] == [(5, "dropped"), (6, "dropped")]
        finish(recorder, "screenshots")
    assert not (tmp_path / "reports").exists()


def test_slow_tests_are_named_and_summed_up(path: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "history.json").write_text('{"version": 1, "flaky": {}, "durations": {"a.py::t": 100.0}}')
    with plugged(path, section=section("performance"), builtin=True) as recorder:
        recorder.send(MAIN, 1, EVENTS)
        finish(recorder, "performance")
    lines = [record.message for record in caplog.records if record.name == "semantest.plugins.performance"]
    assert lines == [
        "slower than usual: a.py::t took 1.50 s, usually 100 ms",
        "very slow: a.py::bad took 20.00 s",
        f"run {RUN}: of 2 attempts 1 slower than usual, 1 very slow",
    ]


@pytest.mark.parametrize(
    ("taken", "usual", "kind"),
    [
        (999.0, None, None),
        (1000.0, None, "slow"),
        (10_000.0, 9_000.0, "very slow"),
        (400.0, 100.0, "slower than usual"),
        (299.0, 100.0, None),
        (30.0, 1.0, None),
        (2000.0, 1900.0, "slow"),
    ],
)
def test_what_is_slow(taken: float, usual: float | None, kind: str | None) -> None:
    found = judge(taken, usual, PerformanceOptions())
    assert found == (None if kind is None else Finding(kind, usual))


@pytest.mark.parametrize(
    "content",
    [
        *(None, b"", b"[]", b'{"version": 2, "durations": {"a": 1}}', b'{"version": 1}'),
        *(b'{"version": 1, "durations": {"\xff": 1}}', b'{"version": 1, "more": ' + b"[" * 100_000),
    ],
)
def test_a_history_that_cannot_be_used_is_none(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "history.json"
    if content is not None:
        file.write_bytes(content)
    assert usual_durations(file) == {}


ERROR = {"error": {"type": "TimeoutError", "message": "no answer"}}


@pytest.mark.parametrize(
    ("options", "payload", "failures", "asked", "wanted"),
    [
        ({}, ERROR, 1, 0, False),
        ({}, ERROR, 2, 2, True),
        ({}, ERROR, 3, 2, False),
        ({"retries": 1}, ERROR, 1, 0, True),
        ({"retries": 9}, ERROR, 3, 2, False),
        ({"retries": 1, "only": ("Timeout",)}, ERROR, 1, 0, True),
        ({"retries": 1, "only": ("Assertion",)}, ERROR, 1, 0, False),
        ({"retries": 1, "only": ("Timeout",), "never": ("no answer",)}, ERROR, 1, 0, False),
        ({"retries": 1, "only": ("Timeout",)}, {"error": "odd"}, 1, 0, False),
    ],
)
def test_which_failures_are_worth_another_try(
    options: dict[str, Any], payload: dict[str, Any], failures: int, asked: int, wanted: bool
) -> None:
    assert RetryPolicy(RetryOptions(**options)).wants(payload, failures, asked) is wanted


def test_a_policy_decides_from_when_its_plugin_comes_until_it_goes() -> None:
    registry = PluginRegistry(read_section({"mine": {"retries": 2}}))
    wants = worth_retrying(registry)
    assert [wants({}, failures, 1) for failures in (1, 2)] == [True, False], "as the run asks"
    own = Retry()
    plugin = registry.register(own, "mine", waits=True)
    own.initialize(Context("mine", Path(), plugin.options))
    assert not wants({}, 2, 0), "it is not there yet"
    registry.admit(plugin)
    assert wants({}, 2, 0)
    registry.unregister("mine")
    assert not wants({}, 1, 0)


def ended(test_id: str, *, again: bool) -> list[RawEvent]:
    """A failed attempt after which another one is asked for, or not."""
    end = event("test/end", 3.0, testId=test_id, attempt=1, outcome="failed", willRetry=again)
    return [event("test/start", 2.0, testId=test_id, attempt=1), end]


@pytest.mark.parametrize(
    ("tests", "said"),
    [
        (
            [*attempt("a.py::t", 1, "failed"), *attempt("a.py::t", 2, "passed", 5.0)],
            "1 test was run again, 1 of all tests passed only then",
        ),
        (ended("a.py::t", again=True), "1 test was to be run again and was not"),
        (
            [
                *(part for name in ("t", "u") for part in ended(f"a.py::{name}", again=True)),
                *(part for name in ("t", "u") for part in attempt(f"a.py::{name}", 2, "failed", 5.0)),
                *(part for name in ("v", "w") for part in ended(f"a.py::{name}", again=True)),
            ],
            "2 tests were run again, 0 of all tests passed only then; 2 tests were to be run again and were not",
        ),
        (ended("a.py::t", again=False), None),
    ],
    ids=["run again", "only asked for", "both", "neither"],
)
def test_what_retries_brought_is_said(
    path: Path, caplog: pytest.LogCaptureFixture, tests: list[RawEvent], said: str | None
) -> None:
    with plugged(path, section=section("retry"), builtin=True) as recorder:
        recorder.send(MAIN, 1, whole_run(RUN, tests))
        finish(recorder, "retry")
    lines = [record.message for record in caplog.records if record.name == "semantest.plugins.retry"]
    assert lines == ([f"run {RUN}: {said}"] if said else [])


@pytest.mark.parametrize("name", sorted(BUILTIN.keys() - {"event-filter"}))
def test_options_that_there_are_not_switch_a_plugin_off(path: Path, name: str) -> None:
    """But for the event filter: without it the recorder does not start."""
    with plugged(path, section=section(name, **{name: {"no-such": 1}}), builtin=True) as recorder:
        (found,) = [plugin for plugin in recorder.dispatcher.status()["plugins"] if plugin["name"] == name]
        assert found["enabled"] is False
        assert "no option 'no_such'" in found["disabledBecause"]


def test_lines() -> None:
    assert (duration(None), duration(12.4), duration(1250.0), duration(200_000.0)) == (
        "-",
        "12 ms",
        "1.25 s",
        "3 min 20 s",
    )
    assert one_line("a\nb\x9b\u2066") == "a\\nb\\x9b\\u2066"
