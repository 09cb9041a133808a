"""The dashboard and the alerts in examples/monitoring: what they ask for exists, and importers take them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from semantest_recorder.monitoring.catalogue import METRICS, Metric

EXAMPLES = Path(__file__).resolve().parents[3] / "examples" / "monitoring"
DASHBOARD: dict[str, Any] = json.loads((EXAMPLES / "grafana-dashboard.json").read_text(encoding="utf-8"))
RULES: list[dict[str, Any]] = [
    rule
    for group in yaml.safe_load((EXAMPLES / "prometheus-alerts.yml").read_text(encoding="utf-8"))["groups"]
    for rule in group["rules"]
]
PANELS: list[dict[str, Any]] = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
TARGETS = [(panel["title"], target) for panel in PANELS for target in panel["targets"]]
#: Labels that Prometheus itself gives, and those of a bucket.
GIVEN = {"job", "instance", "le"}
NAME = re.compile(r"\b(?:semantest|process)_[a-z_]+\b")


def metrics_of(expression: str) -> Iterator[tuple[str, Metric]]:
    """Every series that an expression names, with its metric; fails for one that there is not."""
    for name in NAME.findall(re.sub(r'"[^"]*"', '""', expression)):
        parts = [name, *(name.removesuffix(end) for end in ("_bucket", "_sum", "_count") if name.endswith(end))]
        found = [METRICS[part] for part in parts if part in METRICS]
        assert found, f"there is no metric {name}"
        assert (found[0].kind == "histogram") == (found[0].name != name), name
        yield name, found[0]


def check(expression: str) -> None:
    """The metrics are there, have the labels that are asked for, and only what grows has a rate."""
    found = dict(metrics_of(expression))
    labels = GIVEN.union(*(metric.labels for metric in found.values()))
    grouped = re.findall(r"\b(?:by|on) \(([^)]*)\)", expression)
    assert {label.strip() for group in grouped for label in group.split(",")} <= labels, expression
    assert set(re.findall(r'[{,]\s*(\w+)\s*(?:=|!=|=~|!~)"', expression)) <= labels, expression
    for name in re.findall(r"\b(?:rate|increase)\((\w+)", expression):
        assert found[name].kind != "gauge", f"{name} does not only grow"


@pytest.mark.parametrize(("title", "target"), TARGETS, ids=lambda value: value if isinstance(value, str) else "")
def test_what_a_panel_asks_for_exists(title: str, target: dict[str, Any]) -> None:
    check(target["expr"])
    assert any(metrics_of(target["expr"])), title
    labels = GIVEN.union(*(metric.labels for _name, metric in metrics_of(target["expr"])))
    assert set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"])) <= labels
    variables = {variable["name"] for variable in DASHBOARD["templating"]["list"]} | {"__rate_interval"}
    assert set(re.findall(r"\$(\w+)", target["expr"])) <= variables


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_what_an_alert_asks_for_exists(rule: dict[str, Any]) -> None:
    check(rule["expr"])
    assert rule["labels"]["severity"] in ("warning", "critical")
    assert set(rule["annotations"]) == {"summary", "description"}


def test_the_dashboard_has_what_grafanas_importer_needs() -> None:
    source = {"type": "prometheus", "uid": "${DS_PROMETHEUS}"}
    (given,) = DASHBOARD["__inputs"]
    assert (given["name"], given["type"], given["pluginId"]) == ("DS_PROMETHEUS", "datasource", "prometheus")
    assert DASHBOARD["id"] is None, "a number would be that of another dashboard"
    assert DASHBOARD["uid"]
    assert DASHBOARD["title"]
    assert DASHBOARD["schemaVersion"] >= 36
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])
    for thing in (*PANELS, *(target for _title, target in TARGETS), *DASHBOARD["templating"]["list"]):
        assert thing["datasource"] == source
    for panel in PANELS:
        references = [target["refId"] for target in panel["targets"]]
        assert len(set(references)) == len(references)
    kinds = {need["id"] for need in DASHBOARD["__requires"] if need["type"] == "panel"}
    assert {panel["type"] for panel in PANELS} == kinds


def test_no_panel_lies_on_another_one() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        cells = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
        assert not cells & taken, panel["title"]
        taken |= cells
