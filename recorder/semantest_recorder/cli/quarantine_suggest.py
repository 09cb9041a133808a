"""``semantest quarantine suggest``: entries for the tests that history calls flaky."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pytest_semantest.protocol.github_step import as_text
from semantest_recorder.cli.help_end import help_end
from semantest_recorder.cli.number import Number
from semantest_recorder.cli.options import directory_option, json_option, project_folder
from semantest_recorder.cli.quarantine_options import Day, file_option
from semantest_recorder.cli.stop import EXIT_USAGE, Stop

if TYPE_CHECKING:
    from semantest_recorder.core.quarantine_suggestion import Candidate, Suggestion


@click.command(
    "suggest",
    short_help="Entries for tests that were flaky lately.",
    epilog=help_end(
        "semantest quarantine suggest",
        "semantest quarantine suggest --owner ann --expires 30d --min-flaky 3 --write",
        exit_codes="0 shown or written (or there are none), 1 answered with no, 2 wrong usage, 3 nothing recorded",
    ),
)
@click.option("--owner", metavar="NAME", default="", help="Who sees to them. Needed with --write.")
@click.option("--expires", type=Day(), default="14d", show_default=True, metavar="DAY", help="The last day of each.")
@click.option("--min-flaky", type=Number(min=1), default=2, show_default=True, help="Flaky in so many runs, at least.")
@click.option("--write", is_flag=True, help="Show them, ask, and add them to the file.")
@click.option("--yes", is_flag=True, help="Do not ask. Needed without a terminal.")
@file_option
@directory_option
@json_option
def suggest(
    owner: str,
    expires: Callable[[date], date],
    min_flaky: int,
    write: bool,
    yes: bool,
    file: str | None,
    directory: str | None,
    as_json: bool,
) -> None:
    """Print entries for tests that were flaky (see `semantest flaky`) in several of the last 50 runs, to be pasted.

    Tests that have an entry are left out, and so are those that failed in all of their last 3 runs: what fails every
    time is broken, not flaky.
    """
    from pytest_semantest.protocol.quarantine import too_far_ahead  # noqa: PLC0415
    from semantest_recorder.cli.quarantine_file import checked_entries, most_days, quarantine_path, today  # noqa: PLC0415
    from semantest_recorder.core.quarantine_suggestion import suggestions  # noqa: PLC0415

    path, now = quarantine_path(file, directory), today()
    if write and not owner.strip():
        raise Stop("say who sees to them: --owner NAME", EXIT_USAGE)
    entries = checked_entries(path)[1] if path.exists() else []
    found = suggestions(
        _candidates(project_folder(directory)), entries, fewest=min_flaky, owner=owner, today=now, expires=expires(now)
    )
    late = too_far_ahead([one.entry._replace(place="--expires") for one in found[:1]], now, most_days(directory))
    if late:
        raise Stop(late[0], EXIT_USAGE)
    _show(found, path, as_json=as_json)
    if write and found:
        _write(found, path, yes=yes)


def _candidates(folder: Path) -> list[Candidate]:
    """Tests that were flaky in one of the last runs. Raises what ``Reader`` raises."""
    from pytest_semantest.protocol.layout import DATABASE  # noqa: PLC0415
    from semantest_recorder.core.quarantine_suggestion import FAILING_RUNS, Candidate  # noqa: PLC0415
    from semantest_recorder.store.history import RUNS, read_history  # noqa: PLC0415
    from semantest_recorder.store.quarantine import QuarantineHistory  # noqa: PLC0415

    flaky = read_history(folder / DATABASE)["flaky"]
    history, latest = QuarantineHistory(folder / DATABASE), dict[str, list[str]]()
    for test_id, state in history.states(history.runs(RUNS), list(flaky)):
        latest.setdefault(test_id, []).append(state)
    return [
        Candidate(test_id, found["flaky"], found["runs"], tuple(latest.get(test_id, ())[:FAILING_RUNS]))
        for test_id, found in flaky.items()
    ]


def _show(found: list[Suggestion], path: Path, *, as_json: bool) -> None:
    from semantest_recorder.core.quarantine_text import entry_text  # noqa: PLC0415
    from semantest_recorder.reports.inert import inert  # noqa: PLC0415

    if as_json:
        from semantest_recorder.cli.console import print_json  # noqa: PLC0415
        from semantest_recorder.reports.quarantine_list import QuarantineSuggestions, suggested  # noqa: PLC0415

        print_json(QuarantineSuggestions(file=str(path), suggestions=[suggested(one) for one in found]))
    elif found:
        click.echo(as_text(inert("\n".join(entry_text(one.entry) for one in found))), nl=False)
    else:
        click.echo("No test was flaky often enough.", err=True)


def _write(found: list[Suggestion], path: Path, *, yes: bool) -> None:
    from semantest_recorder.cli.quarantine_changes import change  # noqa: PLC0415
    from semantest_recorder.core.quarantine_text import with_entries  # noqa: PLC0415
    from semantest_recorder.reports.wording import plural  # noqa: PLC0415

    if not yes:
        if not sys.stdin.isatty():
            raise Stop("nothing was written: without a terminal give --yes, or leave --write to look only", EXIT_USAGE)
        click.confirm(f"Add {plural(len(found), 'test')} to {path}?", abort=True, err=True)
    change(path, lambda text: with_entries(text, [one.entry for one in found]), may_be_new=True)
    click.echo(f"semantest: {plural(len(found), 'test')} added to {path}", err=True)
