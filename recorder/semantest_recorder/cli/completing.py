"""What the shell offers for the name of a run, a test or a session: what the project has recorded.

Whatever goes wrong, nothing is offered: a message would stand in the middle of the line that is being typed.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from functools import wraps
from pathlib import Path

import click
from click.shell_completion import CompletionItem

from pytest_semantest.protocol.layout import DATABASE, session_folders
from semantest_recorder.cli.semantest_folder import semantest_folder

_OFFERED = 200
_PATIENCE_MS = 50
_RUNS = "SELECT run FROM v_runs WHERE substr(run, 1, length(?1)) = ?1 ORDER BY started_ms DESC LIMIT ?2"
_TESTS = "SELECT id FROM tests WHERE substr(id, 1, length(?1)) = ?1 ORDER BY id LIMIT ?2"
_FUNCTIONS = "SELECT DISTINCT function FROM tests WHERE instr(function, '::' || ?1) > 0 ORDER BY function LIMIT ?2"
_NAMES = """
    SELECT DISTINCT substr(id, instr(id, '::' || ?1) + 2) FROM tests
    WHERE instr(id, '::' || ?1) > 0 ORDER BY id LIMIT ?2
"""
_BRANCHES = """
    SELECT DISTINCT branch FROM runs WHERE substr(branch, 1, length(?1)) = ?1 ORDER BY branch LIMIT ?2
"""

Complete = Callable[[click.Context, click.Parameter, str], list[str]]


def _silent(found: Callable[[Path, str], list[str]]) -> Complete:
    """``found``, called with the project's folder and the beginning of the word."""

    @wraps(found)
    def complete(ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
        try:
            folder = semantest_folder(ctx.params.get("directory"), Path.cwd())
            return [] if folder is None else found(folder, incomplete)
        except Exception:  # noqa: BLE001 - see above
            return []

    return complete


@_silent
def complete_run(folder: Path, incomplete: str) -> list[str]:
    """Ids of runs, the newest first."""
    return _first_column(folder, _RUNS, incomplete)


def complete_run_or_path(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Ids of runs, and what the shell knows of files and folders."""
    runs = [CompletionItem(run) for run in complete_run(ctx, parameter, incomplete)]
    return [*runs, CompletionItem(incomplete, type="file")]


@_silent
def complete_test(folder: Path, incomplete: str) -> list[str]:
    """Ids of tests; for the beginning of no id the names that begin so, with parameters once there is a ``[``."""
    ids = _first_column(folder, _TESTS, incomplete)
    if ids:
        return ids
    if "[" in incomplete:
        return _first_column(folder, _NAMES, incomplete)
    names = (function.rpartition("::")[2] for function in _first_column(folder, _FUNCTIONS, incomplete))
    return list(dict.fromkeys(name for name in names if name.startswith(incomplete)))


@_silent
def complete_branch(folder: Path, incomplete: str) -> list[str]:
    """Branches of runs, in the order of their names."""
    return _first_column(folder, _BRANCHES, incomplete)


@_silent
def complete_session(folder: Path, incomplete: str) -> list[str]:
    """Names of sessions that were not taken in, the newest first."""
    return [path.name for path in reversed(session_folders(folder)) if path.name.startswith(incomplete)]


def _first_column(folder: Path, query: str, incomplete: str) -> list[str]:
    from semantest_recorder.store.read_only import connect_read_only  # noqa: PLC0415 - only when it is asked

    with closing(connect_read_only(folder / DATABASE)) as connection:
        connection.execute(f"PRAGMA busy_timeout = {_PATIENCE_MS}")
        return [row[0] for row in connection.execute(query, (incomplete, _OFFERED))]
