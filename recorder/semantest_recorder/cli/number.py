"""A whole number on the command line."""

from __future__ import annotations

import click


class Number(click.IntRange):
    """As click has it, under a name that people use: it stands in the message for what is none."""

    name = "number"
