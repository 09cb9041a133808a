"""The values of all metrics of one moment, out of what the parts of the recorder say of themselves (pure)."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pytest_semantest.protocol.events import FINAL_STATES
from semantest_recorder.core.measures import HistogramReading, IngestMeasures, Load, StoreMeasures
from semantest_recorder.plugins.lifecycle import CLOSED
from semantest_recorder.server.observing import RequestMeasures

#: What a batch is refused for.
_BATCH_CODES = ("SEQ_CONFLICT", "SEQ_GAP", "SOURCE_IN_USE", "SOURCE_UNKNOWN", "STORE_ERROR", "STORE_FULL")
_DELAYS = ("pending", "rate", "sources")

#: By the values of its labels, of which there are none in most.
Values = Mapping[tuple[str, ...], float | HistogramReading]
#: By name of the metric (catalogue.py).
Readings = dict[str, Values]


@dataclass(frozen=True)
class Told:
    """What is read in the event loop. ``plugins`` and ``acceptor``: their ``status()``."""

    version: str
    protocol: int
    uptime_s: float
    ready: bool
    accepting: bool
    store_refuses: bool
    load: Load
    ingest: IngestMeasures
    store: StoreMeasures
    pending_events: int
    requests: RequestMeasures
    plugins: Mapping[str, Any]
    acceptor: Mapping[str, int]


@dataclass(frozen=True)
class Disk:
    """Bytes of the database, its log, the artifacts and the disk; ``None`` where that is not known."""

    database: int
    log: int
    artifacts: int | None
    free: int | None
    size: int | None


def readings_of(told: Told) -> Readings:
    """All but the disk and the process."""
    return _of_recorder(told) | _of_ingest(told) | _of_clients(told) | _of_requests(told.requests) | _of_plugins(told)


def readings_of_disk(disk: Disk) -> Readings:
    """What the store takes, and what is left."""
    return {
        "semantest_database_bytes": _one(disk.database),
        "semantest_database_wal_bytes": _one(disk.log),
        "semantest_artifact_bytes": _one(disk.artifacts),
        "semantest_disk_free_bytes": _one(disk.free),
        "semantest_disk_size_bytes": _one(disk.size),
    }


def _of_recorder(told: Told) -> Readings:
    return {
        "semantest_build_info": {(told.version, str(told.protocol), platform.python_version()): 1},
        "semantest_uptime_seconds": _one(told.uptime_s),
        "semantest_ready": _one(told.ready),
        "semantest_stopping": _one(not told.accepting),
        "semantest_store_refuses": _one(told.store_refuses),
    }


def _of_ingest(told: Told) -> Readings:
    ingest, store, counts = told.ingest, told.store, told.load.counts
    return {
        "semantest_events_total": _one(counts["events"]),
        "semantest_duplicate_events_total": _one(ingest.duplicate_events),
        "semantest_batches_total": _one(counts["batches"]),
        "semantest_refused_batches_total": _by_name(ingest.refused_batches, _BATCH_CODES),
        "semantest_refused_messages_total": _by_name(ingest.refused_messages),
        "semantest_delayed_batches_total": _by_name(ingest.delays, _DELAYS),
        "semantest_delay_seconds_total": _by_name(ingest.delayed_s, _DELAYS),
        "semantest_ack_duration_seconds": {(): ingest.acks.read()},
        "semantest_commit_duration_seconds": {(): store.commits.read()},
        "semantest_writer_pending_events": _one(told.pending_events),
        "semantest_writer_oldest_wait_seconds": _one(told.load.oldest_wait_ms / 1000),
        "semantest_postponed_batches": _one(told.load.postponed_batches),
        "semantest_open_runs": _one(told.load.open_runs),
        "semantest_runs_ended_total": _by_name(store.ended_runs, CLOSED),
        "semantest_tests_ended_total": _by_name(store.ended_tests, FINAL_STATES),
    }


def _of_clients(told: Told) -> Readings:
    load, acceptor = told.load, told.acceptor
    return {
        "semantest_connections": _one(load.connections),
        "semantest_connection_limit": _one(acceptor["connectionLimit"]),
        "semantest_refused_connections_total": _one(acceptor["refusedConnections"]),
        "semantest_subscribers": _one(load.subscribers),
        "semantest_dropped_subscribers_total": _one(load.counts["droppedSubscribers"]),
        "semantest_sources": _one(load.sources),
        "semantest_outgoing_queue_bytes": _one(load.queued_bytes),
        "semantest_waiting_queries": _one(load.waiting_queries),
        "semantest_replays": _one(load.replays),
    }


def _of_requests(requests: RequestMeasures) -> Readings:
    counted = requests.requests.items()
    return {
        "semantest_http_requests_total": {(route, method, status): count for (route, method, status), count in counted},
        "semantest_http_request_duration_seconds": {key: found.read() for key, found in requests.durations.items()},
    }


#: What a hook's counts are called on the wire, and of how many of that a unit is.
_OF_HOOKS = {
    "semantest_plugin_calls_total": ("calls", 1),
    "semantest_plugin_failures_total": ("failures", 1),
    "semantest_plugin_timeouts_total": ("timeouts", 1),
    "semantest_plugin_duration_seconds_total": ("totalMs", 1000),
}
_OF_EXPORTS = {
    "semantest_plugin_queue": "queued",
    "semantest_plugin_exported_total": "exported",
    "semantest_plugin_export_failures_total": "failures",
    "semantest_plugin_dropped_total": "dropped",
}


def _of_plugins(told: Told) -> Readings:
    status = told.plugins
    plugins = status["plugins"]
    found: Readings = {
        "semantest_plugin_enabled": {(plugin["name"],): int(plugin["enabled"]) for plugin in plugins},
        "semantest_plugins_pending_events": _one(status["pendingEvents"]),
        "semantest_plugins_waiting_notices": _one(status["waitingNotices"]),
        "semantest_plugins_skipped_events_total": _one(status["skippedEvents"]),
        "semantest_plugins_replaced_threads_total": _one(status["replacedThreads"]),
    }
    for name, (key, unit) in _OF_HOOKS.items():
        found[name] = {
            (plugin["name"], hook): counts[key] / unit for plugin in plugins for hook, counts in plugin["hooks"].items()
        }
    for name, key in _OF_EXPORTS.items():
        exporting = [plugin for plugin in plugins if plugin.get("exports") is not None]
        found[name] = {(plugin["name"],): plugin["exports"][key] for plugin in exporting}
    return found


def _one(value: float | None) -> Values:
    return {} if value is None else {(): value}


def _by_name(numbers: Mapping[str, float], always: Iterable[str] = ()) -> Values:
    """``always`` are there with 0, too: Prometheus sees no increase in a series that begins with 1."""
    kept = dict(numbers)  # at once: another thread may add to it
    found = {name: number for name, number in kept.items() if number > 0}
    return {(name,): found.get(name, 0) for name in sorted({*always, *found})}
