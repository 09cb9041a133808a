"""Datasette on the project's database: a process of its own, for whoever has the address that it prints."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Any, Final

import click
import msgspec

from semantest_recorder.cli.stop import Stop
from semantest_recorder.core.views import VIEWS
from semantest_recorder.reports.view_lines import plain

HOST: Final = "127.0.0.1"
_PROGRAM: Final = "datasette"
#: What stands in the address that it prints.
_LETS_IN: Final = "/-/auth-token?token="
#: One query may take so many milliseconds.
_QUERY_MS: Final = 10_000
#: How it ends when it is told to.
_ENDED: Final = (0, -signal.SIGINT, -signal.SIGTERM, 128 + signal.SIGINT)
#: What Datasette itself runs: in 1.0 whoever has its token may write, unless SQLite refuses it. And it ends with us,
#: however we end: then nobody holds the other end of its stdin.
_PLUGIN: Final = """\
import os
import signal
import threading

from datasette import hookimpl
from datasette.database import Database


class ReadOnly(Database):
    def connect(self, write=False):
        return super().connect(write=False)


@hookimpl
def startup(datasette):
    for name, database in list(datasette.databases.items()):
        if database.path:
            datasette.remove_database(name)
            datasette.add_database(ReadOnly(datasette, path=database.path, is_mutable=True), name=name)
    threading.Thread(target=end_with_semantest, daemon=True).start()


def end_with_semantest():
    os.read(0, 1)
    os.kill(os.getpid(), signal.SIGTERM)
"""
_SETTINGS: Final = {"sql_time_limit_ms": str(_QUERY_MS), "allow_download": "off", "allow_facet": "on"}


def find_datasette() -> str:
    """Its path. Raises ``Stop``, which says how to get it."""
    found = shutil.which(_PROGRAM)
    if found is None:
        raise Stop(
            "there is no Datasette: `pipx install datasette` or `uv tool install datasette` puts it into an "
            "environment of its own (not into that of your tests: it brings plugins of pytest); "
            "`semantest sql` asks without it"
        )
    return found


def serve(
    program: str, database: Path, tables: list[str], port: int, show: Callable[[str], object] | None = None
) -> None:
    """Runs Datasette until it ends, or Ctrl-C ends it; ``tables`` are hidden. Raises ``Stop`` when it fails.

    ``show`` is called with the address that it prints: Datasette itself would give a browser the token in an argument.

    It opens the file read-only, as SQLite's ``mode=ro``, and sees what is recorded meanwhile. Only who has the cookie
    that the printed address gives is let in: other users of the machine, and pages in a browser, are not.
    """
    with TemporaryDirectory(prefix="semantest-") as place:
        metadata, plugins = Path(place, "metadata.json"), Path(place, "plugins")
        metadata.write_bytes(msgspec.json.encode(_metadata(database.stem, tables)))
        plugins.mkdir()
        (plugins / "semantest_read_only.py").write_text(_PLUGIN, "utf-8")
        command = [
            program,
            "serve",
            str(database),
            "--metadata",
            str(metadata),
            "--plugins-dir",
            str(plugins),
            "--root",
        ]
        command += ["--host", HOST, "--port", str(port or _free_port())]
        for name, value in _SETTINGS.items():
            command += ["--setting", name, value]
        environment = os.environ | {"PYTHONUNBUFFERED": "1"}
        out = None if show is None else subprocess.PIPE
        started = subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=out)
        with started as process, _signals_of(process):
            if show is not None and process.stdout is not None:
                _pass_on(process.stdout, show)
            code = process.wait()
    if code not in _ENDED:
        raise Stop(f"{program} ended with exit code {code}; what it said stands above")


def _pass_on(said: IO[bytes], show: Callable[[str], object]) -> None:
    """Prints what Datasette says, to its end, and shows the address with the token."""
    for line in said:
        text = line.decode("utf-8", "replace").rstrip("\n")
        click.echo(text)
        if _LETS_IN in text:
            show(text.strip())


@contextmanager
def _signals_of(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """Ctrl-C reaches both processes, and Datasette ends by it; SIGTERM and SIGHUP may reach this one alone."""
    before = [
        (signal.SIGINT, signal.signal(signal.SIGINT, lambda _number, _frame: None)),
        (signal.SIGTERM, signal.signal(signal.SIGTERM, lambda _number, _frame: process.terminate())),
        (signal.SIGHUP, signal.signal(signal.SIGHUP, lambda _number, _frame: process.terminate())),
    ]
    try:
        yield
    finally:
        for number, handler in before:
            signal.signal(number, handler)


def _free_port() -> int:
    """Datasette prints the port that it is given, so 0 would not do."""
    with socket.create_server((HOST, 0)) as taken:
        return int(taken.getsockname()[1])


def _metadata(name: str, tables: list[str]) -> dict[str, Any]:
    """What it tells of the views, queries to begin with, and who is let in."""
    told: dict[str, Any] = {}
    for view, about in VIEWS.items():
        columns = {column: plain(text) for column, text in about.columns.items()}
        told[view] = {"description": plain(about.text), "columns": columns}
    told |= {table: {"hidden": True} for table in tables}
    queries = {
        f"{view.removeprefix('v_')}_{number}": {"title": what, "sql": sql}
        for view, about in VIEWS.items()
        for number, (what, sql) in enumerate(about.examples.items(), 1)
    }
    told_first = (
        "What pytest recorded. Moments are milliseconds since 1970 in UTC; names and messages are what tests said."
    )
    return {
        "title": "Semantest",
        "allow": {"id": "root"},
        "databases": {name: {"description": told_first, "tables": told, "queries": queries}},
    }
