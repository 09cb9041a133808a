"""What open pages are told of a run: by a real recorder, over real sockets."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import websocket

from semantest_recorder.answers.live_look import first_look
from semantest_recorder.pages.live_sections import log_section, sections_of
from semantest_recorder.pages.watcher import WAITING_MAX, Watcher
from tests.recorder.cli.recording import Recording
from tests.recorder.cli_recorder.daemons import DEADLINE_S, Daemon, answer_of, end_of

#: What time alone changes.
_OF_THE_MOMENT = {"rate", "leftMs"}


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    daemon = Daemon(tmp_path_factory.mktemp("recorder") / ".semantest").ready()
    yield daemon
    daemon.end()


class Page:
    """What a page would show after all it was told."""

    def __init__(self, daemon: Daemon, path: str, **options: Any) -> None:
        found = daemon.discovery
        headers = {"Authorization": f"Bearer {found['token']}"}
        self._socket = websocket.create_connection(
            found["url"].replace("http", "ws", 1) + path,
            header=headers,
            suppress_origin=True,
            http_no_proxy=["*"],
            timeout=DEADLINE_S,
            **options,
        )
        self.sections: dict[str, Any] = {"log": []}

    def hear(self) -> dict[str, Any]:
        """The next message that says anything."""
        while not (message := json.loads(self._socket.recv())):
            pass
        for name, section in message.get("sections", {}).items():
            if name == "wholeLog":
                self.sections["log"] = section
            elif name == "log":
                self.sections["log"] += section
            else:
                self.sections[name] = section
        return dict(message)

    def wait_for(self, **counts: int) -> None:
        """Until so many tests are in these states."""
        wanted = sorted([state, f"{number} {state}"] for state, number in counts.items())
        while sorted(self.sections.get("counts", [])) != wanted:
            self.hear()

    def say(self, text: str) -> None:
        self._socket.send(text)

    def end(self) -> int:
        """The code with which it ends."""
        return end_of(self._socket)[0]

    def close(self) -> None:
        self._socket.close()


class Session:
    """A session whose events are sent as a shipper does, and are committed when ``send`` returns."""

    def __init__(self, daemon: Daemon, session: str) -> None:
        self.recording = Recording(session)
        self._connection = daemon.connect()
        self._sent: dict[str, int] = {}

    def send(self) -> None:
        for worker, bodies in self.recording.bodies.items():
            sent = self._sent.get(worker, 0)
            events = [json.loads(body) for body in bodies[sent:]]
            if events:
                source = f"{self.recording.session}.{worker}"
                frame = {"type": "events", "source": source, "firstSeq": sent + 1, "events": events}
                self._connection.send(json.dumps(frame))
                self._sent[worker] = len(bodies)
                while json.loads(self._connection.recv()).get("type") != "ack":
                    pass

    def close(self) -> None:
        self._connection.close()


def shown_by(daemon: Daemon, run_id: str) -> dict[str, Any]:
    """What the page draws of the database."""
    look, log, _stacks = first_look(daemon.folder / "semantest.db", run_id, 0.0)
    return json.loads(json.dumps({**sections_of(look), "log": log_section(log)}))  # type: ignore[no-any-return]


def timeless(sections: dict[str, Any]) -> dict[str, Any]:
    told = {name: section for name, section in sections.items() if name != "stacks"}
    head = {name: value for name, value in told["head"].items() if name not in _OF_THE_MOMENT}
    log = sorted(told["log"], key=lambda line: (line["time"], line["words"]))  # lines come as they were committed
    return {**told, "head": head, "log": log}


def test_pages_are_told_what_the_database_says_whenever_they_were_opened(daemon: Daemon) -> None:
    session = Session(daemon, "20261122-010101-aaaaaa")
    run, recording = session.recording.session, session.recording
    recording.start()
    recording.start("gw0")
    recording.start("gw1")
    recording.plan("a.py::test_one", "a.py::test_two", "a.py::test_three", "a.py::test_four")
    session.send()
    first = Page(daemon, f"/runs/{run}/live/feed")
    first.wait_for(pending=4)
    assert timeless(first.sections) == timeless(shown_by(daemon, run))
    recording.test("a.py::test_one", worker="gw0")
    recording.test("a.py::test_two", "failed", worker="gw1")
    recording.begin("a.py::test_three", worker="gw0")
    session.send()
    first.wait_for(passed=1, failed=1, running=1, pending=1)
    second = Page(daemon, f"/runs/{run}/live/feed")
    second.wait_for(passed=1, failed=1, running=1, pending=1)
    expected = timeless(shown_by(daemon, run))
    assert timeless(first.sections) == expected
    assert timeless(second.sections) == expected
    assert [row["worker"] for row in expected["running"]] == ["gw0"]
    assert expected["idle"] == ["gw1"]
    assert expected["waiting"] == {"tests": ["a.py::test_four"], "total": 1}
    assert [failure["test"] for failure in expected["failures"]] == ["a.py::test_two"]
    recording.close("a.py::test_three", worker="gw0")
    recording.test("a.py::test_four", worker="gw1")
    recording.end(0, "gw0")
    recording.end(0, "gw1")
    recording.end(1)
    session.send()
    for page in (first, second):
        page.wait_for(passed=3, failed=1)
        while not page.sections["head"]["closed"]:
            page.hear()
        assert timeless(page.sections) == timeless(shown_by(daemon, run))
        page.close()
    session.close()


def test_the_commit_of_a_run_is_told_when_it_comes(daemon: Daemon) -> None:
    session = Session(daemon, "20261122-060606-cccccc")
    run, recording = session.recording.session, session.recording
    recording.start()
    recording.plan(*(f"a.py::test_{number}" for number in range(1200)))
    session.send()
    page = Page(daemon, f"/runs/{run}/live/feed")
    page.hear()
    assert page.sections["head"]["checkout"] == ""
    assert page.sections["counts"] == [["pending", "1,200 pending"]]
    recording.add("main", "run/context", {"git": {"branch": "main", "commit": "c" * 40}})
    recording.test("a.py::test_0")
    session.send()
    while not page.sections["head"]["checkout"]:
        page.hear()
    assert page.sections["head"]["checkout"] == f"main {'c' * 40}"
    assert shown_by(daemon, run)["head"]["checkout"] == f"main {'c' * 40}"
    page.close()
    session.close()


def test_a_run_that_is_not_there_yet_is_shown_when_it_begins(daemon: Daemon) -> None:
    session = Session(daemon, "20261122-020202-bbbbbb")
    page, feed = Page(daemon, f"/runs/{session.recording.session}/live/feed"), Page(daemon, "/live/feed")
    session.recording.start()
    session.recording.plan("a.py::test_one")
    session.send()
    page.wait_for(pending=1)
    told = feed.hear()["runs"]
    assert {"run": session.recording.session, "state": "running"} in told
    session.close()
    page.close()
    feed.close()


def test_who_says_something_is_let_go(daemon: Daemon) -> None:
    """Else whoever may read could have the recorder read without an end."""
    page = Page(daemon, "/live/feed")
    page.say("{}")
    assert page.end() == 1008
    page.close()


def test_who_may_watch(daemon: Daemon) -> None:
    url, token = daemon.discovery["url"], daemon.discovery["token"]
    upgrade = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec_WebSocket_Version": "13", "Sec_WebSocket_Key": "x"}
    assert answer_of(url, "GET", "/live/feed", None, **upgrade)[0] == 401
    assert answer_of(url, "GET", "/live/feed", token, Origin="http://evil.example", **upgrade)[0] == 403
    assert answer_of(url, "GET", "/live/feed", token)[0] == 426


def test_a_page_that_does_not_read_is_dropped(tmp_path: Path) -> None:
    async def watch() -> bool:
        connected = asyncio.Event()
        loop = asyncio.get_running_loop()
        server = await asyncio.start_unix_server(lambda _reader, _writer: connected.set(), tmp_path / "s")
        with socket.socket(socket.AF_UNIX) as client:
            client.setblocking(False)
            await loop.sock_connect(client, str(tmp_path / "s"))
            transport, _protocol = await loop.create_connection(asyncio.Protocol, sock=client.dup())
            watcher = Watcher(transport)
            for _ in range(40):
                watcher.tell(b"x" * (WAITING_MAX // 8))
            server.close()
            return transport.is_closing()

    assert asyncio.run(watch())


def test_of_several_runs_that_go_on_all_are_named(daemon: Daemon) -> None:
    sessions = [Session(daemon, f"2026112{day}-040404-dddddd") for day in (1, 2)]
    for session in sessions:
        session.recording.start(name="<b>nightly</b>")
        session.send()
    status, page = answer_of(daemon.discovery["url"], "GET", "/live", daemon.discovery["token"])
    assert status == 200
    assert b"runs go on" in page
    assert page.count(b"&lt;b&gt;nightly&lt;/b&gt;") == 2
    for session in sessions:
        assert f"/runs/{session.recording.session}/live".encode() in page
        session.close()
