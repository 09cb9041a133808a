"""Commits between two runs, out of the repository that the reader has."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from pytest_semantest.protocol.git import run_git

_COMMIT = re.compile(r"[0-9a-f]{7,64}")
#: Commits that are listed.
_LISTED = 50
_FORM = "--format=%H%x00%an%x00%aI%x00%s"


class Commit(NamedTuple):
    """One commit; ``date`` as ISO 8601."""

    id: str
    author: str
    date: str
    subject: str


class Commits(NamedTuple):
    """The newest commits between two, and how many there are; ``root`` is the folder of the work tree."""

    root: str
    listed: list[Commit]
    number: int


def commits_of(folders: Iterable[str], good: str, bad: str) -> Commits | str:
    """As ``commits_between``, in the first of the folders (there is one at least) whose repository has the commits."""
    told = [commits_between(folder, good, bad) for folder in folders]
    return next((found for found in told if isinstance(found, Commits)), told[0])


def commits_between(folder: str, good: str, bad: str, environment: Mapping[str, str] = os.environ) -> Commits | str:
    """The commits that ``bad`` has and ``good`` has not, newest first; else why they cannot be told.

    The ids come out of a record and are looked at before git gets them.
    """
    if not (_COMMIT.fullmatch(good) and _COMMIT.fullmatch(bad)):
        return "the commits of these runs are no commit ids"
    root = _said(folder, environment, "rev-parse", "--show-toplevel")
    if root is None:
        return "there is no git repository here"
    listed = ("log", "--no-show-signature", f"--max-count={_LISTED}", _FORM, f"{good}..{bad}", "--")
    lines = _said(folder, environment, *listed)
    number = _said(folder, environment, "rev-list", "--count", f"{good}..{bad}", "--")
    if lines is None or number is None:
        return "the repository here does not have the commits of these runs: `git fetch` may bring them"
    parts = [(*line.split("\0"), "", "", "")[:4] for line in lines.split("\n") if line]
    return Commits(root, [Commit(*part) for part in parts], int(number))


def _said(folder: str, environment: Mapping[str, str], *arguments: str) -> str | None:
    done = run_git(folder, environment, *arguments)
    if done is None or done.returncode != 0:
        return None
    return done.stdout.decode("utf-8", "replace").strip("\n")
