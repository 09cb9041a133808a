"""``semantest ci gitlab``: the report artifacts of a job of GitLab CI."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from semantest_recorder.cli.completing import complete_run
from semantest_recorder.cli.help_end import help_end
from semantest_recorder.cli.options import (
    EXIT_CODES_OF_RUN,
    directory_option,
    exit_code_option,
    journals_option,
    project_folder,
    sync_option,
)
from semantest_recorder.cli.stop import Stop

_JUNIT, _METRICS = "junit.xml", "metrics.txt"


@click.command(
    "gitlab",
    short_help="Report artifacts for GitLab CI.",
    epilog=help_end(
        "semantest ci gitlab",
        "semantest ci gitlab -o reports --exit-code",
        exit_codes=EXIT_CODES_OF_RUN,
    ),
)
@click.argument("run", default="last", shell_complete=complete_run)
@click.option(
    "-o",
    "--output",
    metavar="FOLDER",
    default="reports",
    show_default=True,
    help="Where the files go; it is made if it is not there.",
)
@exit_code_option
@journals_option
@directory_option
@sync_option
def gitlab(run: str, output: str, exit_code: bool, journals: bool, directory: str | None, sync_timeout: float) -> None:
    """Write junit.xml and metrics.txt, for `artifacts:reports:junit` and `artifacts:reports:metrics`.

    RUN is a run's id, a unique beginning of one, or `last` (the default).
    """
    from semantest_recorder.cli.current import current_runs  # noqa: PLC0415
    from semantest_recorder.cli.export_target import target  # noqa: PLC0415
    from semantest_recorder.cli.exported_run import exported_run  # noqa: PLC0415
    from semantest_recorder.reports.exporters.exporter import ExportOptions  # noqa: PLC0415
    from semantest_recorder.reports.exporters.junit import export_xunit1  # noqa: PLC0415
    from semantest_recorder.reports.openmetrics import metrics  # noqa: PLC0415
    from semantest_recorder.reports.wording import exit_code_of  # noqa: PLC0415

    folder = project_folder(directory)
    (find,) = current_runs(folder, [run], None if journals else sync_timeout)
    found = exported_run(folder, find)
    try:
        Path(output).mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no name of a folder"
        raise Stop(f"cannot make the folder {output}: {reason}") from None
    with target(str(Path(output, _JUNIT))) as stream:
        export_xunit1([found], stream, ExportOptions())
    with target(str(Path(output, _METRICS))) as stream:
        stream.write(metrics(found.report))
    click.echo(f"{Path(output, _JUNIT)}\n{Path(output, _METRICS)}")
    if exit_code:
        sys.exit(exit_code_of(found.report.run.state, found.report.run.shards_missing))
