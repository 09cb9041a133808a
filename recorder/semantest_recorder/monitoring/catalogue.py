"""Every metric of ``GET /metrics``: its name, kind, labels and meaning. docs/reference/metrics.md is made from it.

Labels have few values, and none that a client may choose: no id of a run or test, no branch, no name of a token.
Names follow Prometheus: base units, ``_total`` for what only grows; a histogram has ``_bucket``, ``_sum``, ``_count``.
"""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

Kind = Literal["counter", "gauge", "histogram"]


class Metric(NamedTuple):
    """One metric; ``help`` is its text in the answer, too."""

    name: str
    kind: Kind
    help: str
    labels: tuple[str, ...] = ()


#: By group, as the reference shows them.
CATALOGUE: Final[dict[str, tuple[Metric, ...]]] = {
    "The recorder": (
        Metric(
            "semantest_build_info", "gauge", "Always 1; the labels say what runs.", ("version", "protocol", "python")
        ),
        Metric("semantest_uptime_seconds", "gauge", "For how long it has been running."),
        Metric("semantest_ready", "gauge", "1 when /readyz says so: it takes events and stores them."),
        Metric("semantest_stopping", "gauge", "1 when it was told to stop."),
        Metric("semantest_store_refuses", "gauge", "1 when the database took nothing when it was last written to."),
    ),
    "Ingest": (
        Metric("semantest_events_total", "counter", "Events that were stored."),
        Metric(
            "semantest_duplicate_events_total",
            "counter",
            "Events that were acknowledged and not stored: they were before, or their run was deleted.",
        ),
        Metric("semantest_batches_total", "counter", "Batches of events that were stored or refused."),
        Metric(
            "semantest_refused_batches_total",
            "counter",
            "Batches that were refused, by error code; shippers keep what they hold.",
            ("code",),
        ),
        Metric(
            "semantest_refused_messages_total",
            "counter",
            "Errors that WebSocket clients were told, those of refused batches included, by error code.",
            ("code",),
        ),
        Metric(
            "semantest_delayed_batches_total",
            "counter",
            "Batches that have to come again later: rate (the policy's limit), pending (too much waits to be written), "
            "sources (one token sends too many).",
            ("reason",),
        ),
        Metric(
            "semantest_delay_seconds_total",
            "counter",
            "For how long these were told to wait, all together.",
            ("reason",),
        ),
        Metric(
            "semantest_ack_duration_seconds",
            "histogram",
            "From a batch that came in to its acknowledgement or refusal.",
        ),
    ),
    "The store": (
        Metric(
            "semantest_commit_duration_seconds",
            "histogram",
            "Transactions of the writer, of up to 64 batches each, those that failed included.",
        ),
        Metric("semantest_writer_pending_events", "gauge", "Events that wait for the writer."),
        Metric(
            "semantest_writer_oldest_wait_seconds",
            "gauge",
            "For how long the batch that waits longest has been waiting. Nothing stored for 10 s is not ready.",
        ),
        Metric("semantest_postponed_batches", "gauge", "The recorder's own batches that are tried again."),
        Metric("semantest_database_bytes", "gauge", "Size of the database file."),
        Metric("semantest_database_wal_bytes", "gauge", "Size of its write-ahead log; it is kept below 64 MiB."),
        Metric(
            "semantest_artifact_bytes",
            "gauge",
            "Size of all attachments of tests, ten minutes old at most; from the second scrape on.",
        ),
        Metric("semantest_disk_free_bytes", "gauge", "What is free on the disk of the database for this user."),
        Metric("semantest_disk_size_bytes", "gauge", "Size of that disk."),
    ),
    "Runs and tests": (
        Metric("semantest_open_runs", "gauge", "Runs that are not over."),
        Metric(
            "semantest_runs_ended_total",
            "counter",
            "Runs that closed, by state. One that opened again, since events came late, counts again.",
            ("state",),
        ),
        Metric(
            "semantest_tests_ended_total",
            "counter",
            "Tests by their final state, counted as their run closes.",
            ("state",),
        ),
    ),
    "Clients": (
        Metric("semantest_connections", "gauge", "WebSocket connections."),
        Metric("semantest_connection_limit", "gauge", "How many connections of all kinds may be open at once."),
        Metric("semantest_refused_connections_total", "counter", "Connections that were refused for want of room."),
        Metric("semantest_subscribers", "gauge", "Connections that events are sent to."),
        Metric("semantest_dropped_subscribers_total", "counter", "Subscribers that were dropped: they did not read."),
        Metric("semantest_sources", "gauge", "Processes of tests whose journals are being sent."),
        Metric("semantest_outgoing_queue_bytes", "gauge", "Events and answers that wait for clients to read."),
        Metric("semantest_waiting_queries", "gauge", "Questions to the database that wait for their turn."),
        Metric("semantest_replays", "gauge", "Replays that go on."),
    ),
    "Requests": (
        Metric(
            "semantest_http_requests_total",
            "counter",
            "Requests by route, method and class of status (2xx); other: pages and methods that there are not. "
            "A WebSocket counts when its connection ends (1xx).",
            ("route", "method", "status"),
        ),
        Metric(
            "semantest_http_request_duration_seconds",
            "histogram",
            "Until an answer was made; WebSockets are left out.",
            ("route", "method"),
        ),
    ),
    "Plugins": (
        Metric("semantest_plugin_enabled", "gauge", "1 when the plugin is called, 0 when it is off.", ("plugin",)),
        Metric("semantest_plugin_calls_total", "counter", "Calls of a plugin's hook.", ("plugin", "hook")),
        Metric(
            "semantest_plugin_failures_total",
            "counter",
            "Calls that raised, took too long or gave what cannot be used.",
            ("plugin", "hook"),
        ),
        Metric("semantest_plugin_timeouts_total", "counter", "Of these, calls that took too long.", ("plugin", "hook")),
        Metric("semantest_plugin_duration_seconds_total", "counter", "Time in these calls.", ("plugin", "hook")),
        Metric(
            "semantest_plugins_pending_events",
            "gauge",
            "Events that plugins have yet to look at, before they are stored.",
        ),
        Metric("semantest_plugins_waiting_notices", "gauge", "Hooks that are yet to be called of what was stored."),
        Metric(
            "semantest_plugins_skipped_events_total",
            "counter",
            "Stored events of which no plugin was told, for they lagged behind.",
        ),
        Metric(
            "semantest_plugins_replaced_threads_total", "counter", "How often plugins got a new thread: one was stuck."
        ),
        Metric("semantest_plugin_queue", "gauge", "What waits in a queue of the plugin's own.", ("plugin",)),
        Metric(
            "semantest_plugin_exported_total",
            "counter",
            "Runs that the plugin has sent to where it sends.",
            ("plugin",),
        ),
        Metric(
            "semantest_plugin_export_failures_total",
            "counter",
            "Attempts to send a run that failed; it is tried again.",
            ("plugin",),
        ),
        Metric("semantest_plugin_dropped_total", "counter", "Runs that the plugin gave up to send.", ("plugin",)),
    ),
    "The process": (
        Metric("process_cpu_seconds_total", "counter", "CPU time of the recorder, user and system."),
        Metric("process_resident_memory_bytes", "gauge", "Memory that it has in RAM."),
        Metric("process_virtual_memory_bytes", "gauge", "Its virtual memory."),
        Metric("process_start_time_seconds", "gauge", "When it was started, in seconds since 1970."),
        Metric("process_threads", "gauge", "Its threads."),
        Metric("process_open_fds", "gauge", "Its open file descriptors."),
        Metric("process_max_fds", "gauge", "How many of these it may have."),
    ),
}
METRICS: Final = {metric.name: metric for group in CATALOGUE.values() for metric in group}
