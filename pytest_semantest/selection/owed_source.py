"""Where it is found out what runs owe: the project's own recorder's database, or a recorder elsewhere.

Both by a program that ends before anything is collected: the history is SQLite's and HTTP's, which have no place in a
process that runs somebody's tests. Without an answer nothing may run: who asked for the rest must not get all.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from pytest_semantest.protocol.spawning import module_command
from pytest_semantest.selection.asking import ask
from pytest_semantest.selection.owed import Owed, is_about, parse_owed
from pytest_semantest.settings import Settings

#: Seconds. So long a session waits for the answer; leftover journals are taken in before.
ANSWER_S = 60.0


class Answer(NamedTuple):
    """``content`` is the answer as it came. ``notes``: lines for the user."""

    content: bytes
    owed: Owed
    notes: list[str]


def ask_what_is_owed(settings: Settings, runs: Sequence[str]) -> Answer:
    """What the runs owe. Raises ``ValueError``, which says why that cannot be known, or why it is no use."""
    content, said = _ask(settings, runs)
    lines = [line.removeprefix("semantest: ") for line in said.splitlines() if line.strip()]
    if not content:
        raise ValueError(lines[-1] if lines else "nobody says what the run owes")
    owed = parse_owed(content)
    if not is_about(owed, runs):
        raise ValueError("the answer is about other runs than those that were asked for")
    if owed.running:
        raise ValueError(
            f"run {owed.running[0]} is not over: what it owes is known at its end "
            "(`semantest sync` ships what is left of a session that died)"
        )
    if owed.missing:
        raise ValueError(
            f"run {owed.missing[0]}, which was rerun, is not there any more, so nobody knows what it owed: "
            "run all tests, or name another run"
        )
    if settings.run_id in owed.runs:
        raise ValueError(f"run {settings.run_id} cannot rerun itself: give this session another --semantest-run-id")
    return Answer(content, owed, lines)


def _ask(settings: Settings, runs: Sequence[str]) -> tuple[bytes, str]:
    """What the program wrote to stdout and stderr."""
    if settings.url:
        from pytest_semantest.shipper.spawn import fetch_owed_command  # noqa: PLC0415 - only where one elsewhere is asked

        command = fetch_owed_command(settings.url, runs)
    else:
        own = ("owed", "--json", "--directory", settings.directory, *runs)
        command = module_command("semantest_recorder.cli.semantest", *own)
    done = ask(settings, command, ANSWER_S)
    if done is None:
        raise ValueError(f"{settings.url or 'the history'}: no answer in {ANSWER_S:g} s")
    said = done.stderr.decode(errors="replace")
    if settings.url and not done.stdout:
        said = f"{settings.url}: {said}"
    return done.stdout, said
