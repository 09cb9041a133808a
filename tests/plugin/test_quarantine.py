"""Tests in quarantine run, are recorded as they are, and do not fail the run; pytest and the ledger agree on that."""

from __future__ import annotations

import textwrap
from datetime import timedelta
from typing import NamedTuple

import msgspec
import pytest

from semantest_recorder.core.batch import RawEvent
from semantest_recorder.core.run_state import RunState
from tests.plugin.conftest import Record_, Recorded
from tests.plugin.quarantined import ON, TODAY, Write, entries

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

LESS_LATER = """
    attempts = []
    def test_it(request):
        request.node.addfinalizer(lambda: 1 / 0)
        if not attempts: request.node.parent.addfinalizer(lambda: 1 / 0)
        attempts.append(1)
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


#: By file: whose finalizer fails in the teardown of the only test in it. All but the first group are not its own.
TEARDOWNS = {
    "own": {
        "item": "def test_it(request): request.node.addfinalizer(lambda: 1 / 0)",
        "fixtures": """
            @pytest.fixture
            def one(request): request.addfinalizer(lambda: 1 / 0)
            @pytest.fixture
            def two(one):
                yield
                raise RuntimeError("two")
            @pytest.fixture(scope="class")  # outside of a class it is nobody else's
            def three():
                yield
                raise RuntimeError("three")
            def test_it(two, three): pass
        """,
        "method": """
            class TestIt:
                def test_it(self): pass
                def teardown_method(self): raise ExceptionGroup("", [ValueError()])
        """,
        "function": """
            def test_it(): pass
            def teardown_function(): 1 / 0
        """,
        "unittest": """
            import unittest
            class TestIt(unittest.TestCase):
                def test_it(self): pass
                def tearDown(self): 1 / 0
        """,
    },
    "shared": {
        # The last of all tests is where that happens.
        "z_session": "def test_it(request): request.session.addfinalizer(lambda: 1 / 0)",
        "parent": "def test_it(request): request.node.parent.addfinalizer(lambda: 1 / 0)",
        "class": """
            class TestIt:
                def test_it(self, request): request.node.getparent(pytest.Class).addfinalizer(lambda: 1 / 0)
        """,
        "xunit_module": """
            def test_it(): pass
            def teardown_module(): 1 / 0
        """,
        "xunit_class": """
            class TestIt:
                def test_it(self): pass
                @classmethod
                def teardown_class(cls): 1 / 0
        """,
        "unittest_class": """
            import unittest
            class TestIt(unittest.TestCase):
                def test_it(self): pass
                @classmethod
                def tearDownClass(cls): 1 / 0
        """,
        "both": """
            def test_it(request):
                request.node.addfinalizer(lambda: 1 / 0)
                request.node.parent.addfinalizer(lambda: 1 / 0)
        """,
        "same": """
            def test_it(request):
                def finalizer(): 1 / 0
                request.node.addfinalizer(finalizer)
                request.node.parent.addfinalizer(finalizer)
        """,
        "same_error": """
            error = RuntimeError("both")
            def test_it(request):
                def finalizer(): raise error
                request.node.addfinalizer(finalizer)
                request.node.parent.addfinalizer(finalizer)
        """,
        "hook": "def test_it(): pass",
    },
}
HOOK = """
    import pytest
    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_teardown(item):
        yield
        assert "hook" not in item.nodeid
"""


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
    "an attempt before failed in what others share": Case(
        *(entries("test_own.py"), {"test_own": LESS_LATER}, (ON, "--semantest-retries=1"), 1, 0),
        "NOT PROTECTED test_own.py::test_it: something failed in its teardown that is not its own",
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
    "its test was renamed": Case(
        *(entries("test_own.py::test_gone_by"), {"test_own": "def test_going_by(): assert 0"}, (ON,), 1, 0),
        "no test falls under the entry test_own.py::test_gone_by: if it is test_own.py::test_going_by now, correct *",
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


def test_of_a_teardown_only_what_is_the_tests_own_is_forgiven(write: Write, record: Record_) -> None:
    files = {
        f"test_{kind}_{name}": f"import pytest\n{textwrap.dedent(text)}"
        for kind, found in TEARDOWNS.items()
        for name, text in found.items()
    }
    write(entries("test_*.py::*"), conftest=HOOK, **files)
    recorded = record(ON, "-p", "no:randomly", "--tb=short")
    assert recorded.result.ret == 1
    bad = {
        test_id.partition(".")[0] for test_id, test in settled(recorded).tests.items() if test.result.state != "passed"
    }
    assert bad == set(files)
    assert {test_id.partition(".")[0] for test_id in forgiven(settled(recorded))} == {
        f"test_own_{name}" for name in TEARDOWNS["own"]
    }
    told = "NOT PROTECTED test_shared_{}.py::*: something failed in its teardown that is not its own"
    recorded.result.stdout.fnmatch_lines_random([told.format(name) for name in ("both", "hook", "parent", "z_session")])
    recorded.result.stdout.no_fnmatch_line("*in quarantine passed")


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
