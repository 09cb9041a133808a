"""``semantest quarantine add`` and ``remove``: one entry, the rest of the file as it stands."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import click

from semantest_recorder.cli.completing import complete_test
from semantest_recorder.cli.help_end import help_end
from semantest_recorder.cli.note import say_note
from semantest_recorder.cli.options import directory_option
from semantest_recorder.cli.quarantine_options import Day, complete_entry, file_option
from semantest_recorder.cli.stop import EXIT_NOTHING, EXIT_USAGE, Stop


@click.command(
    "add",
    short_help="Put a test into quarantine.",
    epilog=help_end(
        "semantest quarantine add tests/test_cart.py::test_total --reason 'the clock jumps' --owner ann --expires 14d",
        "semantest quarantine add 'tests/slow/*' --reason 'the disk is full' --owner ops --expires 2026-12-20",
        exit_codes="0 added, 2 wrong usage or a mistake in the file, 3 no recorded test falls under it",
    ),
)
@click.argument("test", shell_complete=complete_test)
@click.option("--reason", required=True, metavar="TEXT", help="Why it fails without the change being the reason.")
@click.option("--owner", required=True, metavar="NAME", help="Who sees to it.")
@click.option(
    "--expires", type=Day(), required=True, metavar="DAY", help="The last day: 2026-12-20, or 14d from today."
)
@click.option("--issue", metavar="LINK", default="", help="Where it is worked on.")
@click.option("--unseen", is_flag=True, help="Also when no recorded test falls under it.")
@file_option
@directory_option
def add(
    test: str,
    reason: str,
    owner: str,
    expires: Callable[[date], date],
    issue: str,
    unseen: bool,
    file: str | None,
    directory: str | None,
) -> None:
    """Add an entry at the end of the list; the file is made when it is not there.

    TEST is a node id, a function, a class, a file or a glob; or a part of an id that only one recorded test has.
    """
    from pytest_semantest.protocol.quarantine import Entry, Matcher, too_far_ahead  # noqa: PLC0415
    from semantest_recorder.cli.quarantine_file import most_days, quarantine_path, today  # noqa: PLC0415
    from semantest_recorder.core.quarantine_text import with_entries  # noqa: PLC0415

    path, now = quarantine_path(file, directory), today()
    known = _known_tests(directory)
    entry = Entry(test, reason, owner, expires(now), issue, now, place="--expires")
    if not unseen and not any(map(Matcher([entry]).find, known)):
        entry = entry._replace(test=_meant(test, known))
    late = too_far_ahead([entry], now, most_days(directory))
    if late or entry.is_expired(now):
        raise Stop(late[0] if late else f"--expires: {entry.expires} is over", EXIT_USAGE)
    change(path, lambda text: with_entries(text, [entry]), may_be_new=True)
    say_note(f"{entry.test} is in quarantine until {entry.expires}, see {path}")


@click.command(
    "remove",
    short_help="Take a test out of quarantine.",
    epilog=help_end(
        "semantest quarantine remove tests/test_cart.py::test_total",
        exit_codes="0 removed, 2 wrong usage or a mistake in the file, 3 no such file or entry",
    ),
)
@click.argument("test", shell_complete=complete_entry)
@file_option
@directory_option
def remove(test: str, file: str | None, directory: str | None) -> None:
    """Remove the entry whose test is TEST, and the comment right above it."""
    from semantest_recorder.cli.quarantine_file import checked_entries, quarantine_path  # noqa: PLC0415
    from semantest_recorder.core.quarantine_text import without_entry  # noqa: PLC0415

    path = quarantine_path(file, directory)
    tests = [entry.test for entry in checked_entries(path)[1]]
    if test not in tests:
        import difflib  # noqa: PLC0415 - for mistakes only

        near = difflib.get_close_matches(test, tests, 3, 0.5)
        hint = f": did you mean {', '.join(near)}?" if near else ": `semantest quarantine list` shows what is there"
        raise Stop(f"no entry {test!r} in {path}{hint}", EXIT_NOTHING)
    change(path, lambda text: without_entry(text, test))
    say_note(f"{test} is out of quarantine, see {path}")


def _known_tests(directory: str | None) -> list[str]:
    """Every test that was recorded; none where nothing was."""
    from pytest_semantest.protocol.layout import DATABASE  # noqa: PLC0415
    from semantest_recorder.cli.place import working_directory  # noqa: PLC0415
    from semantest_recorder.cli.semantest_folder import semantest_folder  # noqa: PLC0415
    from semantest_recorder.store.errors import NoDatabase  # noqa: PLC0415
    from semantest_recorder.store.quarantine import QuarantineHistory  # noqa: PLC0415

    folder = semantest_folder(directory, working_directory(directory))
    try:
        return QuarantineHistory(folder / DATABASE).all_tests() if folder is not None else []
    except NoDatabase:
        return []


def _meant(test: str, known: list[str]) -> str:
    """The only recorded test that a part of an id can mean. Raises ``NothingRecorded`` and ``SeveralTests``."""
    from semantest_recorder.answers.errors import NoSuchTest  # noqa: PLC0415
    from semantest_recorder.answers.one_test import one_test  # noqa: PLC0415
    from semantest_recorder.cli.refusals import unanswered  # noqa: PLC0415
    from semantest_recorder.cli.stop import NothingRecorded  # noqa: PLC0415
    from semantest_recorder.core.analysis.identity import function_of  # noqa: PLC0415

    functions = {function_of(one) for one in known if f"::{function_of(one)}".endswith(f"::{test}")}
    if len(functions) == 1:
        return functions.pop()
    try:
        return one_test(test, known, None)
    except NoSuchTest as error:
        raise NothingRecorded(f"{unanswered(error).message} (--unseen adds it all the same)") from None


def change(path: Path, change: Callable[[str], str], *, may_be_new: bool = False) -> None:
    """Replace the file by what ``change`` makes of it. Raises ``Stop``."""
    import stat  # noqa: PLC0415

    from pytest_semantest.protocol.small_file import read_small_file  # noqa: PLC0415
    from pytest_semantest.protocol.whole_file import write_whole  # noqa: PLC0415
    from semantest_recorder.core.quarantine_text import CannotEditError  # noqa: PLC0415

    mode, known = 0o666, False
    try:
        data, facts = read_small_file(path)
        mode, known = stat.S_IMODE(facts.st_mode), True
    except FileNotFoundError:
        if not may_be_new:
            raise
        data = b""
    try:
        changed = change(data.decode())
    except (CannotEditError, UnicodeError) as error:
        raise Stop(f"{path}: {error}", EXIT_USAGE) from None
    # Whoever has a link to the list means the list.
    write_whole(path.resolve(), changed.encode(), mode=mode, exact=known)
