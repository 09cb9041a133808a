"""Runs of one suite, one after another, put into a database by the real writer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from tests.recorder.cli.recording import START, Recording

APART_MS = 3_600_000.0


class Ran(NamedTuple):
    """What became of a test in a run; ``flaky`` failed first. ``code``: fingerprint of its function."""

    outcome: str = "passed"
    ms: float = 5.0
    code: str | None = None
    message: str = "assert 1 == 2"
    line: int = 4


PASSED, FAILED, FLAKY, SKIPPED = Ran(), Ran("failed"), Ran("flaky"), Ran("skipped")


def run_id(number: int) -> str:
    """The id of a run."""
    return f"20261121-{number:06d}-a1b2c3"


def record_run(
    folder: Path,
    number: int,
    tests: Mapping[str, Ran],
    *,
    branch: str | None = "main",
    on_ci: bool = False,
    pull_request: str | None = None,
    with_git: bool = True,
    commit: str | None = None,
    environment: Mapping[str, Any] | None = None,
    args: Sequence[str] = ("tests",),
    deselected: int = 0,
    not_run: Sequence[str] = (),
    labels: Mapping[str, str] | None = None,
    end: bool = True,
) -> str:
    """Stores run ``number``, an hour behind the one before; its id. ``not_run`` is planned behind what ran.

    ``on_ci``: git is at a commit, and only CI knows the branch; without ``with_git`` the commit, too.
    """
    recording = Recording(run_id(number), start_ms=START + number * APART_MS)
    interpreter = {"pythonVersion": "3.13.1", "pytestVersion": "9.2.0", "platform": "linux"}
    recording.start(args=list(args), labels=dict(labels or {}), **interpreter)
    planned = [*tests, *not_run]
    recording.add("main", "run/plan", {"tests": planned, "offset": 0, "total": len(planned), "deselected": deselected})
    commit = commit or f"{number:040x}"
    context: dict[str, Any] = {"environment": dict(environment or {})}
    if with_git:
        context["git"] = {"branch": None if on_ci else branch, "commit": commit, "root": "/home/dev/project"}
    if on_ci:
        context["ci"] = {"provider": "github", "branch": branch, "commit": commit}
    if pull_request is not None:
        context["ci"] = {"provider": "github", "branch": branch, "commit": commit, "pullRequest": pull_request}
    recording.add("main", "run/context", context)
    for test_id, ran in tests.items():
        _test(recording, test_id, ran)
    if end:
        bad = any(ran.outcome in ("failed", "error") for ran in tests.values())
        stopped: dict[str, Any] = {"stoppedEarly": True, "stopReason": "stopping after 1 failures"} if not_run else {}
        recording.end(int(bad), **stopped)
    recording.store(folder)
    return recording.run_id


def _test(recording: Recording, test_id: str, ran: Ran) -> None:
    outcomes = ("failed", "passed") if ran.outcome == "flaky" else (ran.outcome,)
    for attempt, outcome in enumerate(outcomes, 1):
        recording.begin(test_id, attempt=attempt, fingerprint=ran.code)
        payload: dict[str, Any] = {"testId": test_id, "attempt": attempt, "outcome": outcome, "duration": ran.ms}
        payload["status"] = outcome if outcome in ("passed", "skipped") else "failed"
        if outcome in ("failed", "error"):
            place = {"file": test_id.partition("::")[0], "line": ran.line, "phase": "call"}
            payload["error"] = {"message": ran.message, "type": "AssertionError", **place}
            payload["willRetry"] = attempt < len(outcomes)
        recording.add("main", "test/end", payload)
