"""Options, environment, ini file: who wins, and what becomes of a wrong value."""

from __future__ import annotations

import re

import pytest

from pytest_semantest.launch import Shipper
from pytest_semantest.protocol.keys import RECORDING
from tests.plugin.conftest import NOWHERE, Record_, Recorded, read_journals

QUIET = ("--semantest-flush-timeout=0", f"--semantest-url={NOWHERE}")


@pytest.fixture(autouse=True)
def _one_test(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_a(): pass")


@pytest.mark.parametrize("value", ["1", "true", "yes"])
def test_recording_by_environment(record: Record_, monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.delenv("PYTEST_CURRENT_TEST")
    monkeypatch.setenv("SEMANTEST", value)
    assert record(options=QUIET, subprocess=True).of("run/end")


def test_recording_by_ini_file(pytester: pytest.Pytester, record: Record_) -> None:
    pytester.makeini("[pytest]\nsemantest = true\nsemantest_labels =\n    team=core\n    stage=nightly")
    (start,) = record(options=QUIET).of("run/start")
    assert start["labels"] == {"team": "core", "stage": "nightly"}


@pytest.mark.parametrize("switch", [{"SEMANTEST": "0"}, {"SEMANTEST": ""}, {}])
def test_no_recording_without_being_asked(
    pytester: pytest.Pytester, record: Record_, monkeypatch: pytest.MonkeyPatch, switch: dict[str, str]
) -> None:
    monkeypatch.delenv("PYTEST_CURRENT_TEST")
    for name, value in switch.items():
        monkeypatch.setenv(name, value)
    recorded = record(options=QUIET, subprocess=True)
    recorded.result.assert_outcomes(passed=1)
    assert not (pytester.path / ".semantest").exists()


def test_no_semantest_wins_over_the_ini_file(pytester: pytest.Pytester, record: Record_) -> None:
    pytester.makeini("[pytest]\nsemantest = true")
    assert record("--no-semantest", options=QUIET).events == []
    assert record("-p", "no:semantest", options=()).events == []


@pytest.mark.hazard(13)
def test_a_nested_pytest_is_not_recorded_by_inherited_environment(
    pytester: pytest.Pytester, record: Record_, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEMANTEST", "1")  # PYTEST_CURRENT_TEST of this very test is there as well
    assert record(options=QUIET, subprocess=True).events == []
    monkeypatch.setenv("SEMANTEST_RUN_ID", "outer-run")
    (start,) = record(subprocess=True).of("run/start")
    assert start["runId"] != "outer-run"


def test_the_command_line_wins_over_the_environment_and_that_over_the_ini_file(
    pytester: pytest.Pytester, record: Record_, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PYTEST_CURRENT_TEST")
    pytester.makeini("[pytest]\nsemantest_run_name = from-ini")
    monkeypatch.setenv("SEMANTEST_RUN_NAME", "from-environment")
    assert record("--semantest-run-name=from-option", subprocess=True).of("run/start")[0]["name"] == "from-option"
    assert record(subprocess=True).of("run/start")[-1]["name"] is not None
    names = {
        event.payload["name"] for event in read_journals(pytester.path / ".semantest") if event.type == "run/start"
    }
    assert names == {"from-option", "from-environment"}


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("--semantest-flush-timeout=soon", "'soon' is no number from 0 up; using 2"),
        ("--semantest-flush-timeout=-1", "'-1' is no number"),
        ("--semantest-flush-timeout=nan", "'nan' is no number"),
        ("--semantest-capture=some", "'some' is not one of failed, all, none; using failed"),
        ("--semantest-retries=many", "'many' is no number from 0 up; using 0"),
        ("--semantest-retry=never", "'never' is not one of all, known-flaky; using all"),
        ("--semantest-labels=nonsense", "'nonsense' is no label of the form key=value; left out"),
        ("--semantest-redact=(", "is no regular expression"),
        ("--semantest-redact=x{99999999999}", "is no regular expression"),
        ("--semantest-url=localhost", "'localhost' is no recorder URL such as http://"),
        ("--semantest-run-id=a b", "run id 'a b' may hold letters, digits"),
        ("--semantest-output-limit=x", "'x' is no number from 0 up; using 65536"),
    ],
)
def test_a_wrong_value_is_one_clear_line_and_the_tests_run_on(record: Record_, option: str, said: str) -> None:
    name = option.partition("=")[0]
    options = ("--semantest", option, *(one for one in QUIET if not one.startswith(name)))
    recorded = record(options=options)
    recorded.result.assert_outcomes(passed=1)
    assert recorded.result.ret == 0
    lines = [line for line in recorded.result.outlines if line.startswith("semantest: ") and said in line]
    assert len(lines) == 1, recorded.result.outlines


def test_a_wrong_truth_value_is_one_clear_line_too(
    pytester: pytest.Pytester, record: Record_, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytester.makeini("[pytest]\nsemantest_strict = maybe")
    recorded = record()
    assert recorded.result.ret == 0
    assert any("semantest_strict" in line and "using" in line for line in recorded.result.outlines)
    monkeypatch.delenv("PYTEST_CURRENT_TEST", raising=False)
    monkeypatch.setenv("SEMANTEST_STRICT", "perhaps")
    recorded = record(subprocess=True)
    assert "semantest: SEMANTEST_STRICT: 'perhaps' is neither true nor false; using false" in recorded.result.outlines


def test_a_wrong_truth_value_of_the_switch_leaves_it_off(pytester: pytest.Pytester, record: Record_) -> None:
    pytester.makeini("[pytest]\nsemantest = maybe")
    recorded = record(options=QUIET)
    recorded.result.assert_outcomes(passed=1)
    assert recorded.events == []


@pytest.mark.parametrize("option", ["--fixtures", "--fixtures-per-test", "--setup-plan", "--collect-only"])
def test_what_runs_no_tests_is_not_recorded(record: Record_, option: str) -> None:
    recorded = record(option)
    assert recorded.result.ret == 0
    assert recorded.events == []


@pytest.mark.hazard(15)
def test_an_unwritable_folder_is_one_clear_line(pytester: pytest.Pytester, record: Record_) -> None:
    (pytester.path / "file").write_text("not a folder")
    recorded = record("--semantest-dir=file/below")
    assert recorded.result.ret == 0
    lines = [line for line in recorded.result.outlines if line.startswith("semantest: ")]
    assert len(lines) == 1
    assert "not recording" in lines[0]
    assert "--semantest-dir" in lines[0]


def test_a_folder_elsewhere(pytester: pytest.Pytester, record: Record_) -> None:
    record("--semantest-dir=elsewhere/.sem")
    assert [event.type for event in read_journals(pytester.path / "elsewhere" / ".sem")][-1] == "run/end"
    assert (pytester.path / "elsewhere" / ".sem" / ".gitignore").read_text() == "*\n"
    assert not (pytester.path / ".semantest").exists()


def test_strict_fails_a_session_that_is_not_shipped(record: Record_) -> None:
    recorded = record("--semantest-strict")
    assert recorded.result.ret == 1
    assert recorded.of("run/end")[-1]["exitCode"] == 1


def said(recorded: Recorded) -> list[str]:
    """What the plugin told the user at the end."""
    return [line for line in recorded.result.outlines if re.match("semantest: (?!recording to)", line)]


def test_strict_says_that_it_failed_the_session(record: Record_) -> None:
    assert any("exit code 1: --semantest-strict" in line for line in said(record("--semantest-strict")))
    assert not any("exit code" in line for line in said(record()))


@pytest.mark.parametrize("value", ["maybe", "n"])
def test_an_unclear_switch_is_one_line_and_the_default(
    record: Record_, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.delenv("PYTEST_CURRENT_TEST")
    monkeypatch.setenv("SEMANTEST", value)
    recorded = record(options=())
    assert recorded.events == []
    assert said(recorded) == [f"semantest: SEMANTEST: {value!r} is neither true nor false; using the default"]


def test_options_without_effect_are_told(record: Record_) -> None:
    (line,) = said(record("--semantest-retries=1", "--semantest-strict", options=()))
    assert line.startswith("semantest: --semantest-strict, --semantest-retries: without effect")
    assert said(record("--semantest-retries=1", "--no-semantest", options=())) == []
    assert said(record("--semantest-retries=1", "--collect-only", options=())) == []


@pytest.mark.parametrize("where", ["its own folder", "the rootdir's, from below"])
def test_the_command_that_is_advised_finds_this_recording(
    pytester: pytest.Pytester, record: Record_, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    (pytester.path / "pytest.ini").write_text("[pytest]\n")
    below = pytester.mkdir("below")
    monkeypatch.chdir(below)
    own = where == "its own folder"
    (line,) = said(record("..", *(["--semantest-dir=else where"] if own else [])))
    assert line.endswith("run: semantest sync --directory 'else where'" if own else "run: semantest sync")


def test_strict_fails_a_session_that_could_not_be_recorded(pytester: pytest.Pytester, record: Record_) -> None:
    (pytester.path / "file").write_text("not a folder")
    assert record("--semantest-strict", "--semantest-dir=file/below").result.ret == 1


def test_strict_fails_a_session_whose_recording_broke(pytester: pytest.Pytester, record: Record_) -> None:
    pytester.makeconftest(
        """
        import pytest
        @pytest.hookimpl(wrapper=True, tryfirst=True)
        def pytest_runtest_makereport():
            report = yield
            report.duration = "no number"
            return report
        """
    )
    recorded = record()
    assert recorded.result.ret == 0
    recorded.result.stdout.fnmatch_lines(["semantest: recording is incomplete: *"])
    assert record("--semantest-strict").result.ret == 1


def test_ctrl_c_ends_the_wait_for_the_last_acknowledgement(
    pytester: pytest.Pytester, record: Record_, monkeypatch: pytest.MonkeyPatch
) -> None:
    def pressed(seconds: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Shipper, "_sleep", pressed)
    recorded = record("--semantest-flush-timeout=60", options=("--semantest", f"--semantest-url={NOWHERE}"))
    assert recorded.result.ret == 0
    recorded.result.stdout.fnmatch_lines(["semantest: not all shipped yet*"])


@pytest.mark.hazard(35)
def test_why_pytest_stopped_holds_no_secret(
    pytester: pytest.Pytester, record: Record_, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEPLOY_TOKEN", "correct-horse-battery")
    pytester.makepyfile("import os, pytest\ndef test_a(): pytest.exit('with ' + os.environ['DEPLOY_TOKEN'])")
    (end,) = record().of("run/end")
    assert end["stopReason"] == "with [REDACTED]"


@pytest.mark.hazard(35)
def test_a_long_secret_is_masked_before_it_is_cut(
    pytester: pytest.Pytester, record: Record_, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEPLOY_TOKEN", "s3cr3t" * 60)
    pytester.makepyfile(
        """
        import os, pytest
        @pytest.mark.parametrize("value", [os.environ["DEPLOY_TOKEN"]], ids=["a"])
        def test_a(value): pass
        """
    )
    assert record().of("test/start")[0]["params"] == {"value": "'[REDACTED]'"}


@pytest.mark.hazard(35)
def test_secrets_of_the_command_line_and_of_labels(record: Record_) -> None:
    recorded = record("--semantest-labels=db_password=hunter22", "--semantest-run-name", "x")
    (start,) = recorded.of("run/start")
    assert start["labels"] == {"db_password": "[REDACTED]"}
    assert "hunter22" not in str(start)


def test_several_sessions_join_one_run(pytester: pytest.Pytester, record: Record_) -> None:
    record("--semantest-run-id=build-17/unit")
    starts = record("--semantest-run-id=build-17/unit").of("run/start")
    assert {start["runId"] for start in starts} == {"build-17/unit"}
    assert len({start["session"] for start in starts}) == 2


@pytest.mark.hazard(35)
def test_secrets_never_reach_the_disk(
    pytester: pytest.Pytester, record: Record_, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEPLOY_TOKEN", "correct-horse-battery")
    pytester.makepyfile(
        """
        import os, pytest, unittest, warnings
        secret = os.environ["DEPLOY_TOKEN"]
        @pytest.mark.parametrize("value", [secret])
        def test_param(value): pass
        def test_output(record_property):
            record_property("key", secret)
            print("using", secret)
            warnings.warn("for " + secret)
            raise ValueError(secret)
        def test_skip(): pytest.skip(secret)
        class TestCase(unittest.TestCase):
            def test_subtest(self):
                with self.subTest(secret): self.fail(secret)
        """
    )
    recorded = record("--semantest-capture=all", "--semantest-run-name=correct-horse-battery")
    assert len(recorded.of("test/end")) == 4
    for path in (pytester.path / ".semantest").rglob("*"):
        if path.is_file():
            assert b"correct-horse" not in path.read_bytes(), path
    ids = recorded.of("run/plan")[0]["tests"]
    assert [payload["testId"] for payload in recorded.of("test/start")] == ids
    assert any("[REDACTED]" in test_id for test_id in ids)


def test_names_are_alike_in_all_three_places() -> None:
    for key in RECORDING:
        assert key.variable == key.flag.removeprefix("--").replace("-", "_").upper()
        assert key.ini == key.variable.lower()
