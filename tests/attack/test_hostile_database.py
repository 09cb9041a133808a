"""A database that somebody else made."""

from __future__ import annotations

import os
import sqlite3
import struct
from contextlib import closing
from pathlib import Path

import pytest

from semantest_recorder.store.errors import CannotOpen
from semantest_recorder.store.exchange import exchange
from semantest_recorder.store.writer import Writer

pytestmark = pytest.mark.hazard(34)


def journal_that_names(victim: Path, database: bytes) -> bytes:
    """A rollback journal of one page of the database that claims to belong to a commit of several databases.

    SQLite keeps the list of these in a file whose name the journal ends with, and deletes it when it is done.
    """
    magic, nonce = bytes.fromhex("d9d505f920a163d7"), 1234
    size = int.from_bytes(database[16:18], "big")
    page = database[:size]
    check = nonce + sum(page[at] for at in range(size - 200, 0, -200))
    header = (magic + struct.pack(">5I", 1, nonce, len(database) // size, 512, size)).ljust(512, b"\0")
    record = struct.pack(">I", 1) + page + struct.pack(">I", check)
    name = os.fsencode(victim)
    lock_page = 0x40000000 // size + 1
    return header + record + struct.pack(">I", lock_page) + name + struct.pack(">II", len(name), sum(name)) + magic


def test_a_database_whose_journal_names_another_file_deletes_it_not(tmp_path: Path) -> None:
    path, victim = tmp_path / "semantest.db", tmp_path / "thesis.txt"
    Writer(path).close()
    hostile = journal_that_names(victim, path.read_bytes())

    def plant() -> None:
        victim.write_text("years of work\n")
        path.with_name("semantest.db-journal").write_bytes(hostile)

    plant()
    for attempt in (lambda: Writer(path), lambda: exchange(path, path, "test", 0.0)):
        with pytest.raises((CannotOpen, OSError), match=r"semantest\.db-journal beside it would have SQLite delete"):
            attempt()
        assert victim.read_text() == "years of work\n"
    # What it would have done, so that this test notices when SQLite does not do it any more.
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    assert not victim.exists()
