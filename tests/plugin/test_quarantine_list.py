"""Which list holds in a session of pytest: one that is right, of the base revision, and recorded."""

from __future__ import annotations

import subprocess
from typing import Any

import msgspec
import pytest

from tests.plugin.conftest import KEPT, Record_, Recorded
from tests.plugin.quarantined import ON, Write, entries


def usage_error(recorded: Recorded) -> str:
    assert recorded.result.ret == pytest.ExitCode.USAGE_ERROR
    assert not recorded.events
    return str(recorded.result.stderr)


def test_a_list_that_is_wrong_ends_the_session_before_it_begins(
    write: Write, record: Record_, pytester: pytest.Pytester
) -> None:
    write(entries("a.py").replace("reason", "reson"), test_own="def test_call(): assert 0")
    wrong = "semantest-quarantine.toml:1: entry 1: 'reson' is no key; did you mean reason?"
    assert f"{wrong} (and 1 more: semantest quarantine check)" in usage_error(record(ON))
    write(entries("test_own.py", days=91), test_own="def test_call(): assert 0")
    assert "more than 90 days ahead" in usage_error(record(ON))
    missing = usage_error(record(ON, "--semantest-quarantine-file=lists/q.toml", options=KEPT[:1]))
    assert f"there is no {pytester.path / 'lists/q.toml'}" in missing
    assert record(ON, "--semantest-quarantine-days=91").result.ret == 0


def test_without_a_list_nothing_is_in_quarantine_and_that_is_told(pytester: pytest.Pytester, record: Record_) -> None:
    pytester.makepyfile("def test_call(): assert 0")
    recorded = record(ON)
    assert recorded.result.ret == 1
    recorded.result.stdout.fnmatch_lines(["quarantine is on, and there is no semantest-quarantine.toml*"])


def test_what_is_not_recorded_is_not_protected(write: Write, record: Record_, pytester: pytest.Pytester) -> None:
    write(entries("test_own.py"), test_own="def test_call(): assert 0")
    (pytester.path / "taken").touch()
    for workers in ((), ("-n1",)):
        recorded = record(ON, "--semantest-dir=taken/here", *workers)
        assert recorded.result.ret == 1
        recorded.result.stdout.fnmatch_lines(["NOT PROTECTED test_own.py::test_call: its failure is not recorded"])


def git(*arguments: str) -> None:
    who = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "init.defaultBranch=main"]
    subprocess.run(["git", *who, *arguments], capture_output=True, check=True)


def test_a_change_cannot_quarantine_its_own_failures(write: Write, record: Record_) -> None:
    """The list is that of the base revision, whatever stands in the work tree."""
    base = "--semantest-quarantine-base=main"
    git("init", "-q")
    git("commit", "-q", "--allow-empty", "-m", "before")
    write(entries("test_own.py"), test_own="def test_call(): assert 0")
    recorded = record(ON, base)
    assert recorded.result.ret == 1
    recorded.result.stdout.fnmatch_lines(["main (*) has no semantest-quarantine.toml: no test is in quarantine"])
    git("add", ".")
    git("commit", "-qm", "reviewed")
    write("")
    assert record(ON, base).result.ret == 0
    for missing in ("origin/main", "", " "):
        assert f"git knows no revision '{missing.strip()}'" in str(record(ON, f"{base[:-4]}{missing}").result.stderr)


def test_the_base_is_a_revision_of_the_repository_that_is_tested(
    write: Write, record: Record_, pytester: pytest.Pytester
) -> None:
    """A change may name another list, and bring a submodule that has a revision of the same name."""
    for folder in (pytester.path, pytester.mkdir("own")):
        git("-C", str(folder), "init", "-q")
        git("-C", str(folder), "commit", "-q", "--allow-empty", "-m", "before")
    (pytester.path / "own" / "list.toml").write_text(entries("test_own.py"))
    git("-C", "own", "add", ".")
    git("-C", "own", "commit", "-qm", "anything")
    write("", test_own="def test_call(): assert 0")
    recorded = record(ON, "--semantest-quarantine-base=main", "--semantest-quarantine-file=own/list.toml")
    assert recorded.result.ret == 1
    recorded.result.stdout.fnmatch_lines(["main (*) has no own/list.toml: no test is in quarantine"])


def test_a_test_that_passed_often_enough_is_told(write: Write, record: Record_, pytester: pytest.Pytester) -> None:
    write(entries("test_own.py"), test_own="def test_a(): pass\ndef test_b(): pass")
    history: dict[str, Any] = {
        "version": 1,
        "quarantined": {
            "test_own.py::test_a": {"runs": 20, "passed": 20},
            "test_own.py::test_b": {"runs": 20, "passed": 19},
        },
    }
    (pytester.path / ".semantest").mkdir()
    (pytester.path / ".semantest" / "history.json").write_bytes(msgspec.json.encode(history))
    recorded = record(ON)
    recorded.result.stdout.fnmatch_lines(
        [
            "test_own.py::test_a: it passed in all of its last 20 runs: take it out (semantest quarantine remove)",
            "1 test in quarantine passed",
        ]
    )
