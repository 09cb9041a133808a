"""Which runs had the same code: they have no excuse for other results."""

from __future__ import annotations

from typing import NamedTuple


class RunCode(NamedTuple):
    """What ran, and what ran it: commit, versions of Python and of packages, platform, labels; ``None``: not known.

    Labels are there since they tell what else was chosen, such as a browser.
    """

    commit: str
    python: str | None
    platform: str | None
    packages: str | None
    labels: str | None


class Leg(NamedTuple):
    """What ran a run, packages aside, which change from commit to commit: one leg of a matrix has the same."""

    python: str | None
    platform: str | None
    labels: str | None


def code_of(commit: str | None, *surroundings: str | None, clean: bool) -> RunCode | None:
    """The code of a run; ``None`` where the commit is not known, or is not what ran.

    ``surroundings``: the other fields; ``clean``: nothing says that files were changed since the commit.
    """
    return RunCode(commit, *surroundings) if commit and clean else None
