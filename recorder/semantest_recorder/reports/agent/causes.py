"""The failures of a report by their cause, what is new first."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

import msgspec

from semantest_recorder.core.analysis import standing as kinds
from semantest_recorder.core.analysis.clustering import Occurrence, clusters
from semantest_recorder.core.analysis.rows import Failure
from semantest_recorder.core.analysis.standing import Standing
from semantest_recorder.reports.report import Report, TestInfo, is_forgiven
from semantest_recorder.reports.verdict import deciding_attempt, why

#: Gives how tests stand that failed in this run; of some it may know nothing.
StandingsOf = Callable[[Sequence[str]], Mapping[str, Standing]]

#: States of tests that have a cause of their own to be told.
_FAILED: Final = frozenset({"failed", "error", "crashed", "timeout", "interrupted", "lost"})
#: What an agent can do most about stands first.
_ORDER: Final = (kinds.NEW, kinds.FAILING, kinds.ALWAYS, kinds.FLAKY)
#: Of so many causes the history is looked up, those with the most tests; of more nobody reads it.
_LOOKED_UP = 200


class Cause(msgspec.Struct, frozen=True):
    """One cause: the tests that failed by it, and its message on one line; there is at least one test.

    ``id`` is as in ``semantest failures``. ``standing``: that of the first test, ``None`` where the history was not
    asked. ``forgiven``: its tests are in quarantine, so it does not count.
    """

    id: str
    message: str
    tests: list[TestInfo]
    standing: Standing | None
    forgiven: bool


def causes_of(report: Report, standings_of: StandingsOf) -> list[Cause]:
    """The causes: new ones first, of each kind those with the most tests first; those in quarantine last.

    Those of which nobody knows how they stand come behind those of which it is known.
    """
    failed = [test for test in report.tests if test.state in _FAILED]
    found = [*_clustered(report.run.id, (test for test in failed if not is_forgiven(test)), forgiven=False)]
    found += _clustered(report.run.id, (test for test in failed if is_forgiven(test)), forgiven=True)
    known = standings_of([cause.tests[0].id for cause in found[:_LOOKED_UP]])
    told = [msgspec.structs.replace(cause, standing=known.get(cause.tests[0].id)) for cause in found]
    return sorted(told, key=lambda cause: (cause.forgiven, _rank(cause)))


def _rank(cause: Cause) -> int:
    return _ORDER.index(cause.standing.kind) if cause.standing is not None else len(_ORDER)


def _clustered(run_id: str, tests: Iterable[TestInfo], *, forgiven: bool) -> list[Cause]:
    by_id = {test.id: test for test in tests}
    found = clusters(Occurrence(run_id, _failure(test)) for test in by_id.values())
    return [
        Cause(cluster.id, _message(by_id[cluster.tests[0]]), [by_id[name] for name in cluster.tests], None, forgiven)
        for cluster in found
    ]


def _failure(test: TestInfo) -> Failure:
    attempt = deciding_attempt(test) if test.attempts_detail else None
    error = attempt.error if attempt is not None else test.error
    return Failure(
        test_id=test.id,
        state=test.state,
        outcome=(attempt.outcome if attempt is not None else None) or test.state,
        phase=attempt.phase if attempt is not None else None,
        type=error.type if error is not None else None,
        message=error.message if error is not None else None,
        file=error.file if error is not None else None,
        line=error.line if error is not None else None,
        reason=(attempt.reason if attempt is not None else None) or test.reason,
    )


def _message(test: TestInfo) -> str:
    """The first line of why the test failed, with the type of the error in front."""
    attempt = deciding_attempt(test) if test.attempts_detail else None
    told = why(test.state, attempt, test.reason).strip().split("\n", 1)[0]
    error = attempt.error if attempt is not None else test.error
    kind = error.type if error is not None and error.type else ""
    return told if not kind or told.startswith(kind) else f"{kind}: {told}" if told else kind
