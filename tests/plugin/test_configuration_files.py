"""``semantest.toml`` and ``[tool.semantest]`` as pytest heeds them."""

from __future__ import annotations

import pytest

from tests.plugin.conftest import NOWHERE, Record_, Recorded

QUIET = ("--semantest-flush-timeout=0", f"--semantest-url={NOWHERE}")


@pytest.fixture(autouse=True)
def _one_test(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_a(): pass")


def write(pytester: pytest.Pytester, text: str, name: str = "semantest.toml") -> None:
    (pytester.path / name).write_text(text)


def said(recorded: Recorded) -> list[str]:
    return [line for line in recorded.result.outlines if line.startswith("semantest: ") and "recording to" not in line]


@pytest.mark.parametrize(
    ("name", "table"), [("semantest.toml", ""), ("pyproject.toml", "[tool.semantest]\n")], ids=["own", "pyproject"]
)
def test_a_file_switches_the_recording_on_and_sets_it_up(
    pytester: pytest.Pytester, record: Record_, name: str, table: str
) -> None:
    text = f"""{table}
        enabled = true
        url = "{NOWHERE}"
        flush-timeout = 0
        run-name = "nightly"
        labels = {{ team = "core", stage = "a=b" }}
        dir = "build/sem"
        retries = 1
    """
    write(pytester, text, name)
    recorded = record(options=())
    assert recorded.result.ret == 0
    assert not (pytester.path / ".semantest").exists()
    recorded = record("--semantest-dir=.semantest", options=())
    (start,) = recorded.of("run/start")
    assert (start["name"], start["labels"]) == ("nightly", {"team": "core", "stage": "a=b"})
    assert start["retries"] == {"count": 1, "policy": "all"}
    assert len(list((pytester.path / "build" / "sem").glob("sessions/*/main.journal"))) == 1


def test_each_place_hides_those_behind_it(
    pytester: pytest.Pytester, record: Record_, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PYTEST_CURRENT_TEST")  # a nested pytest does not heed the environment
    write(pytester, "run-name = 'own file'")
    write(
        pytester,
        """
        [tool.semantest]
        run-name = "pyproject"
        labels = { from = "pyproject" }
        [tool.pytest.ini_options]
        semantest_run_name = "ini"
        semantest_labels = ["from=ini"]
        semantest_run_id = "from-ini"
        """,
        "pyproject.toml",
    )
    monkeypatch.setenv("SEMANTEST_RUN_NAME", "variable")
    named = [record("--semantest-run-name=option"), record()]
    monkeypatch.delenv("SEMANTEST_RUN_NAME")
    named.append(record())
    (pytester.path / "semantest.toml").unlink()
    named.append(record())
    starts = named[-1].of("run/start")
    assert sorted(start["name"] for start in starts) == ["option", "own file", "pyproject", "variable"]
    assert {start["labels"]["from"] for start in starts} == {"pyproject"}
    assert {start["runId"] for start in starts} == {"from-ini"}


def test_environment_and_command_line_switch_off_what_a_file_switches_on(
    pytester: pytest.Pytester, record: Record_, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PYTEST_CURRENT_TEST")
    write(pytester, "enabled = true")
    pytester.makeini("[pytest]\nsemantest = true")
    assert record("--no-semantest", options=QUIET).events == []
    monkeypatch.setenv("SEMANTEST", "0")
    assert record(options=QUIET).events == []
    monkeypatch.delenv("SEMANTEST")
    write(pytester, "enabled = false")
    assert record(options=QUIET).events == [], "the file hides pytest's ini file"
    write(pytester, "")
    assert record(options=QUIET).of("run/end")


def test_a_nested_pytest_heeds_its_own_files(pytester: pytest.Pytester, record: Record_) -> None:
    write(pytester, "enabled = true")  # PYTEST_CURRENT_TEST of this very test is there
    assert record(options=QUIET, subprocess=True).of("run/end")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("enabled = true\nretires = 1", "semantest.toml: retires is no setting; did you mean retries?"),
        ("enabled = true\nretries = 'x'", "semantest.toml: retries is 'x', and must be a whole number from 0 to *"),
        (
            "[policy]\nscan_content = 1\nx = 2",
            "semantest.toml: policy.scan_content is 1, * (and 1 more: semantest config check)",
        ),
        ("retries 1", "semantest.toml: it is no TOML: Expected '=' * (at line 1, column 9)"),
    ],
)
def test_a_recording_does_not_start_from_a_file_that_is_wrong(
    pytester: pytest.Pytester, record: Record_, text: str, line: str
) -> None:
    write(pytester, text)
    recorded = record(options=QUIET if "enabled" in text else ("--semantest", *QUIET))
    assert recorded.result.ret == pytest.ExitCode.USAGE_ERROR
    recorded.result.stderr.fnmatch_lines([f"ERROR: semantest: {line}"])
    assert recorded.events == []
    recorded.result.stdout.no_fnmatch_line("*passed*")


def test_the_same_with_workers(pytester: pytest.Pytester, record: Record_) -> None:
    write(pytester, "enabled = true\nretires = 1")
    recorded = record("-n1", options=QUIET, subprocess=True)
    assert recorded.result.ret == pytest.ExitCode.USAGE_ERROR


@pytest.mark.parametrize("text", ["retires = 1", "retries 1", "enabled = 1"])
def test_a_session_that_is_not_recorded_runs_on_and_says_what_is_wrong(
    pytester: pytest.Pytester, record: Record_, text: str
) -> None:
    write(pytester, text)
    recorded = record(options=())
    recorded.result.assert_outcomes(passed=1)
    assert recorded.result.ret == 0
    (line,) = said(recorded)
    assert line.startswith("semantest: semantest.toml: ")
    assert line.endswith("nothing is recorded")
    assert said(record("--no-semantest", options=())) == []
    assert record("--help", "--semantest", options=()).result.ret == 0


def test_a_pyproject_that_says_nothing_of_us_is_left_alone(pytester: pytest.Pytester, record: Record_) -> None:
    text = "[project]\nname = 'mine'\ndependencies = ['pytest-semantest']\n[tool.mine.semantest]\nretires = 1"
    write(pytester, text, "pyproject.toml")
    recorded = record()
    assert recorded.result.ret == 0
    assert len(recorded.of("run/end")) == 1


def test_workers_go_by_the_files_too(pytester: pytest.Pytester, record: Record_) -> None:
    write(pytester, "enabled = true\ncapture = 'all'\nredact = ['h.rse']")
    pytester.makepyfile("def test_a(): print('a horse', 'of course')")
    recorded = record("-n1", options=QUIET)
    (log,) = recorded.end("test_a")["logs"]
    assert log["text"] == "a [REDACTED] of course\n"


def test_the_token_of_a_file_is_used_and_shown_nowhere(pytester: pytest.Pytester, record: Record_) -> None:
    (pytester.path / "secret").write_text("smt_correct-horse-battery\n")
    write(pytester, "enabled = true\ntoken-file = 'secret'")
    pytester.makepyfile("def test_a(): assert 0, open('secret').read()")
    recorded = record(options=QUIET)
    assert said(recorded)[0].startswith("semantest: not all shipped yet")
    for path in (pytester.path / ".semantest").rglob("*"):
        assert path.is_dir() or b"horse" not in path.read_bytes(), path


@pytest.mark.parametrize("content", [None, "two words\n", ""])
def test_a_token_file_of_no_use_is_one_line(pytester: pytest.Pytester, record: Record_, content: str | None) -> None:
    if content is not None:
        (pytester.path / "secret").write_text(content)
    recorded = record("--semantest-token-file=secret")
    assert recorded.result.ret == 0
    assert any(
        line.startswith("semantest: token file ") and line.endswith("without a token") for line in said(recorded)
    )


def test_the_nearer_place_decides_between_token_and_token_file(
    pytester: pytest.Pytester, record: Record_, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PYTEST_CURRENT_TEST")
    write(pytester, "token-file = 'nowhere'")
    assert any("token file" in line for line in said(record()))
    monkeypatch.setenv("SEMANTEST_TOKEN", "smt_correct-horse-battery")
    assert not any("token file" in line for line in said(record()))
    assert any("token file" in line for line in said(record("--semantest-token-file=nowhere")))
