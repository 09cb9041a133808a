"""Files of results that somebody wrote to break, fill or deceive the history that imports them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from pytest_semantest.shipper.following import MAX_EVENT
from semantest_recorder.foreign.formats import FORMATS
from semantest_recorder.foreign.junit import read_junit
from semantest_recorder.foreign.run import ForeignAttempt, ForeignOutput, ForeignRun, ForeignTest
from semantest_recorder.foreign.session import ForeignFile, Heading, Texts, foreign_session
from tests.recorder.cli.command import Said, semantest

#: An integer as JSON may hold it, beyond every float.
_HUGE = int("9" * 400)
_TOKENS = [f"ghp_{letter * 36}" for letter in "ab"]
_RESULT = {"uuid": "u", "name": "t", "fullName": "a.T.t", "status": "passed", "start": 1, "stop": 2}

Import = Callable[..., Said]


@pytest.fixture
def take(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Import:
    """Imports files without a recorder, for ``semantest report`` to read out of its journals."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> Said:
        return semantest("import", *arguments, "--url", "http://127.0.0.1:9", "--timeout", "0.1", "--json")

    return run


def report() -> Any:
    return semantest("report", "--json", "--sync-timeout", "0").json


@pytest.mark.parametrize(
    ("name", "document"),
    [
        (
            "pytest-json-report",
            {"duration": _HUGE, "created": _HUGE, "tests": [{"nodeid": "a.py::t", "lineno": _HUGE}]},
        ),
        ("ctrf", {"results": {"summary": {"start": _HUGE}, "tests": [{"name": "a", "duration": _HUGE}]}}),
        ("reportlog", {"$report_type": "TestReport", "nodeid": "a.py::t", "when": "call", "duration": _HUGE}),
    ],
)
def test_numbers_beyond_every_float_are_none(name: str, document: Any) -> None:
    read = FORMATS[name].read
    assert read is not None
    assert len(read(json.dumps(document).encode()).tests) == 1


def test_a_name_of_many_parts_has_few_possible_ids() -> None:
    data = f'<testsuite name="pytest"><testcase classname="{"a." * 20_000}" name="t"/></testsuite>'
    (test,) = read_junit(data.encode()).tests
    assert sum(map(len, test.ids)) < 4_000_000


def test_no_event_is_larger_than_what_a_recorder_takes() -> None:
    """Such a one would be left out: what `import` said was green would have a record missing."""
    pairs, outputs = [("p", "😀" * 65_000)] * 200, [ForeignOutput("stdout", "😀")] * 300_000
    attempt = ForeignAttempt("passed", properties=pairs, output=outputs)
    environment = {f"k{number}": "😀" * 65_000 for number in range(200)} | {"k\ud800": "v\udfff"}
    run = ForeignRun("ctrf", "x", tests=[ForeignTest(("a",), [attempt])], environment=environment)
    texts = Texts(lambda text: (text[:65_536], 0), str, lambda _name, value: value)
    session = foreign_session([ForeignFile("f", "0", run)], ["main"], Heading("r", "s", None, {}, 1.0), texts)
    sizes = {event["type"]: len(json.dumps(event).encode()) for event in session.events["main"]}
    assert 1_000_000 < sizes["run/context"] < MAX_EVENT
    assert 1_000_000 < sizes["test/end"] < MAX_EVENT
    msgspec.json.encode([event["payload"] for event in session.events["main"]])


def test_a_folder_of_allure_is_read_whatever_lies_in_it(take: Import) -> None:
    folder = Path("results")
    folder.mkdir()
    big = {"name": "big", "type": "video/mp4", "source": "big.mp4"}
    (folder / "u-result.json").write_text(json.dumps(_RESULT | {"attachments": [big]}))
    for name, size in (("big.mp4", 101), ("huge-container.json", 257)):  # of what nobody has to keep or read
        with (folder / name).open("wb") as file:
            file.truncate(size * 1024 * 1024)
    assert "huge-container.json: it is larger than 256.0 MiB" in take("results").err
    (told,) = take("results", "--partial").json["runs"]
    assert (told["state"], told["gaps"], told["counts"]["passed"]) == ("failed", 1, 1)
    (test,) = report()["tests"]
    assert "too large, or cannot be read" in semantest("show", test["id"], "--json", "--sync-timeout", "0").out


def test_a_link_that_the_user_names_is_followed(take: Import) -> None:
    Path("first.xml").write_text('<testsuite><testcase name="a"/></testsuite>')
    Path("latest.xml").symlink_to("first.xml")
    (told,) = take("latest.xml", "--dry-run").json["runs"]
    assert (told["state"], told["files"][0]["file"]) == ("passed", "latest.xml")


def test_folders_that_are_named_by_a_dot_are_told_apart(take: Import, monkeypatch: pytest.MonkeyPatch) -> None:
    inner = Path("results/inner")
    inner.mkdir(parents=True)
    (inner / "u-result.json").write_text(json.dumps(_RESULT))
    (inner.parent / "u-result.json").write_text(json.dumps(_RESULT | {"status": "failed"}))
    monkeypatch.chdir(inner.parent)
    (told,) = take(".", "inner", "--dry-run").json["runs"]
    assert (told["state"], told["counts"]["failed"]) == ("failed", 1)


def test_tests_that_differ_in_a_secret_stay_two_and_no_secret_is_kept(take: Import) -> None:
    first, second = (f'<testcase classname="tests.t" name="t[{token}]"' for token in _TOKENS)
    secret = '<properties><property name="db_password" value="hunter2"/></properties>'
    case = f'{first}>{secret}<failure message="no"/></testcase>{second}/>'
    Path("report.xml").write_text(f'<testsuite name="pytest">{case}</testsuite>')
    assert take("report.xml").code == 6
    assert [(test["id"], test["state"]) for test in report()["tests"]] == [
        ("tests/t.py::t[[REDACTED]]", "failed"),
        ("tests/t.py::t[[REDACTED]]#2", "passed"),
    ]
    kept = b"".join(file.read_bytes() for file in Path(".semantest").rglob("*") if file.is_file())
    assert not [secret for secret in (*_TOKENS, "hunter2") if secret.encode() in kept]
