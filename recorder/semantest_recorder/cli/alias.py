"""``semantest alias``: earlier names of tests, so that their history goes on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from pytest_semantest.protocol.github_step import as_text
from pytest_semantest.protocol.layout import DATABASE
from semantest_recorder.cli.completing import complete_test
from semantest_recorder.cli.help_end import help_end
from semantest_recorder.cli.lookup import reader_of
from semantest_recorder.cli.options import directory_option, json_option, project_folder
from semantest_recorder.cli.stop import EXIT_USAGE, NothingRecorded, Stop
from semantest_recorder.reports.inert import inert_line

if TYPE_CHECKING:
    from semantest_recorder.core.analysis.identity import Alias

#: Of how many tests the nearest is named.
_KNOWN = 5000
_NAMED = 3
_EXIT_CODES = "0 done, 1 failed, 2 wrong usage, 3 no such test or alias"


@click.group(
    "alias",
    short_help="Earlier names of tests.",
    epilog=help_end(
        "semantest alias list",
        "semantest alias add tests/test_cart.py::test_sum tests/test_cart.py::test_total",
        "semantest alias remove tests/test_cart.py::test_sum tests/test_cart.py::test_total",
        exit_codes=_EXIT_CODES,
    ),
)
def command() -> None:
    """Show, add and remove earlier names of tests: history, comparisons and quarantine go on over them.

    The recorder finds most renames and moves itself. A name is that of a test, or of a function, class or file: then
    it holds for every test in it.
    """


@command.command("list", epilog=help_end("semantest alias list --json | jq '.aliases[].old'", exit_codes=_EXIT_CODES))
@directory_option
@json_option
def list_command(directory: str | None, as_json: bool) -> None:
    """List all aliases, the newest last, with why the recorder thinks so."""
    from semantest_recorder.cli.console import print_json, print_lines  # noqa: PLC0415
    from semantest_recorder.reports.alias_list import alias_lines, alias_list  # noqa: PLC0415

    found = alias_list(_aliases(project_folder(directory)))
    if as_json:
        print_json(found)
    elif found.aliases:
        print_lines(alias_lines(found))
    else:
        click.echo("No aliases.")


@command.command(
    "add",
    epilog=help_end(
        "semantest alias add tests/test_cart.py::test_sum tests/test_cart.py::test_total",
        "semantest alias add tests/test_cart.py tests/shop/test_cart.py",
        exit_codes=_EXIT_CODES,
    ),
)
@click.argument("old", shell_complete=complete_test)
@click.argument("new", shell_complete=complete_test)
@directory_option
def add_command(old: str, new: str, directory: str | None) -> None:
    """Say that OLD is an earlier name of NEW. `semantest alias remove OLD NEW` takes it back."""
    from semantest_recorder.cli.aliasing import tell_alias  # noqa: PLC0415

    folder = project_folder(directory)
    if f"{new}::".startswith((f"{old}::", f"{old}[")) or f"{old}::".startswith((f"{new}::", f"{new}[")):
        raise Stop("one of the names is the other or is in it: name two different tests", EXIT_USAGE)
    for name in (old, new):
        _require_known(folder, name)
    tell_alias(folder, old, new, "added")
    click.echo(as_text(f"{inert_line(old)} is an earlier name of {inert_line(new)}."))


@command.command(
    "remove", epilog=help_end("semantest alias remove a.py::test_old a.py::test_new", exit_codes=_EXIT_CODES)
)
@click.argument("old", shell_complete=complete_test)
@click.argument("new", shell_complete=complete_test)
@directory_option
def remove_command(old: str, new: str, directory: str | None) -> None:
    """Say that OLD is no earlier name of NEW: it is not detected again. `semantest alias add OLD NEW` takes it back."""
    from semantest_recorder.cli.aliasing import tell_alias  # noqa: PLC0415

    folder = project_folder(directory)
    known = [(alias.old, alias.new) for alias in _aliases(folder)]
    if (old, new) not in known:
        raise NothingRecorded(f"there is no alias {old} -> {new}{_nearest(old, new, known)}")
    tell_alias(folder, old, new, "removed")
    click.echo(as_text(f"{inert_line(old)} and {inert_line(new)} are two tests."))


def _aliases(folder: Path) -> list[Alias]:
    from semantest_recorder.store.identity import read_aliases  # noqa: PLC0415

    return read_aliases(folder / DATABASE)


def _require_known(folder: Path, name: str) -> None:
    """Raises ``NothingRecorded`` for a name that no recorded test begins with."""
    from semantest_recorder.answers.one_test import nearest  # noqa: PLC0415
    from semantest_recorder.cli.refusals import LISTED_IN_REPORTS  # noqa: PLC0415

    reader = reader_of(folder)
    below = (f"{name}::", f"{name}[", f"{name}#")
    if not any(found == name or found.startswith(below) for found in reader.find_tests(name, -1)):
        near = nearest(name, reader.find_tests("", _KNOWN))
        hint = f"did you mean {', '.join(map(inert_line, near))}?" if near else LISTED_IN_REPORTS
        raise NothingRecorded(f"no test, function, class or file {name!r}: {hint}")


def _nearest(old: str, new: str, known: list[tuple[str, str]]) -> str:
    near = [f"{one} {other}" for one, other in known if {one, other} & {old, new}][:_NAMED]
    return f": did you mean {' or '.join(near)}?" if near else ": `semantest alias list` shows all"
