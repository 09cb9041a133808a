"""People are told of each change once, whatever comes in which order."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from semantest_recorder.core.alerts.alert import Alert, Sighting
from semantest_recorder.core.alerts.settings import Rule
from semantest_recorder.core.alerts.silence import Silence
from semantest_recorder.core.alerts.telling import advance

SUBJECTS = ("main", "release/1")
REPEAT_MS = 100.0

#: What is seen of each subject (``None``: nothing), whether somebody silences the rule, how much time goes by.
STEPS = st.lists(
    st.tuples(
        st.tuples(st.sampled_from((None, True, False)), st.sampled_from((None, True, False))),
        st.booleans(),
        st.floats(0.0, 2 * REPEAT_MS),
    ),
    max_size=40,
)


def rule(*, repeat_ms: float = REPEAT_MS, resolved: bool = True) -> Rule:
    return Rule(name="red", kind="run-failed", channels=("log",), repeat_ms=repeat_ms, resolved=resolved)


def silence(until_ms: float, subject: str = "*") -> Silence:
    return Silence(id="s", rule="r*", subject=subject, until_ms=until_ms, reason="", who="ann", made_ms=0.0)


def sighting(subject: str, firing: bool, weight: int = 0) -> Sighting:
    return Sighting(subject=subject, firing=firing, summary="why", branch=subject, weight=weight)


@given(STEPS, st.sampled_from((0.0, REPEAT_MS)))
def test_no_state_is_told_twice_without_a_change_or_the_interval(
    steps: list[tuple[tuple[bool | None, ...], bool, float]], repeat_ms: float
) -> None:
    alerts: dict[str, Alert] = {}
    said: dict[str, list[tuple[float, str]]] = {subject: [] for subject in SUBJECTS}
    present = dict.fromkeys(SUBJECTS, "resolved")
    now = 1.0
    for looked, is_silent, passed in steps:
        now += passed
        seen = [sighting(one, firing) for one, firing in zip(SUBJECTS, looked, strict=True) if firing is not None]
        present |= {one.subject: "firing" if one.firing else "resolved" for one in seen}
        silences = [silence(now + 1)] if is_silent else []
        alerts, changes = advance(alerts, rule(repeat_ms=repeat_ms), seen, silences, now)
        assert not (changes and is_silent)
        for change in changes:
            said[change.alert.subject].append((now, change.alert.state))
            assert change.alert.state == present[change.alert.subject]
        if not is_silent:  # and nothing is kept back
            for subject in SUBJECTS:
                last = said[subject][-1][1] if said[subject] else "resolved"
                assert last == present[subject]
    for told in said.values():
        assert not told or told[0][1] == "firing"
        for (before, was), (after, state) in pairwise(told):
            assert was != state or (state == "firing" and repeat_ms and after - before >= repeat_ms)


def test_what_nobody_sees_any_more_is_not_told_again() -> None:
    alerts, _ = advance({}, rule(), [sighting("main", True)], [], 1.0)
    assert advance(alerts, rule(), [], [], 1.0 + 2 * REPEAT_MS)[1] == []
    _, (change,) = advance(alerts, rule(), [sighting("main", True)], [], 1.0 + 3 * REPEAT_MS)
    assert change.is_repeated


def test_a_rule_that_does_not_tell_ends_tells_the_next_beginning() -> None:
    quiet = rule(resolved=False)
    alerts, told = dict[str, Alert](), list[str]()
    for now, firing in enumerate((True, False, True), 1):
        alerts, changes = advance(alerts, quiet, [sighting("main", firing)], [], float(now))
        told += [change.alert.state for change in changes]
    assert told == ["firing", "firing"]


def test_a_run_of_a_few_tests_does_not_end_what_a_whole_run_began() -> None:
    alerts, _ = advance({}, rule(), [sighting("main", True, weight=100)], [], 1.0)
    alerts, changes = advance(alerts, rule(), [sighting("main", False, weight=3)], [], 2.0)
    assert (alerts["main"].state, changes) == ("firing", [])
    alerts, _ = advance(alerts, rule(), [sighting("main", True, weight=3)], [], 2.1)
    alerts, changes = advance(alerts, rule(), [sighting("main", False, weight=3)], [], 2.2)
    assert (alerts["main"].state, changes) == ("firing", []), "nor when a run of as few failed meanwhile"
    alerts, (change,) = advance(alerts, rule(), [sighting("main", False, weight=60)], [], 3.0)
    assert (change.alert.state, change.alert.since_ms) == ("resolved", 3.0)


def test_a_silence_is_of_its_rule_and_subject_only() -> None:
    seen = [sighting("main", True), sighting("release/1", True)]
    _, changes = advance({}, rule(), seen, [silence(10.0, "release/*")], 1.0)
    assert [change.alert.subject for change in changes] == ["main"]
