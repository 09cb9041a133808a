"""Work on a database that no recorder may have open meanwhile."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from pytest_semantest.protocol.layout import DATABASE
from semantest_recorder.cli import daemon
from semantest_recorder.cli.advice import command_line
from semantest_recorder.cli.own_folder import refuse_foreign
from semantest_recorder.cli.serve_options import ServeOption, Wanted
from semantest_recorder.cli.stop import Stop
from semantest_recorder.discovery import AlreadyRunning, Discovery, RecorderLock
from semantest_recorder.store.database_lock import DatabaseLock
from semantest_recorder.store.errors import InUse, StoreError

EXIT_RUNNING = 4
_STOP_S = 30.0
_START_S = 15.0
_LOCK_WAIT_S = 10.0

stop_option = click.option(
    "--stop", "stop_recorder", is_flag=True, help="End the recorder if one runs, and start it again afterwards."
)


@contextmanager
def offline(folder: Path, *, stop_recorder: bool) -> Iterator[Path]:
    """The path of the folder's database while no recorder runs, and none can start, nor another program write it.

    With ``stop_recorder`` one that runs is ended first, and started again in the end with the options and the token
    that it had. Meanwhile pytest keeps its journals. Raises ``Stop``.
    """
    refuse_foreign(folder)
    lock = RecorderLock(folder)
    if stop_recorder:
        with daemon.others_wait(folder, _LOCK_WAIT_S):  # a shipper would start another one at once
            present = daemon.running(folder)
            if present is not None:
                daemon.stop(folder, _STOP_S)
            _acquire(lock, folder)
    else:
        present = None
        _acquire(lock, folder)
    database = DatabaseLock(folder / DATABASE)
    try:
        _acquire_database(database)
        try:
            yield folder / DATABASE
        finally:
            database.release()
    finally:
        lock.release()
        if present is not None:
            _start_again(folder, present)


def _acquire(lock: RecorderLock, folder: Path) -> None:
    try:
        lock.acquire(_LOCK_WAIT_S)
    except AlreadyRunning as error:
        stop = command_line("stop", folder, program="semantest-recorder")
        text = f"{error}; end it with `{stop}`, or give --stop: it is ended and then started again"
        raise Stop(text, EXIT_RUNNING) from None
    except OSError as error:
        raise Stop(f"cannot lock {folder}: {error.strerror}; check who may write there") from None


def _acquire_database(lock: DatabaseLock) -> None:
    try:
        lock.acquire()
    except InUse as error:
        raise Stop(str(error), EXIT_RUNNING) from None
    except StoreError as error:
        raise Stop(str(error)) from None


def _start_again(folder: Path, present: tuple[Discovery, dict[str, Any]]) -> None:
    from semantest_recorder.cli.recorder import serve  # noqa: PLC0415 - only after one was stopped

    found, answer = present
    options = answer.get("options")
    daemon.start(folder, _wanted_again(serve, options if isinstance(options, dict) else {}, found.token), _START_S)


def _wanted_again(serve: click.Command, options: Mapping[str, Any], token: str) -> Wanted:
    """A recorder like the one that had these ``options`` in effect; one that runs meanwhile is as good."""
    known = {option.key: option for option in serve.params if isinstance(option, ServeOption) and option.is_compared}
    defaults = {key: option.default_as_json for key, option in known.items()}
    own = {key: value for key, value in options.items() if key in known and value != defaults[key]}
    arguments = [part for key, value in own.items() for part in known[key].arguments(value)]
    return Wanted(arguments=arguments, given={}, told={}, defaults=defaults, token=token)
