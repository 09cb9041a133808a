"""Where a run happened: git, CI and the Python environment, looked up once beside the shipping."""

from __future__ import annotations

import os
import platform
import re
import threading
from collections.abc import Callable, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from pytest_semantest.protocol.git import run_git
from pytest_semantest.protocol.redaction import Redactor
from pytest_semantest.shipper.ci import ci_context

_TEXT_MAX = 2000
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
#: Programs that git runs on the content of changed files, to compare it.
_FILTERS = r"^filter\..*\.(clean|process|required)$"
_LISTED = ("--show-scope", "--name-only", "-z")
_OF_REPOSITORY = ("local", "worktree")
#: The exit code of ``git config`` that finds nothing.
_NONE_MATCHES = 1


class ContextLookup:
    """Looks the context up in a thread of its own, since git may take seconds in a large repository."""

    def __init__(self, rootdir: str, environment: Mapping[str, str], redactor: Redactor) -> None:
        self._found: dict[str, Any] | None = None
        arguments = (rootdir, dict(environment), redactor)
        self._thread = threading.Thread(target=self._look, args=arguments, name="run-context", daemon=True)
        self._thread.start()

    def take(self) -> dict[str, Any] | None:
        """The context (payload of ``run/context``) once it is there."""
        return None if self._thread.is_alive() else self._found

    def wait(self, seconds: float) -> dict[str, Any] | None:
        """The context, waited for no longer than ``seconds``."""
        self._thread.join(seconds)
        return self.take()

    def _look(self, rootdir: str, environment: Mapping[str, str], redactor: Redactor) -> None:
        self._found = run_context(rootdir, environment, redactor)


def run_context(rootdir: str, environment: Mapping[str, str], redactor: Redactor) -> dict[str, Any]:
    """The payload of ``run/context``: what could be found of ``environment, git, ci, trace``, with texts redacted."""
    context: dict[str, Any] = {}
    parts: tuple[tuple[str, Callable[[], Mapping[str, Any] | None]], ...] = (
        ("git", lambda: git_context(rootdir, environment)),  # first: a work tree moves on as soon as pytest has ended
        ("ci", lambda: ci_context(environment)),
        ("trace", lambda: trace_context(environment)),
        ("environment", environment_summary),
    )
    for name, look in parts:
        try:
            found = look()
            if found is not None:
                context[name] = _redacted(found, redactor)
        except Exception:  # noqa: BLE001, S112  whatever it is: better a run without context than one without end
            continue
    return context


def environment_summary() -> dict[str, Any]:
    """The interpreter that runs here, and the distributions installed in it with their versions."""
    packages = {}
    for distribution in metadata.distributions():
        try:
            name, version = distribution.metadata["Name"], distribution.version
        except Exception:  # noqa: BLE001, S112  a METADATA that cannot be read may fail in any way
            continue
        if name and name not in packages:
            packages[name] = version
    return {
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        "platform": platform.platform(),
        "packages": dict(sorted(packages.items())),
    }


def trace_context(environment: Mapping[str, str]) -> dict[str, str] | None:
    """``{traceparent}``: the span in which pytest was started, as W3C Trace Context has it; ``None`` without one."""
    given = environment.get("TRACEPARENT", "").strip()
    return {"traceparent": given} if _TRACEPARENT.fullmatch(given) else None


def git_context(folder: str, environment: Mapping[str, str]) -> dict[str, Any] | None:
    """``{commit, branch, dirty, remote, root, subject, author}`` of the work tree that holds ``folder``.

    ``None`` without git, without a work tree, or before its first commit.
    """
    if not Path(folder).is_dir():
        return None
    head = _git(folder, environment, "log", "-1", "--no-show-signature", "--format=%H%x00%an%x00%s")
    root = _git(folder, environment, "rev-parse", "--show-toplevel")
    if not head or not root:
        return None
    commit, author, subject = (*head.split("\0"), "", "")[:3]
    return {
        "commit": commit,
        "branch": _git(folder, environment, "symbolic-ref", "--short", "-q", "HEAD") or None,
        "dirty": _is_dirty(folder, environment),
        "remote": _git(folder, environment, "config", "--get", "remote.origin.url") or None,
        "root": root,
        "subject": subject,
        "author": author,
    }


def _is_dirty(folder: str, environment: Mapping[str, str]) -> bool | None:
    """Whether files were changed since the commit, ``None`` when only a filter of the repository could tell."""
    without = _without_filters(folder, environment)
    if without is None:
        return None
    status = _git(
        folder, environment, *without, "status", "--porcelain", "--untracked-files=no", "--ignore-submodules=all"
    )
    return None if status is None or (status and without) else bool(status)


def _without_filters(folder: str, environment: Mapping[str, str]) -> list[str] | None:
    """Options by which git runs no filter that the repository names: any may be any program.

    Those that the user has for all repositories are the user's own choice. ``None`` when the filters cannot be listed,
    as by git before 2.26, or one of them cannot be switched off.
    """
    done = run_git(folder, environment, "config", *_LISTED, "--get-regexp", _FILTERS)
    if done is None or done.returncode not in (0, _NONE_MATCHES):
        return None
    found = os.fsdecode(done.stdout).split("\0")
    theirs = sorted({name for scope, name in zip(found[::2], found[1::2], strict=False) if scope in _OF_REPOSITORY})
    if any("=" in name for name in theirs):  # an option's name ends at the first
        return None
    return [part for name in theirs for part in ("-c", f"{name}=")]


def _git(folder: str, environment: Mapping[str, str], *arguments: str) -> str | None:
    """What git prints, ``None`` when it fails, is not there or takes too long."""
    done = run_git(folder, environment, *arguments)
    if done is None or done.returncode != 0:
        return None
    return done.stdout.decode("utf-8", "replace").strip("\n")


def _redacted(values: Mapping[str, Any], redactor: Redactor) -> dict[str, Any]:
    return {
        key: redactor.redact(value)[:_TEXT_MAX] if isinstance(value, str) else value for key, value in values.items()
    }


def lookup_for(start: Mapping[str, Any], redactor: Redactor) -> ContextLookup:
    """Starts the look-up for the run whose ``run/start`` payload is given."""
    rootdir = start.get("rootdir")
    return ContextLookup(rootdir if isinstance(rootdir, str) else "", os.environ, redactor)
