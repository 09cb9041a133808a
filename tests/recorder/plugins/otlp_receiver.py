"""A collector: a real HTTP server that takes OTLP, as protobuf, and keeps what came."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric
from opentelemetry.proto.trace.v1.trace_pb2 import Span


class Receiver:
    """``status`` is what it answers; while ``held`` is set it answers nothing."""

    def __init__(self) -> None:
        self.status = 200
        self.free = threading.Event()
        self.free.set()
        self.asked = threading.Event()
        self.paths: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.traces: list[ExportTraceServiceRequest] = []
        self.metrics: list[ExportMetricsServiceRequest] = []

    def take(self, path: str, headers: dict[str, str], body: bytes) -> int:
        self.asked.set()
        self.free.wait(60)
        if self.status == 200:
            self.paths.append(path)
            self.headers.append(headers)
            if path == "/v1/traces":
                self.traces.append(ExportTraceServiceRequest.FromString(body))
            elif path == "/v1/metrics":
                self.metrics.append(ExportMetricsServiceRequest.FromString(body))
        return self.status

    @property
    def spans(self) -> list[Span]:
        return [
            span
            for request in self.traces
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]

    @property
    def resources(self) -> list[dict[str, Any]]:
        return [told(one.resource.attributes) for request in self.traces for one in request.resource_spans]

    def metric(self, name: str) -> Metric:
        """The last one that came of this name."""
        scopes = [scope for one in self.metrics[-1].resource_metrics for scope in one.scope_metrics]
        found: list[Metric] = [metric for scope in scopes for metric in scope.metrics if metric.name == name]
        assert len(found) == 1
        return found[0]


def told(attributes: Any) -> dict[str, Any]:
    """Attributes as a dict."""

    def value(pair: KeyValue) -> Any:
        return getattr(pair.value, pair.value.WhichOneof("value") or "string_value")

    return {pair.key: value(pair) for pair in attributes}


@contextmanager
def receiving(port: int = 0) -> Iterator[tuple[Receiver, str]]:
    """A collector that runs, and its address."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status = receiver.take(self.path, dict(self.headers), body)
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield receiver, f"http://127.0.0.1:{server.server_port}"
    finally:
        receiver.free.set()
        server.shutdown()
        server.server_close()
        thread.join()
