"""``--semantest-github``: a step of GitHub Actions gets summary and annotations; anywhere else nothing happens."""

from __future__ import annotations

import pytest

from tests.plugin.conftest import Record_

TWO = """
    def test_ok(): pass
    def test_bad():
        print("::stop-commands::x")
        assert 0, "100%\\n::error::mine"
"""


def test_a_step_gets_what_was_asked_for(
    pytester: pytest.Pytester, record: Record_, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytester.makepyfile(TWO)
    summary = pytester.path / "step.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    record("--semantest-github=all")
    assert not summary.exists()
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    found = record("--semantest-github=all", "--show-capture=no", "--tb=no")
    assert found.result.ret == 1
    (line,) = [line for line in found.result.outlines if line.startswith("::")]
    name = found.of("run/plan")[0]["tests"][1]
    assert line.startswith(f"::error file={name.partition('::')[0]},line=4,title=failed%3A test_bad::{name}%0A")
    assert "100%25%0A  ::error::mine" in line
    found.result.stdout.no_fnmatch_line("semantest: GitHub: *")
    assert summary.read_text().startswith("# ❌ Run")
    size = summary.stat().st_size
    record("--semantest-github=annotations")
    assert summary.stat().st_size == size


def test_what_goes_wrong_is_one_line_and_the_exit_code_stays(
    pytester: pytest.Pytester, record: Record_, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytester.makepyfile("def test_ok(): pass")
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(pytester.path / "none" / "step.md"))
    found = record("--semantest-github=summary")
    assert found.result.ret == 0
    found.result.stdout.fnmatch_lines(["semantest: GitHub: cannot write the summary *: No such file or directory"])
