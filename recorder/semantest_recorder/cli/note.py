"""What a command says beside its output."""

from __future__ import annotations

import click

from semantest_recorder.reports.inert import inert_line


def say_note(text: str, program: str = "semantest") -> None:
    """One line on stderr; names in it may come from anywhere, and are text and nothing else."""
    click.echo(f"{program}: {inert_line(text)}", err=True)
