"""Annotations of GitHub Actions: the right tests, the right places, and never a command that a test made."""

from __future__ import annotations

import re
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semantest_recorder.reports.aggregate import aggregate
from semantest_recorder.reports.github import annotation_lines, command_line, plain_line, repository_path
from semantest_recorder.reports.report import Report
from tests.recorder.reports.rows_of import attempt_row, result_row, run_rows

_PIECES = st.sampled_from(
    ["::", "::error::", "##[error]", "%0A", "%25", "\n", "\r", "\r\n", "\x0b", "\x85", "\u2028", ",", ":", "=", "[1]"]
)
_TEXTS = st.lists(_PIECES | st.text(max_size=4), max_size=6).map("".join)


class Command(NamedTuple):
    """One workflow command as GitHub's runner reads it."""

    name: str
    properties: dict[str, str]
    message: str


def read_line(line: str) -> Command | None:
    """What the runner takes a line for (``ActionCommand.cs`` of actions/runner); ``None`` for one that it prints."""
    found = re.match(r"::(?P<name>\S+?)(?: (?P<properties>.*?))?::(?P<data>.*)", line.lstrip(), re.DOTALL)
    if found is None:
        assert "##[" not in line
        return None
    pairs = [pair.split("=", 1) for pair in (found["properties"] or "").split(",") if pair]
    return Command(found["name"], {key: _plain(value, ":,") for key, value in pairs}, _plain(found["data"], ""))


def _plain(text: str, more: str) -> str:
    for character in (*more, "\r", "\n", "%"):
        text = text.replace(f"%{ord(character):02X}", character)
    return text


def report_of(*tests: tuple[str, str, str], error_file: str = "a.py", line: int = 7) -> Report:
    """A report of tests: id, state, message."""
    results = [result_row(test_id, state, at) for at, (test_id, state, _) in enumerate(tests)]
    attempts = [
        attempt_row(
            *(test_id, "failed" if state == "flaky" else state),
            error_type="AssertionError",
            error_message=message,
            error_file=error_file,
            error_line=line,
        )
        for test_id, state, message in tests
    ]
    attempts += [attempt_row(test_id, "passed", 2) for test_id, state, _ in tests if state == "flaky"]
    return aggregate(run_rows(results, attempts))


def commands(report: Report, root: str = "/home/dev") -> list[Command | None]:
    lines = list(annotation_lines(report, repository_path("/home/dev/project", root)))
    return [read_line(line) for line in lines]


def test_a_failure_stands_at_its_line_in_the_repository_not_in_the_rootdir() -> None:
    (command,) = commands(report_of(("tests/a.py::test_x[1]", "failed", "assert 1 == 2\n  here")))
    assert command == Command(
        "error",
        {"file": "project/a.py", "line": "7", "title": "failed: test_x[1]"},
        "tests/a.py::test_x[1]\nassert 1 == 2\n  here",
    )


@pytest.mark.parametrize("elsewhere", ["/usr/lib/python3/json.py", "../../out.py", ".venv/lib/site-packages/x.py"])
def test_an_error_outside_of_the_repository_stands_at_the_test(elsewhere: str) -> None:
    (command,) = commands(report_of(("tests/a.py::test_x", "failed", "no"), error_file=elsewhere))
    assert command is not None
    assert (command.properties["file"], command.properties["line"]) == ("project/tests/a.py", "3")


def test_the_worst_come_first_and_those_that_are_alike_come_once_before_all_others() -> None:
    alike = [(f"a.py::test_all[{n}]", "failed", f"assert {n} == 0") for n in range(20)]
    report = report_of(*alike, ("a.py::test_other", "failed", "KeyError"), ("a.py::test_died", "crashed", ""))
    found = commands(report)
    told = [command.message.split("\n")[0] for command in found if command is not None and command.name == "error"]
    assert told[:3] == ["a.py::test_died", "a.py::test_all[0]", "a.py::test_other"]
    assert len(told) == 10
    first = found[1]
    assert first is not None
    assert first.message.endswith("(and 19 more tests like it)")
    rest = [line for line in annotation_lines(report, repository_path(None, None)) if line.startswith("failed ")]
    assert len(rest) == 12
    assert [command for command in found if command is not None and command.name == "group"] == [
        Command("group", {}, "12 more tests that are not green")
    ]


def test_flaky_tests_are_warnings() -> None:
    (command,) = commands(report_of(("a.py::test_x", "flaky", "too late")))
    assert command is not None
    assert (command.name, command.message) == ("warning", "a.py::test_x\nfailed, then passed: too late")


def test_a_failure_in_quarantine_is_a_warning_and_says_so() -> None:
    told = '{"entry":"a.py::test_x","reason":"slow","owner":"ann","expires":"2026-12-05"}'
    row = result_row("a.py::test_x", "failed", quarantine=told, forgiven=True)
    (command,) = commands(aggregate(run_rows([row], [attempt_row("a.py::test_x", "failed")], quarantined=1)))
    assert command is not None
    assert (command.name, command.properties["title"]) == ("warning", "failed in quarantine: test_x")


@settings(max_examples=25)
@given(st.lists(st.tuples(_TEXTS, st.sampled_from(["failed", "flaky", "crashed"]), _TEXTS), max_size=14), _TEXTS)
def test_no_name_message_or_file_makes_a_command(tests: list[tuple[str, str, str]], file: str) -> None:
    named = {f"{name}::t{at}": (state, message) for at, (name, state, message) in enumerate(tests)}
    report = report_of(*((name, *rest) for name, rest in named.items()), error_file=file)
    lines = list(annotation_lines(report, repository_path("/home/dev/project", "/home/dev")))
    assert not [line for line in lines if len(line.splitlines()) > 1]
    found = [command.name for line in lines if (command := read_line(line)) is not None]
    errors = sum(state != "flaky" for state, _ in named.values())
    flaky = len(named) - errors
    groups = (errors > 10) + (flaky > 10)
    assert sorted(found) == sorted(
        [*["error"] * min(errors, 10), *["warning"] * min(flaky, 10), *["group", "endgroup"] * groups]
    )
    assert all(set(read.properties) <= {"file", "line", "title"} for line in lines if (read := read_line(line)))


@given(_TEXTS, _TEXTS)
def test_a_command_says_what_it_was_given(title: str, message: str) -> None:
    command = read_line(command_line("error", message, title=title))
    assert command == Command("error", {"title": title} if title else {}, message)


@given(_TEXTS)
def test_a_plain_line_is_no_command(text: str) -> None:
    assert read_line(plain_line(text)) is None
