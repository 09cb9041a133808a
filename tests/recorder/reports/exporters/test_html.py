"""The page as a file: what its blocks hold, and that nothing from a test can leave them."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import zlib
from collections.abc import Iterator
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from semantest_recorder.reports.aggregate import aggregate
from semantest_recorder.reports.exporters.html import blocks, page
from semantest_recorder.reports.exporters.html.blocks import detail_blocks
from semantest_recorder.reports.exporters.html.page import page_parts
from semantest_recorder.reports.report import AttachmentInfo, ChainInfo, Output, Report, TestInfo
from tests.recorder.cli.command import semantest
from tests.recorder.cli.recording import small_run
from tests.recorder.reports.rows_of import attempt_row, result_row, run_rows

PNG = b"\x89PNG\r\n\x1a\n and more"


class Page(HTMLParser):
    """The elements of a page as a browser would find them: name, attributes and text."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[tuple[str, dict[str, str | None], str]] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs), ""))

    def handle_endtag(self, tag: str) -> None:
        self.found.append(("", {}, ""))

    def handle_data(self, data: str) -> None:
        if self.found:
            tag, attributes, text = self.found[-1]
            self.found[-1] = tag, attributes, text + data

    def blocks(self, kind: str) -> dict[str, str]:
        """Texts of the data blocks of a kind by what each is called."""
        name = f"data-{kind}"
        return {str(found[name]): text for tag, found, text in self.found if tag == "script" and name in found}

    def index(self) -> dict[str, Any]:
        (found,) = (json.loads(unpacked(text)) for text in self.blocks("index").values())
        assert isinstance(found, dict)
        return found

    def details(self) -> list[list[dict[str, Any]]]:
        """The attempts of every test."""
        return [test for text in self.blocks("first").values() for test in json.loads(unpacked(text))]


def unpacked(text: str) -> bytes:
    return zlib.decompress(base64.b64decode(text, validate=True))


def report_of(*names: str, output: str = "") -> Report:
    """A failed attempt of each test, with this output."""
    report = aggregate(run_rows([result_row(name, "failed", at) for at, name in enumerate(names)], [*map(bad, names)]))
    for test in report.tests:
        test.attempts_detail[0].output = [Output("stdout", output)]
    return report


def bad(name: str) -> Any:
    return attempt_row(name, "failed", error_message=f"no {name}", error_type="AssertionError")


def page_of(report: Report, *, pictures: bool = False) -> str:
    return "".join(page_parts(report, report.tests, "pytest a.py", pictures=pictures))


HOSTILE = "a.py::test[</script><script>alert(1)</script><!--&quot;{{blocks}}{{style}}]"


def test_what_a_test_says_is_in_blocks_only_and_comes_out_as_it_was() -> None:
    report = report_of(HOSTILE, "b.py::test", output=HOSTILE)
    report.run.name = HOSTILE
    text = page_of(report)
    found = Page(text)
    assert found.index()["tests"]["id"] == [HOSTILE, "b.py::test"]
    assert [attempts[0]["output"][0]["text"] for attempts in found.details()] == [HOSTILE] * 2
    plain = page_of(report_of("a.py::test", "b.py::test"))
    assert [tag for tag, _, _ in found.found] == [tag for tag, _, _ in Page(plain).found]
    assert text.count("alert(1)") == 1  # in the title, as text
    assert next(title for tag, _, title in found.found if tag == "title").startswith(HOSTILE)


def test_a_run_that_was_rerun_says_so() -> None:
    report = report_of("a.py::test")
    assert Page(page_of(report)).index()["chain"] is None
    report.chain = ChainInfo([report.run.id, HOSTILE], "passed", 1, 0, complete=True, missing=[])
    words = Page(page_of(report)).index()["chain"]
    assert words == f"rerun by run {HOSTILE}; outstanding by now: 0, together they passed"


@given(st.text(st.characters()), st.text(st.characters()))
def test_any_text_goes_in_and_comes_out(name: str, output: str) -> None:
    report = report_of(f"a.py::{name}", output=output)
    (block,) = detail_blocks(report.tests, pictures=False)
    found = re.fullmatch(r'<script type="application/octet-stream" data-first="0">([\w+/]+=*)</script>\n', block)
    assert found is not None
    (((attempt,),)) = json.loads(unpacked(found[1]))
    assert (attempt["error"]["message"], attempt["output"][0]["text"]) == (f"no a.py::{name}", output)


def test_the_policy_allows_the_programs_and_the_style_of_the_page_and_nothing_else() -> None:
    found = Page(page_of(report_of("a.py::test")))
    policy = next(str(told["content"]) for tag, told, _ in found.found if "http-equiv" in told)
    programs = [text for tag, told, text in found.found if tag == "script" and "type" not in told]
    styles = [text for tag, _, text in found.found if tag == "style"]
    allowed = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    assert allowed.pop("script-src").split() == [sha256_of(text) for text in programs]
    assert allowed.pop("style-src").split() == [sha256_of(text) for text in styles]
    none = "'none'"
    assert allowed == {"default-src": none, "img-src": "data:", "base-uri": none, "form-action": none}
    assert not [told for _, told, _ in found.found if "src" in told or "href" in told or "style" in told]


def sha256_of(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def test_every_program_of_the_folder_is_in_the_page_and_none_reads_text_as_html() -> None:
    here = {entry.name for entry in files(page.__package__).iterdir() if entry.name.endswith(".js")}
    assert here == {page._EARLY, *page._SCRIPTS}
    for name in here:
        text = page._asset(name)
        assert not re.search(r"innerHTML|outerHTML|insertAdjacent|document\.write|\beval\b|new Function|fetch\(", text)
        assert "</script" not in text
        assert "<!--" not in text


def test_the_index_counts_what_the_report_counts() -> None:
    states = ["passed", "flaky", "not_run", "lost", "running", "xfailed", "crashed", "passed"]
    rows = [result_row(f"a.py::test_{at}", state, at) for at, state in enumerate(states)]
    attempts = [
        attempt_row("a.py::test_1", "failed", 1),
        attempt_row("a.py::test_1", "passed", 2, worker="gw0", source="s.gw0"),
        attempt_row("a.py::test_4", None, 1, started_ms=None),
    ]
    report = aggregate(run_rows(rows, attempts, state="running"))
    index = Page(page_of(report)).index()
    named = [index["states"][number]["name"] for number in index["tests"]["state"]]
    assert named == states
    assert index["counts"] == msgspec.to_builtins(report.counts)
    timeline = index["timeline"]
    assert (timeline["test"], timeline["attempt"], timeline["start"]) == ([1, 1], [1, 2], [0.0, 1.0])
    assert [index["states"][number]["name"] for number in timeline["state"]] == ["failed", "passed"]
    assert [lane["worker"] for lane in timeline["lanes"]] == ["main", "gw0"]


def test_details_are_packed_as_they_come(monkeypatch: pytest.MonkeyPatch) -> None:
    """A block is given away before the next test is asked for: nothing waits for the end of a run."""
    monkeypatch.setattr(blocks, "_BLOCK", 3000)
    report = report_of(*(f"a.py::test_{at}" for at in range(10)), output="x" * 800)
    asked = 0

    def tests() -> Iterator[TestInfo]:
        nonlocal asked
        for test in report.tests:
            asked += 1
            yield test

    seen = {}
    for block in detail_blocks(tests(), pictures=False):
        ((first, text),) = Page(block).blocks("first").items()
        seen[int(first)] = (asked, len(json.loads(unpacked(text))))
    assert list(seen) == [sum(number for _, number in list(seen.values())[:at]) for at in range(len(seen))]
    assert len(seen) > 2
    assert all(first + number == upto for first, (upto, number) in seen.items())


def attachment(place: Path | None, data: bytes, name: str = "page.png") -> AttachmentInfo:
    digest = hashlib.sha256(data).hexdigest()
    told = str(place) if place is not None else None
    return AttachmentInfo(name, "screenshot", "image/png", len(data), digest, told, None, None, 1)


def test_pictures_are_in_the_page_once_and_only_those_that_are_pictures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blocks, "PICTURE_MAX", 100)
    contents = {
        "good": PNG,
        "script": b"<script>alert(1)</script>",
        "svg": b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        "large": PNG + b"x" * 100,
        "other": PNG + b"somebody else's",
    }
    for name, data in contents.items():
        (tmp_path / name).write_bytes(data)
    os.mkfifo(tmp_path / "pipe")
    report = report_of("a.py::test_1", "a.py::test_2")
    given_ = [attachment(tmp_path / name, contents[name]) for name in ("good", "script", "svg", "large")]
    given_ += [attachment(tmp_path / "other", PNG + b"not what it says"), attachment(tmp_path / "pipe", PNG + b"p")]
    given_ += [attachment(tmp_path / "gone", PNG + b"gone"), attachment(None, PNG + b"nowhere")]
    for test in report.tests:
        test.attempts_detail[0].attachments = [msgspec.structs.replace(one) for one in given_]
    text = page_of(report, pictures=True)
    found = Page(text)
    assert found.blocks("picture") == {hashlib.sha256(PNG).hexdigest(): base64.b64encode(PNG).decode()}
    assert len(found.details()[0][0]["attachments"]) == len(given_)
    assert {one["place"] for one in found.details()[1][0]["attachments"]} == {None}  # a path of this machine
    assert not Page(page_of(report)).blocks("picture")


def test_all_pictures_together_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pictures = [PNG + bytes([number]) for number in range(4)]
    monkeypatch.setattr(blocks, "PICTURES_MAX", 2 * len(pictures[0]))
    report = report_of("a.py::test")
    for number, data in enumerate(pictures):
        (tmp_path / str(number)).write_bytes(data)
        report.tests[0].attempts_detail[0].attachments.append(attachment(tmp_path / str(number), data))
    assert len(Page(page_of(report, pictures=True)).blocks("picture")) == 2


def test_the_command_writes_the_page_of_a_stored_run(tmp_path: Path) -> None:
    small_run().store(tmp_path / ".semantest")
    said = semantest("export", "--directory", tmp_path / ".semantest", "--format", "html", "-o", tmp_path / "a.html")
    assert (said.code, said.out, said.err) == (0, "", "")
    found = Page((tmp_path / "a.html").read_text())
    report = semantest("report", "--directory", tmp_path / ".semantest", "--json").json
    index = found.index()
    assert (index["run"], index["counts"]) == (report["run"], report["counts"])
    assert index["rerun"] == "pytest --semantest a.py::test_bad"
    bad_attempt = next(test for test in report["tests"] if test["id"] == "a.py::test_bad")["attemptsDetail"]
    assert found.details()[index["tests"]["id"].index("a.py::test_bad")] == bad_attempt
    assert [len(attempts) for attempts in found.details()] == [1, 1, 2, 1]
