"""Failures of one cause."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semantest_recorder.core.analysis.clustering import Occurrence, clusters, first_seen, normalized
from semantest_recorder.core.analysis.rows import Failure


def failure(
    test_id: str, message: str | None, file: str = "shop/cart.py", line: int = 9, run: str = "r2"
) -> Occurrence:
    return Occurrence(run, Failure(test_id, "failed", "failed", "call", "ValueError", message, file, line, None))


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ("assert 1.50 == -2", "assert <n> == <n>"),
        ("<Cart object at 0x7f3a9c0> is empty", "<Cart object at <address>> is empty"),
        ("no file /tmp/pytest-of-ada/pytest-3/a.txt", "no file <path>"),
        ("order 3b241101-e2bb-4255-8caf-4136c566a962 lost", "order <uuid> lost"),
        ("at 2026-11-21T09:30:00.123Z it broke", "at <time> it broke"),
        ("key 'total' of \"cart\" in `shop`", "key <text> of <text> in <text>"),
        ("can't find commit 1a2b3c4d5e", "can't find commit <id>"),
        ("GET https://shop.example:8080/a?b=1 failed", "GET <url> failed"),
        ("utf8 and sha256 are words", "utf8 and sha256 are words"),
        ("\nassert  [1] == [2]\n  At index 0 diff", "assert [<n>] == [<n>]"),
        ("'shipping'", "'shipping'"),
        ("host-7 and worker_12 lost Thread-3", "host-<n> and worker_<n> lost Thread-<n>"),
        ("pod web-0-3 of shard-1-of-8", "pod web-<n> of shard-<n>-of-<n>"),
        ("utf-8 is no UTF-16, utf_8 no iso-8859-1", "utf-8 is no UTF-16, utf_8 no iso-8859-1"),
        ("HTTP-404 is no ORA-00942", "HTTP-404 is no ORA-00942"),
        ("int32 is no int64 on x86_64", "int32 is no int64 on x86_64"),
    ],
)
def test_values_in_a_message_make_no_difference(message: str, told: str) -> None:
    assert normalized(message) == told


def test_one_cause_many_tests() -> None:
    found = clusters([*(failure(f"a.py::t{n}", f"no answer in {n} s") for n in range(37)), failure("a.py::u", "empty")])
    assert [(cluster.message, len(cluster.tests)) for cluster in found] == [("no answer in <n> s", 37), ("empty", 1)]


def test_of_causes_with_as_many_tests_the_one_in_more_runs_comes_first() -> None:
    often = [failure("a.py::t", "no answer", run=run) for run in ("r2", "r1")]
    for one in ("died", "empty", "slow", "torn"):
        assert [len(cluster.runs) for cluster in clusters([failure("b.py::t", one), *often])] == [2, 1]


def test_the_place_counts_a_line_only_in_files_of_tests() -> None:
    product = clusters([failure("a.py::t", "bad", line=1), failure("a.py::u", "bad", line=2)])
    assert len(product) == 1
    own = [failure("a.py::t", "bad", "a.py", 1), failure("a.py::u", "bad", "a.py", 2)]
    assert len(clusters(own)) == 2
    helper = [failure("a.py::t", "bad", "a.py", 1), failure("a.py::u", "bad", "a.py", 1)]
    assert len(clusters(helper)) == 1


def test_a_cause_keeps_its_id_when_its_line_moves() -> None:
    ids = {clusters([failure("a.py::t[1]", "bad", "a.py", line)])[0].id for line in (3, 30)}
    assert len(ids) == 1


def test_the_first_run_with_the_cause_at_one_of_its_tests() -> None:
    (cluster,) = clusters([failure("a.py::t", "took 3 s")])
    past = [
        failure("a.py::t", "empty", run="r0"),
        failure("a.py::other", "took 9 s", run="r0"),
        failure("a.py::t", "took 4 s", line=70, run="r1"),
        failure("a.py::t", "took 3 s", run="r2"),
    ]
    assert first_seen(cluster, past) == "r1"
    assert first_seen(cluster, []) is None


_FAILURES = st.lists(
    st.builds(
        failure,
        st.sampled_from(["a.py::t", "a.py::u[1]", "b.py::v"]),
        st.one_of(st.none(), st.text(max_size=20), st.sampled_from(["x 1", "x 2"])),
        st.sampled_from(["a.py", "c.py", ""]),
        st.integers(1, 2),
    ),
    max_size=12,
)


@settings(deadline=None)
@given(_FAILURES)
def test_every_failure_is_of_one_cause(failures: list[Occurrence]) -> None:
    found = clusters(failures)
    assert sorted(map(repr, (one for cluster in found for one in cluster.occurrences))) == sorted(map(repr, failures))
    assert len({cluster.id for cluster in found}) == len(found)
    assert [cluster.id for cluster in clusters(failures[::-1])] == [cluster.id for cluster in found]


@settings(deadline=None)
@given(st.text(max_size=60))
def test_what_is_normalized_stays_so(message: str) -> None:
    once = normalized(message)
    assert normalized(once) == once
