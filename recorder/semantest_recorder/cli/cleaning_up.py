"""Deletes runs: a recorder that runs is asked to, else it is done here."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from pytest_semantest.protocol.layout import DATABASE
from semantest_recorder.cli import daemon
from semantest_recorder.cli.offline import offline
from semantest_recorder.cli.progress import Progress, progress
from semantest_recorder.cli.recorder_request import post
from semantest_recorder.discovery import Discovery
from semantest_recorder.reports.cleanup_plan import Done
from semantest_recorder.store.artifact_sweep import sweep_artifacts
from semantest_recorder.store.cleanup import Cleanup
from semantest_recorder.store.disk_use import bytes_on_disk
from semantest_recorder.store.ingest import Ingest
from semantest_recorder.store.opening import open_for_writing
from semantest_recorder.store.vacuum import shorten

_AT_ONCE = 100
#: How long the recorder may take to delete so many runs.
_ANSWER_S = 600.0


def clean_up(folder: Path, run_ids: Sequence[str]) -> Done:
    """Deletes the runs, what earlier cleanups have left, and attachments that no event names. Raises ``Stop``."""
    present = daemon.running(folder)
    database = folder / DATABASE
    before = bytes_on_disk(database)
    with progress("deleting") as tell:
        if present is not None:
            deleted, kept = _ask(present[0], run_ids, tell)
        else:
            with offline(folder, stop_recorder=False):
                deleted, kept = _delete(database, run_ids, tell)
    swept = sweep_artifacts(folder, database, time.time() * 1000)
    return Done(deleted, kept, before, bytes_on_disk(database), len(swept.files), swept.bytes)


def _delete(database: Path, run_ids: Sequence[str], tell: Progress) -> tuple[list[str], list[str]]:
    """Under the recorder's lock."""
    connection, _notices = open_for_writing(database, _now_ms)
    with closing(connection):
        ingest = Ingest(connection)
        deleted: list[str] = []
        kept: list[str] = []
        for start in range(0, max(1, len(run_ids)), _AT_ONCE):
            work = Cleanup(run_ids[start : start + _AT_ONCE], _now_ms())
            while work.step(ingest):
                pass
            deleted += work.cleaned.deleted
            kept += work.cleaned.kept
            tell(min(start + _AT_ONCE, len(run_ids)), len(run_ids))
        shorten(connection)
    return deleted, kept


def _ask(found: Discovery, run_ids: Sequence[str], tell: Progress) -> tuple[list[str], list[str]]:
    """Raises ``Stop``."""
    deleted: list[str] = []
    kept: list[str] = []
    for start in range(0, max(1, len(run_ids)), _AT_ONCE):
        answer = _post(found, run_ids[start : start + _AT_ONCE])
        deleted += answer["deleted"]
        kept += answer["kept"]
        tell(min(start + _AT_ONCE, len(run_ids)), len(run_ids))
    return deleted, kept


def _post(found: Discovery, run_ids: Sequence[str]) -> dict[str, list[str]]:
    body = {"runs": list(run_ids)}
    return post(found, "/api/v1/cleanup", body, _ANSWER_S, cut_short="nothing is half deleted, run it again")


def _now_ms() -> float:
    return time.time() * 1000.0
