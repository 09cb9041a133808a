"""``semantest badge``: a small picture that says how the last run went."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import click

from semantest_recorder.cli.completing import complete_branch, complete_run
from semantest_recorder.cli.help_end import help_end
from semantest_recorder.cli.note import say_note
from semantest_recorder.cli.options import directory_option, project_folder, sync_option
from semantest_recorder.cli.stop import EXIT_USAGE, Stop

if TYPE_CHECKING:
    from pathlib import Path

    from semantest_recorder.reports.badge import Badge

_KINDS = ("status", "pass-rate", "flaky", "tests", "duration")
_SUFFIXES = {"svg": ".svg", "shields": ".json"}


@click.command(
    "badge",
    short_help="Write a badge: a picture of how the last run went.",
    epilog=help_end(
        "semantest badge -o badge.svg",
        "semantest badge --kind pass-rate --branch main -o pass-rate.svg",
        "semantest badge --format shields -o badge.json",
        exit_codes="0 written (also for a run that is not green), 1 it cannot be written, 2 wrong usage, "
        "3 no such run or branch",
    ),
)
@click.argument("run", default="last", shell_complete=complete_run)
@click.option("--kind", type=click.Choice(_KINDS), default="status", show_default=True, help="What it says.")
@click.option(
    "--branch",
    metavar="BRANCH",
    shell_complete=complete_branch,
    help="The last run of this branch that went through its tests.",
)
@click.option("--label", metavar="TEXT", help="The words on its left half.  [default: by its kind]")
@click.option(
    "--format",
    "form",
    type=click.Choice(["svg", "shields"]),
    default="svg",
    show_default=True,
    help="A picture, or the JSON that an endpoint badge of shields.io reads.",
)
@click.option("-o", "--output", metavar="PATH", default="-", help="The file to write, - for stdout (the default).")
@directory_option
@sync_option
def command(
    run: str,
    kind: str,
    branch: str | None,
    label: str | None,
    form: str,
    output: str,
    directory: str | None,
    sync_timeout: float,
) -> None:
    """Write a badge for a page, such as a README.

    RUN is a run's id, a unique beginning of one, or `last` (the default). A file appears when it is whole, in the place
    of the one before.
    """
    from semantest_recorder.cli.export_target import check_target, target  # noqa: PLC0415
    from semantest_recorder.reports.badge import shield, svg  # noqa: PLC0415
    from semantest_recorder.reports.json_text import json_text  # noqa: PLC0415

    if branch is not None and run != "last":
        raise Stop("--branch chooses the run: name one of both", EXIT_USAGE)
    check_target(output, _SUFFIXES[form])
    badge = _badge(project_folder(directory), run, branch, kind, label, sync_timeout)
    with target(output) as stream:
        stream.write(svg(badge) if form == "svg" else json_text(shield(badge), indent=2) + b"\n")


def _badge(folder: Path, run: str, branch: str | None, kind: str, label: str | None, sync_timeout: float) -> Badge:
    from semantest_recorder.cli.current import current_run  # noqa: PLC0415
    from semantest_recorder.cli.leftovers import take_in_leftovers  # noqa: PLC0415
    from semantest_recorder.cli.lookup import reader_of  # noqa: PLC0415
    from semantest_recorder.reports.aggregate import aggregate  # noqa: PLC0415
    from semantest_recorder.reports.badge import badge_of  # noqa: PLC0415
    from semantest_recorder.store.analysis_runs import AnalysisRuns  # noqa: PLC0415

    if branch is not None:
        take_in_leftovers(folder, sync_timeout)
        with closing(AnalysisRuns(reader_of(folder).path)) as runs:
            run = runs.last_of_branch(branch, but="")
    found = current_run(folder, run, sync_timeout, explained_only=True)
    for note in found.notes:
        say_note(note)
    return badge_of(aggregate(found.rows, explained_only=True), kind, label)
