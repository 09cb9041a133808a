"""Commands that write into a folder refuse one in which others can put something; those that read do not."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.recorder.cli.command import semantest
from tests.recorder.cli.recording import green_run, small_run


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a run in the database and one in journals, which every user may write."""
    found = tmp_path / ".semantest"
    green_run("20261120-080000-dddddd").store(found)
    small_run().journal(found)
    found.chmod(0o777)
    return found


def content(folder: Path) -> dict[str, bytes]:
    """What the files hold, but for those that SQLite makes for readers."""
    found = [path for path in folder.rglob("*") if path.is_file() and not path.name.endswith(("-wal", "-shm"))]
    return {str(path): path.read_bytes() for path in found}


@pytest.mark.parametrize(
    "arguments",
    [("restore", "BACKUP"), ("rebuild",), ("rebuild", "--check"), ("cleanup", "--keep", "0", "--yes"), ("sync",)],
    ids=" ".join,
)
def test_a_folder_that_every_user_may_write_is_not_written(
    folder: Path, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    green_run().store(tmp_path / "other")
    backup = str(tmp_path / "other" / "semantest.db")
    before = content(folder)
    said = semantest(*(backup if one == "BACKUP" else one for one in arguments), "--directory", folder)
    assert said.code == 1
    assert said.err == (
        f"semantest: {folder}: every user may write it: run `chmod go-w {folder}`, or use a folder inside of it\n"
    )
    assert content(folder) == before


def test_a_token_is_not_revoked_there_either(folder: Path) -> None:
    folder.chmod(0o700)
    assert semantest("token", "create", "--role", "read", "--name", "ci", "--directory", folder).code == 0
    folder.chmod(0o777)
    said = semantest("token", "revoke", "ci", "--directory", folder)
    assert (said.code, "every user may write it" in said.err) == (1, True)
    assert "ci: read" in semantest("token", "list", "--directory", folder).out


def test_what_is_in_it_can_be_read(folder: Path) -> None:
    report = semantest("report", "--directory", folder)
    assert "Run 20261121-" in report.out
    assert "every user may write it: run `chmod go-w" in report.err
    dry = semantest("sync", "--dry-run", "--directory", folder)
    assert (dry.code, "1 session to ship" in dry.out) == (0, True)
