"""``semantest cleanup``: runs that are not needed any more go, and their room is given back."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from pytest_semantest.protocol.effective import named
from pytest_semantest.protocol.layout import DATABASE
from semantest_recorder.cli.amounts import Age, Bytes, Grouping
from semantest_recorder.cli.completing import complete_run
from semantest_recorder.cli.configured_option import ConfiguredOption
from semantest_recorder.cli.help_end import help_end
from semantest_recorder.cli.number import Number
from semantest_recorder.cli.options import directory_option, json_option, project_folder
from semantest_recorder.cli.stop import EXIT_USAGE, Stop

if TYPE_CHECKING:
    from pathlib import Path

    from semantest_recorder.core.retention import Policy
    from semantest_recorder.reports.cleanup_plan import Plan
    from semantest_recorder.store.survey import RunFacts


def _configured(path: str, kind: click.ParamType) -> Callable[[Callable[..., None]], Callable[..., None]]:  # type: ignore[type-arg]
    key = named(path)
    return click.option(key.flag, cls=ConfiguredOption, setting=key, type=kind, metavar=key.metavar, help=key.help)


@click.command(
    "cleanup",
    short_help="Delete runs that are not needed any more.",
    epilog=help_end(
        "semantest cleanup --older-than 30d --dry-run",
        "semantest cleanup --keep 100 --max-size 200MB --per branch",
        "semantest cleanup --older-than 30d --keep 500 --max-size 1GB --yes",
        "semantest cleanup --run import-d3503e23ab79 --yes",
        exit_codes="0 done or nothing to do, 1 failed or was answered with no, 2 wrong usage, 3 nothing recorded",
    ),
)
@directory_option
@_configured("cleanup.older-than", Age())
@_configured("cleanup.keep", Number(min=0))
@_configured("cleanup.max-size", Bytes())
@click.option(
    "--per",
    type=Grouping(),
    metavar="branch|label:KEY|name",
    help="--keep and --max-size hold for each of these, not for all runs together.",
)
@click.option(
    "--run",
    "run_names",
    multiple=True,
    metavar="RUN",
    shell_complete=complete_run,
    help="Only this run, and nothing by age, number or size; can be repeated.",
)
@click.option("--dry-run", is_flag=True, help="Only show what would go.")
@click.option("--yes", is_flag=True, help="Do not ask. Needed without a terminal.")
@json_option
def command(  # noqa: PLR0913, PLR0917 - one for each option
    directory: str | None,
    older_than: float | None,
    keep: int | None,
    max_size: int | None,
    per: str | None,
    run_names: tuple[str, ...],
    dry_run: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Show which runs go, ask, and delete them with all that belongs to them.

    A run stays only if every option that is given lets it stay. The newest run of each group always stays, and so does
    one that is still recorded. A recorder that runs does the work between the batches that it takes in.
    """
    from semantest_recorder.core.retention import Policy  # noqa: PLC0415

    given = Policy() if run_names else Policy(older_than, keep, max_size)
    if given == Policy() and not run_names:
        text = (
            "say what may go: --older-than 30d, --keep 500, --max-size 1GB, --run RUN, or [cleanup] in semantest.toml"
        )
        raise Stop(text, EXIT_USAGE)
    folder = project_folder(directory)
    plan = _planned(folder, given, per, run_names, dry_run=dry_run)
    if not as_json:
        from semantest_recorder.cli.console import print_lines  # noqa: PLC0415
        from semantest_recorder.reports.cleanup_plan import plan_lines  # noqa: PLC0415

        print_lines(plan_lines(plan))
    if not dry_run:
        _confirm(plan, yes=yes)
        from semantest_recorder.cli.cleaning_up import clean_up  # noqa: PLC0415

        plan.done = clean_up(folder, [run.id for run in plan.runs])
    _tell_outcome(plan, as_json=as_json)


def _planned(folder: Path, policy: Policy, per: str | None, run_names: tuple[str, ...], *, dry_run: bool) -> Plan:
    """What goes now: the runs that are named, else by the policy. Raises what ``Reader`` raises."""
    from semantest_recorder.cli.lookup import reader_of  # noqa: PLC0415
    from semantest_recorder.core.retention import runs_to_delete  # noqa: PLC0415
    from semantest_recorder.reports.cleanup_plan import Plan  # noqa: PLC0415
    from semantest_recorder.store.artifact_sweep import unnamed_artifacts  # noqa: PLC0415
    from semantest_recorder.store.survey import survey  # noqa: PLC0415

    stored, now_ms = survey(folder / DATABASE, _grouping(per)), time.time() * 1000
    named_ids = {reader_of(folder).run(name).id for name in run_names}
    runs = [run for run in stored if run.id in named_ids] if run_names else runs_to_delete(stored, policy, now_ms)
    unnamed = unnamed_artifacts(folder, folder / DATABASE, now_ms)
    return Plan(
        directory=str(folder),
        dry_run=dry_run,
        policy=policy,
        per=per,
        stored=len(stored),
        runs=runs,
        bytes=sum(run.bytes for run in runs),
        artifacts=len(unnamed.files),
        artifact_bytes=unnamed.bytes,
    )


def _tell_outcome(plan: Plan, *, as_json: bool) -> None:
    from semantest_recorder.cli.console import print_json  # noqa: PLC0415
    from semantest_recorder.reports.cleanup_plan import done_line  # noqa: PLC0415

    if as_json:
        print_json(plan)
    elif plan.done is not None and (plan.runs or plan.done.artifacts):
        click.echo(done_line(plan.done))


def _grouping(per: str | None) -> Callable[[RunFacts], str]:
    """The group of a run; those that have no branch, name or label are one group."""
    if per is None:
        return lambda _run: ""
    if per == "branch":
        return lambda run: run.branch or ""
    if per == "name":
        return lambda run: run.name or ""
    key = per.removeprefix("label:")
    return lambda run: str(run.labels.get(key, ""))


def _confirm(plan: Plan, *, yes: bool) -> None:
    if yes or plan.is_empty:
        return
    if not sys.stdin.isatty():
        raise Stop("nothing was deleted: without a terminal give --yes, or --dry-run to look only", EXIT_USAGE)
    click.confirm("Delete them?", abort=True, err=True)
