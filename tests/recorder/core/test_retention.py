"""Which runs are deleted: the invariants for any history, and what the policies mean."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from semantest_recorder.core.retention import SILENT_MS, Policy, StoredRun, is_active, runs_to_delete

DAY = 86_400_000.0
NOW = 1000 * DAY


def run(
    name: str, age_days: float, *, group: str = "", over: bool = True, heard_days: float = 0.0, size: int = 10
) -> StoredRun:
    started = NOW - age_days * DAY
    ended = started + 1 if over else None
    return StoredRun(name, None, "passed", group, started, ended, NOW - heard_days * DAY, size)


@st.composite
def any_runs(draw: st.DrawFn) -> list[StoredRun]:
    days = st.integers(0, 60).map(float)
    return [
        StoredRun(
            f"r{number}",
            None,
            "passed",
            draw(st.sampled_from(("main", "feature"))),
            NOW - age * DAY if draw(st.integers(0, 9)) else None,
            NOW if draw(st.integers(0, 4)) else None,
            NOW - draw(days) * DAY,
            draw(st.integers(0, 100)),
        )
        for number, age in enumerate(draw(st.lists(days, max_size=12)))
    ]


POLICIES = st.builds(
    Policy,
    older_than_ms=st.none() | st.integers(0, 60).map(lambda days: days * DAY),
    keep=st.none() | st.integers(0, 8),
    max_bytes=st.none() | st.integers(0, 500),
)


def order(stored: StoredRun) -> tuple[float, str]:
    return (stored.since_ms, stored.id)


@given(any_runs(), POLICIES)
def test_what_never_goes(runs: list[StoredRun], policy: Policy) -> None:
    deleted = runs_to_delete(runs, policy, NOW)
    assert deleted == sorted(deleted, key=order), "oldest first"
    assert {one.id for one in deleted} <= {one.id for one in runs}
    assert not [one for one in deleted if one.ended_ms is None and NOW - one.heard_ms < SILENT_MS]
    for group in {one.group for one in runs}:
        newest = max((one for one in runs if one.group == group), key=order)
        assert newest not in deleted


@given(any_runs(), POLICIES)
def test_what_stays_is_what_every_policy_lets_stay(runs: list[StoredRun], policy: Policy) -> None:
    deleted = {one.id for one in runs_to_delete(runs, policy, NOW)}
    newest = {max((one for one in runs if one.group == group), key=order).id for group in {one.group for one in runs}}
    free = [one for one in runs if one.id not in newest and not is_active(one.ended_ms, one.heard_ms, NOW)]
    stay = [one for one in free if one.id not in deleted]
    for one in stay:
        assert policy.older_than_ms is None or NOW - one.since_ms <= policy.older_than_ms
        ahead = [other for other in runs if other.group == one.group and order(other) > order(one)]
        assert policy.keep is None or len(ahead) < policy.keep
        assert not [other for other in free if other in ahead and other.id in deleted], "a newer one went"
    for group in {one.group for one in stay} if policy.max_bytes is not None else ():
        left = [one for one in runs if one.group == group and one.id not in deleted]
        assert sum(one.bytes for one in left) <= (policy.max_bytes or 0)


@given(any_runs(), POLICIES)
def test_no_group_knows_of_another(runs: list[StoredRun], policy: Policy) -> None:
    together = {one.id for one in runs_to_delete(runs, policy, NOW)}
    alone = [
        one.id
        for group in {one.group for one in runs}
        for one in runs_to_delete([one for one in runs if one.group == group], policy, NOW)
    ]
    assert together == set(alone)


@given(any_runs(), POLICIES)
def test_a_second_cleanup_finds_nothing_more(runs: list[StoredRun], policy: Policy) -> None:
    deleted = runs_to_delete(runs, policy, NOW)
    assert runs_to_delete([one for one in runs if one not in deleted], policy, NOW) == []


@given(any_runs())
def test_no_policy_deletes_nothing(runs: list[StoredRun]) -> None:
    assert runs_to_delete(runs, Policy(), NOW) == []


def chosen(runs: list[StoredRun], **policy: float) -> list[str]:
    return [one.id for one in runs_to_delete(runs, Policy(**policy), NOW)]  # type: ignore[arg-type]


def test_by_age() -> None:
    runs = [run("new", 1), run("old", 31), run("older", 40)]
    assert chosen(runs, older_than_ms=30 * DAY) == ["older", "old"]
    assert chosen(runs[1:], older_than_ms=30 * DAY) == ["older"], "the newest stays, however old"


def test_by_number_in_each_group() -> None:
    runs = [run(f"{group}{age}", age, group=group) for age in range(4) for group in ("main", "fix")]
    assert chosen(runs, keep=2) == ["fix3", "main3", "fix2", "main2"]


def test_by_size_the_newest_that_fit_stay() -> None:
    runs = [run("a", 0, size=10), run("b", 1, size=10), run("large", 2, size=100), run("c", 3, size=1)]
    assert chosen(runs, max_bytes=30) == ["c", "large"], "what is older than one that does not fit goes, too"
    assert chosen(runs, max_bytes=0) == ["c", "large", "b"]


def test_by_size_of_each_group() -> None:
    runs = [run(f"{group}{age}", age, group=group) for age in range(3) for group in ("main", "fix")]
    assert chosen(runs, max_bytes=20) == ["fix2", "main2"]


def test_a_run_that_is_recorded_stays_and_takes_room() -> None:
    runs = [run("new", 0), run("old", 5), run("going on", 40, over=False, heard_days=6.9)]
    assert chosen(runs, older_than_ms=DAY) == ["old"]
    assert chosen(runs, max_bytes=20) == ["old"]


def test_a_run_of_which_nothing_was_heard_for_a_week_counts_as_over() -> None:
    runs = [run("new", 0), run("abandoned", 40, over=False, heard_days=7)]
    assert chosen(runs, older_than_ms=30 * DAY) == ["abandoned"]
