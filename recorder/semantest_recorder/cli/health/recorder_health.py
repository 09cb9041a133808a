"""Whether the project's recorder is there, answers, and keeps its token to itself."""

from __future__ import annotations

import stat
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from shlex import quote
from typing import Any
from urllib.parse import urlsplit

import msgspec
import psutil

from pytest_semantest import __version__
from pytest_semantest.protocol.layout import DISCOVERY, RECORDER_LOG
from semantest_recorder.cli.advice import command_line
from semantest_recorder.cli.health.check import Check

_ANSWER_SECONDS = 2.0


def recorder_checks(folder: Path) -> list[Check]:
    """The discovery file of the folder and the daemon that it names."""
    path = folder / DISCOVERY
    try:
        found = msgspec.json.decode(path.read_bytes())
        mode = stat.S_IMODE(path.stat().st_mode)
    except FileNotFoundError:
        return [Check("recorder", "ok", "none runs; the next recorded run starts one")]
    except (OSError, msgspec.DecodeError) as error:
        return [Check("recorder", "fail", f"{path} cannot be read: {error}", f"Remove {path}; the next run writes it.")]
    if not isinstance(found, dict):
        return [Check("recorder", "fail", f"{path} holds no object", f"Remove {path}; the next run writes it.")]
    return [_permissions(path, mode), _daemon(path, found)]


def _permissions(path: Path, mode: int) -> Check:
    data = {"mode": f"{mode:04o}"}
    if mode & 0o077:
        advice = f"Run `chmod 600 {quote(str(path))}`, then `{_recorder(path, 'stop')}` so that a new token is made."
        return Check("token file", "fail", f"{path} can be read by others (mode {mode:04o})", advice, data)
    return Check("token file", "ok", f"{path} is only yours (mode {mode:04o})", data=data)


def _daemon(path: Path, found: dict[str, Any]) -> Check:
    pid, url, version = found.get("pid"), found.get("url"), found.get("version")
    data = {"pid": pid, "url": url, "version": version}
    if not isinstance(pid, int) or not isinstance(url, str):
        return Check("recorder", "fail", f"{path} names no pid and url", f"Remove {path}; the next run writes it.")
    if not psutil.pid_exists(pid):
        detail = f"process {pid} of {path} is gone"
        return Check("recorder", "warn", detail, "Nothing to do: the next run starts one.", data)
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
    if parts.hostname is None:
        return "its url names no host"
    connection = HTTPConnection(parts.hostname, parts.port, timeout=_ANSWER_SECONDS)
    try:
        connection.request("GET", "/healthz")
        status = connection.getresponse().status
    except (OSError, HTTPException, ValueError) as error:
        return str(error) or type(error).__name__
    finally:
        connection.close()
    return "" if status == 200 else f"/healthz gave {status}"
