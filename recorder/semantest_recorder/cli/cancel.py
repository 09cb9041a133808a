"""``semantest cancel``: stop a run that goes on."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from pytest_semantest.protocol.github_step import as_json_text, as_text
from semantest_recorder.cli.active_run import active_run
from semantest_recorder.cli.completing import complete_run
from semantest_recorder.cli.help_end import help_end
from semantest_recorder.cli.options import directory_option, json_option, project_folder
from semantest_recorder.cli.seconds import Seconds
from semantest_recorder.cli.stop import Stop
from semantest_recorder.reports.inert import inert_json, inert_line

if TYPE_CHECKING:
    from semantest_recorder.client import Client

_LOOK_S = 0.1
_BEYOND_GRACE_S = 10.0
#: Version of what `--json` prints: fields are only added within one.
SCHEMA = 1


@click.command(
    "cancel",
    short_help="Stop a run that goes on.",
    epilog=help_end(
        "semantest cancel",
        "semantest cancel 20261121-0930 --reason 'wrong branch' --grace 60",
        exit_codes="0 the run is over, 1 it still goes on or the recorder refused, 2 wrong usage, 3 nothing runs",
    ),
)
@click.argument("run", required=False, shell_complete=complete_run)
@directory_option
@json_option
@click.option("--reason", metavar="TEXT", help="Why; reports show it.")
@click.option(
    "--grace",
    type=Seconds(),
    default=10.0,
    show_default=True,
    metavar="SECONDS",
    help="How long pytest may take to end its tests; then it is terminated, and killed 2 s later.",
)
@click.option("--wait/--no-wait", default=True, show_default=True, help="Wait until the run is over.")
def command(
    run: str | None, directory: str | None, as_json: bool, reason: str | None, grace: float, wait: bool
) -> None:
    """Cancel a run of pytest or of a client. Pytest ends as after Ctrl-C: fixtures clean up, the rest is not run.

    RUN is a run's id or a unique beginning of one; needless when only one run goes on.
    """
    from semantest_recorder.client import Client, ClientError  # noqa: PLC0415 - 0.2 s for those who need it

    folder = project_folder(directory)
    try:
        with Client.of_project(folder) as client:
            run_id = active_run(client, run)
            status = client.cancel_run(run_id, reason, grace_ms=grace * 1000)
            if wait:
                status = _end(client, run_id, status, grace + _BEYOND_GRACE_S)
    except ClientError as error:
        raise Stop(str(error)) from None
    if as_json:
        click.echo(as_json_text(inert_json(msgspec.json.encode({"schema": SCHEMA, **status}))))
    else:
        click.echo(as_text(inert_line(f"{run_id}: {status['state']}, {_tests(folder, run_id)}")))
    if wait and status["status"] in ("pending", "running"):
        raise Stop(inert_line(f"run {run_id} still goes on; see: semantest watch {run_id}"))


def _tests(folder: Path, run_id: str) -> str:
    """The tests of the run by state, as reports count them."""
    from semantest_recorder.answers.run_counts import run_counts  # noqa: PLC0415
    from semantest_recorder.cli.lookup import reader_of  # noqa: PLC0415
    from semantest_recorder.reports.wording import count_words  # noqa: PLC0415

    reader = reader_of(folder)
    return count_words(run_counts(reader.path, [reader.run_by_id(run_id)])[0])


def _end(client: Client, run_id: str, status: dict[str, Any], seconds: float) -> dict[str, Any]:
    """The status once the run is over, or after ``seconds``."""
    deadline = time.monotonic() + seconds
    while status["status"] in ("pending", "running") and time.monotonic() < deadline:
        time.sleep(_LOOK_S)
        status = client.run_status(run_id)
    return status
