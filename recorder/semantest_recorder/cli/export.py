"""``semantest export``: runs as a file for other programs."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from semantest_recorder.cli.completing import complete_run
from semantest_recorder.cli.format_name import FormatName
from semantest_recorder.cli.help_end import help_end
from semantest_recorder.cli.options import (
    directory_option,
    journals_option,
    max_tokens_option,
    project_folder,
    sync_option,
)
from semantest_recorder.cli.stop import EXIT_USAGE, Stop
from semantest_recorder.reports.exporters.formats import FORMATS

if TYPE_CHECKING:
    from semantest_recorder.cli.lookup import FoundRun
    from semantest_recorder.cli.progress import Progress
    from semantest_recorder.reports.exporters.exporter import ExportedRun

#: Stands for a run's id in the name of a file; of an id that is none (clients choose them) for what is near to it.
_RUN = "{run}"

Find = Callable[[], "FoundRun"]


@click.command(
    "export",
    short_help="Write runs as a file for other programs.",
    epilog=help_end(
        "semantest export --format html -o report.html",
        "semantest export --format junit -o report.xml",
        "semantest export 20261121-093000 --format csv --rows attempts > attempts.csv",
        "semantest export last 20261121-09 --format ctrf -o 'reports/{run}.json'",
        exit_codes="0 written (also for a run that is not green), 1 it cannot be written, 2 wrong usage, 3 no such run",
    ),
)
@click.argument("runs", nargs=-1, metavar="[RUN]...", shell_complete=complete_run)
@click.option(
    "--format", "format_name", type=FormatName(), required=True, metavar="FORMAT", help=f"One of {', '.join(FORMATS)}."
)
@click.option(
    "--run",
    "names",
    metavar="RUN",
    multiple=True,
    shell_complete=complete_run,
    help="A run, as RUN: its id, a unique beginning of one, or `last`; can be repeated.  [default: last]",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(allow_dash=True),
    metavar="PATH",
    default="-",
    help="The file to write, - for stdout (the default). With {run} in it there is a file for each run.",
)
@click.option(
    "--rows",
    type=click.Choice(["tests", "attempts"]),
    help="Of csv: a row for each of the tests (the default), or of the attempts.",
)
@click.option(
    "--attachments",
    type=click.Choice(["images", "none"]),
    help="Of html: put the pictures that tests attached into the file (the default), or nothing.",
)
@max_tokens_option
@journals_option
@directory_option
@sync_option
def command(  # noqa: PLR0913, PLR0917 - one for each option
    runs: tuple[str, ...],
    format_name: str,
    names: tuple[str, ...],
    output: str,
    rows: Literal["tests", "attempts"] | None,
    attachments: Literal["images", "none"] | None,
    max_tokens: int | None,
    journals: bool,
    directory: str | None,
    sync_timeout: float,
) -> None:
    """Write a run, or several, in the form that another program reads.

    A file appears when it is whole, in the place of the one before.
    """
    from semantest_recorder.cli.current import current_runs  # noqa: PLC0415
    from semantest_recorder.cli.export_target import STDOUT, check_target, target  # noqa: PLC0415
    from semantest_recorder.cli.progress import progress  # noqa: PLC0415
    from semantest_recorder.plugins.builtin.files import file_name  # noqa: PLC0415
    from semantest_recorder.reports.agent.tokens import DEFAULT_TOKENS  # noqa: PLC0415
    from semantest_recorder.reports.exporters.exporter import ExportOptions  # noqa: PLC0415

    wanted = FORMATS[format_name]
    if rows is not None and format_name != "csv":
        raise Stop(f"--rows is for --format csv: {format_name} has no rows", EXIT_USAGE)
    if attachments is not None and format_name != "html":
        raise Stop(f"--attachments is for --format html: {format_name} has none in its file", EXIT_USAGE)
    if max_tokens is not None and format_name != "agent":
        raise Stop(f"--max-tokens is for --format agent: {format_name} holds all", EXIT_USAGE)
    check_target(output.replace(_RUN, "run"), wanted.suffix)
    folder = project_folder(directory)
    finds = current_runs(folder, (*runs, *names) or ("last",), None if journals else sync_timeout)
    if len(finds) > 1 and not wanted.several and _RUN not in output:
        raise Stop(
            f"a file of format {format_name} holds one run, and {len(finds)} are asked for: "
            f"give -o a name with {_RUN} in it, then there is one for each",
            EXIT_USAGE,
        )
    exporter = wanted.exporter()
    options = ExportOptions(rows or "tests", attachments != "none", max_tokens or DEFAULT_TOKENS)
    with progress("Exporting", quiet=output == STDOUT and sys.stdout.isatty()) as told:
        found = _Runs(folder, finds, told)
        if _RUN not in output:
            with target(output) as stream:
                exporter(found, stream, options)
            return
        for run in found:
            with target(output.replace(_RUN, file_name(run.report.run.id, ""))) as stream:
                exporter([run], stream, options)


class _Runs:
    """The runs, read when their turn comes."""

    def __init__(self, folder: Path, finds: Sequence[Find], told: Progress) -> None:
        self._folder, self._finds, self._told = folder, finds, told

    def __len__(self) -> int:
        return len(self._finds)

    def __iter__(self) -> Iterator[ExportedRun]:
        for number in range(len(self._finds)):
            yield self._read(number)

    def _read(self, number: int) -> ExportedRun:
        from semantest_recorder.cli.exported_run import exported_run  # noqa: PLC0415

        def told(done: int, of: int) -> None:
            self._told(number * of + done, len(self) * of)

        return exported_run(self._folder, self._finds[number], told)
