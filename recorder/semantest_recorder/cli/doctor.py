"""``semantest doctor``: whether all is well, and what to do when it is not."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pytest_semantest.protocol.layout import DIRECTORY, find_directory
from semantest_recorder.cli.configured import nearest_configuration
from semantest_recorder.cli.help_end import help_end
from semantest_recorder.cli.options import directory_option, json_option
from semantest_recorder.cli.place import working_directory
from semantest_recorder.cli.semantest_folder import semantest_folder
from semantest_recorder.cli.stop import Stop
from semantest_recorder.reports.inert import inert_line
from semantest_recorder.reports.wording import EXIT_GREEN, EXIT_NOT_GREEN

if TYPE_CHECKING:
    from rich.text import Text

    from semantest_recorder.cli.health.check import Check

_STYLES = {"ok": "green", "warn": "yellow", "fail": "bold red"}


@click.command(
    "doctor",
    short_help="Check whether all is well, and say what to do.",
    epilog=help_end(
        "semantest doctor",
        "semantest doctor --json | jq '.checks[] | select(.status != \"ok\")'",
        exit_codes="0 nothing failed (there may be warnings), 1 a check failed, 2 wrong usage",
    ),
)
@directory_option
@json_option
def command(directory: str | None, as_json: bool) -> None:
    """Check versions, recorder, database, leftover journals, permissions, room and start-up cost."""
    checks = list(_checks(directory))
    failed = any(check.status == "fail" for check in checks)
    if as_json:
        from semantest_recorder.cli.console import print_json  # noqa: PLC0415

        print_json({"schema": 1, "ok": not failed, "checks": checks})
    else:
        from semantest_recorder.cli.console import print_lines  # noqa: PLC0415

        print_lines(_lines(checks))
    sys.exit(EXIT_NOT_GREEN if failed else EXIT_GREEN)


def _checks(directory: str | None) -> Iterator[Check]:
    from semantest_recorder.cli.health.check import Check  # noqa: PLC0415
    from semantest_recorder.cli.health.plugin_health import plugin_checks  # noqa: PLC0415
    from semantest_recorder.cli.health.recorder_health import recorder_checks  # noqa: PLC0415
    from semantest_recorder.cli.health.startup_cost import startup_checks  # noqa: PLC0415
    from semantest_recorder.cli.health.storage import storage_checks  # noqa: PLC0415
    from semantest_recorder.cli.health.versions import version_checks  # noqa: PLC0415

    yield from version_checks()
    here = working_directory(directory)
    yield _configuration(here)
    try:
        folder = semantest_folder(directory, here)
    except Stop:  # the configuration cannot be used, which is told
        folder = find_directory(None, here)
    if folder is None or not folder.is_dir():
        detail = f"no {DIRECTORY} folder {'at ' + str(folder) if folder else 'here or above'}"
        yield Check("folder", "warn", detail, "Run `pytest --semantest` once, or name it with --directory.")
    else:
        yield from storage_checks(folder)
        yield from recorder_checks(folder)
        yield from plugin_checks(folder)
    yield from startup_checks()


def _configuration(here: Path) -> Check:
    from semantest_recorder.cli.configuration_check import check_configuration  # noqa: PLC0415
    from semantest_recorder.cli.health.check import Check  # noqa: PLC0415

    found = nearest_configuration(here)
    problems, notes = check_configuration(found, os.environ)
    data = {"problems": problems, "notes": notes}
    if problems:
        advice = f"Correct it in {found.folder}, or in the environment."
        return Check("configuration", "fail", "; ".join(problems), advice, data)
    if notes:
        return Check("configuration", "warn", "; ".join(notes), "Correct or remove it: it changes nothing.", data)
    where = f"{' and '.join(found.files)} in {found.folder}" if found.files else "no file here or above"
    return Check("configuration", "ok", where)


def _lines(checks: list[Check]) -> Iterator[Text]:
    from rich.text import Text  # noqa: PLC0415

    room = max(len(check.name) for check in checks) + 2
    for check in checks:
        name = f"{check.name}:".ljust(room)
        yield Text.assemble((f"{check.status:<5}", _STYLES[check.status]), (name, "bold"), inert_line(check.detail))
        if check.advice and check.status != "ok":
            yield Text(f"     -> {inert_line(check.advice)}", _STYLES[check.status])
    worst = [check for check in checks if check.status != "ok"]
    failed = sum(check.status == "fail" for check in worst)
    yield Text()
    yield Text(f"{len(checks)} checks: {failed} failed, {len(worst) - failed} to look at" if worst else "All is well.")
