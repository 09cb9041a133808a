"""What runs owe together with their reruns, out of the database and of runs that it does not have yet."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from semantest_recorder.core.refusal import Refusal
from semantest_recorder.core.rerun_chain import ChainRun, Owed, chain_ids, chain_run, owed_by, rerun_of
from semantest_recorder.reports.aggregate import RunRows
from semantest_recorder.store.errors import AmbiguousRun, NoDatabase, RunNotFound, StoreError
from semantest_recorder.store.identity import read_identity
from semantest_recorder.store.reader import Reader


def answer_owed(database: Path, names: Sequence[str]) -> Owed:
    """What the runs called ``names`` (id, unique beginning or ``last``) owe. Raises ``Refusal``."""
    reader = Reader(database)
    try:
        rows = [_rows(reader, run_id) for run_id in dict.fromkeys(reader.run(name).id for name in names)]
        require_pytest(rows)
        return owed_of(reader, rows)
    except (NoDatabase, RunNotFound, AmbiguousRun) as error:
        raise Refusal("RUN_NOT_FOUND", str(error)) from None
    except StoreError as error:
        raise Refusal("STORE_ERROR", str(error)) from None


def owed_of(reader: Reader | None, named: Sequence[RunRows]) -> Owed:
    """What these runs owe; of their chains what ``reader`` has. Raises what it raises, but for a missing database."""
    given = {rows.run.id: rows for rows in named}
    links = _links(reader)
    links |= {run_id: of for run_id, rows in given.items() if (of := rerun_of(rows.run.facts))}
    runs = {}
    for run_id in chain_ids(given, links):
        rows = given.get(run_id) or _stored(reader, run_id)
        if rows is not None:
            runs[run_id] = _chain_run(rows)
    since = reader.since_ms(list(runs)) if reader is not None and len(runs) > 1 else {}
    for run_id, since_ms in since.items():
        runs[run_id].since_ms = since_ms
    owed = owed_by(list(given), runs)
    if reader is not None and reader.exists():
        owed.aliases = _aliases(reader, owed)
    return owed


def chain_of(reader: Reader | None, rows: RunRows) -> Owed | None:
    """What a run owes with its reruns; ``None`` for one that has nothing to do with any. Raises as :func:`owed_of`."""
    links, own = _links(reader), rows.run.id
    if not rerun_of(rows.run.facts) and not any(own in named for named in links.values()):
        return None
    return owed_of(reader, [rows])


def require_pytest(rows: Sequence[RunRows]) -> None:
    """Raises ``Refusal`` for runs that pytest cannot run again: those that other programs started."""
    for found in rows:
        if found.run.facts.get("origin") in ("client", "import"):
            raise Refusal(
                "INVALID_REQUEST", f"run {found.run.id} was not started by pytest: whoever ran it can rerun it"
            )


def _links(reader: Reader | None) -> dict[str, tuple[str, ...]]:
    try:
        return reader.reruns() if reader is not None else {}
    except NoDatabase:
        return {}


def _aliases(reader: Reader, owed: Owed) -> dict[str, list[str]]:
    identity = read_identity(reader.path)
    names = ((test_id, identity.ids_of(test_id)[1:]) for test_id, told in owed.tests.items() if told.owed)
    return {test_id: others for test_id, others in names if others}


def _stored(reader: Reader | None, run_id: str) -> RunRows | None:
    try:
        return _rows(reader, run_id) if reader is not None else None
    except (NoDatabase, RunNotFound):
        return None


def _rows(reader: Reader, run_id: str) -> RunRows:
    return RunRows(reader.run_by_id(run_id), reader.sources(run_id), reader.results(run_id), [], [], [])


def _chain_run(rows: RunRows) -> ChainRun:
    return chain_run(rows.run, rows.run.started_ms or 0.0, rows.sources, rows.results)
