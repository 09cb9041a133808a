"""``semantest replay``: send recorded events to subscribers once more."""

from __future__ import annotations

import sys
import time
from typing import Any

import click
import msgspec

from pytest_semantest.protocol.github_step import as_json_text
from semantest_recorder.cli.help_end import help_end
from semantest_recorder.cli.moment import Moment
from semantest_recorder.cli.note import say_note
from semantest_recorder.cli.number import Factor
from semantest_recorder.cli.options import directory_option, json_option, project_folder
from semantest_recorder.cli.stop import Stop
from semantest_recorder.reports.inert import inert_json

#: Version of what `--json` prints: fields are only added within one.
SCHEMA = 1
_TELL_S = 2.0


@click.command(
    "replay",
    short_help="Send recorded events to subscribers once more.",
    epilog=help_end(
        "semantest replay --from 2h",
        "semantest replay --from 2026-11-21T09:30 --to 2026-11-21T09:45 --speed 10 --type 'test/*'",
        exit_codes="0 all was sent, 1 it was not, 2 wrong usage",
    ),
)
@directory_option
@json_option
@click.option("--from", "begin", type=Moment(), required=True, help="now, an age (15m, 2h, 3d), or a date or time.")
@click.option("--to", "end", type=Moment(), default="now", show_default=True, help="As --from.")
@click.option(
    "--speed",
    type=Factor(),
    default=0.0,
    metavar="FACTOR",
    help="1 as it was, 10 ten times as fast.  [default: as fast as subscribers read]",
)
@click.option("--type", "types", multiple=True, metavar="TYPE", help="Only these: exact, or a prefix such as 'test/*'.")
def command(
    directory: str | None, as_json: bool, begin: float, end: float, speed: float, types: tuple[str, ...]
) -> None:
    """Send the events of a time to everybody who subscribes to them now. Nothing is stored or changed by it.

    Replayed messages carry `replay`, so that nobody takes them for live ones. With --json each event is printed, too.
    """
    from semantest_recorder.client import Client, ClientError  # noqa: PLC0415 - 0.2 s for those who need it

    if end < begin:
        raise Stop("--to is before --from", 2)
    count, told = 0, time.monotonic()
    try:
        with Client.of_project(project_folder(directory)) as client:
            for event in client.replay(begin, end, types=types or None, speed=speed):
                count += 1
                if as_json:
                    click.echo(as_json_text(inert_json(msgspec.json.encode(event))))
                elif sys.stderr.isatty() and time.monotonic() - told > _TELL_S:
                    told = time.monotonic()
                    say_note(f"{count} events, at {_time(event)}")
    except ClientError as error:
        raise Stop(str(error)) from None
    if as_json:
        click.echo(msgspec.json.encode({"schema": SCHEMA, "replayed": count}))
    else:
        click.echo(f"{count} events were sent")


def _time(event: dict[str, Any]) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(event["timestamp"] / 1000))
