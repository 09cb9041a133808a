"""Which alerts people read as one, and what silences them."""

from __future__ import annotations

from typing import Any

import pytest

from semantest_recorder.core.alerts.silence import Silence
from semantest_recorder.reports.alert_groups import alert_groups
from semantest_recorder.reports.alert_overview import AlertInfo


def alert(subject: str, summary: str = "AssertionError: no; it still fails", **more: Any) -> AlertInfo:
    told: dict[str, Any] = {
        "rule": "news",
        "kind": "new-failure",
        "severity": "warning",
        "state": "firing",
        "branch": "main",
    }
    rest: dict[str, Any] = {
        "run": "r1",
        "test": subject,
        "since_at": None,
        "told_state": None,
        "told_at": None,
        "silenced": False,
    }
    return AlertInfo(**{**told, **rest, **more}, subject=subject, summary=summary, since_ms=1.0, deliveries=[])


def test_one_rule_run_and_cause_is_one_group() -> None:
    found = alert_groups(
        [
            alert("a.py::t1 on main", "no answer of host-1; it was good in run r0"),
            alert("a.py::t2 on main", "no answer of host-2; it still fails"),
            alert("a.py::t3 on main", "empty; it still fails"),
            alert("a.py::t4 on main", "no answer of host-1; it still fails", run="r2"),
            alert("a.py::t5 on main", "no answer of host-1; it still fails", state="resolved"),
            alert("a.py::t6 on main", "no answer of host-1; it still fails", silenced=True),
            alert("a.py::t7 on main", "no answer of host-7; it still fails"),
            alert("dev", "2 of 3 tests failed", rule="red", test=None, branch="dev"),
        ]
    )
    assert [(group.title, group.pattern) for group in found[:2]] == [
        ("3 tests on main", "a.py::t* on main"),
        ("a.py::t3 on main", "a.py::t3 on main"),
    ]
    assert [len(group.alerts) for group in found] == [3, 1, 1, 1, 1, 1]


@pytest.mark.parametrize(
    "subjects",
    [
        ("a.py::t[\x1b[31m\n] on main",),
        ("a" * 3000 + " on main",),
        ("a" * 3000 + "1 on main", "a" * 3000 + "2 on main"),
        ("x" + "a" * 3000, "y" + "a" * 3000),
        ("aba", "ababa"),
        ("main", "dev"),
    ],
)
def test_the_pattern_covers_the_whole_group_and_can_be_typed(subjects: tuple[str, ...]) -> None:
    (group,) = alert_groups([alert(subject) for subject in subjects])
    assert group.pattern.isprintable()
    assert len(group.pattern) <= 1000
    silence = Silence(id="s", rule="news", subject=group.pattern, until_ms=2.0, reason="", who="", made_ms=0.0)
    assert all(silence.covers("news", subject, 1.0) for subject in subjects)
