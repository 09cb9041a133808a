"""Traces and metrics to an OTLP collector over HTTP, by the SDK of OpenTelemetry: the extra ``otel`` of the package.

Imported in the thread that sends, and nowhere else. The standard variables hold: ``OTEL_EXPORTER_OTLP_*``,
``OTEL_RESOURCE_ATTRIBUTES``, ``OTEL_SERVICE_NAME``, and the limits of the SDK. A run is always sent as a whole.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable
from threading import Event
from time import thread_time

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import (
    MetricExportResult,
    MetricsData,
    PeriodicExportingMetricReader,
)
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    SpanContext,
    Status,
    StatusCode,
    TraceFlags,
    Tracer,
    set_span_in_context,
)

from semantest_recorder.plugins.builtin.export_queue import NotSentError
from semantest_recorder.plugins.builtin.run_trace import PIPELINE_RESULTS, RESULTS, Parent, Span, TracedRun

_SCOPE = "pytest-semantest"
_BATCH = 512
#: For one second of CPU the thread that sends does nothing for so many: a span takes 70 us, and the interpreter.
_REST = 4.0
#: Upper ends of ranges, in seconds: tests and runs.
_TESTS_S = (0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0, 60.0, 300.0)
_RUNS_S = (1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0, 14400.0)
_ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"


class OtelSender:
    """Sends to ``endpoint``, the address of a collector without ``/v1/...``, where no variable names another one.

    ``service``: the ``service.name`` where no variable says it. ``rest`` is called behind each batch with the seconds
    in which nothing is sent: making spans must leave the interpreter to ingest. By default it waits, until ``hurry``.
    Not for several threads at once, but for ``hurry`` and ``close``.
    """

    def __init__(
        self, endpoint: str, service: str, version: str, rest: Callable[[float], object] | None = None
    ) -> None:
        resource = Resource.create({})
        if SERVICE_NAME not in _given_attributes():
            resource = resource.merge(Resource({SERVICE_NAME: service}))
        self._spans = OTLPSpanExporter(endpoint=_address(endpoint, "traces"))
        self._ids = _GivenIds()
        self._hurry = Event()
        self._batch = _Batch(self._spans, rest or self._hurry.wait)
        self._traces = TracerProvider(ALWAYS_ON, resource, shutdown_on_exit=False, id_generator=self._ids)
        self._traces.add_span_processor(self._batch)
        self._tracer: Tracer = self._traces.get_tracer(_SCOPE, version)
        self._metrics = _ToldExporter(endpoint=_address(endpoint, "metrics"))
        reader = PeriodicExportingMetricReader(self._metrics, math.inf)  # no thread: it sends when it is told to
        self._meters = MeterProvider([reader], resource, shutdown_on_exit=False)
        meter = self._meters.get_meter(_SCOPE, version)
        self._tests = meter.create_counter("semantest.tests", "{test}", "Tests of runs that are over.")
        self._runs = meter.create_histogram(
            "cicd.pipeline.run.duration", "s", "Runs of tests.", explicit_bucket_boundaries_advisory=_RUNS_S
        )
        self._durations = meter.create_histogram(
            "semantest.test.duration", "s", "Tests that ran.", explicit_bucket_boundaries_advisory=_TESTS_S
        )

    def send_trace(self, trace_id: int, spans: Iterable[Span], parent: Parent | None) -> None:
        """Sends the spans, some hundred at a time. Blocks; raises ``NotSentError``."""
        self._batch.begin()
        for span in spans:
            self._start_and_end(trace_id, span, parent)
        self._batch.send()

    def count(self, run: TracedRun) -> None:
        """Adds a run to the metrics; to be called once for each."""
        for test in run.tests:
            result = RESULTS.get(test.state, "fail")
            self._tests.add(1, {"test.case.result.status": result, "semantest.test.state": test.state})
            if test.attempts_detail:
                taken = sum(attempt.duration_ms for attempt in test.attempts_detail)
                self._durations.record(taken / 1000, {"test.case.result.status": result})
        told = run.run
        if told.started_ms is not None and told.ended_ms is not None:
            result = PIPELINE_RESULTS.get(told.state, "error")
            attributes = {"cicd.pipeline.result": result, "cicd.pipeline.run.state": "executing"}
            self._runs.record(max(0.0, told.ended_ms - told.started_ms) / 1000, attributes)

    def send_metrics(self) -> bool:
        """Sends the metrics of all runs since the start; whether the collector took them. Blocks."""
        self._meters.force_flush()
        return self._metrics.taken

    def hurry(self) -> None:
        """The recorder ends: what is being sent is sent without pauses."""
        self._hurry.set()

    def close(self) -> None:
        """Gives up what is being sent; nothing is sent any more."""
        self._spans.shutdown()  # type: ignore[no-untyped-call]
        self._metrics.shutdown()

    def _start_and_end(self, trace_id: int, span: Span, parent: Parent | None) -> None:
        self._ids.trace_id, self._ids.span_id = trace_id, span.span_id
        links, context = [], Context()
        if span.parent_id is not None:
            above = SpanContext(trace_id, span.parent_id, is_remote=False, trace_flags=TraceFlags(TraceFlags.SAMPLED))
            context = set_span_in_context(NonRecordingSpan(above), context)
        elif parent is not None:
            other = SpanContext(parent.trace_id, parent.span_id, is_remote=True, trace_flags=TraceFlags(parent.flags))
            links = [Link(other)]
        made = self._tracer.start_span(
            span.name, context, attributes=span.attributes, links=links, start_time=span.start_ns
        )
        if span.exception is not None:
            told = zip(("type", "message", "stacktrace"), span.exception, strict=True)
            attributes = {f"exception.{name}": text for name, text in told if text}
            made.add_event("exception", attributes, span.end_ns)
        if span.error:
            made.set_status(Status(StatusCode.ERROR, span.error))
        made.end(span.end_ns)


class _GivenIds(IdGenerator):
    """Gives the ids that it was given."""

    def __init__(self) -> None:
        self.trace_id = self.span_id = 1

    def generate_span_id(self) -> int:
        return self.span_id

    def generate_trace_id(self) -> int:
        return self.trace_id


class _Batch(SpanProcessor):
    """Sends what has ended when it is enough, in the thread that ends it."""

    def __init__(self, exporter: OTLPSpanExporter, rest: Callable[[float], object]) -> None:
        self._exporter = exporter
        self._rest = rest
        self._since_s = thread_time()
        self._spans: list[ReadableSpan] = []

    def begin(self) -> None:
        """Nothing is left of a run before, nor counted of it."""
        self._spans, self._since_s = [], thread_time()

    def on_end(self, span: ReadableSpan) -> None:
        self._spans.append(span)
        if len(self._spans) >= _BATCH:
            self.send()
            self._rest(max(0.0, thread_time() - self._since_s) * _REST)
            self._since_s = thread_time()

    def send(self) -> None:
        """Sends what there is. Raises ``NotSentError``; what was not taken is forgotten, for the run comes again."""
        spans, self._spans = self._spans, []
        try:
            taken = not spans or self._exporter.export(spans) is SpanExportResult.SUCCESS
        except OSError as error:  # so before 1.38: nobody listens
            raise NotSentError(f"the collector did not take the spans: {error}") from None
        if not taken:
            raise NotSentError("the collector did not take the spans; the log says why")


class _ToldExporter(OTLPMetricExporter):
    """Tells whether what it sent last was taken: the reader in front of it passes over that."""

    taken = True

    def export(
        self, metrics_data: MetricsData, timeout_millis: float | None = 10_000, **kwargs: object
    ) -> MetricExportResult:
        self.taken = False
        found = super().export(metrics_data, timeout_millis, **kwargs)
        self.taken = found is MetricExportResult.SUCCESS
        return found


def _address(endpoint: str, signal: str) -> str | None:
    """Where a signal goes; ``None`` leaves it to the variables, which win, and to their default."""
    named = {_ENDPOINT, f"OTEL_EXPORTER_OTLP_{signal.upper()}_ENDPOINT"} & set(os.environ)
    return None if named or not endpoint else f"{endpoint.rstrip('/')}/v1/{signal}"


def _given_attributes() -> set[str]:
    """Names of resource attributes that the variables give."""
    pairs = os.environ.get("OTEL_RESOURCE_ATTRIBUTES", "").split(",")
    return {pair.partition("=")[0].strip() for pair in pairs} | (
        {SERVICE_NAME} if os.environ.get("OTEL_SERVICE_NAME") else set()
    )
