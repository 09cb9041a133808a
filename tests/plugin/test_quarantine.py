"""Tests in quarantine run, are recorded as they are, and do not fail the run; pytest and the ledger agree on that."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import msgspec
import pytest

from semantest_recorder.core.batch import RawEvent
from semantest_recorder.core.run_state import RunState
from tests.plugin.conftest import KEPT, Record_, Recorded

TODAY = datetime.now(UTC).date()
ON = "--semantest-quarantine"
OWN = """
    import pytest

    def test_fine(): pass
    def test_call(): assert 1 == 2
    @pytest.fixture
    def unset(): raise RuntimeError("no setup")
    def test_setup(unset): pass
    @pytest.fixture
    def unended():
        yield
        raise RuntimeError("no teardown")
    def test_teardown(unended): pass
    def test_both(unended): assert 1 == 3
    @pytest.mark.xfail(strict=True)
    def test_strict(): pass
    class TestGroup:
        @pytest.mark.parametrize("number", [1, 2])
        def test_number(self, number): assert number == 1
"""
SHARED = """
    import pytest
    @pytest.fixture(scope="module")
    def database():
        yield
        raise RuntimeError("the database is gone")
    def test_last(database): {body}
"""

CHANGED = """
    import pytest
    @pytest.fixture(scope="module")
    def database(request):
        yield
        if request.param == 1: raise RuntimeError("the database is gone")
    @pytest.mark.parametrize("database", [1, 2], indirect=True)
    def test_next(database): pass
"""


def entries(*tests: str, days: int = 10) -> str:
    """The list with an entry for each of these tests, which expire in so many days."""
    expires = TODAY + timedelta(days)
    return "\n".join(
        f'[[quarantine]]\ntest = "{test}"\nreason = "the clock jumps"\nowner = "ann"\nexpires = {expires}'
        for test in tests
    )


Write = Callable[..., None]


@pytest.fixture
def write(pytester: pytest.Pytester) -> Write:
    """Writes the list, and tests by the name of their file."""

    def write(listed: str, **files: str) -> None:
        (pytester.path / "semantest-quarantine.toml").write_text(listed)
        if files:
            pytester.makepyfile(**files)

    return write


def settled(recorded: Recorded) -> RunState:
    """What the recorder makes of the journals."""
    state = RunState("r")
    by_worker: dict[str, list[RawEvent]] = {}
    for event in recorded.events:
        raw = RawEvent(event.type, event.timestamp, msgspec.Raw(msgspec.json.encode(event.payload)))
        by_worker.setdefault(event.worker, []).append(raw)
    session = recorded.of("run/start")[0]["session"]
    for worker, events in by_worker.items():
        state.apply_all(f"{session}.{worker}", 1, events)
    state.settle()
    return state


def forgiven(state: RunState) -> set[str]:
    return {test_id for test_id, test in state.tests.items() if test.result.forgiven}


class Case(NamedTuple):
    listed: str
    files: dict[str, str]
    options: tuple[str, ...]
    #: What pytest exits with, how many tests are forgiven, and a line of its output.
    exit_code: int
    forgiven: int
    told: str = "*"
    untold: str = "nothing is told"


ALL_OWN = entries("test_own.py")
CASES = {
    "only tests in quarantine fail": Case(ALL_OWN, {"test_own": OWN}, (ON, "-x"), 0, 6, "*3 passed, 7 quarantined*"),
    "it is not switched on": Case(ALL_OWN, {"test_own": OWN}, (), 1, 0),
    "one of them is retried": Case(
        *(ALL_OWN, {"test_own": OWN}, (ON, "--semantest-retries=1"), 0, 6, "*7 quarantined*"),
    ),
    "another test fails, too": Case(
        *(ALL_OWN, {"test_own": OWN, "test_plain": "def test_plain(): assert 0"}, (ON,), 1, 6),
        "FAILED test_plain.py::test_plain*",
    ),
    "its entry has expired": Case(
        *(entries("test_own.py", days=-1), {"test_own": "def test_old(): assert 0"}, (ON,), 1, 0),
        "NOT PROTECTED test_own.py::test_old: its entry test_own.py expired on *",
    ),
    "it ends today": Case(entries("test_own.py", days=0), {"test_own": "def test_now(): assert 0"}, (ON,), 0, 1),
    "the teardown of what others share fails": Case(
        *(entries("test_shared.py"), {"test_shared": SHARED.format(body="pass")}, (ON,), 1, 0),
        "NOT PROTECTED test_shared.py::test_last: the teardown of database (module scope) failed*",
    ),
    "so does the test": Case(entries("test_shared.py"), {"test_shared": SHARED.format(body="assert 0")}, (ON,), 1, 0),
    "what others share fails to end when the next one asks for it otherwise": Case(
        *(entries("test_two.py::test_next[2]"), {"test_two": CHANGED}, (ON,), 1, 0),
        "NOT PROTECTED test_two.py::test_next?2?: the teardown of database (module scope) failed*",
    ),
    "a file cannot be collected": Case(
        *(entries("test_own.py"), {"test_own": "import nonesuch"}, (ON,), 2, 0, "ERROR test_own.py"),
        untold="*no test falls under*",
    ),
    "it takes too long": Case(
        entries("*::test_slow"),
        {"test_own": "import time\ndef test_slow(): time.sleep(60)"},
        (ON, "--timeout=0.1", "--timeout-method=signal"),
        exit_code=0,
        forgiven=1,
        told="QUARANTINED test_own.py::test_slow - Failed: Timeout*",
    ),
    "all pass": Case(
        *(entries("test_own.py"), {"test_own": "def test_well(): pass"}, (ON,), 0, 0, "1 test in quarantine passed")
    ),
    "nobody falls under an entry": Case(
        *(entries("test_own.py::test_gone"), {"test_own": "def test_well(): pass"}, (ON,), 0, 0),
        "no test falls under the entry test_own.py::test_gone: take it out, or correct its name",
    ),
}
PARTS = """
    def test_parts(subtests):
        for number in range(3):
            with subtests.test(number=number): assert number == 1
"""
if hasattr(pytest, "Subtests"):
    CASES["parts of it fail"] = Case(
        *(entries("test_own.py"), {"test_own": PARTS}, (ON,), 0, 1, "*= 2 quarantined in *"), untold="*FAILED*"
    )


@pytest.mark.parametrize("name", CASES)
def test_the_exit_code_and_the_ledger_agree(
    name: str, write: Write, record: Record_, pytester: pytest.Pytester
) -> None:
    case = CASES[name]
    write(case.listed, **case.files)
    recorded = record(*case.options, "-p", "no:randomly")
    assert recorded.result.ret == case.exit_code
    run = settled(recorded).run
    assert run.state == ("passed" if case.exit_code == 0 else "failed")
    assert run.quarantined == case.forgiven
    recorded.result.stdout.fnmatch_lines([case.told])
    recorded.result.stdout.no_fnmatch_line(case.untold)


def test_the_record_keeps_what_is_true(write: Write, record: Record_, pytester: pytest.Pytester) -> None:
    write(entries("test_own.py"), test_own=OWN)
    recorded = record(ON, "--junitxml=j.xml", "-v")
    state = settled(recorded)
    states = {test.result.test_id.partition("::")[2]: test.result.state for test in state.tests.values()}
    assert states == {
        "test_fine": "passed",
        "test_call": "failed",
        "test_setup": "error",
        "test_teardown": "error",
        "test_both": "failed",
        "test_strict": "failed",
        "TestGroup::test_number[1]": "passed",
        "TestGroup::test_number[2]": "failed",
    }
    assert len(forgiven(state)) == 6
    facts = {"entry": "test_own.py", "reason": "the clock jumps", "owner": "ann"}
    facts["expires"] = (TODAY + timedelta(10)).isoformat()
    assert all(start["quarantine"] == facts for start in recorded.of("test/start"))
    call, fine = recorded.end("test_call"), recorded.end("test_fine")
    assert call["forgiven"] is True
    assert call["error"]["message"] == "assert 1 == 2"
    assert "forgiven" not in fine
    junit = (pytester.path / "j.xml").read_text()
    assert 'errors="0" failures="0"' in junit
    assert 'message="in quarantine: the clock jumps"' in junit
    recorded.result.stdout.fnmatch_lines(["*test_call QUARANTINED*"])


def test_failures_in_quarantine_are_no_last_failures_and_open_the_debugger(
    write: Write, pytester: pytest.Pytester, record: Record_
) -> None:
    write(
        entries("test_own.py::test_in"),
        test_own="def test_in(): assert 0\ndef test_out(): assert 0",
        conftest="""
            def pytest_exception_interact(node, report):
                print("INTERACT", node.name, report.outcome)
        """,
    )
    recorded = record(ON, "-s", "-p", "cacheprovider")
    recorded.result.stdout.fnmatch_lines(["*INTERACT test_in*", "*INTERACT test_out*"])
    assert (pytester.path / ".pytest_cache/v/cache/lastfailed").read_text().count("::") == 1


@pytest.mark.parametrize("crash", [False, True])
def test_workers_go_by_the_list_of_the_controller(
    crash: bool, write: Write, record: Record_, pytester: pytest.Pytester
) -> None:
    died = "import os\ndef test_dies(): os._exit(3)" if crash else "def test_lives(): assert 0"
    write(
        entries("test_own.py", "test_dies.py", "test_own.py::test_gone"),
        test_own="import pytest\n@pytest.mark.xdist_group('one')\ndef test_call(): assert 0\ndef test_well(): pass",
        test_dies=died,
        # Workers that read the list themselves would find another one.
        conftest="def pytest_configure_node(node): open('semantest-quarantine.toml', 'w').close()",
    )
    # With loadgroup a crash leaves xdist waiting for ever.
    recorded = record(ON, "-n", "1", "--dist=load" if crash else "--dist=loadgroup", "--maxfail=3")
    state = settled(recorded)
    assert recorded.result.ret == (1 if crash else 0)
    assert state.run.state == ("failed" if crash else "passed")
    assert forgiven(state) == {"test_own.py::test_call"} | (set() if crash else {"test_dies.py::test_lives"})
    told = "NOT PROTECTED test_dies.py::test_dies: its process died*" if crash else "QUARANTINED test_dies.py*"
    recorded.result.stdout.fnmatch_lines([told])
    recorded.result.stdout.fnmatch_lines(["no test falls under the entry test_own.py::test_gone*"])


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
