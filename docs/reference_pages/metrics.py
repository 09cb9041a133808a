"""docs/reference/metrics.md: every metric, by group."""

from __future__ import annotations

from docs.reference_pages.markdown import NOTE, cell, table
from semantest_recorder.monitoring.catalogue import CATALOGUE


def metrics_page() -> str:
    """Every metric, by group."""
    parts = []
    for group, metrics in CATALOGUE.items():
        rows = (
            (f"`{metric.name}`", metric.kind, " ".join(f"`{label}`" for label in metric.labels), cell(metric.help))
            for metric in metrics
        )
        parts.append(f"## {group}\n\n{table(('metric', 'kind', 'labels', 'meaning'), rows)}")
    return f"""{NOTE}
# Metrics

`GET /metrics` of a recorder, for Prometheus; it needs a token of the role `read`. [The guide](../guide/monitoring.md)
says how it is scraped. The answer is Prometheus' text format, or OpenMetrics for who asks for it by `Accept`.

Times are in seconds, sizes in bytes. What counts begins at 0 with each start of the recorder. A histogram has
`_bucket`, `_sum` and `_count`. No label holds anything that a client chose: there is no id of a run or test, no
branch and no name of a token, and the number of series is bounded.

{(chr(10) * 2).join(parts)}
"""
