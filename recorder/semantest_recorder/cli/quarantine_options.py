"""What the commands of ``semantest quarantine`` take."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Any

import click

file_option = click.option(
    "--file",
    metavar="FILE",
    type=click.Path(),
    help="The list.  [default: quarantine-file of the settings, or the nearest semantest-quarantine.toml upwards]",
)


class Day(click.types.StringParamType):
    """A day, or how many days from today: ``2026-12-20``, ``14d``, ``4w``; the value is a function of today."""

    name = "day"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Takes today and gives the day."""
        text = str(value).strip()
        ahead = re.fullmatch(r"(\d{1,4})([dw])", text)
        if ahead:
            days = int(ahead[1]) * (7 if ahead[2] == "w" else 1)
            return lambda today: today + timedelta(days)
        try:
            day = date.fromisoformat(text)
        except ValueError:
            self.fail(f"{value!r} is no day such as 2026-12-20 or 14d.", param, ctx)
        return lambda _today: day


def complete_entry(ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """The tests of the entries; nothing when the file cannot be read."""
    try:
        from semantest_recorder.cli.quarantine_file import quarantine_path, read_file  # noqa: PLC0415

        path = quarantine_path(ctx.params.get("file"), ctx.params.get("directory"))
        return [entry.test for entry in read_file(path)[1] if entry.test.startswith(incomplete)]
    except Exception:  # noqa: BLE001 - a message would stand in the middle of the line that is being typed
        return []
