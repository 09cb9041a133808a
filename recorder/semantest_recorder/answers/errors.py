"""Why a question has no answer, though the database can be read; one line each, but for the choice among tests."""

# ruff: noqa: N818 - the names say what is wrong; "Error" behind each would say nothing more

from __future__ import annotations

from collections.abc import Sequence


class Unanswered(Exception):
    """Base of these errors. What is wrong with names of runs and branches, ``store.errors`` says."""


class NoSuchTest(Unanswered):
    """No test has this name, or a part of it; ``nearest`` are functions that have a similar one."""

    def __init__(self, name: str, nearest: Sequence[str]) -> None:
        super().__init__(f"no test {name!r}" + (f": did you mean {', '.join(nearest)}?" if nearest else ""))
        self.name, self.nearest = name, nearest


class SeveralTests(Unanswered):
    """A name that several tests have; the text has a line for each, ``matches`` are their ids."""

    def __init__(self, text: str, matches: Sequence[str]) -> None:
        super().__init__(text)
        self.matches = matches


class NoRunOfTest(Unanswered):
    """No run (of a branch) has the test."""

    def __init__(self, test_id: str, branch: str | None) -> None:
        super().__init__(f"no run{f' of branch {branch}' if branch else ''} has the test {test_id}")


class NoRunEnded(Unanswered):
    """No run (of a branch) has ended yet."""

    def __init__(self, branch: str | None) -> None:
        super().__init__(f"no run{f' of branch {branch!r}' if branch is not None else ''} has ended yet")


class NoRunInTime(Unanswered):
    """No run started in the time that was asked for; ``newest``: when the last one did."""

    def __init__(self, newest: str) -> None:
        super().__init__(f"no run started in that time, the newest one did on {newest}")


class NoEarlierRun(Unanswered):
    """No run started before a time; ``oldest``: when the first one behind it did."""

    def __init__(self, oldest: str) -> None:
        super().__init__(f"no run started before that, the oldest one that was looked at did on {oldest}")


class NoRunBefore(Unanswered):
    """No run of the branch (``None``: without one) is older than this one."""

    def __init__(self, run_id: str, branch: str | None) -> None:
        super().__init__(f"there is no run {f'of branch {branch}' if branch else 'without a branch'} before {run_id}")
