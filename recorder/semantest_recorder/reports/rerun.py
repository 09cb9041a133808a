"""Which commands run again what was not green."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from pytest_semantest.protocol.events import BAD_STATES
from semantest_recorder.reports.inert import inert_line
from semantest_recorder.reports.report import Report, TestInfo

_NAMED_AT_MOST = 5
_ORDINAL = re.compile(r"#\d+$")


def rerun_commands(report: Report, cwd: str) -> list[str]:
    """Shell lines, to be run in ``cwd``; none when there is nothing to run again.

    Few tests are named; many are left to pytest's own ``--lf``, or to the whole run when most of it never ran.
    """
    bad = [test for test in report.tests if test.state in BAD_STATES]
    if not bad:
        return []
    change = _change_directory(report.run.rootdir, cwd)  # node ids are relative to the rootdir
    if len(bad) <= _NAMED_AT_MOST and all(inert_line(test.id) == test.id for test in bad):
        names = sorted({_node_id(test) for test in bad})
        return [f"{change}pytest --semantest {' '.join(map(shlex.quote, names))}"]
    if any(test.state in ("not_run", "lost") for test in bad):
        arguments = [arg for arg in report.run.args if inert_line(arg) == arg]
        change = _change_directory(report.run.cwd, cwd)  # and arguments to where pytest was started
        return [f"{change}pytest {' '.join(map(shlex.quote, _recording(arguments)))}"]
    return [f"{change}pytest --semantest --lf"]


def _node_id(test: TestInfo) -> str:
    """The id that pytest takes: without the ordinal that tells duplicates apart."""
    return _ORDINAL.sub("", test.id)


def _recording(arguments: list[str]) -> list[str]:
    return arguments if "--semantest" in arguments else ["--semantest", *arguments]


def _change_directory(folder: str | None, cwd: str) -> str:
    if not folder or not cwd or Path(folder) == Path(cwd) or inert_line(folder) != folder:
        return ""
    return f"cd {shlex.quote(folder)} && "
