"""What is recorded of a test beside its outcome: output, properties, parameters, warnings, names, tracebacks."""

from __future__ import annotations

import pytest

from tests.plugin.conftest import Record_


def test_output_of_failed_tests_is_kept(pytester: pytest.Pytester, record: Record_) -> None:
    pytester.makepyfile(
        """
        import logging, sys
        def test_ok(): print("quiet")
        def test_bad():
            print("on stdout")
            print("on stderr", file=sys.stderr)
            logging.getLogger().warning("in the log")
            assert 0
        """
    )
    recorded = record()
    assert "logs" not in recorded.end("test_ok")
    logs = recorded.end("test_bad")["logs"]
    assert {(log["stream"], log["phase"]) for log in logs} == {("stdout", "call"), ("stderr", "call"), ("log", "call")}
    assert next(log["text"] for log in logs if log["stream"] == "stdout") == "on stdout\n"


def test_capture_policies(pytester: pytest.Pytester, record: Record_) -> None:
    pytester.makepyfile("def test_ok(): print('hello')\ndef test_bad(): print('hello'); assert 0")
    assert "logs" in record("--semantest-capture=all").end("test_ok")
    for path in (pytester.path / ".semantest").glob("sessions/*/main.journal"):
        path.unlink()
    assert "logs" not in record("--semantest-capture=none").end("test_bad")


@pytest.mark.hazard(17)
def test_a_flood_of_output_is_cut_with_head_and_tail(pytester: pytest.Pytester, record: Record_) -> None:
    pytester.makepyfile(
        """
        def test_loud():
            print("FIRST")
            print("x" * 5_000_000)
            print("LAST")
            assert 0
        """
    )
    (log,) = record("--semantest-output-limit=1000").end("test_loud")["logs"]
    assert len(log["text"]) < 1200
    assert log["text"].startswith("FIRST")
    assert log["text"].endswith("LAST\n")
    assert log["dropped"] > 4_990_000
    assert "characters left out" in log["text"]


def test_user_properties_of_any_shape(pytester: pytest.Pytester, record: Record_) -> None:
    pytester.makepyfile(
        """
        def test_a(record_property):
            record_property("plain", 1)
            record_property("huge", 10 ** 400)
            record_property("endless", float("inf"))
            record_property("nan", float("nan"))
            record_property("surrogate", "\\udc80")
            record_property("object", object())
            record_property("deep", {"a": [1, {"b": (2, 3)}]})
        """
    )
    properties = dict(record().end("test_a")["userProperties"])
    assert properties["plain"] == 1
    assert properties["huge"].startswith("1000")
    assert (properties["endless"], properties["nan"]) == ("inf", "nan")
    assert properties["surrogate"] == "\\udc80"
    assert properties["object"] == "<builtins.object>"
    assert properties["deep"] == {"a": [1, {"b": [2, 3]}]}


def test_parameters_never_run_a_users_repr(pytester: pytest.Pytester, record: Record_) -> None:
    pytester.makepyfile(
        """
        import pytest
        class Query:
            def __repr__(self): raise SystemExit("a repr that queries a database")
        @pytest.mark.parametrize("query", [Query()], ids=["q"])
        def test_a(query): pass
        """
    )
    recorded = record()
    recorded.result.assert_outcomes(passed=1)
    assert recorded.of("test/start")[0]["params"]["query"].endswith(".Query>")


def test_warnings_are_written_once(pytester: pytest.Pytester, record: Record_) -> None:
    pytester.makepyfile(
        """
        import warnings
        def warn(): warnings.warn("old way", DeprecationWarning)
        def test_a(): warn(); warn()
        def test_b(): warn()
        """
    )
    (warning,) = record().of("test/warning")
    assert (warning["category"], warning["message"], warning["when"]) == ("DeprecationWarning", "old way", "runtest")
    assert warning["file"] == "test_warnings_are_written_once.py"


@pytest.mark.hazard(16)
def test_ids_that_are_no_ascii(pytester: pytest.Pytester, record: Record_) -> None:
    pytester.makepyfile(
        """
        import pytest
        @pytest.mark.parametrize("x", ["\u00fc", b"\\xff\\xfe", "x" * 5000, "a::b[c]", "\U0001f600"])
        def test_a(x): pass
        """
    )
    recorded = record()
    recorded.result.assert_outcomes(passed=5)
    starts = [start["testId"] for start in recorded.of("test/start")]
    assert starts == recorded.of("run/plan")[0]["tests"]
    assert len(set(starts)) == 5


def test_a_traceback_keeps_the_indent_of_its_first_line(pytester: pytest.Pytester, record: Record_) -> None:
    pytester.makepyfile("def test_a():\n    number = 1\n    assert number == 2")
    stack = record().end("test_a")["error"]["stack"]
    assert stack.splitlines()[:3] == ["    def test_a():", "        number = 1", ">       assert number == 2"]
