"""Readings as the text that Prometheus scrapes, by prometheus-client: its own format, or OpenMetrics for who asks."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.registry import Collector

from semantest_recorder.core.measures import HistogramReading
from semantest_recorder.monitoring.catalogue import METRICS, Metric
from semantest_recorder.monitoring.readings import Readings, Values


def exposition(readings: Readings, accept: str) -> tuple[bytes, str]:
    """The body of an answer and its ``Content-Type``, for a request with this ``Accept``."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Of(readings))
    encode, content_type = choose_encoder(accept)
    return encode(registry), content_type


class _Of(Collector):
    def __init__(self, readings: Readings) -> None:
        self._readings = readings

    def collect(self) -> Iterator[Family]:
        for name, metric in METRICS.items():
            yield _family(metric, self._readings.get(name, {}))


def _family(metric: Metric, values: Values) -> Family:
    """One without values is told with its meaning alone."""
    if metric.kind == "histogram":
        histogram = HistogramMetricFamily(metric.name, metric.help, labels=metric.labels)
        for labels, found in values.items():
            if isinstance(found, HistogramReading):
                histogram.add_metric(labels, _buckets(found), found.total)
        return histogram
    family: CounterMetricFamily | GaugeMetricFamily
    if metric.kind == "counter":
        family = CounterMetricFamily(metric.name, metric.help, labels=metric.labels)
    else:
        family = GaugeMetricFamily(metric.name, metric.help, labels=metric.labels)
    for labels, found in values.items():
        if not isinstance(found, HistogramReading):
            family.add_metric(labels, found)
    return family


def _buckets(found: HistogramReading) -> list[tuple[str, float]]:
    """How many values are at most as large as each bound."""
    bounds = [*(str(float(bound)) for bound in found.bounds), "+Inf"]
    return list(zip(bounds, (float(count) for count in accumulate(found.counts)), strict=True))
