"""What a command says beside its output."""

from __future__ import annotations

import click

from pytest_semantest.protocol.github_step import as_text
from semantest_recorder.reports.inert import inert_line


def say_note(text: str, program: str = "semantest") -> None:
    """One line on stderr; names in it may come from anywhere, and are text and nothing else."""
    click.echo(f"{program}: {as_text(inert_line(text))}", err=True)
