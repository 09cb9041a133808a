"""``GET /metrics`` of a real recorder, read by the parsers that Prometheus' Python client has."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from prometheus_client.openmetrics import parser as openmetrics
from prometheus_client.parser import text_string_to_metric_families

from semantest_recorder.monitoring.catalogue import METRICS
from tests.recorder.cli_recorder.daemons import Daemon, ask, wait_until
from tests.recorder.server.running import NOW, batch, records_of_test, run_start

HOSTILE = 'run"} 1\nsemantest_ready{evil="'
Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


class Scraped:
    """An answer, and the values in it by name and labels."""

    def __init__(self, status: int, content_type: str, text: str) -> None:
        self.status, self.content_type, self.text = status, content_type, text

    def samples(self) -> Samples:
        families = text_string_to_metric_families(self.text)
        return {(s.name, tuple(sorted(s.labels.items()))): s.value for family in families for s in family.samples}

    def value(self, name: str, **labels: str) -> float:
        return self.samples()[name, tuple(sorted(labels.items()))]


def scrape(daemon: Daemon, accept: str = "", token: str | None = None) -> Scraped:
    headers = {"Authorization": f"Bearer {token or daemon.discovery['token']}"} | ({"Accept": accept} if accept else {})
    with closing(HTTPConnection(urlsplit(daemon.discovery["url"]).netloc, timeout=60)) as connection:
        connection.request("GET", "/metrics", headers=headers)
        response = connection.getresponse()
        return Scraped(response.status, response.headers["Content-Type"], response.read().decode())


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    daemon = Daemon(tmp_path_factory.mktemp("monitored") / ".semantest").ready()
    yield daemon
    daemon.end()


def record_a_run(daemon: Daemon, name: str, *, failed: int = 0, tests: int = 3) -> None:
    """A whole run as a shipper sends it; the last ``failed`` of its tests fail."""
    source = f"{name}.main"
    ids = [f"tests/test_a.py::test_{number}" for number in range(tests)]
    plan = {"type": "run/plan", "timestamp": NOW, "payload": {"tests": ids, "offset": 0, "total": tests}}
    events = [run_start(name, session=name), plan]
    for number in range(tests):
        start, end = records_of_test(number)
        if number >= tests - failed:
            end["payload"] |= {"status": "failed", "outcome": "failed"}
        events += [start, end]
    ended = {"runId": name, "exitCode": 1 if failed else 0, "stoppedEarly": False}
    events.append({"type": "run/end", "timestamp": NOW + 99, "payload": ended})
    with closing(daemon.connect()) as connection:
        assert ask(connection, batch(1, events, source))["type"] == "ack"
        assert ask(connection, batch(1, events[:2], source))["seq"] == 2
        assert ask(connection, batch(99, events[:1], source))["code"] == "SEQ_GAP"
        assert ask(connection, {"type": "no-such"})["code"] == "UNKNOWN_TYPE"


def test_what_attachments_take_is_told_once_it_was_looked_for(tmp_path: Path) -> None:
    for name, content in (("0f" * 32, b"picture"), ("1a" * 32, b"log")):
        place = tmp_path / "artifacts" / name[:2] / name
        place.parent.mkdir(parents=True)
        place.write_bytes(content)
    daemon = Daemon(tmp_path).ready()
    try:
        wait_until(
            lambda: scrape(daemon).samples().get(("semantest_artifact_bytes", ())) == 10, "the size of what is attached"
        )
    finally:
        daemon.end()


def test_what_a_recorder_did_is_counted(daemon: Daemon) -> None:
    before = scrape(daemon).samples()
    record_a_run(daemon, "counted", failed=1)
    after = scrape(daemon)
    assert (after.status, after.content_type.partition(";")[0]) == (200, "text/plain")

    def gained(name: str, **labels: str) -> float:
        key = name, tuple(sorted(labels.items()))
        return after.samples()[key] - before.get(key, 0)

    assert gained("semantest_events_total") == 9
    assert gained("semantest_duplicate_events_total") == 2
    assert gained("semantest_batches_total") == 3
    assert gained("semantest_refused_batches_total", code="SEQ_GAP") == 1
    assert gained("semantest_refused_messages_total", code="SEQ_GAP") == 1
    assert gained("semantest_refused_messages_total", code="UNKNOWN_TYPE") == 1
    assert gained("semantest_ack_duration_seconds_count") == 3
    assert gained("semantest_commit_duration_seconds_count") == 3
    assert gained("semantest_runs_ended_total", state="failed") == 1
    assert gained("semantest_tests_ended_total", state="passed") == 2
    assert gained("semantest_tests_ended_total", state="failed") == 1
    assert gained("semantest_http_requests_total", route="/metrics", method="GET", status="2xx") == 1
    assert gained("semantest_http_request_duration_seconds_count", route="/metrics", method="GET") == 1
    wait_until(
        lambda: scrape(daemon).value("semantest_plugin_calls_total", plugin="event-filter", hook="initialize") == 1,
        "the plugin was initialized",
    )
    assert after.value("semantest_ready") == 1
    assert after.value("semantest_database_bytes") > 0
    assert after.value("process_resident_memory_bytes") > 0


def test_a_socket_counts_while_it_is_open_and_its_request_when_it_is_over(daemon: Daemon) -> None:
    known = {"route": "/ws", "method": "GET", "status": "1xx"}
    key = "semantest_http_requests_total", tuple(sorted(known.items()))
    before = scrape(daemon).samples().get(key, 0)
    with closing(daemon.connect()) as connection:
        ask(connection, {"id": "s", "type": "subscribe", "payload": {"eventTypes": ["*"]}})
        during = scrape(daemon)
    assert (during.value("semantest_connections"), during.value("semantest_subscribers")) == (1, 1)
    wait_until(lambda: scrape(daemon).samples().get(key, 0) == before + 1, "the connection is over")
    assert scrape(daemon).value("semantest_connections") == 0


def test_every_metric_is_there_with_its_kind_and_text(daemon: Daemon) -> None:
    families = {family.name: family for family in text_string_to_metric_families(scrape(daemon).text)}
    names = {name.removesuffix("_total") if metric.kind == "counter" else name for name, metric in METRICS.items()}
    assert set(families) == names
    for name, metric in METRICS.items():
        family = families[name.removesuffix("_total") if metric.kind == "counter" else name]
        assert (family.type, family.documentation) == (metric.kind, metric.help)
        assert {label for sample in family.samples for label in sample.labels} - {"le"} <= set(metric.labels)


def test_who_asks_for_openmetrics_gets_it(daemon: Daemon) -> None:
    scraped = scrape(daemon, "application/openmetrics-text;version=1.0.0;q=0.6,text/plain;version=0.0.4;q=0.2")
    assert scraped.content_type.startswith("application/openmetrics-text")
    families = {family.name for family in openmetrics.text_string_to_metric_families(scraped.text)}  # type: ignore[no-untyped-call]
    assert "semantest_events" in families
    assert scraped.text.endswith("# EOF\n")


def test_nothing_that_a_client_says_becomes_a_label_or_one_more_series(daemon: Daemon) -> None:
    def strange(number: int) -> None:
        record_a_run(daemon, f"{number}-{HOSTILE.replace(chr(10), ' ')}")
        with closing(HTTPConnection(urlsplit(daemon.discovery["url"]).netloc, timeout=60)) as connection:
            for method, path in (
                ("GET", f"/{number}-evil"),
                (f"EVIL{number}", "/metrics"),
                ("GET", "/api/v1/artifacts/a"),
            ):
                connection.request(method, path, headers={"X-Request-Id": HOSTILE.replace("\n", "")})
                connection.getresponse().read()

    strange(0)
    before = scrape(daemon)
    for number in range(1, 4):
        strange(number)
    after = scrape(daemon)
    assert after.samples().keys() == before.samples().keys()
    assert "evil" not in after.text.lower()
