"""``semantest config``: what is set up, where it comes from, and what is wrong with it."""

from __future__ import annotations

import json
import time
import tomllib
from pathlib import Path
from typing import Any

import pytest

from pytest_semantest.protocol.keys import all_keys
from tests.recorder.cli.command import Said, semantest_in
from tests.recorder.cli.project import Project
from tests.recorder.cli.recording import small_run
from tests.user_environment import user_environment


def config(folder: Path, *arguments: str, **environment: str) -> Said:
    return run_semantest(folder, "config", *arguments, **environment)


def run_semantest(folder: Path, *arguments: str, **environment: str) -> Said:
    return semantest_in(folder, user_environment() | environment, *arguments)


def shown(folder: Path, *arguments: str, **environment: str) -> dict[str, dict[str, Any]]:
    done = config(folder, "show", "--json", *arguments, **environment)
    assert (done.code, done.err) == (0, "")
    return {one.pop("key"): one for one in done.json["settings"]}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "semantest.toml").write_text("retries = 1\n[plugins.slow]\nlimit-ms = 5\n")
    (tmp_path / "pyproject.toml").write_text("[tool.semantest]\nretries = 2\nstrict = true\n")
    (tmp_path / "pytest.ini").write_text("[pytest]\nsemantest_retries = 3\nsemantest_labels =\n  a=b\n  c=d\n")
    below = tmp_path / "src"
    below.mkdir()
    return below


def test_each_value_comes_with_its_place_and_what_it_hides(project: Path) -> None:
    found = shown(project, SEMANTEST_RETRIES="0")
    assert {key.path for key in all_keys()} | {"plugins.slow.limit-ms"} == set(found)
    assert found["retries"] == {
        "value": 0,
        "kind": "environment",
        "place": "SEMANTEST_RETRIES",
        "hidden": [
            {"value": 1, "kind": "file", "place": "semantest.toml"},
            {"value": 2, "kind": "file", "place": "pyproject.toml [tool.semantest]"},
            {"value": 3, "kind": "ini", "place": "pytest.ini"},
        ],
    }
    assert (found["strict"]["value"], found["strict"]["place"]) == (True, "pyproject.toml [tool.semantest]")
    assert (found["labels"]["value"], found["labels"]["kind"]) == ({"a": "b", "c": "d"}, "ini")
    assert (found["flush-timeout"]["value"], found["flush-timeout"]["kind"]) == (2, "default")
    assert shown(project, "flush-timeout", CI="1")["flush-timeout"]["value"] == 15


def test_text_is_toml_that_says_the_same(project: Path) -> None:
    text = config(project, "show").out
    found = tomllib.loads(text)
    assert (found["retries"], found["labels"], found["plugins"]["slow"]) == (1, {"a": "b", "c": "d"}, {"limit-ms": 5})
    assert found["recorder"]["port"] == 0
    assert "retries = 1  # semantest.toml; hides pyproject.toml [tool.semantest]: 2; hides pytest.ini: 3" in text


def test_one_key_or_one_section(project: Path) -> None:
    assert config(project, "show", "recorder.idle_timeout").out == "recorder.idle-timeout = 0  # default\n"
    assert set(shown(project, "cleanup")) == {"cleanup.older-than", "cleanup.keep", "cleanup.max-size"}
    assert config(project, "show", "plugins.slow").out == "plugins.slow.limit-ms = 5  # semantest.toml\n"
    done = config(project, "show", "recorder.prot")
    assert (done.code, done.out) == (2, "")
    assert done.err == "semantest: recorder.prot is no setting; did you mean recorder.port?\n"


def test_shells_complete_names(project: Path) -> None:
    asked = {
        "_SEMANTEST_COMPLETE": "bash_complete",
        "COMP_WORDS": "semantest config show recorder.al",
        "COMP_CWORD": "3",
    }
    offered = Project(project).semantest(**asked).stdout.split()
    assert offered == ["plain,recorder.allow-anonymous", "plain,recorder.allow-origin", "plain,recorder.allow-host"]


@pytest.mark.hazard(35)
def test_secrets_are_masked_wherever_they_stand(project: Path) -> None:
    (project.parent / "semantest.toml").write_text(
        "token = 'correct-horse-1'\nurl = 'http://me:correct-horse-2@h:1'\n"
        "labels = { db_password = 'correct-horse-3' }\n"
        "[plugins.chat]\napi-key = 'correct-horse-4'\nmore = [{ secret = 'correct-horse-5' }]\n"
    )
    (project.parent / "pyproject.toml").unlink()
    for arguments in ([], ["--json"]):
        done = config(project, "show", *arguments, SEMANTEST_TOKEN="correct-horse-6", A_SECRET="battery-staple")
        assert done.code == 0
        assert "horse" not in done.out
        assert done.out.count("[REDACTED]") == 6, "the hidden token, too"


@pytest.mark.parametrize(
    ("text", "variables", "said"),
    [
        ("retires = 1", {}, "semantest.toml: retires is no setting; did you mean retries?"),
        (
            "a b",
            {},
            "semantest.toml: it is no TOML: Expected '=' after a key in a key/value pair (at line 1, column 3)",
        ),
        ("", {"SEMANTEST_RETRIES": "x"}, "SEMANTEST_RETRIES is 'x', and must be a whole number"),
    ],
)
def test_what_is_wrong_is_told_by_every_command(project: Path, text: str, variables: dict[str, str], said: str) -> None:
    (project.parent / "semantest.toml").write_text(text)
    for arguments in (["show"], ["check"]):
        done = config(project, *arguments, **variables)
        assert (done.code, done.out) == (2, "")
        assert said in done.err
        assert len(done.err.splitlines()) == 1


def test_check_tells_all_that_is_wrong_and_what_nothing_reads(project: Path) -> None:
    (project.parent / "semantest.toml").write_text("retires = 1\n[policy]\nblocked-event-types = ['a*b']\nx = 1\n")
    done = config(project, "check", "--json", SEMANTEST_RETIRES="1")
    told = done.json
    assert (done.code, told["ok"]) == (2, False)
    assert [problem.partition(" ")[0] for problem in told["problems"]] == [
        "semantest.toml:",
        "semantest.toml:",
        "[policy]",
    ]
    assert told["notes"] == ["SEMANTEST_RETIRES is no variable of ours; did you mean SEMANTEST_RETRIES?"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[plugins]\nenabled = ['screenshot']", "[plugins] no plugin 'screenshot' is installed; did you mean"),
        ("[plugins]\ndisabled = ['event-filtr']", "did you mean 'event-filter'?"),
        (
            "[plugins.performanc]\nslow = 5",
            "[plugins] no plugin 'performanc' is installed; did you mean 'performance'?",
        ),
        (
            "[plugins]\nenabled = ['json-report']\n[plugins.json-report]\nfoldr = 'x'",
            "[plugins.json-report] no option 'foldr'; did you mean folder?",
        ),
        ("[plugins.json-report]\nfoldr = 'x'", "[plugins.json-report] no option 'foldr'; did you mean folder?"),
        ("[plugins.performance]\nslow = 5\nvery-slow = 1", "[plugins.performance] very_slow is less than slow"),
        ("[plugins.retry]\nonly = ['(']", "[plugins.retry] '(' is no regular expression"),
        ("[plugins.retry]\nnever = ['x{99999999999}']", "[plugins.retry] 'x{99999999999}' is no regular expression"),
        ("[plugins.event-filter]\npatterns = ['(']", "[plugins.event-filter] '(' is no regular expression"),
        ("[plugins.console]\ntests = 'some'", "[plugins.console] Invalid enum value 'some'"),
        ("[plugins.screenshots]\nkeep = 5", "[plugins.screenshots] Expected `str`, got `int`"),
        ("[recorder]\nhost = '0.0.0.0'", "[recorder] --host 0.0.0.0 can be reached from other machines"),
        ("[recorder]\nallow-host = ['a/b']", "[recorder] --allow-host 'a/b' matches no Host"),
        ("[recorder]\ntls-cert = 'a.pem'", "[recorder] tls-cert and tls-key go together"),
    ],
)
def test_what_the_recorder_would_refuse_or_go_without_is_told(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "semantest.toml").write_text(text)
    done = config(tmp_path, "check")
    assert (done.code, done.out) == (2, "")
    assert said in done.err
    checks = run_semantest(tmp_path, "doctor", "--json").json["checks"]
    (check,) = [check for check in checks if check["name"] == "configuration"]
    assert (check["status"], said in check["detail"]) == ("fail", True)


@pytest.mark.parametrize(
    ("text", "variables", "said"),
    [
        ("", {"SEMANTEST_RETRIS": "3"}, "SEMANTEST_RETRIS is no variable of ours; did you mean SEMANTEST_RETRIES?"),
        ("[plugins.json-report]\nfolder = 'x'", {}, "[plugins.json-report] has options, but the plugin is off"),
        ("[plugins]\ndisabled = ['chat']", {}, "[plugins] disabled: no plugin 'chat' is installed"),
    ],
)
def test_what_is_set_in_vain_is_told_and_is_no_error(
    tmp_path: Path, text: str, variables: dict[str, str], said: str
) -> None:
    (tmp_path / "semantest.toml").write_text(text)
    done = config(tmp_path, "check", **variables)
    assert (done.code, said in done.err) == (0, True)
    assert done.out == f"No error, but something is set in vain: semantest.toml in {tmp_path}.\n"
    checks = run_semantest(tmp_path, "doctor", "--json", **variables).json["checks"]
    (check,) = [check for check in checks if check["name"] == "configuration"]
    assert (check["status"], said in check["detail"]) == ("warn", True)


def test_check_says_that_nothing_is_wrong(project: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    (project.parent / "semantest.toml").write_text("[plugins]\nenabled = ['console']\n[plugins.console]\nslowest = 3\n")
    done = config(project, "check")
    assert (done.code, done.err) == (0, "")
    assert done.out == f"Nothing is wrong: semantest.toml and pyproject.toml in {project.parent}.\n"
    assert config(tmp_path_factory.mktemp("bare"), "check").out == "Nothing is wrong: no file here or above.\n"


def test_doctor_tells_what_is_wrong_and_goes_on(project: Path) -> None:
    def checks() -> dict[str, dict[str, Any]]:
        said = run_semantest(project, "doctor", "--json")
        return {check["name"]: check for check in said.json["checks"]}

    (project.parent / "semantest.toml").write_text("retries = 1")
    assert checks()["configuration"]["status"] == "ok"
    (project.parent / "semantest.toml").write_text("retires = 1")
    found = checks()
    assert found["configuration"]["status"] == "fail"
    assert "did you mean retries?" in found["configuration"]["detail"]
    assert "folder" in found


def test_cleanup_goes_by_the_files(project: Path) -> None:
    for number, days in enumerate((40, 10, 0)):
        start = time.time() * 1000 - days * 86_400_000
        small_run(f"2026112{number}-000000-aaaaaa", start_ms=start).store(project.parent / ".semantest")

    def planned(*arguments: str) -> int:
        said = run_semantest(project, "cleanup", "--dry-run", "--json", *arguments)
        assert (said.code, said.err) == (0, "")
        return len(said.json["runs"])

    said = run_semantest(project, "cleanup", "--dry-run")
    assert said.code == 2
    assert "[cleanup] in semantest.toml" in said.err
    (project.parent / "semantest.toml").write_text("[cleanup]\nolder-than = '30d'\nmax-size = '1 TB'\n")
    assert planned() == 1
    assert planned("--older-than", "5d") == 2
    assert planned("--older-than", "50d", "--keep", "2") == 1
    (project.parent / "semantest.toml").write_text("[cleanup]\nkeep = 1\n")
    assert planned() == 2


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("pytest.toml", "[pytest]\nsemantest_retries = 7\n"),
        (".pytest.ini", "[pytest]\nsemantest_retries: 7\n"),
        ("pyproject.toml", "[tool.pytest.ini_options]\nsemantest_retries = 7\n"),
        ("pyproject.toml", "[tool.pytest]\nsemantest_retries = '7'\n"),
        ("tox.ini", "[pytest]\nsemantest_retries = 7\n"),
        ("setup.cfg", "[tool:pytest]\nsemantest_retries = 7\n"),
    ],
)
def test_every_file_that_pytest_reads_is_known(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    found = shown(tmp_path, "retries")["retries"]
    assert (found["value"], found["kind"]) == (7, "ini")
    assert found["place"].startswith(name)


def test_the_recorder_that_a_run_starts_goes_by_the_files_too(tmp_path: Path) -> None:
    project = Project(tmp_path)
    try:
        project.write("test_a.py", "def test_a(): pass")
        project.write("semantest.toml", "enabled = true\n[recorder]\nallow-host = ['tests']\nidle-timeout = 300\n")
        assert project.pytest().returncode == 0
        options = json.loads(project.recorder("status", "--json").stdout)["options"]
        assert (options["allowHost"], options["idleTimeout"]) == (["tests"], 300.0)
        assert project.recorder("start").stderr == "", "it is what start would start"
    finally:
        project.close()
