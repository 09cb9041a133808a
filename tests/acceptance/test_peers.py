"""Plugins and libraries of others beside a recording: nothing that the user sees changes, and all is recorded.

They live in an environment of their own, since some of them act in every pytest that finds them; ``SEMANTEST_PEERS``
names its Python. ``make peers`` makes it and runs each of them alone, too.
"""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.acceptance.conftest import PATIENCE_S, Project
from tests.acceptance.peer import Peer
from tests.acceptance.peer_suites import APART, PEERS, TOGETHER
from tests.missing import skip_or_fail

#: What a test waits whose name says that it takes 50 ms.
WAITED_MS = 50.0
#: What differs from one pytest to the next: durations, addresses, which worker had a test.
CHANGING = re.compile(r"in \d+\.\d+s( \(\d:\d\d:\d\d\))?|0x[0-9a-f]+|id='\d+'|\(\d{9,}\)|\[?gw\d\]?")
PROGRESS = re.compile(r"[.FEsxXuU,-]+ +\[ *\d+%\]|bringing up nodes\.\.\.|.*\[\d+ items?\]|created: .*")


@pytest.fixture(scope="module")
def python() -> str:
    """The Python of the environment with the peers: without one a loud skip, in CI a failure."""
    return os.environ.get("SEMANTEST_PEERS") or skip_or_fail(
        "MISSING: SEMANTEST_PEERS, the Python of an environment with the group `peers` (`make peers` makes one)"
    )


@pytest.fixture(scope="module")
def folder(python: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder for all projects, whose recordings go to one recorder."""
    folder = tmp_path_factory.mktemp("peers")
    yield folder
    Project(folder).end()


@pytest.fixture(autouse=True)
def not_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    """The coverage of this project is no business of an environment that measures coverage of its own."""
    for name in [name for name in os.environ if name.startswith(("COV", "SEMANTEST_COVERAGE"))]:
        monkeypatch.delenv(name)


@dataclass(frozen=True)
class Seen:
    """What the user has of one pytest: exit code, output without our lines, the file that the suite leaves."""

    exit_code: int
    output: list[str]
    left: dict[str, object]


@dataclass
class Suites:
    """The suites of some peers in one folder; all other peers are switched off."""

    project: Project
    directory: Path
    peers: Sequence[Peer]

    @classmethod
    def make(cls, folder: Path, python: str, name: str, peers: Sequence[Peer]) -> Suites:
        path = folder / name
        path.mkdir()
        for peer in peers:
            for file, text in peer.sources().items():
                (path / file).write_text(text)
        wanted = {peer.plugin for peer in peers}
        off = sorted({peer.plugin for peer in PEERS.values() if peer.plugin} - wanted)
        variables = {"PYTEST_ADDOPTS": " ".join(f"-p no:{plugin}" for plugin in off)}
        return cls(Project(path, python=python, variables=variables), folder / ".semantest", peers)

    def compare(self, *args: str) -> None:
        """Run them bare and recorded: the user sees the same, and the database has all of it."""
        distributed = any(argument.startswith("-n") for argument in args)
        bare, _ = self._see("-p", "no:semantest", *args, unordered=distributed)
        began = time.time() * 1000
        recorded, output = self._see(
            *("--semantest", "--semantest-strict", f"--semantest-dir={self.directory}"),
            *(f"--semantest-flush-timeout={PATIENCE_S:g}", *args),
            unordered=distributed,
        )
        ended = time.time() * 1000
        assert recorded == bare
        assert "semantest: LOST" not in output
        run = re.search(r"^semantest: recording to .*, run (\S+)$", output, re.MULTILINE)
        assert run is not None, output
        self._check(run[1], recorded.exit_code, began, ended)

    def _see(self, *args: str, unordered: bool) -> tuple[Seen, str]:
        produced = [self.project.path / peer.produces for peer in self.peers if peer.produces]
        for path in produced:
            path.unlink(missing_ok=True)
        options = [option for peer in self.peers for option in peer.options]
        code, output = self.project.pytest("-rA", "--color=no", *options, *args, recorded=False)
        lines = [
            CHANGING.sub("?", line).strip("= ") for line in output.splitlines() if not line.startswith("semantest: ")
        ]
        lines = [re.sub(r"(, )?semantest-[\w.]+", "", line) for line in lines]
        if unordered:
            lines = sorted(line for line in lines if not PROGRESS.fullmatch(line))
        return Seen(code, lines, {path.name: _content(path) for path in produced}), output

    def _check(self, run: str, exit_code: int, began: float, ended: float) -> None:
        """The recording of a run that took place between two times, in milliseconds."""
        rows = Project(self.directory.parent).rows
        expected = {test: state for peer in self.peers for test, state in peer.expected.items()}
        found = rows(f"SELECT test, state, duration_ms, started_ms, ended_ms FROM v_results WHERE run = '{run}'")
        assert {test: state for test, state, *_ in found} == expected
        ((code, run_began, run_ended, gaps),) = rows(
            f"SELECT exit_code, started_ms, ended_ms, gaps FROM runs WHERE id = '{run}'"
        )
        assert (code, gaps) == (exit_code, 0)
        # Times in events are whole milliseconds, and the file system's clock, which a journal begins by, is coarse.
        assert began - 20 <= run_began <= run_ended <= ended + 1
        for test, _, duration, test_began, test_ended in found:
            assert run_began - 1 <= test_began <= test_ended <= run_ended, test
            assert (WAITED_MS if "takes_50_ms" in test else 0) <= duration <= test_ended - test_began + 1, test
        sources = rows(
            "SELECT min(seq), max(seq), count(*) FROM events JOIN sources USING (source_key) JOIN runs USING (run_key) "
            f"WHERE runs.id = '{run}' GROUP BY source_key"
        )
        assert all((first, last) == (1, number) for first, last, number in sources)


def _content(path: Path) -> object:
    text = path.read_text()
    return json.loads(text)["files"] if path.suffix == ".json" else sorted(text.splitlines())


@pytest.mark.hazard(10)
@pytest.mark.hazard(11)
@pytest.mark.hazard(16)
def test_many_at_once(folder: Path, python: str) -> None:
    Suites.make(folder, python, "together", TOGETHER).compare()


@pytest.mark.slow
def test_many_at_once_on_workers(folder: Path, python: str) -> None:
    Suites.make(folder, python, "together-xdist", (*TOGETHER, PEERS["hypothesis"])).compare("-n2")


@pytest.mark.hazard(10)
@pytest.mark.hazard(11)
@pytest.mark.hazard(16)
@pytest.mark.parametrize(
    "name",
    [pytest.param(peer.name, marks=() if peer in APART else pytest.mark.slow) for peer in PEERS.values()],
)
def test_alone(folder: Path, python: str, name: str) -> None:
    Suites.make(folder, python, name, [PEERS[name]]).compare()


@pytest.mark.slow
@pytest.mark.parametrize("name", [peer.name for peer in PEERS.values() if peer.distributed])
def test_alone_on_workers(folder: Path, python: str, name: str) -> None:
    Suites.make(folder, python, f"{name}-xdist", [PEERS[name]]).compare("-n2")
