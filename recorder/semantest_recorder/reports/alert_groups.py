"""Alerts that people can read as one: those of a rule that came with one run, and by one cause."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from semantest_recorder.core.alerts.actions import MOST_PATTERN
from semantest_recorder.core.analysis.clustering import normalized
from semantest_recorder.reports.alert_overview import AlertInfo
from semantest_recorder.reports.wording import plural

#: So many alerts are put together; finding causes takes time, and nobody reads more.
MOST_GROUPED: Final = 1000


class AlertGroup(NamedTuple):
    """Alerts of one rule, run, state and cause, at least one."""

    alerts: list[AlertInfo]

    @property
    def first(self) -> AlertInfo:
        """The one that stands for all."""
        return self.alerts[0]

    @property
    def title(self) -> str:
        """What they are about: the subject, or how many tests on which branch."""
        if len(self.alerts) == 1:
            return self.first.subject
        what = plural(len(self.alerts), "test" if all(one.test for one in self.alerts) else "subject")
        branches = {one.branch for one in self.alerts}
        return f"{what} on {self.first.branch}" if self.first.branch and len(branches) == 1 else what

    @property
    def pattern(self) -> str:
        """What a silence of all of them says of subjects, and perhaps of some more."""
        subjects = [one.subject for one in self.alerts]
        head = _common_beginning(subjects)
        if len(subjects) > 1:
            rest = [one[len(head) :][::-1] for one in subjects]
            return _pattern(head, _common_beginning(rest)[::-1])
        return _pattern(head, "") if len(head) > MOST_PATTERN else _typed(head)


def _common_beginning(texts: Sequence[str]) -> str:
    low, high = min(texts), max(texts)
    return low[: next((at for at, pair in enumerate(zip(low, high, strict=False)) if len(set(pair)) > 1), len(low))]


def _pattern(head: str, tail: str) -> str:
    """``head*tail``, as long as a pattern may be."""
    tail = tail[-MOST_PATTERN // 2 :]
    return f"{_typed(head[: MOST_PATTERN - 1 - len(tail)])}*{_typed(tail)}"


def _typed(text: str) -> str:
    """As it can stand in a line that people type: of what cannot, any character will do."""
    return "".join(one if one.isprintable() else "?" for one in text)


def alert_groups(alerts: Iterable[AlertInfo]) -> list[AlertGroup]:
    """The alerts in the order of the first of each group: as the worst, then the newest come first in ``alerts``."""
    found: dict[tuple[object, ...], AlertGroup] = {}
    for one in alerts:
        key = (one.rule, one.state, one.silenced, one.run, _cause(one.summary))
        found.setdefault(key, AlertGroup([])).alerts.append(one)
    return list(found.values())


def _cause(summary: str) -> str:
    """What two alerts have in common: the error, whatever values it names, without since when it is there."""
    return normalized(summary.rpartition("; ")[0] or summary)
