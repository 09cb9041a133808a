"""A project that somebody else set up: to look at it, or at what was recorded there, runs none of its code."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from pytest_semantest.protocol.layout import session_folders
from pytest_semantest.shipper.context import git_context
from tests.recorder.cli.project import Project
from tests.recorder.cli.recording import RUN, green_run, small_run

pytestmark = pytest.mark.hazard(34)


#: Before git looked at a file last.
LONG_AGO = (1.0, 1.0)


class Repository:
    """A repository of one commit, some of whose programs would leave ``harm``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.harm = folder.parent / "harm"
        folder.mkdir()
        self.git("init", "-q")

    def git(self, *arguments: str) -> str:
        identity = ["-c", "user.name=Ann", "-c", "user.email=ann@example.org", "-C", str(self.folder)]
        done = subprocess.run(["git", *identity, *arguments], check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def commit(self, attributes: bytes = b"") -> None:
        (self.folder / "a.txt").write_text("one\n")
        (self.folder / ".gitattributes").write_bytes(attributes)
        self.git("add", "-A")
        self.git("commit", "-q", "-m", "First one")
        os.utime(self.folder / "a.txt", LONG_AGO)  # git has to look at what is in it

    def filter_harmfully(self, name: str = "f") -> None:
        self.commit(b"*.txt filter=%b\n" % os.fsencode(name))
        for kind in ("clean", "process"):
            self.git("config", f"filter.{name}.{kind}", f"touch {self.harm}; cat")
        self.git("config", f"filter.{name}.required", "true")

    def was_spared(self, *command: str) -> None:
        """Nothing has done harm; this command of git does it, so that a test notices when it does not any more."""
        assert not self.harm.exists()
        subprocess.run(["git", "-C", str(self.folder), *command], check=False, capture_output=True)
        assert self.harm.exists(), command
        self.harm.unlink()


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "repository")


def test_git_runs_no_program_that_the_repository_names(repository: Repository) -> None:
    repository.filter_harmfully()
    (repository.folder / ".git" / "info").mkdir(exist_ok=True)
    (repository.folder / ".git" / "info" / "attributes").write_text("*.txt diff=d\n")
    for key in ("core.fsmonitor", "diff.d.textconv", "gpg.program"):
        repository.git("config", key, f"touch {repository.harm}; cat")
    repository.git("config", "log.showSignature", "true")
    repository.harm.unlink(missing_ok=True)
    given = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "safe.directory", "GIT_CONFIG_VALUE_0": "*"}
    found = git_context(str(repository.folder), {**os.environ, **given})
    assert found is not None
    assert (found["subject"], found["dirty"]) == ("First one", False)
    for called in ("filter.f.process", "filter.f.clean", "core.fsmonitor"):
        monitor = () if called == "core.fsmonitor" else ("-c", "core.fsmonitor=false")
        repository.was_spared(*monitor, "status")
        repository.git("config", "--unset", called)


@pytest.mark.parametrize(
    ("name", "dirty"), [("a=b", None), (os.fsdecode(b"\xff"), False)], ids=["with a sign of options", "no text"]
)
def test_git_runs_no_filter_whatever_its_name_is(repository: Repository, name: str, dirty: bool | None) -> None:
    repository.filter_harmfully(name)
    found = git_context(str(repository.folder), os.environ)
    assert found is not None
    assert (found["subject"], found["dirty"]) == ("First one", dirty)
    repository.was_spared("status")


@pytest.mark.parametrize(
    ("older", "dirty"),
    [("unset GIT_CONFIG_COUNT", False), ('case "$*" in *--show-scope*) exit 129; esac', None)],
    ids=["2.30", "2.25"],
)
def test_an_older_git_runs_no_filter_either(
    repository: Repository, tmp_path: Path, older: str, dirty: bool | None
) -> None:
    repository.filter_harmfully()
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "git").write_text(f'#!/bin/sh\n{older}\nexec "{shutil.which("git")}" "$@"\n')
    (tmp_path / "bin" / "git").chmod(0o755)
    path = f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}"
    found = git_context(str(repository.folder), {**os.environ, "PATH": path})
    assert found is not None
    assert (found["subject"], found["dirty"]) == ("First one", dirty)
    repository.was_spared("status")


def test_what_only_a_filter_could_tell_is_not_known(repository: Repository) -> None:
    """Without nbstripout, git-crypt or the like a clean tree looks changed."""
    repository.git("config", "filter.upper.clean", "tr a-z A-Z")
    repository.commit(b"*.txt filter=upper\n")
    assert repository.git("show", "HEAD:a.txt") == "ONE"
    found = git_context(str(repository.folder), os.environ)
    assert found is not None
    assert found["dirty"] is None


def test_git_fetches_nothing_by_a_program_that_the_repository_names(repository: Repository) -> None:
    repository.commit()
    head = repository.git("rev-parse", "HEAD")
    (repository.folder / ".git" / "objects" / head[:2] / head[2:]).unlink()
    for key, value in (
        ("core.repositoryFormatVersion", "1"),
        ("extensions.partialClone", "origin"),
        ("remote.origin.promisor", "true"),
        ("remote.origin.url", str(repository.folder)),
        ("remote.origin.uploadpack", f"touch {repository.harm}; false"),
    ):
        repository.git("config", key, value)
    assert git_context(str(repository.folder), os.environ) is None
    repository.was_spared("log")


_MODULES = '[plugins]\nmodules = ["harmful"]\n'
_REPORTS = '[plugins]\nenabled = ["json-report"]\n'
_FOLDER = _REPORTS + '[plugins.json-report]\nfolder = "{}"\n'


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    """One whose path has to be quoted, with a session that was not shipped."""
    (tmp_path / "a project").mkdir()
    project = Project(tmp_path / "a project")
    small_run().journal(project.folder)
    yield project
    project.close()


@pytest.mark.parametrize(
    ("place", "text", "told"),
    [
        (".semantest", _MODULES, "load modules"),
        (".", _FOLDER.format("../harm"), "write to another folder"),
    ],
    ids=["modules in the folder itself", "a folder of reports beside it"],
)
def test_a_report_of_what_others_recorded_runs_and_writes_nothing_elsewhere(
    project: Project, place: str, text: str, told: str
) -> None:
    """Artifacts of CI are made by whoever opened the pull request."""
    (project.root / place / "semantest.toml").write_text(text)
    harm = project.root / "harm"
    (project.root / place / "harmful.py").write_text(f"import pathlib\npathlib.Path({str(harm)!r}).mkdir()\n")
    said = project.semantest("report")
    assert (said.returncode, f"Run {RUN}: failed" in said.stdout) == (1, True), said.stderr
    assert "was read from its journals" in said.stderr
    assert f"by semantest.toml it would {told}" in said.stderr
    synced = project.semantest("sync")
    advised = shlex.split(synced.stderr.partition("when you trust that, run: ")[2].partition("\n")[0])
    assert synced.returncode == 3
    assert advised == ["semantest-recorder", "start", "--directory", str(project.folder)], synced.stderr
    assert not harm.exists()
    assert not (project.folder / "recorder.json").exists()
    assert project.recorder(*advised[1:]).returncode == 0  # what is asked for by name
    assert "Run " in project.semantest("report").stdout
    assert session_folders(project.folder) == []
    project.stop_recorder()
    assert harm.exists()


def test_reports_inside_the_folder_keep_no_recorder_from_being_started(project: Project) -> None:
    (project.root / "semantest.toml").write_text(_FOLDER.format("reports/nightly"))
    assert project.semantest("sync").returncode == 0
    project.stop_recorder()
    assert (project.folder / "reports" / "nightly" / f"{RUN}.json").exists()


@pytest.mark.parametrize(
    ("link", "configuration", "told"),
    [
        ("reports", _REPORTS, "reports: it is a symbolic link: remove it"),
        ("semantest.db", "", "semantest.db: it is a symbolic link: remove it"),
        ("mine", _FOLDER.format("mine/nightly"), "by semantest.toml it would write to another folder"),
    ],
    ids=["reports", "database", "named folder"],
)
def test_what_a_link_of_reports_or_a_database_leads_to_is_not_written(
    project: Project, tmp_path: Path, link: str, configuration: str, told: str
) -> None:
    mine = tmp_path / "mine"
    green_run("20200101-000000-aaaaaa").store(mine)
    before = (mine / "semantest.db").read_bytes()
    (project.root / "semantest.toml").write_text(configuration)
    (project.folder / link).symlink_to(mine / link if link == "semantest.db" else mine)
    said = project.semantest("report")
    assert told in said.stderr
    assert f"Run {RUN}: failed" in said.stdout
    assert [path.name for path in mine.iterdir() if not path.name.startswith("semantest.db")] == []
    assert (mine / "semantest.db").read_bytes() == before
    assert not (project.folder / "recorder.json").exists()
