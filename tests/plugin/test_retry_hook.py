"""``pytest_semantest_should_retry``: others decide which failed tests run again."""

from __future__ import annotations

import json

import pytest

from tests.plugin.conftest import Record_, Recorded

SUITE = """
    import pytest
    tries = {}

    @pytest.fixture(scope="module")
    def shop():
        tries["shop"] = tries.get("shop", 0) + 1
        yield
        tries["closed"] = 1

    def test_network(shop):
        tries["n"] = tries.get("n", 0) + 1
        if tries["n"] < 3: raise OSError("reset")

    def test_logic(shop): assert 0

    @pytest.fixture
    def bad_end():
        yield
        raise ValueError("at the end")

    def test_teardown(bad_end): pass

    def test_count(shop): assert tries["shop"] == 1 and "closed" not in tries
"""


def outcomes(recorded: Recorded) -> dict[str, list[str]]:
    return {name: [end["outcome"] for end in ends] for name, ends in recorded.ends().items()}


@pytest.mark.parametrize("workers", [(), ("-n1",)])
def test_the_hook_decides_up_to_the_number_of_retries(
    pytester: pytest.Pytester, record: Record_, workers: tuple[str, ...]
) -> None:
    pytester.makeconftest(
        """
        def pytest_semantest_should_retry(item, report, attempt):
            assert report.failed and attempt >= 1
            if item.name == "test_network":
                return "OSError" in report.longreprtext
            if item.name == "test_logic":
                return False
            if item.name == "test_teardown":
                return attempt < 2
        """
    )
    pytester.makepyfile(SUITE)
    recorded = record("-q", "--semantest-retries=5", *workers, subprocess=True)
    assert outcomes(recorded) == {
        "test_network": ["failed", "failed", "passed"],
        "test_logic": ["failed"],
        "test_teardown": ["error", "error"],
        "test_count": ["passed"],
    }


def test_it_overrides_patterns_both_ways(pytester: pytest.Pytester, record: Record_) -> None:
    pytester.makeconftest(
        """
        def pytest_semantest_should_retry(item):
            return {"test_a": True, "test_b": False}.get(item.name)
        """
    )
    pytester.makepyfile(
        """
        def test_a(): raise ValueError("no match")
        def test_b(): raise OSError("match")
        def test_c(): raise OSError("match")
        def test_d(): raise ValueError("no match")
        """
    )
    recorded = record("-q", "--semantest-retries=1", "--semantest-retry-match=OSError")
    assert {name: len(ends) for name, ends in outcomes(recorded).items()} == {
        "test_a": 2,
        "test_b": 1,
        "test_c": 2,
        "test_d": 1,
    }


def test_it_may_add_tests_to_those_known_as_flaky(pytester: pytest.Pytester, record: Record_) -> None:
    pytester.makeconftest("def pytest_semantest_should_retry(item): return item.name == 'test_new' or None")
    path = pytester.makepyfile("def test_new(): assert 0\ndef test_old(): assert 0\ndef test_other(): assert 0")
    folder = pytester.mkdir(".semantest")
    (folder / "history.json").write_text(json.dumps({"version": 1, "flaky": [f"{path.name}::test_old"]}))
    recorded = record("-q", "--semantest-retries=1", "--semantest-retry=known-flaky")
    assert {name: len(ends) for name, ends in outcomes(recorded).items()} == {
        "test_new": 2,
        "test_old": 2,
        "test_other": 1,
    }


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("raise RuntimeError('oh')", "RuntimeError: oh"),
        ("return 'yes'", "it gave str, not True, False or None"),
        ("import pytest; pytest.skip('odd')", "Skipped: odd"),
    ],
)
def test_mistakes_are_told_and_the_policy_decides(
    pytester: pytest.Pytester, record: Record_, body: str, told: str
) -> None:
    pytester.makeconftest(f"def pytest_semantest_should_retry(item):\n    {body}\n")
    pytester.makepyfile("def test_a(): assert 0")
    recorded = record("-q", "--semantest-retries=1")
    assert outcomes(recorded) == {"test_a": ["failed", "failed"]}
    lines = [line for line in recorded.result.outlines if "should_retry" in line]
    assert lines == [f"semantest: pytest_semantest_should_retry: {told}; --semantest-retry decided"]


def test_without_retries_it_is_not_asked(pytester: pytest.Pytester, record: Record_) -> None:
    pytester.makeconftest("def pytest_semantest_should_retry(item): return True")
    pytester.makepyfile("def test_a(): assert 0")
    assert outcomes(record("-q")) == {"test_a": ["failed"]}
