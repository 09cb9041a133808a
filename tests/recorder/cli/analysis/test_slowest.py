"""``semantest slowest`` over a history that the real writer made."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.recorder.cli.analysis.conftest import run_name
from tests.recorder.cli.command import semantest


def test_the_slowest_tests_and_since_when(history: Path) -> None:
    said = semantest("slowest", "--directory", history, "--json", "--limit", "2")
    assert said.code == 0
    assert (said.json["schema"], said.json["by"], said.json["sort"], said.json["phase"]) == (1, "test", "p95", None)
    slower, second = said.json["entries"]
    assert (slower["id"], slower["times"], slower["p50Ms"], slower["p95Ms"]) == ("b.py::test_slower", 16, 50.0, 80.0)
    assert slower["totalMs"] == slower["share"] * said.json["totalMs"] == 800.0
    assert slower["change"]["run"]["run"] == run_name(8)
    assert (slower["change"]["beforeMs"], slower["change"]["afterMs"]) == (20.0, 80.0)
    assert (second["p95Ms"], second["change"]) == (5.0, None)
    assert said.json["total"] == 16


def test_every_attempt_counts(history: Path) -> None:
    entries = semantest("slowest", "--directory", history, "--json", "--limit", "0").json["entries"]
    (retried,) = (entry for entry in entries if entry["id"] == "a.py::test_retried")
    assert (retried["times"], retried["totalMs"]) == (18, 90.0)


def test_files_suites_and_phases(history: Path) -> None:
    def entries(*options: str) -> dict[str, float]:
        said = semantest("slowest", "--directory", history, "--json", *options)
        return {entry["id"]: entry["totalMs"] for entry in said.json["entries"]}

    files = entries("--by", "file", "--sort", "total")
    assert list(files) == ["b.py", "a.py", "c.py"]
    assert files["c.py"] == 160.0
    assert list(entries("--by", "suite", "--sort", "p50")) == ["b.py", "a.py", "c.py::TestMany"]
    assert entries("--by", "file", "--phase", "call")["c.py"] == pytest.approx(96.0)
    assert entries("--phase", "setup", "--limit", "1") == {"b.py::test_slower": 160.0}
    assert semantest("slowest", "--directory", history, "--by", "class").code == 2


def test_the_table(history: Path) -> None:
    lines = semantest("slowest", "--directory", history, "--limit", "1").out.splitlines()
    assert lines[0].startswith("Slowest tests by p95, of 1.33 s in all phases, in the last 17 runs, ")
    assert lines[2].split() == ["p50", "p95", "max", "total", "share", "times", "test"]
    assert lines[3].split()[-1] == "b.py::test_slower"
    assert lines[4] == f"  slower: 20 ms before, 80 ms since {run_name(8)} (11-18 08:30, c0ffee4)"
    assert lines[5] == "... and 15 more: --limit 0 shows all"
