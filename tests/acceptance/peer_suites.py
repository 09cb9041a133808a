"""Small suites that use well-known plugins and libraries of others for real, and what has to be recorded of each."""

from __future__ import annotations

from tests.acceptance.peer import Peer
from tests.acceptance.peers_of_time_and_files import ANOTHER_TIME, FREEZEGUN, PYFAKEFS, TIME_MACHINE

PYTEST_SOCKET = Peer(
    "pytest_socket",
    "socket",
    {"test_asks_somebody": "failed", "test_needs_nobody": "passed", "test_may": "passed"},
    """
    import socket
    import pytest

    def test_asks_somebody():
        socket.socket()

    def test_needs_nobody(): pass

    @pytest.mark.enable_socket
    def test_may():
        with socket.socket() as own:
            own.bind(("127.0.0.1", 0))
    """,
    options=("--disable-socket", "--allow-unix-socket"),
    distributed=True,
)

GEVENT = Peer(
    "gevent",
    "",
    {
        "test_before": "passed",
        "test_patches_everything": "passed",
        "test_green_threads_takes_50_ms": "passed",
        "test_a_hub_that_watches_children": "passed",
        "test_fails": "failed",
    },
    """
    import os, subprocess, sys, threading, time
    import pytest
    from waiting import wait_50_ms

    def test_before(): pass

    def test_patches_everything():
        import gevent.monkey
        assert gevent.monkey.patch_all()

    def test_green_threads_takes_50_ms():
        import gevent
        order = []
        def work(n):
            time.sleep(0.001 * n)
            order.append(n)
        gevent.joinall([gevent.spawn(work, n) for n in (3, 1, 2)])
        thread = threading.Thread(target=order.append, args=(4,))
        thread.start()
        thread.join()
        assert order == [1, 2, 3, 4]
        time.sleep(0.051)

    def test_a_hub_that_watches_children():
        done = subprocess.run([sys.executable, "-S", "-c", "print(1)"], stdout=subprocess.PIPE)
        assert (done.returncode, done.stdout) == (0, b"1\\n")

    def test_fails():
        assert 0
    """,
)

ASYNCIO = Peer(
    "asyncio",
    "asyncio",
    {
        "test_waits_takes_50_ms": "passed",
        "test_fixture": "passed",
        "test_fails": "failed",
        "test_raises_in_teardown": "error",
        "test_many[0]": "passed",
        "test_many[1]": "xfailed",
    },
    """
    import asyncio
    import pytest
    import pytest_asyncio

    @pytest_asyncio.fixture
    async def number():
        await asyncio.sleep(0)
        yield 42
        await asyncio.sleep(0)

    @pytest_asyncio.fixture
    async def broken():
        yield
        raise RuntimeError("cannot close")

    async def test_waits_takes_50_ms(): await asyncio.sleep(0.051)
    async def test_fixture(number): assert number == 42
    async def test_fails(number): assert number == 43
    async def test_raises_in_teardown(broken): pass

    @pytest.mark.parametrize("n", [0, pytest.param(1, marks=pytest.mark.xfail)])
    async def test_many(n):
        async with asyncio.TaskGroup() as group:
            group.create_task(asyncio.sleep(0))
        assert n == 0
    """,
    options=("--asyncio-mode=auto",),
)

RANDOMLY = Peer(
    "randomly",
    "randomly",
    {f"test_n[{n}]": "failed" if n == 5 else "passed" for n in range(8)} | {"TestSeeds::test_seed": "passed"},
    """
    import pathlib, random
    import pytest

    def note(*what):
        with open("order.txt", "a") as file:
            print(*what, file=file)

    @pytest.mark.parametrize("n", range(8))
    def test_n(n):
        note(n, random.random())
        assert n != 5

    class TestSeeds:
        def test_seed(self):
            note("seed", random.getrandbits(32))
    """,
    options=("-p", "randomly", "--randomly-seed=7"),
    distributed=True,
    produces="order.txt",
)

COV = Peer(
    "cov",
    "pytest_cov",
    {"test_half": "passed", "test_other_half": "passed", "test_child": "passed"},
    """
    import os, shop

    def test_half(): assert shop.price(1) == 1
    def test_other_half(): assert shop.price(3) == 2

    def test_child():
        pid = os.fork()
        if pid == 0:
            os._exit(shop.price(2))
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 2
    """,
    files={
        "shop.py": """
        def price(n):
            if n > 2:
                return 2
            return n

        def never():
            return 1
        """
    },
    options=("--cov=shop", "--cov-report=term-missing", "--cov-report=json:coverage.json", "--cov-context=test"),
    distributed=True,
    produces="coverage.json",
)

SUBTESTS = Peer(
    "subtests",
    "",  # pytest 9 has them itself, under the same name
    {"test_some": "failed", "test_all": "passed", "TestOld::test_cases": "failed"},
    """
    import unittest

    def test_some(subtests):
        for n in range(3):
            with subtests.test("number", n=n):
                assert n != 1

    def test_all(subtests):
        with subtests.test("one"): pass

    class TestOld(unittest.TestCase):
        def test_cases(self):
            for n in range(3):
                with self.subTest(n=n):
                    self.assertNotEqual(n, 2)
    """,
    distributed=True,
)

MOCK = Peer(
    "mock",
    "pytest_mock",
    {
        "test_of_one_test[socket.socket]": "passed",
        "test_of_one_test[builtins.open]": "passed",
        "test_of_one_test[os.write]": "passed",
        "test_of_one_test[os.lseek]": "passed",
        "test_of_one_test[os.getpid]": "passed",
        "test_of_one_test[time.time]": "passed",
        "test_of_one_test[time.perf_counter]": "passed",
        "test_of_one_test[threading.Thread]": "passed",
        "test_of_one_test[json.loads]": "passed",
        "TestAll::test_takes_50_ms": "passed",
        "TestAll::test_fails": "failed",
        "test_output": "failed",
    },
    """
    import builtins, json, os, socket, threading, time
    import pytest
    from waiting import wait_50_ms

    NAMES = ["socket.socket", "builtins.open", "os.write", "os.lseek", "os.getpid", "time.time", "time.perf_counter",
             "threading.Thread", "json.loads"]

    @pytest.mark.parametrize("name", NAMES)
    def test_of_one_test(name, mocker):
        mocker.patch(name, side_effect=RuntimeError("not allowed here"))
        with pytest.raises(RuntimeError):
            eval(name)("x")

    class TestAll:
        @pytest.fixture(autouse=True, scope="class")
        def nothing_works(self, class_mocker):
            for name in NAMES:
                if name not in ("time.time", "time.perf_counter"):
                    class_mocker.patch(name, side_effect=RuntimeError("not allowed here"))
            class_mocker.patch("time.time", return_value=1.0)
            class_mocker.patch("time.perf_counter", return_value=1.0)

        def test_takes_50_ms(self):
            wait_50_ms()
            assert time.time() == 1.0

        def test_fails(self):
            assert 0

    def test_output(mocker):
        spy = mocker.spy(os.path, "join")
        print("on stdout")
        assert os.path.join("a", "b") == "a/c"
    """,
)

MOCK_FOR_LONG = Peer(
    "mock_for_long",
    "pytest_mock",
    {"test_looks": "passed", "test_next": "passed"},
    """
    import json, os
    import pytest
    from waiting import wait_50_ms

    @pytest.fixture(autouse=True, scope="module")
    def nothing_works(module_mocker):
        for name in ("json.loads", "builtins.open", "os.open", "os.close", "os.posix_spawn", "time.monotonic"):
            module_mocker.patch(name, side_effect=RuntimeError("not allowed here"))

    def test_looks():
        # Longer than the time after which the recording looks for its shipper.
        for _ in range(42):
            wait_50_ms()

    def test_next(): pass
    """,
)

HYPOTHESIS = Peer(
    "hypothesis",
    "hypothesispytest",
    {"test_holds": "passed", "test_does_not": "failed"},
    """
    from hypothesis import given, settings, strategies as st

    @settings(max_examples=20, derandomize=True, database=None, deadline=None)
    @given(st.integers(), st.text())
    def test_holds(n, text):
        assert n + 1 > n

    @settings(max_examples=20, derandomize=True, database=None, deadline=None, print_blob=True)
    @given(st.integers(0, 9))
    def test_does_not(n):
        assert n < 5
    """,
    distributed=True,
)

TIMEOUT = Peer(
    "timeout",
    "timeout",
    {"test_in_time": "passed", "test_hangs": "timeout", "test_after": "passed", "test_thread": "passed"},
    """
    import time
    import pytest
    def test_in_time(): pass
    @pytest.mark.timeout(0.2)
    def test_hangs(): time.sleep(60)
    def test_after(): pass
    @pytest.mark.timeout(60, method="thread")
    def test_thread(): pass
    """,
    options=("--timeout=60",),
    distributed=True,
)

#: With pytest 9 its children end before they can say how a test went, so only this one goes the same way everywhere.
FORKED = Peer(
    "forked",
    "pytest_forked",
    {"test_dies": "crashed"},
    """
    import os
    def test_dies(): os.kill(os.getpid(), 9)
    """,
    options=("--forked",),
)

#: Those that need a pytest of their own, and little time.
APART = (ANOTHER_TIME, GEVENT)
#: Those whose suites go into one pytest. Beside coverage Hypothesis takes longer than all the others.
TOGETHER = (PYFAKEFS, FREEZEGUN, TIME_MACHINE, PYTEST_SOCKET, ASYNCIO, RANDOMLY, COV, SUBTESTS, MOCK, TIMEOUT)
PEERS = {
    peer.name: peer
    for peer in (
        *(PYFAKEFS, FREEZEGUN, TIME_MACHINE, ANOTHER_TIME, PYTEST_SOCKET, GEVENT, ASYNCIO, RANDOMLY, COV, SUBTESTS),
        *(MOCK, MOCK_FOR_LONG, HYPOTHESIS, TIMEOUT, FORKED),
    )
}
