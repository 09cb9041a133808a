"""Steps as a tree, logs and attachments, out of whatever events there are."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from semantest_recorder.core import rows as tables
from semantest_recorder.reports.detail_lines import detail_lines
from semantest_recorder.reports.details import add_events
from semantest_recorder.reports.inert import inert, inert_line
from semantest_recorder.reports.report import AttemptInfo, Counts, PhaseTimes, Report, RunInfo, StepInfo
from semantest_recorder.reports.report import TestInfo as Info

TEST = "a.py::test_a"
HASH = "ab" * 32

Told = tuple[str, dict[str, Any]]


def attempt_of(events: list[Told], *, source: str = "s.main") -> AttemptInfo:
    """The only attempt of a test of which these events are told."""
    attempt = AttemptInfo(1, "s.main", "main", "failed", "call", None, None, 1.0, PhaseTimes())
    test = Info(TEST, "failed", 1, 1.0, "main", "a.py", 1, "a.py", "test_a", None, [], None)
    test.attempts_detail = [attempt]
    run = RunInfo("r", None, "failed", 1, None, None, None, None, None, 0, 0, False, None, 1, 0, 0)
    report = Report(run=run, counts=Counts(total=1, failed=1), tests=[test], suites=[], warnings=[])
    rows = [tables.TestEventRow(TEST, source, seq, 1, kind) for seq, (kind, _) in enumerate(events, 1)]
    add_events(
        report,
        lambda test_id: rows if test_id == TEST else [],
        lambda _source, seq: events[seq - 1][1],
        {HASH: "/p/.semantest/artifacts/ab/" + HASH}.get,
        [TEST],
    )
    return attempt


def start(step: str, parent: str | None = None) -> Told:
    return "test/step/start", {"stepId": step, "name": f"step {step}"} | ({"parentId": parent} if parent else {})


def end(step: str, status: str = "passed", **more: Any) -> Told:
    return "test/step/end", {"stepId": step, "name": f"step {step}", "status": status, "duration": 3, **more}


def text(attempt: AttemptInfo, most: int = 0) -> list[str]:
    return [line.plain for line in detail_lines(attempt, most)]


def test_a_story_in_order() -> None:
    attempt = attempt_of(
        [
            start("1"),
            ("test/log", {"level": "info", "message": "typing", "data": {"n": 1}, "stepId": "1"}),
            start("2", "1"),
            (
                "test/attachment",
                {"name": "a.png", "mediaType": "image/png", "size": 2048, "sha256": HASH, "stepId": "2"},
            ),
            end("2", "failed", error={"type": "ValueError", "message": "no \x1b[31mstock"}),
            end("1"),
            ("test/attachment", {"name": "big", "kind": "attachment", "omitted": "too large"}),
            ("test/screenshot", {"name": "end", "path": "/tmp/end.png"}),
            ("test/assertion", {"type": "fail", "message": "equal", "expected": 1, "actual": 2}),
            start("3"),
        ]
    )
    assert text(attempt) == [
        "  steps and logs:",
        "    step 1  passed, 3.0 ms",
        '      info: typing  {"n":1}',
        "      step 2  failed, 3.0 ms: ValueError: no stock",
        f"        attachment a.png  image/png, 2.0 KiB: /p/.semantest/artifacts/ab/{HASH}",
        "    attachment big  not kept: too large",
        "    screenshot end: /tmp/end.png",
        '    error: assertion failed: equal  {"expected":1,"actual":2}',
        "    step 3  not finished",
    ]
    assert text(attempt, 2)[-3:] == [
        "    ... 6 more lines (semantest show has all)",
        f"    attachment a.png  image/png, 2.0 KiB: /p/.semantest/artifacts/ab/{HASH}",
        "    attachment big  not kept: too large",
    ]


def test_what_a_client_tells_beside_the_run_goes_to_the_attempt_of_its_number() -> None:
    attempt = attempt_of([("test/log", {"message": "from a browser"})], source="live/c/r.client")
    assert [log.message for log in attempt.logs] == ["from a browser"]


def test_of_very_many_events_the_rest_is_counted() -> None:
    attempt = attempt_of([("test/log", {"message": str(n)}) for n in range(5100)])
    assert len(attempt.logs) == 5000
    assert attempt.events_left_out == 100
    assert text(attempt, 5)[-1] == "    ... and 100 more events that were not read"


def test_deep_nesting_stays_readable() -> None:
    attempt = attempt_of([start(str(n), str(n - 1)) for n in range(1, 3000)])
    assert len(text(attempt)) == 3000
    assert msgspec.json.decode(msgspec.json.encode(attempt), type=AttemptInfo) == attempt


def test_the_error_of_a_step_keeps_its_lines() -> None:
    message = "'Boutique'\n\n- Boutique\n+ Shop\x1b[31m\ton"
    attempt = attempt_of([start("1"), end("1", "failed", error={"type": "AssertionError", "message": message})])
    assert text(attempt) == [
        "  steps and logs:",
        "    step 1  failed, 3.0 ms: AssertionError: 'Boutique'",
        "    | ",
        "    | - Boutique",
        "    | + Shop on",
    ]
    assert [line.startswith("    ...") for line in text(attempt, 3)] == [False] * 4 + [True]


def count(steps: list[StepInfo]) -> int:
    return len(steps) + sum(count(step.steps) for step in steps)


def further_lines(steps: list[StepInfo]) -> int:
    """Lines of errors beyond the first, which stand below their step."""
    own = [inert(step.error.message or "").strip("\n").count("\n") for step in steps if step.error is not None]
    return sum(own) + sum(further_lines(step.steps) for step in steps)


ids = st.one_of(st.none(), st.integers(), st.sampled_from(["1", "2", "3", ""]))
values = st.one_of(ids, st.text(max_size=5), st.floats(), st.lists(st.integers(), max_size=2))
payloads = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(("stepId", "parentId"), ids),
        **dict.fromkeys(("name", "status", "duration", "error", "message", "sha256", "size", "omitted"), values),
    },
)
kinds = st.sampled_from(["test/step/start", "test/step/end", "test/log", "test/attachment", "test/screenshot"])


@given(st.lists(st.tuples(kinds, payloads), max_size=30))
def test_no_shape_of_events_breaks_it_and_none_is_lost(events: list[Told]) -> None:
    attempt = attempt_of(events)
    kinds = [kind for kind, _ in events]
    assert count(attempt.steps) >= kinds.count("test/step/start")
    assert len(attempt.logs) == kinds.count("test/log")
    assert len(attempt.attachments) == kinds.count("test/attachment") + kinds.count("test/screenshot")
    lines = text(attempt)
    told = count(attempt.steps) + len(attempt.logs) + len(attempt.attachments)
    assert len(lines) == bool(events) + told + further_lines(attempt.steps)
    assert all(line == inert_line(line) for line in lines)
