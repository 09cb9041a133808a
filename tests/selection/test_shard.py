"""Shards: a partition, the same on every machine, and balanced."""

from __future__ import annotations

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from pytest_semantest.selection.candidate import Suite, with_history
from pytest_semantest.selection.shard import LARGE, checksum_of, shards
from pytest_semantest.selection.sharing import components
from tests.selection.suites import known, suite, suites

numbers = st.integers(1, 9)


@given(suites, numbers)
def test_every_test_is_in_one_shard(suite: Suite, number: int) -> None:
    found = shards(suite, number)
    assert len(found) == number
    assert sorted(at for members in found for at in members) == list(range(len(suite.candidates)))


@given(suites, numbers, st.integers())
def test_the_order_of_collection_does_not_matter(found: Suite, number: int, seed: int) -> None:
    other = Suite(Random(seed).sample(found.candidates, len(found.candidates)), found.shared_ms)

    def ids(one: Suite) -> list[set[str]]:
        return [{one.candidates[at].test.id for at in members} for members in shards(one, number)]

    assert ids(found) == ids(other)


@given(suites, numbers)
def test_no_shard_is_longer_than_the_share_and_its_largest_piece(found: Suite, number: int) -> None:
    suite = Suite(found.candidates, {})
    times = [candidate.own_ms for candidate in suite.candidates]
    share = sum(times) / number
    longest = max((sum(times[at] for at in members) for members in shards(suite, number)), default=0.0)
    tests = [candidate.test for candidate in suite.candidates]
    groups = [sum(times[at] for at in members) for members in components(tests, range(len(tests)))]
    pieces = [time for time in groups if time <= share] + times
    assert longest <= share + max([LARGE * share, *pieces], default=0.0) + 1e-6


def test_a_large_file_is_split_and_a_small_one_is_not() -> None:
    tests = {f"large.py::{number}": known(100) for number in range(40)}
    tests |= {f"small.py::{number}": known(1) for number in range(4)}
    found = suite(tests)
    parts = [{found.candidates[at].test.file for at in members} for members in shards(found, 4)]
    assert sum("small.py" in files for files in parts) == 1
    assert all("large.py" in files for files in parts)


def test_without_history_each_shard_has_as_many_tests() -> None:
    collected = [candidate.test for candidate in suite({f"{n % 7}.py::{n}": None for n in range(70)}).candidates]
    assert [len(members) for members in shards(with_history(collected, None), 7)] == [10] * 7


def test_the_checksum_is_that_of_a_set() -> None:
    assert checksum_of(["a", "b"]) == checksum_of(["b", "a"]) != checksum_of(["a", "c"])
