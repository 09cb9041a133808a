"""What opening does with files: creates, migrates, refuses untouched, sets aside."""

from __future__ import annotations

import os
import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from semantest_recorder.core.batch import Batch, Committed, Refused
from semantest_recorder.store.comparison import differences
from semantest_recorder.store.errors import CannotOpen, DatabaseTooNew, DatabaseTooOld, NoDatabase, NotOurs
from semantest_recorder.store.queries import sql_text
from semantest_recorder.store.read_only import connect_read_only
from semantest_recorder.store.reader import Reader
from semantest_recorder.store.replay import rebuild
from semantest_recorder.store.schema import APPLICATION_ID, SCHEMA_VERSION, migrations
from semantest_recorder.store.writer import Writer

from .damaging import damage, grow
from .ingesting import MAIN, RUN, begin, event, passed, recording, whole_run

NOON = 1_795_262_400_000.0


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "semantest.db"


def write_run(path: Path) -> None:
    with recording(path) as recorder:
        assert isinstance(recorder.send(MAIN, 1, whole_run(RUN, passed("a.py::t"))), Committed)


def pragma(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA {statement}")


def schema_of(connection: sqlite3.Connection) -> list[tuple[str, str, str]]:
    rows = connection.execute("SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL").fetchall()
    return sorted((kind, name, _bare(sql)) for kind, name, sql in rows)


def _bare(sql: str) -> str:
    """Without comments and the white space that ALTER TABLE sets in its own way."""
    return re.sub(r"\s*([(),])\s*", r"\1", " ".join(_uncommented(sql).split()))


def _uncommented(sql: str) -> str:
    return "\n".join(line.partition("--")[0] for line in sql.splitlines())


def test_all_migrations_give_the_schema() -> None:
    numbers = sorted(migrations())
    assert numbers == list(range(1, SCHEMA_VERSION + 1))
    with closing(sqlite3.connect(":memory:")) as stepwise, closing(sqlite3.connect(":memory:")) as whole:
        for number in numbers:
            stepwise.executescript(sql_text(f"migrations/{migrations()[number]}"))
        whole.executescript(sql_text("schema.sql"))
        assert schema_of(stepwise) == schema_of(whole)
        assert len(schema_of(whole)) > 10


@pytest.fixture(params=[1, 2, 3, 4, 5, 6])
def old(request: pytest.FixtureRequest, path: Path) -> int:
    """A database that the code of an older version made, at ``path``; its version."""
    script = (Path(__file__).parent / "databases" / f"version{request.param}.sql").read_text()
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(script)
        assert connection.execute("PRAGMA user_version").fetchone() == (request.param,)
    return int(request.param)


def test_an_old_database_is_migrated(old: int, path: Path) -> None:
    with pytest.raises(DatabaseTooOld):
        Reader(path).runs()
    with recording(path) as recorder:
        assert recorder.writer.notices == []
        again = recorder.send(MAIN, 12, [event("run/end", 9.0, runId=RUN, exitCode=1, stoppedEarly=False)])
        assert again == Committed(MAIN, 12, RUN, "main"), "what is sent again is known"
        unfinished = "20261121-100000-d4e5f6"
        end = event("run/end", 23.0, runId=unfinished, exitCode=0, stoppedEarly=False)
        assert isinstance(recorder.send(f"{unfinished}.main", 4, [end]), Committed)
    reader = Reader(path)
    runs = {row.id: row.state for row in reader.runs()}
    assert runs == {RUN: "failed", unfinished: "passed"} | ({"checkout": "passed"} if old > 1 else {})
    states = {row.test_id: row.state for row in reader.results(RUN)}
    assert states == {"a.py::test_ok": "passed", "a.py::test_flaky[x-1]": "flaky", "b.py::test_lost": "crashed"}
    with closing(sqlite3.connect(path)) as migrated, closing(sqlite3.connect(":memory:")) as new:
        new.executescript(sql_text("schema.sql"))
        assert schema_of(migrated) == schema_of(new)


def test_a_migrated_database_can_be_rebuilt(old: int, path: Path) -> None:
    Writer(path).close()
    again = path.with_name("again.db")
    rebuild(path, again)
    told = [line.partition(" (")[0] for line in differences(path, again)]
    # An event that cannot be read did not count as a gap before.
    assert told == (["runs", "sources"] if old < 4 else [])
    with closing(sqlite3.connect(again)) as connection:
        marks = connection.execute("SELECT kind, reason FROM marks").fetchall()
    assert marks == ([("suspicious", "script in a name")] if old > 1 else [])


def test_a_new_database_says_whose_it_is(path: Path) -> None:
    with recording(path):
        pass
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA application_id").fetchone() == (APPLICATION_ID,)
        assert connection.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION,)


def test_an_empty_file_becomes_a_database(path: Path) -> None:
    path.touch()
    write_run(path)
    assert Reader(path).run("last").state == "passed"


def test_a_newer_database_is_refused_untouched(path: Path) -> None:
    write_run(path)
    pragma(path, f"user_version = {SCHEMA_VERSION + 1}")
    before = path.read_bytes()
    for open_it in (lambda: Writer(path), lambda: Reader(path).runs()):
        with pytest.raises(DatabaseTooNew) as refusal:
            open_it()
        text = str(refusal.value)
        assert "\n" not in text
        assert str(path) in text
        assert f"version {SCHEMA_VERSION + 1}" in text
        assert "upgrade" in text
    assert path.read_bytes() == before


def test_a_database_of_another_program_is_refused_untouched(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE accounts (name TEXT)")
    before = path.read_bytes()
    with pytest.raises(NotOurs, match="another program"):
        Writer(path)
    assert path.read_bytes() == before


def test_an_older_database_is_not_read(path: Path) -> None:
    write_run(path)
    pragma(path, f"user_version = {SCHEMA_VERSION - 1}")
    with pytest.raises(DatabaseTooOld, match="start the recorder once"):
        Reader(path).runs()


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(CannotOpen, match="check that its folder exists"):
        Writer(tmp_path / "no" / "semantest.db")
    with pytest.raises(CannotOpen):
        Writer(tmp_path)
    with pytest.raises(NoDatabase, match="pytest --semantest"):
        Reader(tmp_path / "semantest.db").runs()


@pytest.mark.hazard(29)
@pytest.mark.parametrize("damage", ["text", "first page", "schema that no message can quote", "inner page", "torn"])
def test_a_corrupt_database_is_set_aside(path: Path, damage: str) -> None:
    write_run(path)
    content = bytearray(path.read_bytes())
    if damage == "text":
        content[:] = b"this is no database at all, but it is long enough to look like a file" * 10
    elif damage == "schema that no message can quote":
        odd = b"table\xab\xabsultsresults"
        content = content.replace(b"tableresultsresults", odd)
        content = content.replace(b"CREATE TABLE results (", b"CRXATE TABLE results (")
        assert odd in content
    elif damage == "first page":
        content[100:2000] = os.urandom(1900)
    elif damage == "inner page":
        content[4096 : 4096 * 4] = os.urandom(4096 * 3)
    else:
        del content[len(content) // 2 :]
    path.write_bytes(content)
    path.with_name("semantest.db-wal").write_bytes(b"")
    writer = Writer(path, clock=lambda: NOON)
    writer.close()
    aside = path.with_name("semantest.db.corrupt-20261121T120000Z")
    assert aside.read_bytes() == content
    [notice] = writer.notices
    assert aside.name in notice
    assert "\n" not in notice
    assert Reader(path).runs() == []
    write_run(path)


@pytest.mark.hazard(29)
@pytest.mark.parametrize("old", [1, 2, 3], indirect=True)  # whose migration reads every batch
def test_a_large_database_that_turns_out_corrupt_when_it_is_migrated_is_set_aside(old: int, path: Path) -> None:
    grow(path)
    damage(path, "batches")
    writer = Writer(path, clock=lambda: NOON)
    writer.close()
    assert path.with_name("semantest.db.corrupt-20261121T120000Z").exists()
    assert len(writer.notices) == 1
    assert Reader(path).runs() == []


@pytest.mark.hazard(29)
def test_two_corrupt_databases_in_one_second_are_both_kept(path: Path) -> None:
    for content in (b"first " * 100, b"second " * 100):
        path.write_bytes(content)
        Writer(path, clock=lambda: NOON).close()
    kept = sorted(found.read_bytes()[:6] for found in path.parent.glob("*.corrupt-*") if found.suffix != ".db-wal")
    assert kept == [b"first ", b"second"]


@pytest.mark.hazard(29)
def test_a_database_that_turns_out_corrupt_in_use_is_set_aside(path: Path) -> None:
    with recording(path) as recorder:
        recorder.send(MAIN, 1, [begin(), *[one for number in range(500) for one in passed(f"a.py::t{number}")]])
        connection = recorder.writer._connection
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.execute("PRAGMA shrink_memory")
        size = path.stat().st_size
        with path.open("r+b") as file:
            file.seek(4096)
            file.write(os.urandom(size - 4096))
        refused = recorder.send_all([Batch(MAIN, 1, [begin(), *passed("a.py::t0")], 1.0)])[0]
        assert isinstance(refused, Refused)
        assert refused.code == "STORE_ERROR"
        assert isinstance(recorder.send(MAIN, 1, [begin(), *passed("a.py::t0")]), Committed)
        assert len(recorder.writer.notices) == 1
    assert len(list(path.parent.glob("*.corrupt-*"))) >= 1
    assert [row.test_id for row in Reader(path).results(RUN)] == ["a.py::t0"]


@pytest.mark.hazard(29)
def test_a_corrupt_database_that_cannot_be_set_aside_yet_is_tried_again(path: Path) -> None:
    events = [begin(), *passed("a.py::t0")]
    with recording(path) as recorder:
        recorder.send(MAIN, 1, [begin(), *[one for number in range(500) for one in passed(f"a.py::t{number}")]])
        connection = recorder.writer._connection
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.execute("PRAGMA shrink_memory")
        size = path.stat().st_size
        with path.open("r+b") as file:
            file.seek(4096)
            file.write(os.urandom(size - 4096))
        path.rename(path.with_name("elsewhere.db"))
        path.mkdir()
        messages: list[str] = []
        for _ in range(2):
            refused = recorder.send(MAIN, 1, events)
            assert isinstance(refused, Refused)
            assert refused.code == "STORE_ERROR"
            messages.append(refused.message)
        assert str(path) in messages[-1], "it says what is in the way"
        path.rmdir()
        found_out = recorder.send(MAIN, 1, events)
        assert isinstance(found_out, Refused), "what is to be carried over cannot be read: the next one begins anew"
        assert isinstance(recorder.send(MAIN, 1, events), Committed)
    assert [row.test_id for row in Reader(path).results(RUN)] == ["a.py::t0"]


def test_what_is_no_file_is_no_database_and_nobody_waits_for_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for opening in (lambda: Writer(tmp_path / "pipe"), lambda: connect_read_only(tmp_path / "pipe")):
        with pytest.raises(CannotOpen, match="it is no regular file"):
            opening()
