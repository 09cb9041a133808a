"""``semantest stack``: what the processes of a run that goes on are doing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import click
import msgspec

from pytest_semantest.protocol.github_step import as_json_text, as_text
from pytest_semantest.protocol.identity import CLIENT_WORKER, SHIPPER_WORKER
from semantest_recorder.cli.active_run import active_run
from semantest_recorder.cli.completing import complete_run
from semantest_recorder.cli.help_end import help_end
from semantest_recorder.cli.lookup import reader_of
from semantest_recorder.cli.note import say_note
from semantest_recorder.cli.options import directory_option, json_option, project_folder
from semantest_recorder.cli.stop import Stop
from semantest_recorder.discovery import Discovery, serving_recorder
from semantest_recorder.reports.inert import inert, inert_json, inert_line

#: Version of what `--json` prints: fields are only added within one.
SCHEMA = 1
_ANSWER_S = 15.0


@click.command(
    "stack",
    short_help="See what the processes of a run are doing.",
    epilog=help_end(
        "semantest stack",
        "semantest stack --worker gw0",
        exit_codes="0 every process told, 1 one did not or the recorder refused, 2 wrong usage, 3 nothing runs",
    ),
)
@click.argument("run", required=False, shell_complete=complete_run)
@directory_option
@json_option
@click.option("--worker", metavar="NAME", help="Ask this process only: main, gw0, ...; all that run by default.")
def command(run: str | None, directory: str | None, as_json: bool, worker: str | None) -> None:
    """Print the stacks of all threads of pytest and its workers while they run, or hang.

    RUN is a run's id or a unique beginning of one; needless when only one run goes on. What is printed is also
    kept with the run: `semantest show` has it at the test that ran.
    """
    from semantest_recorder.client import Client, ClientError  # noqa: PLC0415 - 0.2 s for those who need it

    folder = project_folder(directory)
    try:
        with Client.of_project(folder) as client:
            run_id = active_run(client, run)
    except ClientError as error:
        raise Stop(str(error)) from None
    found = serving_recorder(folder)
    if found is None:
        raise Stop(f"no recorder runs for {folder}")
    asked = [worker] if worker else _workers(folder, run_id)
    dumps = list(_ask(found, run_id, asked, quiet=as_json))
    if as_json:
        click.echo(as_json_text(inert_json(msgspec.json.encode({"schema": SCHEMA, "run": run_id, "stacks": dumps}))))
    silent = sum(bool(dump["problem"]) for dump in dumps)
    if silent:
        raise Stop(f"{silent} of {len(dumps)} processes could not tell")


def _workers(folder: Path, run_id: str) -> list[str]:
    """The processes of the run that have not ended; by their whole names where shards have workers of one name."""
    beside = (SHIPPER_WORKER, CLIENT_WORKER)
    rows = [row for row in reader_of(folder).sources(run_id) if row.state == "open" and row.worker not in beside]
    names = [row.worker for row in rows]
    return [row.source if names.count(row.worker) > 1 else row.worker for row in rows if row.last_seq]


def _ask(found: Discovery, run_id: str, workers: list[str], *, quiet: bool) -> Iterator[dict[str, Any]]:
    from semantest_recorder.cli.recorder_request import post  # noqa: PLC0415 - http.client

    for worker in workers:
        path = f"/api/v1/runs/{quote(run_id, safe='')}/workers/{quote(worker, safe='')}/stack"
        dump = post(found, path, {}, _ANSWER_S, cut_short="ask again")
        if not quiet:
            _print(dump)
        yield dump


def _print(dump: dict[str, Any]) -> None:
    running = f" runs {inert_line(dump['testId'])}" if dump["testId"] else ""
    click.echo(as_text(f"{inert_line(dump['worker'])}{running}"))
    if dump["problem"]:
        say_note(f"{inert_line(dump['worker'])}: {inert_line(dump['problem'])}")
    for line in inert(dump["text"]).splitlines():
        click.echo(as_text(f"  {line}"))
