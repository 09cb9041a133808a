"""What tests hand over that lies, loops, raises or never ends: outcomes stay, the rest is recorded."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from pytest_semantest.protocol.record import Record, scan
from pytest_semantest.values import parameter, plain
from tests.plugin.conftest import Record_


def clip(text: str, limit: int) -> str:
    return text[:limit]


def endless() -> object:
    class Endless(list[int]):
        def __iter__(self) -> Endless:
            return self

        def __next__(self) -> int:
            return 1

    return Endless([1, 2])


def looping() -> object:
    loop: list[object] = []
    loop.extend([loop] * 100)
    return loop


def looping_mapping() -> object:
    loop: dict[str, object] = {}
    loop.update({str(number): loop for number in range(100)})
    return loop


def nested() -> object:
    return [["v" * 4000] * 100] * 100


@pytest.mark.parametrize("make", [endless, looping, looping_mapping, nested])
def test_a_value_is_bounded_whatever_it_does(make: Callable[[], object]) -> None:
    assert len(json.dumps(plain(make(), clip))) < 1_000_000
    assert len(parameter(make(), clip)) <= 200


def test_plain_values_stay_what_they_are() -> None:
    value = {"a": [1, 2.5, None, True, "text"], "b": {"c": 1}, 3: (4,)}
    assert plain(value, clip) == {"a": [1, 2.5, None, True, "text"], "b": {"c": 1}, "3": [4]}
    assert plain(endless(), clip) == [1, 2]
    assert plain(10**30, clip) == str(10**30)
    assert plain(10**5000, clip) == f"<int of {(10**5000).bit_length()} bits>"
    assert plain(float("nan"), clip) == "nan"


HOSTILE = {
    "skips when asked for its class": """
        class Lazy:
            @property
            def __class__(self): pytest.skip("no app context")
        def test_a(record_property): record_property("user", Lazy())
        """,
    "contains itself": """
        def test_a(record_property):
            loop = []
            loop.extend([loop] * 100)
            record_property("loop", loop)
        """,
    "a parameter that contains itself": """
        loop = []
        loop.extend([loop] * 100)
        @pytest.mark.parametrize("x", [[loop]], ids=["a"])
        def test_a(x): pass
        """,
    "an integer too long to print": """
        def test_a(record_property): record_property("n", 10 ** 5000)
        """,
    "no pair": """
        def test_a(request): request.node.user_properties.append({"a": 1})
        """,
    "far too much": """
        def test_a(record_property):
            for number in range(100):
                record_property(str(number), [["v" * 4000] * 100] * 100)
        """,
}


@pytest.mark.hazard(17)
@pytest.mark.parametrize("kind", HOSTILE)
def test_a_property_or_parameter_never_costs_the_result(pytester: pytest.Pytester, record: Record_, kind: str) -> None:
    body = "\n".join(line.removeprefix("        ") for line in HOSTILE[kind].splitlines())
    pytester.makepyfile(f"import pytest\n{body}\ndef test_next(): pass")
    recorded = record(subprocess=True)
    recorded.result.assert_outcomes(passed=2)
    assert recorded.result.ret == 0
    assert {payload["testId"].partition("::")[2][:6]: payload["outcome"] for payload in recorded.of("test/end")} == {
        "test_a": "passed",
        "test_n": "passed",
    }
    assert "incomplete" not in recorded.result.stdout.str()


@pytest.mark.hazard(17)
def test_a_failure_whose_text_cannot_be_made_is_a_failure(pytester: pytest.Pytester, record: Record_) -> None:
    pytester.makeconftest(
        """
        import pytest
        class Representation:
            def toterminal(self, writer): pytest.fail("not here")
            def __str__(self): raise RuntimeError("no text")
        @pytest.hookimpl(wrapper=True)
        def pytest_runtest_makereport(item, call):
            report = yield
            if report.failed and item.name == "test_bad":
                report.longrepr = Representation()
            return report
        """
    )
    pytester.makepyfile("def test_bad(): assert 0\ndef test_ok(): pass")
    recorded = record("--tb=no", "-rN", subprocess=True)
    assert recorded.end("test_bad")["outcome"] == "failed"
    assert "Representation" in recorded.end("test_bad")["error"]["stack"]
    assert recorded.end("test_ok")["outcome"] == "passed"


@pytest.mark.hazard(15)
def test_a_record_is_never_too_large_to_be_shipped(pytester: pytest.Pytester, record: Record_) -> None:
    pytester.makepyfile(
        r"""
        import pytest
        IDS = ["case-" + "x" * 2_000_000, "case-" + "x" * 2_000_000 + "y"]
        @pytest.mark.parametrize("text", IDS, ids=IDS)
        def test_long(text): pass
        def test_sections(request):
            for number in range(60):
                request.node.add_report_section("call", f"dump{number}", "\N{GRINNING FACE}" * 40000)
            assert 0
        """
    )
    recorded = record("-q")
    planned = recorded.of("run/plan")[0]["tests"]
    assert len(set(planned)) == 3
    assert [payload["testId"] for payload in recorded.of("test/end")] == planned
    assert recorded.end("test_sections")["outcome"] == "failed"
    (journal,) = pytester.path.glob(".semantest/sessions/*/main.journal")
    sizes = [len(found.body) for found in scan(journal.read_bytes(), final=True) if isinstance(found, Record)]
    assert max(sizes) < 8 * 1024 * 1024


@pytest.mark.hazard(8)
def test_a_child_that_leaves_by_exit_does_not_wait_for_the_shipper(
    pytester: pytest.Pytester, record: Record_, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytester.makepyfile(
        """
        import os
        def test_fork():
            pid = os.fork()
            if pid == 0:
                raise SystemExit(0)
            os.waitpid(pid, 0)
        """
    )
    recorded = record("-s", "-rN", subprocess=True)
    said = [line for line in recorded.result.outlines if line.startswith("semantest: not all shipped")]
    assert len(said) == 1  # the parent's: its child says nothing, and so did not wait
    assert len(recorded.of("run/end")) == 1


def test_a_history_of_nonsense_is_no_history(pytester: pytest.Pytester, record: Record_) -> None:
    folder = pytester.mkdir(".semantest")
    (folder / "history.json").write_text('{"flaky":' + "[" * 200_000 + "]" * 200_000 + "}")
    pytester.makepyfile("def test_a(): pass")
    recorded = record("--semantest-retries=1", "--semantest-retry=known-flaky", subprocess=True)
    recorded.result.assert_outcomes(passed=1)
    assert recorded.result.ret == 0


@pytest.mark.hazard(35)
def test_a_secret_is_masked_also_as_repr_and_json_write_it(
    pytester: pytest.Pytester, record: Record_, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = "hunter2\"\\ back'slash\nline2é"
    monkeypatch.setenv("DB_PASSWORD", secret)
    monkeypatch.setenv("API_TOKEN", "Zq9SuperTok77xyz")
    pytester.makepyfile(
        """
        import json, os
        def test_repr():
            print({"pw_": os.environ["DB_PASSWORD"]})
            print(json.dumps({"pw_": os.environ["DB_PASSWORD"]}))
            assert 0
        def test_type():
            name = os.environ["API_TOKEN"]
            raise type(name, (Exception,), {})(name)
        """
    )
    recorded = record("--showlocals")
    assert recorded.result.ret == 1
    written = b"".join(path.read_bytes() for path in pytester.path.glob(".semantest/sessions/*/main.journal"))
    assert b"hunter2" not in written
    assert b"Zq9SuperTok77xyz" not in written
