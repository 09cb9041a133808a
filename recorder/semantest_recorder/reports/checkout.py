"""The branch and the commit that a run had checked out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from semantest_recorder.core.rows import RunRow


def branch_and_commit(git: Mapping[str, Any] | None, ci: Mapping[str, Any] | None) -> tuple[str | None, str | None]:
    """What git says of them, or else CI: it knows the branch of a commit that is checked out alone.

    As the columns ``branch`` and ``commit`` of ``runs`` (store/schema.sql). What is no text, or empty, is not known.
    """
    told = [(git or {}).get(name) or (ci or {}).get(name) for name in ("branch", "commit")]
    branch, commit = (value if isinstance(value, str) and value else None for value in told)
    return branch, commit


def subject_and_author(git: Mapping[str, Any] | None) -> tuple[str | None, str | None]:
    """The first line of the commit's message, and who wrote it. What is no text, or empty, is not known."""
    told = [(git or {}).get(name) for name in ("subject", "author")]
    subject, author = (value if isinstance(value, str) and value else None for value in told)
    return subject, author


def pull_request_of(ci: Mapping[str, Any] | None) -> str | None:
    """The pull request that CI says a run is of."""
    told = (ci or {}).get("pullRequest")
    return str(told) if isinstance(told, str | int) else None


def run_checkout(run: RunRow) -> tuple[str | None, str | None]:
    """The same of a row."""
    return branch_and_commit(_told(run, "git"), _told(run, "ci"))


def run_commit_words(run: RunRow) -> tuple[str | None, str | None]:
    """Subject and author of the commit of a row."""
    return subject_and_author(_told(run, "git"))


def _told(run: RunRow, name: str) -> dict[str, Any] | None:
    return found if isinstance(found := run.context.get(name), dict) else None
