"""Rows of small runs, as the core would compute them."""

from __future__ import annotations

from typing import Any

from semantest_recorder.core.rows import AttemptRow, ResultRow, RunRow, SourceRow, SuiteRow, WarningRow
from semantest_recorder.reports.aggregate import RunRows

RUN = "20261121-093000-a1b2c3"
MAIN = f"{RUN}.main"
START = 1_795_253_400_000.0  # 2026-11-21 09:30:00 UTC


def attempt_row(test_id: str, outcome: str | None, number: int = 1, **more: Any) -> AttemptRow:
    fields: dict[str, Any] = {
        "source": MAIN,
        "worker": "main",
        "phase": "call",
        "started_ms": START + number,
        "duration_ms": 10.0 * number,
        "detail_seq": number + 1,
    }
    return AttemptRow(test_id=test_id, attempt=number, outcome=outcome, **(fields | more))


def result_row(test_id: str, state: str, position: int | None = 0, **more: Any) -> ResultRow:
    fields: dict[str, Any] = {
        "attempts": 1,
        "duration_ms": 10.0,
        "worker": "main",
        "file": test_id.partition("::")[0],
        "line": 3,
        "started_ms": START,
    }
    return ResultRow(test_id=test_id, state=state, position=position, **(fields | more))


def run_rows(
    results: list[ResultRow],
    attempts: list[AttemptRow] | None = None,
    *,
    state: str = "failed",
    warnings: list[WarningRow] | None = None,
    sources: list[SourceRow] | None = None,
    suites: list[SuiteRow] | None = None,
    **run: Any,
) -> RunRows:
    fields: dict[str, Any] = {
        "exit_code": 0 if state == "passed" else 1,
        "started_ms": START,
        "ended_ms": START + 1500.0,
        "planned": len(results),
        "facts": {"rootdir": "/home/dev/project", "cwd": "/home/dev/project", "args": ["-x", "tests"]},
        "context": {"git": {"commit": "0123456789abcdef", "branch": "main", "dirty": True}},
    }
    return RunRows(
        run=RunRow(RUN, state=state, **(fields | run)),
        sources=sources if sources is not None else [SourceRow(MAIN, RUN, RUN, "main", state="ended", pid=42)],
        results=results,
        attempts=attempts or [],
        suites=suites or [],
        warnings=warnings or [],
    )
