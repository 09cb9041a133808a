"""A session's folder that came from elsewhere, with links in it: nothing is written through them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pytest_semantest.shipper.diagnostics import LOG, MAX_BYTES, Diagnostics
from tests.shipper.conftest import StartShipper
from tests.shipper.ingest_server import IngestServer
from tests.shipper.test_shipping import ended_session, finish


@pytest.mark.hazard(34)
@pytest.mark.parametrize("exists", [True, False], ids=["a file", "nothing"])
@pytest.mark.parametrize(
    ("name", "shipped"),
    [("shipper.log", True), ("ship.json", True), ("stop", True), ("shipper.journal", False)],
)
def test_a_link_in_a_session_changes_no_other_file(
    directory: Path,
    tmp_path: Path,
    server: IngestServer,
    start_shipper: StartShipper,
    name: str,
    shipped: bool,
    exists: bool,
) -> None:
    mine = tmp_path / "mine.txt"
    if exists:
        mine.write_text("mine\n")
    folder = ended_session(directory).folder
    (folder / name).symlink_to(mine)
    code, said = finish(start_shipper(sync=True, url=server.url))
    assert mine.exists() == exists
    assert not exists or mine.read_text() == "mine\n"
    if shipped:
        assert (code, folder.exists()) == (0, False), said
    else:
        assert (code, folder.exists()) == (5, True), said
        assert "shipper.journal: it is a symbolic link: remove it" in said


def test_a_log_that_is_a_link_stays_one(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine\n" * MAX_BYTES)
    (tmp_path / LOG).symlink_to("mine.txt")
    before = (tmp_path / "mine.txt").stat()
    Diagnostics(tmp_path)("something")
    assert (tmp_path / "mine.txt").stat() == before


def test_a_log_that_is_a_pipe_makes_nobody_wait(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / LOG)
    Diagnostics(tmp_path)("something")
    assert (tmp_path / LOG).is_fifo()
