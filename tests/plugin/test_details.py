"""The ``semantest`` fixture in recorded tests: steps, logs, attachments, own events."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.plugin.conftest import Record_, Recorded

DETAILS = ("test/step/start", "test/step/end", "test/log", "test/attachment")


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


def artifacts(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.glob(".semantest/sessions/*/artifacts/*")}


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


def test_attachments_are_files_by_their_hash(pytester: pytest.Pytester, record: Record_) -> None:
    pytester.makepyfile(
        """
        from pathlib import Path

        def test_a(semantest, tmp_path):
            picture = tmp_path / "shot.png"
            picture.write_bytes(b"\\x89PNG\\r\\n\\x1a\\nnothing")
            with semantest.step("look"):
                semantest.attach(picture)
            picture.unlink()
            semantest.attach(b"\\x89PNG\\r\\n\\x1a\\nnothing", "again")
            semantest.attach("plain words")
            semantest.attach('{"a": 1}', name="answer.json")
            semantest.attach(b"\\0\\1", name="dump", media_type="application/x-dump")
        """
    )
    recorded = record("-q")
    recorded.result.assert_outcomes(passed=1)
    png = b"\x89PNG\r\n\x1a\nnothing"
    told = recorded.of("test/attachment")
    assert [(one["name"], one["mediaType"], one["size"], one["kind"]) for one in told] == [
        ("shot.png", "image/png", len(png), "attachment"),
        ("again", "image/png", len(png), "attachment"),
        ("text.txt", "text/plain", 11, "attachment"),
        ("answer.json", "application/json", 8, "attachment"),
        ("dump", "application/x-dump", 2, "attachment"),
    ]
    kept = artifacts(pytester.path)
    assert kept == {hashlib.sha256(data).hexdigest(): data for data in (png, b"plain words", b'{"a": 1}', b"\0\1")}
    assert [one["sha256"] for one in told][:2] == [hashlib.sha256(png).hexdigest()] * 2
    assert told[0]["stepId"] == recorded.of("test/step/start")[0]["stepId"]


def test_what_cannot_be_kept_is_noted_and_the_test_passes(
    pytester: pytest.Pytester, record: Record_, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytester.makepyfile(
        """
        import os

        def test_a(semantest, tmp_path):
            semantest.attach(tmp_path / "missing.txt")
            semantest.attach(b"x" * 101, name="large")
            big = tmp_path / "big.bin"
            big.write_bytes(b"x" * 102)
            semantest.attach(big)
            semantest.attach(tmp_path)
            os.mkfifo(tmp_path / "pipe")
            semantest.attach(tmp_path / "pipe")
            semantest.screenshot()
            semantest.screenshot(object())
            semantest.attach(b"y" * 100, name="fits")
        """
    )
    recorded = record("-q", "--semantest-attachment-limit=100")
    recorded.result.assert_outcomes(passed=1)
    told = {one["name"]: one.get("omitted", "kept") for one in recorded.of("test/attachment")}
    assert told["missing.txt"] == "it cannot be read: No such file or directory"
    assert told["large"] == "101 bytes are more than the limit of 100 (--semantest-attachment-limit)"
    assert told["big.bin"].startswith("102 bytes are more")
    assert told["pipe"] == "it is no regular file"
    assert told["fits"] == "kept"
    assert told["screenshot"] == "object is no page, locator, element or driver"
    recorded.result.stdout.fnmatch_lines(["semantest: *attachment 'large' is not kept: 101 bytes are more*"])
    assert len(artifacts(pytester.path)) == 1


def test_secrets_reach_neither_events_nor_text_files(
    pytester: pytest.Pytester, record: Record_, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOP_API_KEY", "hunter2hunter2")
    pytester.makepyfile(
        """
        import pytest

        SECRET = "hunter2" * 2

        def test_a(semantest, tmp_path):
            semantest.log(f"key {SECRET}", **{SECRET: [SECRET]})
            with pytest.raises(ValueError), semantest.step(f"with {SECRET}"):
                raise ValueError(SECRET)
            semantest.attach(f"said {SECRET}", name=SECRET)
            file = tmp_path / "config.json"
            file.write_text(SECRET)
            semantest.attach(file)
            semantest.event(f"custom/{SECRET}", {"key": SECRET})
        """
    )
    recorded = record("-q")
    recorded.result.assert_outcomes(passed=1)
    assert "hunter2hunter2" not in json.dumps([event.payload for event in recorded.events])
    assert not any(b"hunter2hunter2" in data for data in artifacts(pytester.path).values())
    assert len(artifacts(pytester.path)) == 2
    for path in pytester.path.glob(".semantest/sessions/*/*.journal"):
        assert b"hunter2hunter2" not in path.read_bytes()


def test_own_events(pytester: pytest.Pytester, record: Record_) -> None:
    pytester.makepyfile(
        """
        import pytest

        def test_a(semantest):
            semantest.event("custom/cart", {"items": 3, "odd": object})
            for wrong in ("test/end", "custom/", "", "custom/" + "x" * 300, None):
                with pytest.raises(ValueError, match="custom/NAME"):
                    semantest.event(wrong, {})
            with pytest.raises(TypeError, match="is a dict"):
                semantest.event("custom/a", [1])
            with pytest.raises(ValueError, match="not one of debug, info, warning, error"):
                semantest.log("x", "loud")
            with pytest.raises(TypeError, match="attach a path, bytes or text, not int"):
                semantest.attach(3)
            for wrong in ({"name": 5}, {"media_type": 5}):
                with pytest.raises(TypeError, match="is a text, not int"):
                    semantest.attach(b"x", **wrong)
            with pytest.raises(TypeError, match="not of str"):
                semantest.screenshot("page.png")
        """
    )
    for options in ((), ("--no-semantest",)):  # mistakes are found with and without a recording
        recorded = record("-q", *options)
        recorded.result.assert_outcomes(passed=1)
    (event,) = recorded.of("custom/cart")
    assert event == {"testId": "test_own_events.py::test_a", "attempt": 1, "items": 3, "odd": "<builtins.type>"}


def test_a_path_that_is_none_is_noted(pytester: pytest.Pytester, record: Record_) -> None:
    pytester.makepyfile(
        """
        from pathlib import Path

        class Raises:
            def __fspath__(self):
                raise RuntimeError("no such thing")

        def test_a(semantest):
            semantest.attach(Path("a\\0b"), name="null.bin")
            semantest.attach(Raises(), name="raises.bin")
        """
    )
    recorded = record("-q", "--semantest-strict")
    recorded.result.assert_outcomes(passed=1)
    told = {event["name"]: event["omitted"] for event in recorded.of("test/attachment")}
    assert "null" in told["null.bin"]
    assert told["raises.bin"] == "its path cannot be asked: RuntimeError: no such thing"


def test_without_a_recording_nothing_happens_and_nothing_heavy_is_imported(
    pytester: pytest.Pytester, record: Record_
) -> None:
    pytester.makepyfile(
        """
        import sys
        from pathlib import Path

        def test_a(semantest):
            with semantest.step("a") as step:
                semantest.log("b", "error", c=1)
            @semantest.step("f")
            def function():
                return 5
            assert function() == 5
            semantest.attach(Path("/nowhere"))
            semantest.attach(b"")
            semantest.screenshot()
            semantest.event("custom/x", {})
            ours = {name for name in sys.modules if name.startswith("pytest_semantest.")}
            names = {name.partition(".")[2] for name in ours}
            assert names <= {"fixtures", "hookspecs", "options", "plugin", "protocol", "protocol.keys"}, names
        """
    )
    recorded = record("-q", options=("--no-semantest",), subprocess=True)
    assert recorded.result.ret == 0, recorded.result.stdout.str()
    assert not (pytester.path / ".semantest").exists()


def test_a_test_that_fakes_the_file_system_threads_and_clock(pytester: pytest.Pytester, record: Record_) -> None:
    pytester.makepyfile(
        """
        import os
        from unittest import mock

        def broken(*args, **kwargs):
            raise AssertionError("replaced")

        def test_a(semantest):
            semantest.log("first")
            names = ("os.open", "os.write", "os.rename", "os.mkdir", "threading.Lock", "threading.RLock", "time.time")
            with mock.patch.multiple("os", open=broken, write=broken, rename=broken, mkdir=broken):
                with mock.patch("threading.RLock", broken), mock.patch("time.time", broken):
                    with semantest.step("still"):
                        semantest.attach("kept")
        """
    )
    recorded = record("-q")
    recorded.result.assert_outcomes(passed=1)
    assert [one.get("omitted") for one in recorded.of("test/attachment")] == [None]
    assert list(artifacts(pytester.path).values()) == [b"kept"]


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


@pytest.mark.skipif(os.geteuid() == 0 and not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_folder_that_cannot_be_written_costs_the_attachment_alone(pytester: pytest.Pytester, record: Record_) -> None:
    pytester.makepyfile(
        """
        from pathlib import Path

        def test_a(semantest):
            (folder,) = Path(".semantest/sessions").iterdir()
            (folder / "artifacts").write_text("in the way")
            semantest.attach("lost")
            semantest.log("on we go")
        """
    )
    recorded = record("-q")
    recorded.result.assert_outcomes(passed=1)
    (told,) = recorded.of("test/attachment")
    assert told["omitted"].endswith("artifacts cannot be written: Not a directory")
    assert recorded.of("test/log")
