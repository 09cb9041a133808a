"""Rows of core/rows.py out of the columns of the queries in reader.sql."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from semantest_recorder.core.rows import AttemptRow, ResultRow, RunRow, SourceRow

_json = msgspec.json.decode


def run_row(row: Sequence[Any]) -> RunRow:
    """Of the columns of query ``run``."""
    (*plain, left_out, shard_count, shards_missing, facts_source, context_source, labels, facts, context) = row
    plain[8] = bool(plain[8])
    texts = (_json(labels), _json(facts), _json(context), facts_source, context_source)
    return RunRow(*(*plain, *texts, left_out, shard_count, shards_missing))


def source_row(row: Sequence[Any]) -> SourceRow:
    """Of the columns of query ``sources``."""
    source = SourceRow(*row)
    source.stopped_early = bool(source.stopped_early)
    source.interrupted = bool(source.interrupted)
    source.cancelled = bool(source.cancelled)
    source.timed_out = bool(source.timed_out)
    return source


def result_row(row: Sequence[Any]) -> ResultRow:
    """Of the columns of query ``results``."""
    *plain, forgiven, markers = row
    return ResultRow(*(*plain, bool(forgiven), () if markers == "[]" else tuple(_json(markers))))


def attempt_row(row: Sequence[Any]) -> AttemptRow:
    """Of the columns of query ``attempts``."""
    return AttemptRow(*(*row[:-4], *map(bool, row[-4:])))
