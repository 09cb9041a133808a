"""Steps of recorded tests: nested, live, of decorated functions, threads and children."""

from __future__ import annotations

from typing import Any

import pytest

from tests.plugin.conftest import Record_, Recorded, artifacts


def around(names: dict[str, str], step: object) -> str | None:
    return names.get(step) if isinstance(step, str) else None


def story(recorded: Recorded, test: str) -> list[tuple[Any, ...]]:
    """Steps of a test in order, as (begin or end, name, what is around it or how it ended)."""
    names: dict[str, str] = {}
    found: list[tuple[Any, ...]] = []
    for event in recorded.events:
        payload = event.payload
        if not str(payload.get("testId", "")).endswith(f"::{test}"):
            continue
        if event.type == "test/step/start":
            names[payload["stepId"]] = payload["name"]
            found.append(("begin", payload["name"], around(names, payload.get("parentId"))))
        elif event.type == "test/step/end":
            found.append(("end", payload["name"], payload["status"]))
        elif event.type == "test/log":
            found.append(("log", payload["message"], around(names, payload.get("stepId"))))
    return found


def test_steps_are_nested_live_and_know_how_they_were_left(pytester: pytest.Pytester, record: Record_) -> None:
    pytester.makepyfile(
        """
        import pytest

        def test_a(semantest):
            with semantest.step("buy"):
                with semantest.step("search"):
                    semantest.log("typing", query="socks", tries=2)
                with pytest.raises(ValueError, match="sold out") as caught:
                    with semantest.step("pay"):
                        raise ValueError("sold out")
                assert caught.value.__traceback__.tb_next is None  # no frame of ours in it
                assert caught.value.__context__ is None
            semantest.log("done", "warning")

        def test_skips(semantest):
            with semantest.step("is it there?"):
                pytest.skip("not today")
        """
    )
    recorded = record("-q")
    recorded.result.assert_outcomes(passed=1, skipped=1)
    assert story(recorded, "test_a") == [
        ("begin", "buy", None),
        ("begin", "search", "buy"),
        ("log", "typing", "search"),
        ("end", "search", "passed"),
        ("begin", "pay", "buy"),
        ("end", "pay", "failed"),
        ("end", "buy", "passed"),
        ("log", "done", None),
    ]
    assert story(recorded, "test_skips")[-1] == ("end", "is it there?", "skipped")
    logs = recorded.of("test/log")
    assert logs[0]["data"] == {"query": "socks", "tries": 2}
    assert [log["level"] for log in logs] == ["info", "warn"]
    (failed,) = (end for end in recorded.of("test/step/end") if end["status"] == "failed")
    assert failed["error"] == {"message": "sold out", "type": "ValueError"}
    kinds = [event.type for event in recorded.events]
    first_end = kinds.index("test/end")
    assert first_end > kinds.index("test/log") > kinds.index("test/start")


def test_decorated_functions_are_a_step_at_each_call(pytester: pytest.Pytester, record: Record_) -> None:
    pytester.makepyfile(
        """
        import asyncio

        def test_a(semantest):
            @semantest.step("add")
            def add(a, b):
                "Adds."
                return a + b

            @semantest.step("wait")
            async def wait():
                await asyncio.sleep(0)
                semantest.log("inside")
                return 3

            @semantest.step("count")
            def count():
                yield 1
                semantest.log("counting")
                yield 2

            assert add(1, b=2) == 3 and add(2, 2) == 4
            assert (add.__name__, add.__doc__) == ("add", "Adds.")
            assert asyncio.run(wait()) == 3
            assert list(count()) == [1, 2]
        """
    )
    recorded = record("-q")
    recorded.result.assert_outcomes(passed=1)
    assert [entry for entry in story(recorded, "test_a") if entry[0] != "end"] == [
        ("begin", "add", None),
        ("begin", "add", None),
        ("begin", "wait", None),
        ("log", "inside", "wait"),
        ("begin", "count", None),
        ("log", "counting", "count"),
    ]


def test_an_async_generator_function_is_a_step_while_it_runs(pytester: pytest.Pytester, record: Record_) -> None:
    pytester.makepyfile(
        """
        import asyncio

        def test_a(semantest):
            closed = []

            @semantest.step("page")
            async def pages(first):
                try:
                    while True:
                        try:
                            first = (yield first) or first + 1
                        except KeyError:
                            semantest.log("thrown")
                            first = 100
                finally:
                    await asyncio.sleep(0)
                    semantest.log("closing")
                    closed.append(True)

            @semantest.step("fails")
            async def fails():
                yield 1
                raise ValueError("no")

            @semantest.step("ends")
            async def ends():
                yield 1
                await asyncio.sleep(0)
                semantest.log("ending")

            async def run():
                given = pages(1)
                assert await anext(given) == 1
                assert await anext(given) == 2
                assert await given.asend(7) == 7
                assert await given.athrow(KeyError()) == 100
                await given.aclose()
                assert closed == [True]
                assert [one async for one in ends()] == [1]
                try:
                    async for one in fails():
                        pass
                except ValueError as error:
                    assert str(error) == "no"
                else:
                    assert False

            asyncio.run(run())
        """
    )
    recorded = record("-q")
    recorded.result.assert_outcomes(passed=1)
    assert story(recorded, "test_a") == [
        ("begin", "page", None),
        ("log", "thrown", "page"),
        ("log", "closing", "page"),
        ("end", "page", "passed"),
        ("begin", "ends", None),
        ("log", "ending", "ends"),
        ("end", "ends", "passed"),
        ("begin", "fails", None),
        ("end", "fails", "failed"),
    ]


def test_fixtures_of_every_scope_tell_the_test_that_they_run_for(pytester: pytest.Pytester, record: Record_) -> None:
    pytester.makepyfile(
        """
        import pytest

        @pytest.fixture(scope="session")
        def browser(semantest):
            with semantest.step("start browser"):
                pass
            yield
            semantest.log("stop browser")

        @pytest.fixture
        def page(browser, semantest):
            with semantest.step("page"):
                yield
                semantest.log("closing")

        def test_a(page, semantest):
            semantest.log("a")

        def test_b(page, semantest):
            semantest.log("b")
        """
    )
    recorded = record("-q")
    recorded.result.assert_outcomes(passed=2)
    assert [entry[:2] for entry in story(recorded, "test_a")] == [
        ("begin", "start browser"),
        ("end", "start browser"),
        ("begin", "page"),
        ("log", "a"),
        ("log", "closing"),
        ("end", "page"),
    ]
    assert story(recorded, "test_b") == [
        ("begin", "page", None),
        ("log", "b", "page"),
        ("log", "closing", "page"),
        ("end", "page", "passed"),
        ("log", "stop browser", None),
    ]


def test_threads_of_a_test_write_one_journal_without_a_gap(pytester: pytest.Pytester, record: Record_) -> None:
    pytester.makepyfile(
        """
        from concurrent.futures import ThreadPoolExecutor
        import sys

        def test_a(semantest):
            before = sys.getswitchinterval()
            sys.setswitchinterval(1e-6)

            def work(number):
                for turn in range(50):
                    with semantest.step(f"step {number}"):
                        semantest.log(f"{number}.{turn}")

            with ThreadPoolExecutor(8) as pool:
                list(pool.map(work, range(8)))
            sys.setswitchinterval(before)
        """
    )
    recorded = record("-q", subprocess=True)
    assert recorded.result.ret == 0
    assert {log["message"] for log in recorded.of("test/log")} == {f"{n}.{t}" for n in range(8) for t in range(50)}
    names = {start["stepId"]: start["name"] for start in recorded.of("test/step/start")}
    assert len(names) == 400  # read_journals holds that seqs are without holes
    assert all(names[log["stepId"]] == f"step {log['message'].partition('.')[0]}" for log in recorded.of("test/log"))
    assert all("parentId" not in start for start in recorded.of("test/step/start"))


def test_what_interrupts_a_write_neither_blocks_nor_is_lost(pytester: pytest.Pytester, record: Record_) -> None:
    """A signal handler, or a finalizer, that logs while the same thread is writing."""
    pytester.makepyfile(
        """
        import signal

        def test_a(semantest):
            count = 0

            def tick(*_):
                nonlocal count
                count += 1
                semantest.log(f"tick {count}")

            signal.signal(signal.SIGALRM, tick)
            turn = 0
            while count < 200:
                # Once: a timer that goes on would interrupt the handler for ever where that is slow.
                signal.setitimer(signal.ITIMER_REAL, 1e-5 * (1 + turn % 20))
                semantest.log(f"turn {turn}")
                turn += 1
            signal.setitimer(signal.ITIMER_REAL, 0)
            print("turns", turn)
        """
    )
    recorded = record("-q", "-s", subprocess=True)
    assert recorded.result.ret == 0
    messages = [log["message"] for log in recorded.of("test/log")]
    ticks = [message for message in messages if message.startswith("tick")]
    assert sorted(ticks, key=lambda text: int(text[5:])) == [f"tick {n}" for n in range(1, len(ticks) + 1)]
    assert len(ticks) >= 200


def test_xdist_workers_and_children(pytester: pytest.Pytester, record: Record_) -> None:
    pytester.makepyfile(
        """
        import os
        import pytest

        @pytest.mark.parametrize("n", range(4))
        def test_a(semantest, n):
            pid = os.fork()
            if not pid:
                semantest.log("from the child")
                semantest.attach(b"from the child")
                with semantest.step("child"):
                    pass
                os._exit(0)
            os.waitpid(pid, 0)
            semantest.log(f"from test {n}")
        """
    )
    recorded = record("-q", "-n2", subprocess=True)
    assert recorded.result.ret == 0
    assert sorted(log["message"] for log in recorded.of("test/log")) == [f"from test {n}" for n in range(4)]
    assert not recorded.of("test/step/start")
    assert not recorded.of("test/attachment")
    assert not artifacts(pytester.path)
    assert {event.worker for event in recorded.events if event.type == "test/log"} <= {"gw0", "gw1"}


def test_each_attempt_has_its_own_details(pytester: pytest.Pytester, record: Record_) -> None:
    pytester.makepyfile(
        """
        tries = []
        def test_a(semantest):
            tries.append(1)
            with semantest.step(f"try {len(tries)}"):
                assert len(tries) > 1
        """
    )
    recorded = record("-q", "--semantest-retries=1")
    assert [(end["attempt"], end["name"], end["status"]) for end in recorded.of("test/step/end")] == [
        (1, "try 1", "failed"),
        (2, "try 2", "passed"),
    ]
