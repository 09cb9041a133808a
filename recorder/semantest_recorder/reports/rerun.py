"""Which pytest arguments run again exactly what was not green in a run, wherever the reader stands."""

from __future__ import annotations

import os
import re
import shlex

from pytest_semantest.protocol.events import BAD_STATES
from semantest_recorder.reports.kept_options import can_be_typed, kept_options, names_places
from semantest_recorder.reports.report import Report, RunInfo, TestInfo, is_forgiven

_NAMED_AT_MOST = 5
_LIST = "rerun.txt"
_ORDINAL = re.compile(r"#\d+$")


def rerun_command(report: Report, cwd: str, directory: str | None = None) -> str | None:
    """A shell line for a reader in ``cwd``; ``None`` when there is nothing to run again.

    Few tests are named. Many go through a file, which pytest reads one argument per line (pytest 8.2 and newer).
    ``directory``: the ``.semantest`` folder, where the reader had to name it.
    """
    arguments = rerun_arguments(report)
    run, folder = report.run, report.run.cwd or cwd
    elsewhere = bool(cwd) and os.path.normpath(folder) != os.path.normpath(cwd)
    if not arguments or (elsewhere and not can_be_typed(folder)):
        return None
    change = f"cd {shlex.quote(folder)} && " if elsewhere else ""
    options = kept_options(report)  # last, where none can take a test for its value
    in_place = bool(cwd) and not elsewhere and directory is None
    short = _by_history(run, options) if in_place else None
    if len(arguments) <= _NAMED_AT_MOST:
        command = f"{change}pytest --semantest {shlex.join([*arguments, *options])}"
        return min(command, short or command, key=len)
    if short is not None:
        return short
    return rerun_list_command(report, cwd, directory)


def rerun_list_command(report: Report, cwd: str, directory: str | None = None) -> str:
    """A shell line by which pytest reads the tests from a file; only where :func:`rerun_command` gives a line."""
    run, folder = report.run, report.run.cwd or cwd
    elsewhere = bool(cwd) and os.path.normpath(folder) != os.path.normpath(cwd)
    change = f"cd {shlex.quote(folder)} && " if elsewhere else ""
    named = f" --directory {shlex.quote(directory)}" if directory is not None else ""
    # Without a list pytest would run all tests: --rerun ends with 0 only when it made one.
    wanted = f"semantest report {shlex.quote(run.id)}{named} --rerun > {_LIST}"
    listed = os.path.join(cwd, _LIST) if elsewhere else _LIST
    return f"{wanted} && {change}pytest --semantest {shlex.join([f'@{listed}', *kept_options(report)])}"


def _by_history(run: RunInfo, options: list[str]) -> str | None:
    """The way through the history; only where pytest collects what it did then, and finds the run."""
    away = any(option.startswith(("--semantest-url", "--semantest-dir")) for option in options)
    if away or names_places(run) or not can_be_typed(run.id):
        return None
    return f"pytest --semantest {shlex.join(['--semantest-rerun', run.id, *options])}"


def rerun_arguments(report: Report) -> list[str]:
    """The tests that were not green, in the order of the report, as pytest takes them in the run's own folder.

    A test whose name no shell or file can hold is covered by its function or its file. Failures that do not count are
    left out. None of a run that is not pytest's: whoever ran it knows how.
    """
    if not _is_of_pytest(report.run):
        return []
    bad = (test for test in report.tests if test.state in BAD_STATES and not is_forgiven(test))
    return list(dict.fromkeys(filter(None, (_argument(test, report.run) for test in bad))))


def _is_of_pytest(run: RunInfo) -> bool:
    imported = bool(run.imported_from) and all(file.tool == "pytest" for file in run.imported_from)
    return run.origin == "pytest" or imported


def _argument(test: TestInfo, run: RunInfo) -> str:
    node = _ORDINAL.sub("", test.id)  # the ordinal tells duplicates apart, pytest does not know it
    path, colons, name = node.partition("::")
    if not can_be_typed(path):
        return ""
    while not can_be_typed(name):
        name = name.partition("[")[0] if "[" in name else name.rpartition("::")[0]
    colons = colons if name else ""
    path = _from_folder(_file_of(test, path), run)
    if path.startswith(("-", "@")):
        path = f"./{path}"
    return f"{path}{colons}{name}"


def _file_of(test: TestInfo, path: str) -> str:
    """The file of a test: with several rootdirs in one run pytest shortens ``../b/test_x.py`` to ``test_x.py``."""
    file = test.file or ""
    return file if path and file.endswith(f"/{path}") and can_be_typed(file) else path


def _from_folder(path: str, run: RunInfo) -> str:
    """A path below the rootdir as seen from where pytest was started."""
    if not run.rootdir or not run.cwd or not path:
        return path
    return os.path.relpath(os.path.join(run.rootdir, path), run.cwd)
