"""Files of other tools in every kind of disrepair, up to the state of the run that they become."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

import msgspec

from pytest_semantest.protocol.redaction import Redactor
from semantest_recorder.core.batch import RawEvent
from semantest_recorder.core.run_state import RunState
from semantest_recorder.foreign.allure import read_allure
from semantest_recorder.foreign.errors import UnreadableError
from semantest_recorder.foreign.formats import FORMATS, format_of
from semantest_recorder.foreign.naming import settle_ids, uncertain
from semantest_recorder.foreign.run import ForeignRun
from semantest_recorder.foreign.session import ForeignFile, Heading, Texts, foreign_session
from tests.choices import Choices
from tests.fuzz.journal import damaged

_SAMPLES = Path(__file__).parents[1] / "recorder" / "foreign" / "samples"
_WHOLE = [path.read_bytes() for path in sorted(_SAMPLES.iterdir())]
_XML = (
    *(b"<testsuites>", b"<testsuite", b' name="pytest"', b">", b"<testcase", b' classname="a.B"', b' time="1,5"'),
    *(b"/>", b"<failure>", b"</failure>", b'<skipped type="pytest.xfail"/>', b"<rerunFailure/>", b"</testcase>"),
    *(b"</testsuite>", b"&#27;", b"<![CDATA[", b"]]>", b"\xff", b' tests="9"', b' timestamp="2026-11-20T10:00:00"'),
)
_VALUES: tuple[object, ...] = (
    *(None, True, -1, 1e300, "passed", "failed", "rerun", "", "\ud800", [], {}, [[1, 2]], "a.py::t"),
    ["x", 2, "Skipped: y"],
)
_KEYS = (
    *("$report_type", "nodeid", "when", "outcome", "longrepr", "sections", "duration", "start", "location", "wasxfail"),
    *("results", "tests", "collectors", "summary", "tool", "name", "status", "retryAttempts", "suite", "setup", "call"),
    *("historyId", "fullName", "labels", "attachments", "steps", "statusDetails", "result", "user_properties"),
    *("semantest_quarantine", "semantest_forgiven", "metadata", "quarantine", "entry", "reason", "owner", "expires"),
)
_KINDS = ("SessionStart", "TestReport", "CollectReport", "SubTestReport", "SessionFinish")


def check(choose: Choices) -> None:
    """Readers raise what they say, and what they give becomes a run of whole events that is not falsely green."""
    data = _data(choose)
    with suppress(UnreadableError):
        assert format_of(data) in FORMATS
    for read in (one.read for one in FORMATS.values() if one.read is not None):
        with suppress(UnreadableError):
            _check_run(read(data))
    with suppress(UnreadableError):
        _check_run(read_allure({"a-result.json": data, "b-container.json": _object(choose), "c": b""}))


def _check_run(run: ForeignRun) -> None:
    settle_ids(run.tests, set(uncertain(run.tests)[:1]), set())
    redactor = Redactor()
    texts = Texts(lambda text: redactor.clip(text, 500), redactor.redact_exact, lambda _name, value: value)
    heading = Heading("r", "s", None, {}, 1.0)
    session = foreign_session([ForeignFile("f", "0", run)], ["main"], heading, texts)
    events = session.events["main"]
    state = RunState("r")
    bodies = [json.dumps(event, allow_nan=False).encode() for event in events]
    state.apply_all("s.main", 1, [msgspec.json.decode(body, type=RawEvent) for body in bodies])
    state.settle()
    assert state.run.state in ("passed", "failed", "interrupted")
    if run.problem is not None or not run.tests:
        assert state.run.state != "passed", "nobody knows what the rest says"
    told = {attempt.outcome for test in run.tests for attempt in test.attempts[-1:] if not attempt.forgiven}
    if told & {None, "failed", "error"}:
        assert state.run.state != "passed"


def _data(choose: Choices) -> bytes:
    match choose.number(0, 3):
        case 0:
            data = choose.of(_WHOLE)
            for _ in range(choose.number(1, 4)):
                data = damaged(choose, data)
            return data
        case 1:
            return b"".join(choose.of(_XML) for _ in range(choose.number(0, 40))) + choose.rest()
        case 2:
            lines = [_object(choose) for _ in range(choose.number(0, 8))]
            return b"\n".join(lines)
        case _:
            return _object(choose)


def _object(choose: Choices) -> bytes:
    return json.dumps(_value(choose, 4) if choose.yes(8) else _mapping(choose, 4)).encode()


def _mapping(choose: Choices, depth: int) -> dict[str, object]:
    found: dict[str, object] = {}
    for _ in range(choose.number(0, 8)):
        key = choose.of(_KEYS)
        found[key] = choose.of(_KINDS) if key == "$report_type" else _value(choose, depth - 1)
    return found


def _value(choose: Choices, depth: int) -> object:
    if depth <= 0 or choose.yes():
        return choose.of(_VALUES)
    if choose.yes():
        return _mapping(choose, depth)
    return [_mapping(choose, depth) for _ in range(choose.number(0, 3))]
