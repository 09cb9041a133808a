"""Runs as traces, sent to a real collector; one that is slow, down or refuses costs nobody anything."""

from __future__ import annotations

import logging
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from semantest_recorder.plugins.builtin.otel_sending import OtelSender
from semantest_recorder.plugins.builtin.run_trace import read_run, spans_of, trace_id_of
from semantest_recorder.plugins.configuration import read_section
from semantest_recorder.plugins.registry import PluginRegistry
from semantest_recorder.run_reading import RunReading
from tests.recorder.store.ingesting import MAIN, RUN, attempt, event, passed, whole_run

from .otlp_receiver import Receiver, receiving, told
from .plugged import Plugged, plugged, wait_for

PLUGIN = "opentelemetry"
TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
AT_MS = 1_763_683_200_000.0
ERROR = {"message": "assert 1 == 2\nmore", "type": "AssertionError", "stack": "a.py:3: AssertionError"}


def step(kind: str, at: float, name: str, parent: str | None = None, **more: Any) -> Any:
    told = {"testId": "a.py::bad", "attempt": 1, "stepId": name, "name": name, "parentId": parent, **more}
    return event(f"test/step/{kind}", AT_MS + at, **told)


EVENTS = whole_run(
    RUN,
    [
        event("run/context", AT_MS, git={"branch": "main", "commit": "c0ffee"}, trace={"traceparent": TRACEPARENT}),
        *passed("a.py::good", AT_MS + 10, 5.0),
        event("test/start", AT_MS + 20, testId="a.py::bad", attempt=1),
        step("start", 21, "pay"),
        step("start", 22, "card", "pay"),
        step("end", 24, "card", "pay", status="failed", duration=2.0, error={"message": "no card"}),
        step("end", 25, "pay", status="passed", duration=4.0),
        event(
            *("test/end", AT_MS + 30),
            testId="a.py::bad",
            attempt=1,
            outcome="failed",
            status="failed",
            duration=9.0,
            phases={"setup": 1.0, "call": 6.0, "teardown": 2.0},
            error=ERROR,
        ),
        *attempt("b.py::flaky", 1, "failed", AT_MS + 40),
        *attempt("b.py::flaky", 2, "passed", AT_MS + 50),
    ],
    AT_MS,
)


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of the developer's own machine."""
    for name in ("ENDPOINT", "TRACES_ENDPOINT", "HEADERS", "TIMEOUT", "COMPRESSION"):
        monkeypatch.delenv(f"OTEL_EXPORTER_OTLP_{name}", raising=False)
    monkeypatch.delenv("OTEL_SERVICE_NAME", raising=False)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "0.3")  # for how long one attempt tries, in seconds


@pytest.fixture
def collector() -> Iterator[tuple[Receiver, str]]:
    with receiving() as found:
        yield found


def exporting(path: Path, endpoint: str = "", **options: Any) -> Any:
    section = {"enabled": [PLUGIN], PLUGIN: {"endpoint": endpoint, **options}}
    return plugged(path / "semantest.db", section=section, builtin=True)


def exports(recorder: Plugged) -> dict[str, Any]:
    (found,) = [one for one in recorder.dispatcher.status()["plugins"] if one["name"] == PLUGIN]
    told: dict[str, Any] = found["exports"]
    return told


def wait_until_sent(recorder: Plugged, runs: int = 1) -> None:
    def runs_are_sent() -> bool:
        return bool(exports(recorder)["exported"] == runs)

    wait_for(runs_are_sent)


def test_a_run_becomes_one_trace_with_its_times_and_errors(tmp_path: Path, collector: tuple[Receiver, str]) -> None:
    receiver, address = collector
    with exporting(tmp_path, address) as recorder:
        recorder.send(MAIN, 1, EVENTS)
        wait_until_sent(recorder)
    spans = {span.name: span for span in receiver.spans if not span.name.startswith("attempt")}
    attempts = [span for span in receiver.spans if span.name.startswith("attempt")]
    assert {span.trace_id.hex() for span in receiver.spans} == {f"{trace_id_of(RUN):032x}"}
    assert len({span.span_id for span in receiver.spans}) == len(receiver.spans)

    def above(span: Span) -> str:
        names = {one.span_id: one.name for one in receiver.spans}
        return names[span.parent_span_id]

    run, bad = spans["pytest"], spans["a.py::bad"]
    assert run.parent_span_id == b""
    assert (above(spans["a.py"]), above(bad), above(attempts[0])) == ("pytest", "a.py", "a.py::good")
    assert (above(spans["pay"]), above(spans["card"])) == ("attempt 1", "pay")
    assert {above(spans[phase]) for phase in ("setup", "call", "teardown")} == {"attempt 1"}

    def times(span: Span) -> tuple[float, float]:
        return span.start_time_unix_nano / 1e6 - AT_MS, span.end_time_unix_nano / 1e6 - AT_MS

    assert times(spans["card"]) == pytest.approx((22, 24), abs=1e-3)
    assert times(spans["call"]) == pytest.approx((21, 27), abs=1e-3)
    assert times(bad) == pytest.approx((20, 29), abs=1e-3)
    assert told(bad.attributes) | {"test.case.result.status": "fail", "semantest.test.state": "failed"} == told(
        bad.attributes
    )
    assert told(spans["b.py::flaky"].attributes)["test.case.result.status"] == "pass"
    assert told(spans["b.py"].attributes)["test.suite.run.status"] == "success"
    assert (bad.status.code, bad.status.message) == (Status.STATUS_CODE_ERROR, "assert 1 == 2")
    assert spans["card"].status.message == "no card"
    assert spans["a.py::good"].status.code == Status.STATUS_CODE_UNSET
    (exception,) = [one for span in attempts if above(span) == "a.py::bad" for one in span.events]
    assert told(exception.attributes) == {
        "exception.type": "AssertionError",
        "exception.message": ERROR["message"],
        "exception.stacktrace": ERROR["stack"],
    }
    facts = told(run.attributes)
    assert (facts["semantest.run.id"], facts["cicd.pipeline.result"]) == (RUN, "failure")
    assert (facts["vcs.ref.head.name"], facts["semantest.run.tests.flaky"]) == ("main", 1)
    (link,) = run.links
    assert f"00-{link.trace_id.hex()}-{link.span_id.hex()}-01" == TRACEPARENT
    assert {one["service.name"] for one in receiver.resources} == {"pytest"}


def test_metrics_are_sent_and_a_run_that_comes_again_is_the_same_trace_and_counts_once(
    tmp_path: Path, collector: tuple[Receiver, str]
) -> None:
    receiver, address = collector
    with exporting(tmp_path, address) as recorder:
        recorder.send(MAIN, 1, EVENTS)
        wait_until_sent(recorder)
        first = {(span.trace_id, span.span_id) for span in receiver.spans}
        receiver.traces.clear()
        recorder.send(MAIN, len(EVENTS) + 1, [event("test/log", 1.0, message="late")])
        wait_until_sent(recorder, 2)
    assert {(span.trace_id, span.span_id) for span in receiver.spans} == first
    points = receiver.metric("semantest.tests").sum.data_points
    counted = {told(one.attributes)["semantest.test.state"]: one.as_int for one in points}
    assert counted == {"passed": 1, "failed": 1, "flaky": 1}
    (duration,) = receiver.metric("cicd.pipeline.run.duration").histogram.data_points
    assert (duration.count, duration.sum) == (1, pytest.approx(0.1))


def test_the_standard_variables_win_over_the_configuration(
    tmp_path: Path, collector: tuple[Receiver, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    receiver, address = collector
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", address)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-team=shop")
    monkeypatch.setenv("OTEL_SERVICE_NAME", "checkout")
    with exporting(tmp_path, "http://127.0.0.1:9", tests="bad", metrics=False) as recorder:
        recorder.send(MAIN, 1, EVENTS)
        wait_until_sent(recorder)
    assert receiver.paths == ["/v1/traces"]
    assert receiver.headers[0]["x-team"] == "shop"
    assert {one["service.name"] for one in receiver.resources} == {"checkout"}
    names = {span.name for span in receiver.spans}
    assert "a.py::bad" in names
    assert "a.py::good" not in names


def test_a_run_waits_for_a_collector_that_is_down_and_others_do_not_wait_for_it(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]

    def attempt_failed() -> bool:
        return bool(exports(recorder)["failures"])

    section = {"enabled": [PLUGIN, "json-report"], PLUGIN: {"endpoint": f"http://127.0.0.1:{port}"}}
    with plugged(tmp_path / "semantest.db", section=section, builtin=True) as recorder:
        recorder.send(MAIN, 1, EVENTS)
        wait_for(attempt_failed)
        assert exports(recorder) | {"queued": 1, "exported": 0} == exports(recorder)
        assert "did not take" in exports(recorder)["lastError"]
        assert recorder.counts(PLUGIN, "after_test_run") | {"calls": 1, "failures": 0} == recorder.counts(
            PLUGIN, "after_test_run"
        )
        assert (tmp_path / "reports" / f"{RUN}.json").exists()
        with receiving(port) as (receiver, _address):
            wait_until_sent(recorder)
            assert receiver.spans
        assert len(recorder.stored()) == len(EVENTS), "not one event is lost"


def test_a_collector_that_never_answers_or_refuses_holds_up_nothing(
    tmp_path: Path, collector: tuple[Receiver, str], caplog: pytest.LogCaptureFixture
) -> None:
    receiver, address = collector
    receiver.free.clear()
    receiver.status = 400
    with exporting(tmp_path, address) as recorder:
        recorder.send(MAIN, 1, EVENTS)
        assert receiver.asked.wait(60)
        other = whole_run("another", passed("a.py::t", AT_MS), AT_MS)
        recorder.send("another.main", 1, other)

        def both_are_queued() -> bool:
            return bool(exports(recorder)["queued"] == 2)

        wait_for(both_are_queued)
        assert recorder.counts(PLUGIN, "after_test_run")["failures"] == 0
    assert "2 runs were not sent to the collector: the recorder ends" in caplog.text


def test_what_could_not_be_sent_before_the_end_is_sent_by_the_next_recorder(
    tmp_path: Path, collector: tuple[Receiver, str]
) -> None:
    receiver, address = collector
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
    with exporting(tmp_path, f"http://127.0.0.1:{port}") as recorder:
        recorder.send(MAIN, 1, EVENTS)

        def attempt_failed() -> bool:
            return bool(exports(recorder)["failures"])

        wait_for(attempt_failed)
    with exporting(tmp_path, address) as recorder:
        wait_until_sent(recorder)
        assert f"{trace_id_of(RUN):032x}" in {span.trace_id.hex() for span in receiver.spans}
    with exporting(tmp_path, address) as recorder:
        assert exports(recorder)["queued"] == 0


@pytest.mark.parametrize("content", ["", "{", "[1]", '["no such run"]'])
def test_a_list_of_unsent_runs_that_means_nothing_stops_nothing(
    content: str, tmp_path: Path, collector: tuple[Receiver, str]
) -> None:
    (tmp_path / "unsent-runs.json").write_text(content)
    with exporting(tmp_path, collector[1]) as recorder:
        recorder.send(MAIN, 1, EVENTS)
        wait_until_sent(recorder)


def test_metrics_that_are_refused_are_told_once_and_the_trace_is_sent(
    tmp_path: Path, collector: tuple[Receiver, str], caplog: pytest.LogCaptureFixture
) -> None:
    """As by Jaeger, which takes traces only."""
    receiver, address = collector
    take = receiver.take
    receiver.take = lambda path, headers, body: 404 if "metrics" in path else take(path, headers, body)  # type: ignore[method-assign]
    with exporting(tmp_path, address) as recorder, caplog.at_level(logging.WARNING):
        recorder.send(MAIN, 1, EVENTS)
        wait_until_sent(recorder)
        assert exports(recorder)["failures"] == 0
    assert receiver.spans
    assert caplog.text.count("metrics = false sends none") == 1


def test_a_large_run_is_sent_in_parts_with_rests_between_them(tmp_path: Path, collector: tuple[Receiver, str]) -> None:
    receiver, address = collector
    rests: list[float] = []
    tests = [one for number in range(300) for one in passed(f"a.py::t{number}", AT_MS + number)]
    with plugged(tmp_path / "semantest.db") as recorder:
        recorder.send(MAIN, 1, whole_run(RUN, tests, AT_MS))
        run = read_run(RunReading(recorder.path).report(RUN))
    sender = OtelSender(address, "pytest", "1", rests.append)
    sender.send_trace(trace_id_of(RUN), spans_of(run, ()), None)
    sender.close()
    assert len(receiver.spans) == 2 + 2 * 300
    assert len(receiver.traces) == 2
    assert len(rests) == 1
    assert rests[0] > 0


def test_without_the_extra_it_says_how_to_install_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk", None)
    with exporting(tmp_path) as recorder:
        (found,) = [one for one in recorder.dispatcher.status()["plugins"] if one["name"] == PLUGIN]
        recorder.send(MAIN, 1, EVENTS)
    assert found["enabled"] is False
    assert "pip install 'pytest-semantest[otel]'" in found["disabledBecause"]


def test_one_that_was_not_started_says_nothing_of_runs() -> None:
    """As ``semantest plugins`` looks at it where no recorder runs."""
    registry = PluginRegistry(read_section({"enabled": [PLUGIN]}))
    registry.load([])
    assert [("exports" in plugin.to_wire(), plugin.disabled) for plugin in registry.plugins] == [(False, "")] * 2


def test_an_address_that_is_none_is_refused(tmp_path: Path) -> None:
    with exporting(tmp_path, "localhost:4318") as recorder:
        (found,) = [one for one in recorder.dispatcher.status()["plugins"] if one["name"] == PLUGIN]
    assert "an address such as http://localhost:4318, not 'localhost:4318'" in found["disabledBecause"]
