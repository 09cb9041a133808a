"""Whether the project's recorder is there, answers, and keeps its token to itself."""

from __future__ import annotations

import stat
from contextlib import closing
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from shlex import quote
from typing import Any
from urllib.parse import urlsplit

from pytest_semantest import __version__
from pytest_semantest.protocol.layout import DISCOVERY, RECORDER_LOG
from pytest_semantest.protocol.liveness import process_exists
from pytest_semantest.protocol.lock_holders import is_abandoned
from semantest_recorder.cli.advice import command_line
from semantest_recorder.cli.health.check import Check
from semantest_recorder.discovery import Discovery, read_discovery
from semantest_recorder.reports.inert import inert_line

_ANSWER_SECONDS = 2.0


def recorder_checks(folder: Path) -> list[Check]:
    """The discovery file of the folder and the daemon that it names."""
    path = folder / DISCOVERY
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        path.read_bytes()
    except FileNotFoundError:
        return [Check("recorder", "ok", "none runs; the next recorded run starts one")]
    except OSError as error:
        return [_useless(path, f"cannot be read: {error.strerror}")]
    found = read_discovery(folder)
    if found is None and not mode & 0o022:
        return [_useless(path, "does not name the process, address and token of a recorder")]
    if is_abandoned(folder):  # its pid, its port and its token mean nothing any more
        return [_gone(f"the recorder of {path} is gone", found)]
    if found is None:
        return [_permissions(path, mode)]
    return [_permissions(path, mode), _daemon(path, found)]


def _useless(path: Path, why: str) -> Check:
    return Check("recorder", "fail", f"{path} {why}", f"Remove {path}; the next run writes it.")


def _gone(detail: str, found: Discovery | None) -> Check:
    data = {} if found is None else _data(found)
    return Check("recorder", "warn", detail, "Nothing to do: the next run starts one.", data)


def _data(found: Discovery) -> dict[str, Any]:
    return {"pid": found.pid, "url": found.url, "version": inert_line(found.version)}


def _permissions(path: Path, mode: int) -> Check:
    data = {"mode": f"{mode:04o}"}
    if mode & 0o077:
        advice = f"Run `chmod 600 {quote(str(path))}`, then `{_recorder(path, 'stop')}` so that a new token is made."
        return Check("token file", "fail", f"{path} can be read or written by others (mode {mode:04o})", advice, data)
    return Check("token file", "ok", f"{path} is only yours (mode {mode:04o})", data=data)


def _daemon(path: Path, found: Discovery) -> Check:
    pid, url, version = found.pid, found.url, inert_line(found.version)
    data = _data(found)
    if not process_exists(pid):
        return _gone(f"process {pid} of {path} is gone", found)
    problem = _answers(url)
    if problem:
        log = path.with_name(RECORDER_LOG)
        advice = f"Run `{_recorder(path, 'stop')}`, then `{_recorder(path, 'start')}`, and look at {log}."
        return Check("recorder", "fail", f"process {pid} at {url} does not answer: {problem}", advice, data)
    if version != __version__:
        detail = f"process {pid} at {url} answers, version {version}; the installed one is {__version__}"
        advice = f"Run `{_recorder(path, 'stop')}`; the next run starts the new one."
        return Check("recorder", "warn", detail, advice, data)
    return Check("recorder", "ok", f"process {pid} at {url} answers, version {version}", data=data)


def _recorder(path: Path, command: str) -> str:
    return command_line(command, path.parent, program="semantest-recorder")


def _answers(url: str) -> str:
    """Why ``/healthz`` of the recorder does not answer, empty when it does. Never through a proxy."""
    parts = urlsplit(url)
    try:
        with closing(HTTPConnection(parts.hostname or "", parts.port, timeout=_ANSWER_SECONDS)) as connection:
            connection.request("GET", "/healthz")
            status = connection.getresponse().status
    except (OSError, HTTPException, ValueError) as error:
        return inert_line(str(error)) or type(error).__name__
    return "" if status == 200 else f"/healthz gave {status}"
