"""What configuration files may say, what is told about the rest, and who wins."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_semantest.protocol.configuration import Configuration, ConfigurationError, Setting, read_configuration
from pytest_semantest.protocol.configuration_files import find_configuration, load_configuration
from pytest_semantest.protocol.effective import (
    named,
    plugin_settings,
    policy_changes,
    resolve_key,
    resolve_section,
    unknown_variables,
)
from pytest_semantest.protocol.key_values import problem_of, value_of_text
from pytest_semantest.protocol.keys import OTHER_VARIABLES, Key, all_keys, key_of

KEYS = list(all_keys())


def own(text: str) -> Configuration:
    """What a ``semantest.toml`` says."""
    return read_configuration("/project", {"semantest.toml": text.encode()})


def the_problem(text: str) -> str:
    (problem,) = own(text).problems
    return problem


def test_a_path_holds_no_nul() -> None:
    assert the_problem('dir = "\\u0000"') == "semantest.toml: dir is '\\x00', and must be a path"


# -- what a file may say ---------------------------------------------------------------------------------------------


def test_keys_stand_at_the_top_of_their_own_file_and_in_a_table_of_the_other() -> None:
    text = 'enabled = true\nlabels = { team = "core" }\n[recorder]\nport = 4711\n'
    in_pyproject = "[tool.semantest]\nenabled = true\nlabels.team = 'core'\n[tool.semantest.recorder]\nport = 4711"
    for name, found in (
        ("semantest.toml", own(text)),
        ("pyproject.toml [tool.semantest]", read_configuration("/p", {"pyproject.toml": in_pyproject.encode()})),
    ):
        assert found.problems == ()
        assert {path: settings[0].value for path, settings in found.settings.items()} == {
            "enabled": True,
            "labels": {"team": "core"},
            "recorder.port": 4711,
        }
        assert {settings[0].place for settings in found.settings.values()} == {name}


def test_names_may_have_dashes_or_underscores_but_not_both() -> None:
    assert own("run_name = 'a'").settings == own("run-name = 'a'").settings
    assert the_problem("run_name = 'a'\nrun-name = 'b'") == (
        "semantest.toml: run-name is there twice, with dashes and with underscores"
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("retires = 1", "retires is no setting; did you mean retries?"),
        ("semantest_retries = 1", "semantest_retries is no setting; did you mean retries?"),
        ("[recorder]\nidle-timout = 1", "recorder.idle-timout is no setting; did you mean recorder.idle-timeout?"),
        ("port = 1", "port is no setting; did you mean recorder.port?"),
        ("[recoder]\nport = 1", "recoder is no setting; did you mean recorder?"),
        ("[policy]\nfoo = 1", "policy.foo is no setting; there are max-events-per-second, "),
        ("[tool.semantest]\nretries = 1", "tool is no setting; in semantest.toml the keys stand at the top"),
        ("recorder = 1", "recorder is a section: write [recorder]"),
        ("[plugins]\nenable = ['a']", "plugins.enable is no setting; did you mean plugins.enabled?"),
        ("[plugins.enabled]\na = 1", "plugins.enabled must be a list of names"),
        ('"\\u001b[31m" = 1', '"\\u001b[31m" is no setting'),
        ('"\\u009b31m\\u202e\\u2028x" = 1', '"?31m? x" is no setting'),
        ("retries = 'two'", "retries is 'two', and must be a whole number from 0 to"),
        ("retries = true", "retries is true, and must be a whole number"),
        ("retries = -1", "retries is -1, and must be"),
        ("retry-delay = nan", "retry-delay is nan, and must be a number of seconds"),
        ("enabled = 'yes'", "enabled is 'yes', and must be true or false"),
        ("capture = 'some'", "capture is 'some', and must be one of failed, all, none"),
        ("labels = ['a=b']", "labels is ['a=b'], and must be a table of strings"),
        ("labels = { 'a=b' = 'c' }", "and 'a=b' is no name of a label"),
        ("redact = ['(']", "and '(' is no regular expression"),
        ("redact = 'x'", "redact is 'x', and must be a list of strings"),
        ("url = 'localhost'", "url is 'localhost', and must be a recorder's URL such as"),
        ("token = 1", "token is not shown here, and must be a string"),
        ("[recorder]\nport = 70000", "recorder.port is 70000, and must be a whole number from 0 to 65535"),
        ("[cleanup]\nolder-than = 'old'", "cleanup.older-than is 'old', and must be an age such as"),
        ("[cleanup]\nmax-size = '5 apples'", "and must be a size such as"),
        ("retries 3", "it is no TOML: Expected '=' after a key in a key/value pair (at line 1, column 9)"),
    ],
)
def test_what_is_wrong_is_a_line_that_names_file_and_key(text: str, said: str) -> None:
    problem = the_problem(text)
    assert problem.startswith("semantest.toml: ")
    assert said in problem
    assert problem.isprintable()


def test_a_file_that_is_no_text_or_nested_without_end_is_told() -> None:
    assert read_configuration("/p", {"semantest.toml": b"\xff"}).problems == ("semantest.toml: it is not UTF-8 text",)
    (problem,) = own("a = " + "[" * 100_000).problems
    assert problem.startswith("semantest.toml: it is ")


def test_a_number_that_python_refuses_to_read_is_told() -> None:
    (problem,) = own("retries = " + "9" * 5000).problems
    assert problem.startswith("semantest.toml: it cannot be read: ")


def test_what_is_wrong_takes_nothing_away_from_the_rest() -> None:
    found = own("retries = 2\nrety = 1\ncapture = 7")
    assert found.get("retries") == Setting(2, "file", "semantest.toml")
    assert len(found.problems) == 2
    with pytest.raises(ConfigurationError, match=r"did you mean .* \(and 1 more: semantest config check\)"):
        found.checked()


def test_other_tables_of_pyproject_are_not_ours() -> None:
    found = read_configuration("/p", {"pyproject.toml": b"[project]\nname = 'x'\n[tool.other]\nretires = 1"})
    assert (found.files, found.problems) == ((), ())
    found = read_configuration("/p", {"pyproject.toml": b"[tool]\nsemantest = 1"})
    assert found.problems == ("pyproject.toml: tool.semantest must be a table: [tool.semantest]",)


@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
def test_no_bytes_raise(data: bytes) -> None:
    found = read_configuration("/p", {"semantest.toml": data, "pyproject.toml": data})
    assert all(problem.isprintable() for problem in found.problems)


SCALARS = (
    st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.lists(st.integers(0, 9) | st.text(max_size=3))
)


@given(st.sampled_from(KEYS), SCALARS | st.dictionaries(st.text(max_size=3), st.text(max_size=3)))
def test_every_kind_judges_every_value(key: Key, value: Any) -> None:
    assert isinstance(problem_of(key, value), str)


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.path)
def test_a_default_is_a_value_that_one_may_write(key: Key) -> None:
    if key.default is not None:
        assert problem_of(key, list(key.default) if isinstance(key.default, tuple) else key.default) == ""


def test_names_are_unique() -> None:
    assert len({key.path for key in KEYS}) == len({key.variable for key in KEYS}) == len(KEYS)
    assert all(key_of(key.path) is key_of(key.path.replace("-", "_")) is key for key in KEYS)


# -- who wins --------------------------------------------------------------------------------------------------------


@given(st.lists(st.booleans(), min_size=4, max_size=4))
def test_the_nearest_place_wins_and_the_others_are_told(there: list[bool]) -> None:
    """environment, semantest.toml, pyproject.toml, ini file, default."""
    files = {
        name: text
        for name, text, is_there in (
            ("semantest.toml", b"retries = 2", there[1]),
            ("pyproject.toml", b"[tool.semantest]\nretries = 3", there[2]),
        )
        if is_there
    }
    ini = Setting(4, "ini", "pytest.ini") if there[3] else None
    environment = {"SEMANTEST_RETRIES": "1"} if there[0] else {}
    found = resolve_key(named("retries"), environment, read_configuration("/p", files), ini)
    order = [number for number, is_there in zip((1, 2, 3, 4), there, strict=True) if is_there]
    assert [found.setting.value, *(setting.value for setting in found.hidden)] == (order or [0])
    assert found.setting.kind == (["environment", "file", "file", "ini"][order[0] - 1] if order else "default")


@pytest.mark.parametrize(
    ("path", "text", "value"),
    [
        ("enabled", "Yes", True),
        ("enabled", "0", False),
        ("retries", "3", 3),
        ("retry-delay", "0.5", 0.5),
        ("labels", "team=core, stage = nightly", {"team": "core", "stage": "nightly"}),
        ("redact", "a b\nc", ["a b", "c"]),
        ("recorder.allow-host", "a:1 b", ["a:1", "b"]),
        ("url", " http://h:1 ", "http://h:1"),
    ],
)
def test_variables_are_read_as_their_kind(path: str, text: str, value: Any) -> None:
    assert value_of_text(named(path), text) == value


@pytest.mark.parametrize(
    ("path", "text"), [("retries", "1.5"), ("retries", "many"), ("enabled", "maybe"), ("url", "x")]
)
def test_a_bad_variable_is_refused_by_name(path: str, text: str) -> None:
    key = named(path)
    with pytest.raises(ValueError, match=f"^{key.variable} is '{text}', and must be"):
        resolve_key(key, {key.variable: text}, own(""))


def test_a_blank_variable_hides_a_file_where_pytest_takes_it_so_and_is_nothing_elsewhere() -> None:
    files = own("url = 'http://h:1'\nenabled = true\n[recorder]\nport = 1")
    assert resolve_key(named("url"), {"SEMANTEST_URL": ""}, files).setting == Setting(
        None, "environment", "SEMANTEST_URL"
    )
    assert resolve_key(named("enabled"), {"SEMANTEST": ""}, files).setting.value is True
    assert resolve_key(named("recorder.port"), {"SEMANTEST_RECORDER_PORT": ""}, files).setting.value == 1


def test_the_wait_at_the_end_is_longer_in_ci() -> None:
    key = named("flush-timeout")
    assert [resolve_key(key, env, own("")).setting.value for env in ({}, {"CI": "0"}, {"CI": "true"})] == [2, 2, 15]


def test_plugins_get_their_tables_as_they_are() -> None:
    files = {
        "semantest.toml": b'[plugins]\nenabled = ["slow"]\nslow.limit-ms = 5\n[plugins."a.b"]\nx = [{ y = 1 }]\n',
        "pyproject.toml": b'[tool.semantest.plugins]\ndisabled = ["retry"]\nslow = { limit-ms = 9, verbose = true }\n',
    }
    found = plugin_settings({"SEMANTEST_PLUGINS_DISABLED": "console json"}, read_configuration("/p", files).checked())
    assert found.enabled == ("slow",)
    assert found.disabled == ("console", "json")
    assert found.options == {"slow": {"limit-ms": 5, "verbose": True}, "a.b": {"x": [{"y": 1}]}}


def test_changes_of_the_policy_have_its_own_names() -> None:
    found = own("[policy]\nmax_event_size = 1000\nblocked-event-types = ['test/*']")
    changes = policy_changes({"SEMANTEST_POLICY_SCAN_CONTENT": "no"}, found)
    assert changes == {"maxEventSize": 1000, "blockedEventTypes": ["test/*"], "scanContent": False}
    with pytest.raises(ConfigurationError, match=r"^SEMANTEST_POLICY_SCAN_CONTENT is 'so so'"):
        policy_changes({"SEMANTEST_POLICY_SCAN_CONTENT": "so so"}, found)


def test_a_section_is_given_whole() -> None:
    found = resolve_section("cleanup", {"SEMANTEST_CLEANUP_KEEP": "10"}, own("[cleanup]\nolder-than = '30d'"))
    assert {name: one.setting.value for name, one in found.items()} == {
        "older-than": "30d",
        "keep": 10,
        "max-size": None,
    }


def test_a_variable_that_nothing_reads_is_told() -> None:
    environment = {"SEMANTEST_RETIRES": "1", "SEMANTEST_URL": "x", "SEMANTEST_COVERAGE": "1", "PATH": ""}
    (line,) = unknown_variables(environment, OTHER_VARIABLES)
    assert line == "SEMANTEST_RETIRES is no variable of ours; did you mean SEMANTEST_RETRIES?"
    assert unknown_variables({"SEMANTEST_\n\x1b[31m": ""}, ())[0].isprintable()


# -- where the files lie ---------------------------------------------------------------------------------------------


def test_the_nearest_folder_that_says_something(tmp_path: Path) -> None:
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    (tmp_path / "semantest.toml").write_text("retries = 1")
    (tmp_path / "a" / "pyproject.toml").write_text("[project]\ndependencies = ['pytest-semantest']")
    found = find_configuration(str(below))
    assert found is not None
    assert (found.folder, found.files) == (str(tmp_path), ("semantest.toml",))
    (tmp_path / "a" / "pyproject.toml").write_text("[tool.semantest]\n")
    nearer = find_configuration(str(below))
    assert nearer is not None
    assert (nearer.folder, nearer.files) == (str(tmp_path / "a"), ("pyproject.toml",))


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "semantest.toml").mkdir()
    assert load_configuration(str(tmp_path)).problems == ("semantest.toml: it cannot be read: Is a directory",)


@pytest.mark.hazard(32)
def test_a_token_under_version_control_is_refused(tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    (project / "semantest.toml").write_text("token = 'smt_correct-horse-battery'")
    assert load_configuration(str(project)).problems == ()
    (tmp_path / ".git").touch()  # a file in a work tree beside the first one, and in submodules
    (problem,) = load_configuration(str(project)).problems
    assert "semantest.toml: token must not stand in a file under version control; use the variable" in problem
    assert "horse" not in problem


@given(st.dictionaries(st.sampled_from(["run-name", "run-id"]), st.text("ab/.", min_size=1), min_size=1))
def test_json_strings_are_read_as_they_are(names: dict[str, str]) -> None:
    text = "\n".join(f"{name} = {json.dumps(value)}" for name, value in names.items())
    assert {path: found[0].value for path, found in own(text).settings.items()} == names == tomllib.loads(text)
