"""Every file has a name that says what it is for, and tells nothing about the machines it was written on."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
#: Names that say nothing: a file called so collects what belongs elsewhere.
EMPTY_NAMES = {"utils", "util", "helpers", "helper", "common", "misc", "manager", "processor", "stuff", "base"}
#: Paths of one machine, addresses of private networks, keys.
PRIVATE = {
    "home directory": re.compile(r"/(?:home|Users)/(?!(?:user|me|you|dev|runner|alice|bob)\b)[a-z][\w.-]*/"),
    "root's home": re.compile(r"(?<![\w.])/root/[\w.-]+/"),
    "temporary folder of a session": re.compile(r"/tmp/(?:claude|bash_jobs|brief)"),
    "private key": re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----\n[A-Za-z0-9+/]{40}"),
}
#: Files that need such text: rules about it, with the test that holds them.
ABOUT_IT = {"tests/meta/test_tracked_files.py"}


@pytest.fixture(scope="module")
def tracked() -> list[Path]:
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("no git checkout: tracked files cannot be listed")
    done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True)
    files = [ROOT / name for name in done.stdout.decode().split("\0") if name]
    return [file for file in files if file.is_file()]


def test_no_file_has_an_empty_name(tracked: list[Path]) -> None:
    parts = {part for file in tracked for part in file.relative_to(ROOT).parts}
    named = {part for part in parts if EMPTY_NAMES & set(re.split(r"[._-]", part.lower()))}
    assert not named


def test_no_file_tells_about_a_machine(tracked: list[Path]) -> None:
    found = []
    for file in tracked:
        name = str(file.relative_to(ROOT))
        if name in ABOUT_IT:
            continue
        text = file.read_bytes().decode(errors="replace")
        for what, pattern in PRIVATE.items():
            found += [f"{name}: {what}: {match.group()}" for match in pattern.finditer(text)]
    assert not found


def test_scripts_can_be_executed(tracked: list[Path]) -> None:
    scripts = [file for file in tracked if file.read_bytes()[:2] == b"#!"]
    assert scripts
    assert not [str(file) for file in scripts if not file.stat().st_mode & 0o111]


def test_nothing_that_is_made_is_tracked(tracked: list[Path]) -> None:
    made = {".semantest", "__pycache__", ".venv", "dist", ".coverage", ".compat", ".matrix"}
    assert not [str(file) for file in tracked if made & set(file.relative_to(ROOT).parts)]
