"""``semantest ci github``: the summary of a step of GitHub Actions, and annotations."""

from __future__ import annotations

import errno
import os
import stat
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from semantest_recorder.cli.completing import complete_run
from semantest_recorder.cli.help_end import help_end
from semantest_recorder.cli.note import say_note
from semantest_recorder.cli.options import (
    EXIT_CODES_OF_RUN,
    directory_option,
    exit_code_option,
    journals_option,
    project_folder,
    sync_option,
)
from semantest_recorder.cli.stop import EXIT_USAGE, Stop

if TYPE_CHECKING:
    from semantest_recorder.reports.exporters.exporter import ExportedRun
    from semantest_recorder.reports.github import RepositoryPath
    from semantest_recorder.reports.report import RunInfo

_VARIABLE = "GITHUB_STEP_SUMMARY"
#: Below that no page is worth its place.
_LEAST_BYTES = 2000


@click.command(
    "github",
    short_help="Summary and annotations for GitHub Actions.",
    epilog=help_end(
        "semantest ci github",
        "semantest ci github --show annotations --exit-code",
        "semantest ci github --title 'Python 3.13 on macOS'",
        "semantest ci github --summary-file page.md",
        exit_codes=EXIT_CODES_OF_RUN,
    ),
)
@click.argument("run", default="last", shell_complete=complete_run)
@click.option(
    "--show",
    type=click.Choice(["all", "summary", "annotations"]),
    default="all",
    show_default=True,
    help="What to show: the step's summary, annotations at the lines that failed, or both.",
)
@click.option(
    "--summary-file",
    envvar=_VARIABLE,
    metavar="FILE",
    help=f"Where the summary is appended.  [default: what the variable {_VARIABLE} names]",
)
@click.option("--title", metavar="TEXT", help="A heading above the summary, such as the job of a matrix.")
@exit_code_option
@journals_option
@directory_option
@sync_option
def github(
    run: str,
    show: str,
    summary_file: str | None,
    title: str | None,
    exit_code: bool,
    journals: bool,
    directory: str | None,
    sync_timeout: float,
) -> None:
    """Append a run to the summary of this step, and print annotations for what is not green.

    RUN is a run's id, a unique beginning of one, or `last` (the default). What other programs wrote into the summary
    stays; 1 MiB is shown of a step's, so that a longer page is cut, and says so. The ten worst tests become errors at
    their lines, the others are listed; flaky tests become warnings.
    """
    from semantest_recorder.cli.current import current_runs  # noqa: PLC0415
    from semantest_recorder.cli.exported_run import exported_run  # noqa: PLC0415
    from semantest_recorder.reports.github import annotation_lines  # noqa: PLC0415
    from semantest_recorder.reports.wording import exit_code_of  # noqa: PLC0415

    if show == "summary" and not summary_file:
        raise Stop(f"no {_VARIABLE} is set: name the file to append to with --summary-file", EXIT_USAGE)
    folder = project_folder(directory)
    (find,) = current_runs(folder, [run], None if journals else sync_timeout)
    found = exported_run(folder, find)
    if show != "annotations":
        if summary_file:
            _append(summary_file, found, title)
        else:
            say_note(f"no summary: no {_VARIABLE} is set, and there is no --summary-file")
    if show != "summary":
        lines = annotation_lines(found.report, _paths(found.report.run))
        sys.stdout.buffer.write("".join(f"{line}\n" for line in lines).encode("utf-8", "replace"))
        sys.stdout.buffer.flush()
    if exit_code:
        sys.exit(exit_code_of(found.report.run.state, found.report.run.shards_missing))


def _append(path: str, run: ExportedRun, title: str | None) -> None:
    """Put the page behind what is there, as far as there is room. Raises ``Stop``."""
    from semantest_recorder.reports.exporters.markdown import STEP_SUMMARY_BYTES, code, page  # noqa: PLC0415

    heading = f"# {code(title)}\n\n".encode() if title else b""
    try:
        with open(path, "ab", opener=_opened) as stream:
            room = STEP_SUMMARY_BYTES - stream.tell() - len(heading) - 2
            if room < _LEAST_BYTES:
                say_note(f"no summary: {path} is full, GitHub shows {STEP_SUMMARY_BYTES} bytes of a step")
                return
            stream.write((b"\n\n" if stream.tell() else b"") + heading + page(run, room))
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no name of a file"
        raise Stop(f"cannot write the summary {path}: {reason}") from None


def _opened(path: str, flags: int) -> int:
    """Without waiting for whoever reads a pipe, which is no place for a summary. Raises ``OSError``."""
    descriptor = os.open(path, flags | os.O_NONBLOCK | os.O_NOCTTY, 0o666)
    if stat.S_ISFIFO(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "it is a pipe")
    return descriptor


def _paths(run: RunInfo) -> RepositoryPath:
    """How files of the run are called in its repository; where nobody asked git, in the workspace of the job."""
    from semantest_recorder.reports.github import repository_path  # noqa: PLC0415

    root = (run.git or {}).get("root")
    if not isinstance(root, str) or not root:
        root = os.environ.get("GITHUB_WORKSPACE") or None
    rootdir = run.rootdir
    if rootdir and root and Path(rootdir).is_dir() and Path(root).is_dir():
        return repository_path(os.path.realpath(rootdir), os.path.realpath(root))  # git's has no links in it
    return repository_path(rootdir, root)
