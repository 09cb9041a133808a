"""``semantest gate``: whether a run is good enough."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from pytest_semantest.protocol.effective import named
from pytest_semantest.protocol.keys import FAIL_ON, GATE
from semantest_recorder.cli.amounts import Age
from semantest_recorder.cli.completing import complete_branch, complete_run, complete_test
from semantest_recorder.cli.configured_option import ConfiguredOption
from semantest_recorder.cli.help_end import help_end
from semantest_recorder.cli.note import say_note
from semantest_recorder.cli.number import Number, Percent
from semantest_recorder.cli.options import directory_option, journals_option, json_option, project_folder, sync_option

if TYPE_CHECKING:
    from semantest_recorder.core.gate import Bounds
    from semantest_recorder.reports.gate_result import GateResult

Decorator = Callable[[Callable[..., None]], Callable[..., None]]

_KINDS: dict[str, click.ParamType] = {  # type: ignore[type-arg]  # generic in newer versions of click only
    "integer": Number(min=0),
    "percent": Percent(),
    "duration": Age(),
}


def _condition(name: str) -> Decorator:
    """The option of a key of the section ``gate``."""
    key = named(f"gate.{name}")
    more: dict[str, Any] = {"cls": ConfiguredOption, "setting": key, "default": key.default, "help": key.help}
    if key.kind == "flag":
        other = f"--any-{name[3:]}" if name.startswith("no-") else f"--no-{name}"
        return click.option(f"{key.flag}/{other}", **more)
    if key.kind == "lines":
        return click.option(key.flag, multiple=True, metavar=key.metavar, shell_complete=complete_test, **more)
    if name == "base":
        more["shell_complete"] = complete_branch
    return click.option(key.flag, type=_KINDS.get(key.kind), metavar=key.metavar, **more)


def _conditions(function: Callable[..., None]) -> Callable[..., None]:
    for key in reversed(GATE):
        function = _condition(key.name)(function)
    return function


@click.command(
    "gate",
    short_help="Judge a run by the conditions of the project.",
    epilog=help_end(
        "semantest gate",
        "semantest gate --max-flaky-rate 1 --min-pass-rate 99.5",
        "semantest gate --base main --no-new-failures --max-slower 5",
        "semantest gate --critical 'tests/payment/*' --json | jq '.checks[] | select(.verdict != \"ok\")'",
        exit_codes="0 every condition is met, 1 one is failed or not known, 2 wrong usage, 3 no such run",
    ),
)
@click.argument("run", default="last", shell_complete=complete_run)
@_conditions
@click.option(
    "--fail-on",
    "policies",
    type=click.Choice(FAIL_ON),
    multiple=True,
    help="Judge by this policy of `pytest --semantest-fail-on` and by no other condition; repeatable.",
)
@click.option("--allow-unknown", is_flag=True, help="A condition of which nobody can tell does not fail the gate.")
@journals_option
@directory_option
@sync_option
@json_option
def command(
    run: str,
    base: str | None,
    policies: tuple[str, ...],
    allow_unknown: bool,
    journals: bool,
    directory: str | None,
    sync_timeout: float,
    as_json: bool,
    **conditions: Any,
) -> None:
    """Judge a run: each condition with its value, its bound and the verdict ok, failed or unknown.

    RUN is a run's id, a unique beginning of one, or `last` (the default). The conditions stand in [gate] of
    semantest.toml, or in [tool.semantest.gate] of pyproject.toml; an option wins over the files. What has to be
    compared is compared with the last run of the base branch; without one, in a pull request, of the branch that it
    is for, else with the run before of the same branch.
    """
    from semantest_recorder.core.gate import Bounds, merged  # noqa: PLC0415

    if policies:
        bounds = merged(policies)
    else:
        limit = conditions.pop("max_duration")
        bounds = Bounds(max_duration_ms=limit, **{**conditions, "critical": tuple(conditions["critical"])})
    result = _result(run, bounds, base, None if journals else sync_timeout, directory, allow_unknown=allow_unknown)
    if as_json:
        from semantest_recorder.cli.console import print_json  # noqa: PLC0415

        print_json(result)
    else:
        from semantest_recorder.cli.console import print_lines  # noqa: PLC0415
        from semantest_recorder.reports.gate_result import gate_lines  # noqa: PLC0415

        print_lines(gate_lines(result))
    sys.exit(0 if result.passed else 1)


def _result(
    run: str, bounds: Bounds, base: str | None, sync: float | None, directory: str | None, *, allow_unknown: bool
) -> GateResult:
    from semantest_recorder.cli.compared_run import compared_run  # noqa: PLC0415
    from semantest_recorder.cli.current import current_run  # noqa: PLC0415
    from semantest_recorder.cli.target_branch import target_branch  # noqa: PLC0415
    from semantest_recorder.core.gate import Compared, judge, needs_comparison  # noqa: PLC0415
    from semantest_recorder.reports.aggregate import aggregate  # noqa: PLC0415
    from semantest_recorder.reports.gate_result import gate_facts, gate_result  # noqa: PLC0415

    folder = project_folder(directory)
    gc.disable()  # as for a report
    try:
        found = current_run(folder, run, sync, explained_only=True)
        report = aggregate(found.rows, explained_only=True)
    finally:
        gc.enable()
    for note in found.notes:
        say_note(note)
    compared: Compared | str = "nothing was compared"
    if needs_comparison(bounds):
        compared = compared_run(folder, report.run.id, base or target_branch(os.environ))
    facts = gate_facts(report, compared)
    return gate_result(report, facts, judge(bounds, facts), allow_unknown=allow_unknown)
