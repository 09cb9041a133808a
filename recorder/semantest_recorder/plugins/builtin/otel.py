"""``opentelemetry``: each run as a trace, and metrics of runs and tests, to an OTLP collector, when the run closes.

Sending is done in a thread of its own, out of what is stored: a collector that is slow or down costs no hook, no event
and no other plugin anything.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from importlib.util import find_spec
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec

from pytest_semantest import __version__
from semantest_recorder.plugins.arguments import Context, Run
from semantest_recorder.plugins.builtin.export_queue import ExportQueue
from semantest_recorder.plugins.builtin.options import InvalidOptions, read_options
from semantest_recorder.plugins.builtin.run_trace import parent_of, read_run, spans_of, trace_id_of
from semantest_recorder.plugins.builtin.unsent_runs import keep_unsent, take_unsent
from semantest_recorder.plugins.hookspecs import hookimpl

if TYPE_CHECKING:
    from semantest_recorder.plugins.builtin.otel_sending import OtelSender

#: For how long the end of the recorder waits for what is queued; all plugins together have a second for ``destroy``.
_FINISH_S = 0.8
_NEEDED = ("opentelemetry", "opentelemetry.sdk", "opentelemetry.exporter.otlp.proto.http")
#: Of how many runs is known that they are in the metrics.
_COUNTED_RUNS = 10_000


class OtelOptions(msgspec.Struct, frozen=True):
    """``endpoint``: address of the collector, where no variable names one; empty: ``http://localhost:4318``.

    ``tests``: of which tests there are spans; ``most_spans``: of one run; ``metrics``: whether these are sent, too;
    ``service``: the ``service.name`` where no variable says it.
    """

    endpoint: str = ""
    tests: Literal["all", "bad", "none"] = "all"
    most_spans: Annotated[int, msgspec.Meta(ge=1, le=10_000_000)] = 200_000
    metrics: bool = True
    service: str = "pytest"


class ExtraMissingError(ImportError):
    """A package of the extra is not installed."""


class OpenTelemetry:
    """Queues each run that closes. Raises ``ExtraMissingError``, with what to do, without the extra ``otel``."""

    def __init__(self) -> None:
        if not _is_installed():
            raise ExtraMissingError("it needs packages that are not installed: pip install 'pytest-semantest[otel]'")
        self._options = OtelOptions()
        self._context: Context | None = None
        self._queue: ExportQueue | None = None
        self._sender: OtelSender | None = None
        self._counted: dict[str, None] = {}
        self._metrics_refused = False

    @staticmethod
    def read(options: Mapping[str, Any]) -> OtelOptions:
        """The options. Raises ``InvalidOptions``."""
        found = read_options(options, OtelOptions)
        if found.endpoint and not found.endpoint.startswith(("http://", "https://")):
            raise InvalidOptions(f"endpoint is an address such as http://localhost:4318, not {found.endpoint!r}")
        return found

    @hookimpl
    def initialize(self, context: Context) -> None:
        """Takes the options; what waits already stays, and what the recorder before could not send comes first."""
        self._options = self.read(context.options)
        self._context = context
        if self._queue is None:
            self._queue = ExportQueue(self._send, context.log)
            for run_id in take_unsent(context.directory):
                self._queue.put(run_id)

    @hookimpl
    def after_test_run(self, run: Run) -> None:
        """Queues the run; once more when events of it came later: it is the same trace."""
        if self._queue is not None:
            self._queue.put(run.run_id)

    @hookimpl
    async def destroy(self) -> None:
        """Sends what is queued while there is time."""
        if self._queue is None or self._context is None:
            return
        if self._sender is not None:
            self._sender.hurry()
        left = await asyncio.to_thread(self._queue.finish, _FINISH_S)
        if self._sender is not None:
            self._sender.close()
        if left:
            await asyncio.to_thread(keep_unsent, self._context.directory, left, self._context.log)
            told = "%d runs were not sent to the collector: the recorder ends; the next one of this folder sends them"
            self._context.log.warning(told, len(left))

    def exports(self) -> Mapping[str, Any] | None:
        """``queued exported failures dropped lastError``, as ``semantest plugins`` shows them; ``None`` before all."""
        return None if self._queue is None else self._queue.status()

    def _send(self, run_id: str) -> None:
        """In the thread of the queue. Raises ``NotSentError`` when the collector takes nothing."""
        context, options = self._context, self._options
        if context is None:
            raise RuntimeError("not initialized")
        sender = self._connected()
        run = read_run(context.read_report(run_id))
        steps = context.read_steps(run_id) if options.tests != "none" else ()
        sender.send_trace(trace_id_of(run_id), spans_of(run, steps, options.tests, options.most_spans), parent_of(run))
        if options.metrics:
            if run_id not in self._counted:
                self._note_counted(run_id)
                sender.count(run)
            self._send_metrics(sender, context)

    def _send_metrics(self, sender: OtelSender, context: Context) -> None:
        """What is not taken comes with the next run: metrics add up. Many collectors of traces take none at all."""
        taken = sender.send_metrics()
        if not taken and not self._metrics_refused:
            context.log.warning("the collector took the trace and not the metrics; metrics = false sends none")
        self._metrics_refused = not taken

    def _connected(self) -> OtelSender:
        if self._sender is None:
            # 150 ms, not in the thread of all plugins
            from semantest_recorder.plugins.builtin.otel_sending import OtelSender  # noqa: PLC0415

            self._sender = OtelSender(self._options.endpoint, self._options.service, __version__)
        return self._sender

    def _note_counted(self, run_id: str) -> None:
        """Metrics add up: a run that comes again is not counted again."""
        self._counted[run_id] = None
        if len(self._counted) > _COUNTED_RUNS:
            del self._counted[next(iter(self._counted))]


def _is_installed() -> bool:
    try:
        return all(find_spec(name) is not None for name in _NEEDED)
    except ImportError:  # of a package that is above
        return False
