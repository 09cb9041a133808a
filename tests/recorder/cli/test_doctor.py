"""``semantest doctor``: what is wrong is found, and there is something to do about it."""

from __future__ import annotations

import json
import os
import shutil
import socket
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from pytest_semantest.protocol.layout import RECORDER_LOCK, session_folders
from pytest_semantest.shipper.diagnostics import Diagnostics
from semantest_recorder.cli.health import storage
from semantest_recorder.cli.health.check import Check
from semantest_recorder.cli.health.recorder_health import recorder_checks
from semantest_recorder.cli.health.startup_cost import startup_checks
from semantest_recorder.cli.health.storage import size_of, storage_checks
from semantest_recorder.cli.health.versions import version_checks
from tests.recorder.cli.command import semantest
from tests.recorder.cli.recording import DEAD_PID, RUN, small_run


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / ".semantest"
    folder.mkdir()
    return folder


def by_name(checks: list[Check]) -> dict[str, Check]:
    return {check.name: check for check in checks}


def discovery(folder: Path, mode: int = 0o600, **more: Any) -> Path:
    found = {"pid": os.getpid(), "url": "http://127.0.0.1:9", "token": "smt_x", "version": "0", "protocolVersion": 1}
    path = folder / "recorder.json"
    path.write_text(json.dumps(found | more))
    path.chmod(mode)
    return path


def test_an_empty_folder_is_well(folder: Path) -> None:
    checks = by_name([*storage_checks(folder), *recorder_checks(folder)])
    assert {name: check.status for name, check in checks.items() if name != "room"} == dict.fromkeys(
        ["folder", "database", "journals", "recorder"], "ok"
    )


def test_attachments_that_nobody_took_are_told(folder: Path) -> None:
    place = folder / "untaken" / RUN
    place.mkdir(parents=True)
    (place / ("a" * 64)).write_bytes(b"x" * 2000)
    told = by_name(storage_checks(folder))["attachments"]
    assert told.status == "ok"
    assert told.detail.startswith(f"1 attachment with 2.0 KiB in {folder / 'untaken'}: ")
    assert "not sent later" in told.detail
    assert told.data == {"path": str(folder / "untaken"), "files": 1}


def test_sessions_that_wait_are_told_with_their_size_and_log(folder: Path) -> None:
    session = small_run().journal(folder)
    (session / "ship.json").write_text(json.dumps({"state": "unreachable", "detail": "no recorder \x1b[31m"}))
    (session / "shipper.log").write_text("one\ntwo\nthree\n\x1b[31mfour\n")
    checks = by_name(storage_checks(folder))
    journals = checks["journals"]
    command = journals.advice.split("`")[1]
    assert (journals.status, command) == ("warn", f"semantest sync --directory {folder}")
    assert f"{RUN} (unreachable: no recorder )" in journals.detail
    (entry,) = journals.data["sessions"]
    assert entry == {
        "session": RUN,
        "bytes": (session / "main.journal").stat().st_size,
        "state": "unreachable",
        "detail": "no recorder ",
        "shipperLives": False,
        "unreadable": "",
    }
    assert checks["shipper log"].detail == f"{RUN}: two | three | four"
    assert checks["shipper log"].status == "warn"
    assert str(session / "shipper.log") in checks["shipper log"].advice


LAST_LINES = {
    "unreachable no recorder answers": "warn",
    "refused the recorder refuses: no valid token": "warn",
    "stopped SEQ_CONFLICT: other bodies": "warn",
    "connected to http://127.0.0.1:1": "ok",
    "terminated": "ok",
}


@pytest.mark.parametrize("last", LAST_LINES)
def test_a_shipper_that_gave_up_is_no_good_news(folder: Path, last: str) -> None:
    session = small_run().journal(folder)
    log = Diagnostics(session)
    log("unreachable, once before")
    log(last)
    assert by_name(storage_checks(folder))["shipper log"].status == LAST_LINES[last]


def test_the_advice_is_short_where_the_folder_is_found_without_a_name(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_run().journal(folder)
    monkeypatch.delenv("SEMANTEST_DIR", raising=False)
    monkeypatch.chdir(folder.parent)
    assert by_name(storage_checks(folder))["journals"].advice.split("`")[1::2] == [
        "semantest sync",
        "semantest recover --all",
    ]


def test_a_session_whose_shipper_died_does_not_count_as_shipped(folder: Path) -> None:
    session = small_run().journal(folder)
    state = session / "ship.json"
    state.write_text(json.dumps({"state": "shipping", "pid": os.getpid()}))
    with FileLock(session / "ship.lock"):
        assert by_name(storage_checks(folder))["journals"].status == "ok"
    journals = by_name(storage_checks(folder))["journals"]
    assert journals.status == "warn"
    assert "shipping, but its shipper is gone" in journals.detail


def test_a_session_that_is_shipped_meanwhile_is_no_fault(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone, left = small_run().journal(folder), small_run("20261121-100000-bbbbbb").journal(folder)

    def shipped_meanwhile(path: Path) -> list[Path]:
        found = session_folders(path)
        shutil.rmtree(gone, ignore_errors=True)
        return found

    monkeypatch.setattr(storage, "session_folders", shipped_meanwhile)
    (entry,) = by_name(storage_checks(folder))["journals"].data["sessions"]
    assert (entry["session"], entry["unreadable"]) == (left.name, "")


def test_files_that_go_while_they_are_measured_count_for_nothing(folder: Path) -> None:
    session = small_run().journal(folder)
    (session / "gw0.journal").symlink_to("gone")
    assert size_of(session.iterdir()) == (session / "main.journal").stat().st_size


def test_the_database_is_counted(folder: Path) -> None:
    small_run().store(folder)
    check = by_name(storage_checks(folder))["database"]
    assert check.status == "ok"
    assert (check.data["runs"], check.data["events"]) == (1, len(small_run().bodies["main"]))


def test_a_database_that_cannot_be_used_fails(folder: Path) -> None:
    small_run().store(folder)
    connection = sqlite3.connect(folder / "semantest.db")
    connection.execute("PRAGMA user_version = 999")
    connection.close()
    check = by_name(storage_checks(folder))["database"]
    assert check.status == "fail"
    assert "999" in check.detail
    said = semantest("doctor", "--directory", folder)
    assert said.code == 1
    assert "fail database" in said.out


@pytest.mark.parametrize(("mode", "status"), [(0o600, "ok"), (0o644, "fail"), (0o660, "fail")])
def test_a_token_that_others_can_read_fails(folder: Path, mode: int, status: str) -> None:
    discovery(folder, mode)
    with FileLock(folder / RECORDER_LOCK):
        assert by_name(recorder_checks(folder))["token file"].status == status


def test_a_recorder_that_does_not_answer_fails(folder: Path) -> None:
    discovery(folder)
    with FileLock(folder / RECORDER_LOCK):
        check = by_name(recorder_checks(folder))["recorder"]
    assert check.status == "fail"
    assert "does not answer" in check.detail


def test_a_discovery_file_of_a_dead_recorder_is_a_warning(folder: Path) -> None:
    discovery(folder, pid=DEAD_PID)
    with FileLock(folder / RECORDER_LOCK):  # that of another one, which has not written its file yet
        assert by_name(recorder_checks(folder))["recorder"].status == "warn"


@pytest.mark.parametrize("mode", [0o600, 0o644, 0o666])
def test_who_has_pid_and_port_of_a_dead_recorder_is_not_asked(folder: Path, mode: int) -> None:
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        stranger.setblocking(False)
        path = discovery(folder, mode, url=f"http://127.0.0.1:{stranger.getsockname()[1]}")
        (check,) = recorder_checks(folder)
        with pytest.raises(BlockingIOError):
            stranger.accept()
    assert (check.name, check.status, check.detail) == ("recorder", "warn", f"the recorder of {path} is gone")
    assert check.advice == "Nothing to do: the next run starts one."


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"pid": "x"}', "\x00"])
def test_a_discovery_file_of_nonsense_fails_in_words(folder: Path, content: str) -> None:
    (folder / "recorder.json").write_text(content)
    checks = by_name(recorder_checks(folder))
    assert checks["recorder"].status == "fail"
    assert "Remove" in checks["recorder"].advice


def test_versions_and_start_up_cost_are_measured() -> None:
    checks = by_name([*version_checks(), *startup_checks()])
    assert {"pytest", "pytest-xdist", "pytest-rerunfailures", "aiohttp"} <= set(checks["packages"].data)
    assert sqlite3.sqlite_version in checks["sqlite"].detail
    assert checks["start-up"].data["ms"] > 0
    assert checks["plugin xdist"].status == "ok"
    assert checks["plugin xdist"].data["ms"] > 0.05, "its modules together: one of them is not enough to import"
    assert "plugin xdist.looponfail" not in checks


@pytest.mark.hazard(26)
@pytest.mark.parametrize(("version", "told"), [((3, 51, 2), True), ((3, 40, 1), True), ((3, 51, 3), False)])
def test_the_wal_reset_bug_of_older_sqlite_is_told(
    monkeypatch: pytest.MonkeyPatch, version: tuple[int, int, int], told: bool
) -> None:
    number = ".".join(map(str, version))
    monkeypatch.setattr(sqlite3, "sqlite_version", number)
    monkeypatch.setattr(sqlite3, "sqlite_version_info", version)
    check = by_name(version_checks())["sqlite"]
    assert (check.status, check.data["version"]) == ("ok", number)
    assert f"SQLite {number}" in check.detail
    assert ("WAL-reset bug" in check.detail) == told


def test_the_checks_stand_below_each_other(folder: Path) -> None:
    said = semantest("doctor", "--directory", folder)
    checks = [line for line in said.out.splitlines() if line.startswith(("ok ", "warn ", "fail "))]
    begins = {len(line) - len(line.partition(":")[2].lstrip()) for line in checks}
    assert len(begins) == 1, checks


def test_no_folder_is_a_warning_that_says_what_to_do(tmp_path: Path) -> None:
    said = semantest("doctor", "--directory", tmp_path / "nowhere", "--json")
    assert said.code == 0
    (check,) = [check for check in said.json["checks"] if check["name"] == "folder"]
    assert (check["status"], "pytest --semantest" in check["advice"]) == ("warn", True)
