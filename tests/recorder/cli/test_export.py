"""``semantest export``: which runs, to where, and what is said when that cannot be."""

from __future__ import annotations

import json
import os
import re
import stat
from pathlib import Path

import click
import pytest

from semantest_recorder.cli.export import command
from semantest_recorder.cli.format_name import FormatName
from tests.recorder.cli.command import semantest
from tests.recorder.cli.recording import RUN, Recording, green_run, small_run

GREEN = "20261121-100000-0a0a0a"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two runs, the later one green."""
    small_run().store(tmp_path / ".semantest")
    green_run(GREEN, start_ms=1_795_255_200_000.0).store(tmp_path / ".semantest")
    return tmp_path / ".semantest"


def test_json_is_the_document_of_a_report(folder: Path) -> None:
    for run in (RUN, GREEN):
        exported = semantest("export", "--directory", folder, "--format", "json", "--run", run)
        assert (exported.code, exported.err) == (0, "")
        assert exported.out == semantest("report", "--directory", folder, run, "--json").out


def test_the_last_run_is_exported_unless_another_is_named(folder: Path) -> None:
    assert semantest("export", "--directory", folder, "--format", "json").json["run"]["id"] == GREEN


def test_several_runs_stand_in_one_file_one_that_is_named_twice_once(folder: Path, tmp_path: Path) -> None:
    names = (RUN, "last", "--run", GREEN[:9] + "10")
    said = semantest("export", "--directory", folder, "--format", "json", *names, "-o", tmp_path / "a.json")
    assert (said.code, said.out, said.err) == (0, "", "")
    reports = json.loads((tmp_path / "a.json").read_text())["reports"]
    assert [report["run"]["id"] for report in reports] == [RUN, GREEN]


def test_a_name_with_run_in_it_is_a_file_for_each(folder: Path, tmp_path: Path) -> None:
    names = ("--run", RUN, "--run", GREEN)
    assert (
        semantest("export", "--directory", folder, "--format", "json", *names, "-o", tmp_path / "{run}.json").code == 0
    )
    for run in (RUN, GREEN):
        assert json.loads((tmp_path / f"{run}.json").read_text())["run"]["id"] == run


def test_no_id_of_a_run_leads_out_of_the_folder(tmp_path: Path) -> None:
    small_run("../../escaped").store(tmp_path / ".semantest")
    (tmp_path / "a" / "b").mkdir(parents=True)
    said = semantest(
        "export", "--directory", tmp_path / ".semantest", "--format", "json", "-o", tmp_path / "a" / "b" / "{run}.json"
    )
    assert said.code == 0
    (path,) = (tmp_path / "a" / "b").iterdir()
    assert re.fullmatch(r"escaped-[0-9a-f]{12}\.json", path.name)


def test_formats_are_offered_to_the_shell() -> None:
    found = FormatName().shell_complete(click.Context(command), command.params[0], "ju")
    assert [item.value for item in found] == ["junit", "junit-xunit1"]


def test_a_run_that_is_not_there_keeps_the_file_of_before(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("before")
    names = ("--run", RUN, "--run", "20261121-0930xx")
    said = semantest("export", "--directory", folder, "--format", "json", *names, "-o", tmp_path / "a.json")
    assert said.code == 3
    assert RUN in said.err
    assert (tmp_path / "a.json").read_text() == "before"


def test_a_run_that_only_journals_have_is_exported(tmp_path: Path) -> None:
    small_run().journal(tmp_path / ".semantest")
    said = semantest("export", "--directory", tmp_path / ".semantest", "--format", "json", "--sync-timeout", "0")
    assert said.json["counts"]["failed"] == 1
    assert "was read from its journals" in said.err


def test_a_run_that_still_runs_is_exported_and_said_to(tmp_path: Path) -> None:
    recording = Recording()
    recording.start()
    recording.plan("a.py::test_one", "a.py::test_two")
    recording.begin("a.py::test_one")
    recording.store(tmp_path / ".semantest")
    said = semantest("export", "--directory", tmp_path / ".semantest", "--format", "json")
    assert said.json["counts"]["running"] == 1
    assert f"run {RUN} is not over" in said.err


def test_a_format_that_is_none_is_told_the_nearest(folder: Path) -> None:
    said = semantest("export", "--directory", folder, "--format", "jsno")
    assert said.code == 2
    assert "there is no format 'jsno': did you mean 'json'?" in said.err


@pytest.mark.parametrize(
    ("output", "told"),
    [
        (".", "is a folder: name a file in it"),
        ("new/", "is a folder: name a file in it"),
        ("nowhere/a.json", "there is no folder nowhere"),
        ("", "name one, or - for stdout"),
    ],
)
def test_a_place_where_no_file_can_be_is_refused(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, output: str, told: str
) -> None:
    monkeypatch.chdir(tmp_path)
    said = semantest("export", "--directory", folder, "--format", "json", "-o", output)
    assert said.code == 2
    assert told in said.err


def test_a_device_that_takes_nothing_stays_what_it_is_and_is_told(folder: Path) -> None:
    said = semantest("export", "--directory", folder, "--format", "json", "-o", "/dev/full")
    assert said.code == 1
    assert "cannot write /dev/full: No space left on device" in said.err
    assert Path("/dev/full").is_char_device()


def test_the_file_that_a_link_names_is_replaced_and_others_may_read_it(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("a.json")
    assert semantest("export", "--directory", folder, "--format", "json", "-o", tmp_path / "link").code == 0
    assert (tmp_path / "link").is_symlink()
    assert stat.S_IMODE((tmp_path / "a.json").stat().st_mode) == 0o666 & ~_umask()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
