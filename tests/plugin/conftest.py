"""A recorded pytest whose journals stay: the recorder it is told to use does not exist."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from pytest_semantest import launch
from pytest_semantest.protocol.record import Record, scan
from pytest_semantest.selection.source import remote_snapshot
from tests.leftovers import end_processes_of
from tests.plugin.quarantined import Write
from tests.user_environment import WITHOUT_HYPOTHESIS

#: Port 9 (discard): nothing listens there.
NOWHERE = "http://127.0.0.1:9"
KEPT = ("--semantest", f"--semantest-url={NOWHERE}", "--semantest-flush-timeout=0")


@dataclass(frozen=True)
class Written:
    """One event of a journal."""

    worker: str
    seq: int
    type: str
    timestamp: float
    payload: dict[str, Any]


@dataclass
class Recorded:
    """What a pytest run came to and what it wrote."""

    result: pytest.RunResult
    events: list[Written]

    def of(self, kind: str) -> list[dict[str, Any]]:
        """The payloads of one type, in order."""
        return [event.payload for event in self.events if event.type == kind]

    def ends(self) -> dict[str, list[dict[str, Any]]]:
        """``test/end`` payloads by test name."""
        found: dict[str, list[dict[str, Any]]] = {}
        for payload in self.of("test/end"):
            found.setdefault(payload["testId"].partition("::")[2], []).append(payload)
        return found

    def end(self, name: str) -> dict[str, Any]:
        """The only ``test/end`` of a test."""
        (payload,) = self.ends()[name]
        return payload


def read_journals(directory: Path) -> list[Written]:
    """All events in the journals below a ``.semantest`` folder that pytest and its workers wrote, session by session.

    The first that began comes first: names of sessions that began within one second do not tell which that was.
    """
    sessions: dict[str, list[Written]] = {}
    for path in sorted(directory.glob("sessions/*/*.journal")):
        if path.stem != "shipper":
            sessions.setdefault(path.parent.name, []).extend(_read_journal(path))
    in_time = sorted(filter(None, sessions.values()), key=lambda events: min(event.timestamp for event in events))
    return list(chain.from_iterable(in_time))


def _read_journal(path: Path) -> list[Written]:
    events = []
    for record in scan(path.read_bytes(), final=True):
        assert isinstance(record, Record), f"{path.name}: {record}"
        event = json.loads(record.body)
        events.append(Written(path.stem, record.seq, event["type"], event["timestamp"], event["payload"]))
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    return events


def artifacts(directory: Path) -> dict[str, bytes]:
    """What tests attached and no shipper has delivered, by its hash."""
    return {path.name: path.read_bytes() for path in directory.glob(".semantest/sessions/*/artifacts/*")}


def put_test_snapshot(folder: Path, content: str) -> None:
    """What earlier runs told of the tests, where sessions below look: recordings name a recorder that is not there."""
    own = folder / ".semantest"
    remote = Path(remote_snapshot(str(own), NOWHERE))
    remote.parent.mkdir(parents=True, exist_ok=True)
    for path in (own / "test-snapshot.json", remote):
        path.write_text(content)


Record_ = Callable[..., Recorded]


@pytest.fixture
def record(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Iterator[Record_]:
    """Runs a recorded pytest in this process (``subprocess=True``: in its own, with a shipper), reads what it wrote."""
    for name in [name for name in os.environ if name.startswith("SEMANTEST") and name != "SEMANTEST_COVERAGE"]:
        monkeypatch.delenv(name)
    monkeypatch.delenv("CI", raising=False)
    for name, value in WITHOUT_HYPOTHESIS.items():
        monkeypatch.setenv(name, value)

    # Nothing here looks at what a shipper does without a recorder, and its start takes longer than most of these runs.
    monkeypatch.setattr(launch, "spawn_command", lambda *_where, **_to: ["true"])

    def run(*args: str, subprocess: bool = False, options: tuple[str, ...] = KEPT) -> Recorded:
        arguments = (*options, "-p", "no:cacheprovider", *args)
        result = pytester.runpytest_subprocess(*arguments) if subprocess else pytester.runpytest_inprocess(*arguments)
        return Recorded(result, read_journals(pytester.path / ".semantest"))

    yield run
    end_processes_of(pytester.path)  # shippers that wait for a recorder that never comes, as long as this process lives


@pytest.fixture
def write(pytester: pytest.Pytester) -> Write:
    """Writes the list of a quarantine, and tests by the name of their file."""

    def write(listed: str, **files: str) -> None:
        (pytester.path / "semantest-quarantine.toml").write_text(listed)
        if files:
            pytester.makepyfile(**files)

    return write
