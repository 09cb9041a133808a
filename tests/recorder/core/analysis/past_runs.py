"""A test in the runs of a branch, by letters."""

from __future__ import annotations

from semantest_recorder.core.analysis.rows import PastRun
from semantest_recorder.core.analysis.run_code import Leg, code_of

STATES = {".": "passed", "F": "failed", "E": "error", "~": "flaky", "s": "skipped", "x": "xfailed", "-": "not_run"}


def past(
    number: int, state: str, commit: str | None, dirty: int = 0, python: str = "3.12", packages: str = ""
) -> PastRun:
    leg, code = Leg(python, "linux", "{}"), code_of(commit, python, "linux", packages, "{}", clean=not dirty)
    return PastRun(
        *(f"r{number}", None, "failed", 1.0, "main", commit, dirty, "t", state, 1, 1.0, None, None, None), leg, code
    )


def runs(strip: str, commits: str = "", dirty: int = 0) -> list[PastRun]:
    """Runs by letters; each has a commit of its own, or that which has a letter."""
    names = commits or "".join(chr(ord("a") + number) for number in range(len(strip)))
    return [past(number, STATES[letter], names[number], dirty) for number, letter in enumerate(strip)]
