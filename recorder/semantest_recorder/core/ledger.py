"""The ledger's decision tables (docs/design/ledger.md): what an attempt, a test and a run came to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from pytest_semantest.protocol.events import BAD_OUTCOMES, WIRE_STATUS
from semantest_recorder.core.rows import AttemptRow

#: States of a test, worst first: which one shows when several sources judged it. Not final ones come before all.
SEVERITY: Final = (
    "running",
    "lost",
    "crashed",
    "timeout",
    "interrupted",
    "error",
    "failed",
    "not_run",
    "flaky",
    "xpassed",
    "passed",
    "xfailed",
    "skipped",
)
#: Share of a test's pytest-timeout after which the death of its process counts as that timeout.
TIMEOUT_SHARE: Final = 0.95

#: What a test in quarantine may come to without harm to the run.
_FORGIVABLE: Final = frozenset({"failed", "error", "timeout"})

_RANK = {state: rank for rank, state in enumerate(SEVERITY)}


def rank(state: str) -> int:
    """How bad a state is: 0 is the worst. Raises ``KeyError`` for a word that is none."""
    return _RANK[state]


def state_of_successive(outcomes: Sequence[str | None]) -> str:
    """The state of a test from the outcomes of its successive attempts, at least one; ``None`` while it runs."""
    last = outcomes[-1]
    if last is None:
        return "running"
    if last not in BAD_OUTCOMES and not BAD_OUTCOMES.isdisjoint(outcomes[:-1]):
        return "flaky"
    return last


def outcome_without_end(*, crashed: bool, gap: bool, interrupted: bool, elapsed: float, timeout: float | None) -> str:
    """What an attempt came to whose source is closed although no end of the attempt was written.

    ``crashed``: its process died. ``gap``: records of its source are missing. ``interrupted``: its session was.
    ``elapsed`` and ``timeout`` (pytest-timeout's, if it has one) are milliseconds.
    """
    if crashed:
        return "timeout" if timeout and elapsed >= TIMEOUT_SHARE * timeout else "crashed"
    if gap:
        return "lost"
    return "interrupted" if interrupted else "lost"


def state_without_start(*, gap: bool, stopped: bool) -> str:
    """What a planned test came to that never started although its run is closed.

    ``gap``: some source of the run misses records or could not write all. ``stopped``: the run was stopped early,
    interrupted, cancelled, its main process or all its workers died.
    """
    if gap:
        return "lost"
    return "not_run" if stopped else "lost"


def is_forgiven(state: str, attempts: Iterable[AttemptRow]) -> bool:
    """Whether the failure of a test in quarantine that came to this state does not count.

    It ran and ended by itself, and pytest counted no failure of any of its ``attempts``: what a process took with it,
    and what is not known, counts in quarantine, too.
    """
    return state in _FORGIVABLE and all(one.forgiven for one in attempts if one.outcome in BAD_OUTCOMES)


def state_of_run(
    *, closed: bool, timed_out: bool, cancelled: bool, broken: bool, exit_code: int | None, green: bool
) -> str:
    """What a run came to.

    ``timed_out``: it was cancelled because it took longer than it was given. ``broken``: its main process died, or it
    was interrupted. ``exit_code`` is the largest of its sessions, ``None`` when none was written; a run of a client has
    none and counts as 0. ``green``: no state of its tests is bad, those that are forgiven left out, its plan is known
    completely and no record of it is missing.
    """
    if not closed:
        return "running"
    if timed_out:
        return "timeout"
    if cancelled:
        return "cancelled"
    if broken:
        return "interrupted"
    return "passed" if exit_code == 0 and green else "failed"


#: How a state counts in a suite; states that are not final are left out.
BUCKET: Final[dict[str, str]] = {
    state: status for state, status in WIRE_STATUS.items() if state not in ("pending", "running")
}
