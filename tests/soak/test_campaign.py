"""Some minutes of a soak; the long form is `make soak`."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.missing import skip_or_fail
from tests.soak.__main__ import main
from tests.soak.campaign import run_soak
from tests.soak.page import as_json, page_section, text_lines
from tests.soak.place import NoClockError


@pytest.mark.slow
@pytest.mark.hazard(28)
def test_nothing_grows_in_hours_of_a_team(tmp_path: Path) -> None:
    try:
        outcome = asyncio.run(run_soak(tmp_path, 3, 120.0, 2.4, print))
    except NoClockError as error:
        skip_or_fail(f"MISSING: {error} (.ci/system-packages installs a compiler)")
    told = "\n".join(text_lines(outcome))
    assert outcome.is_good, told
    assert as_json(outcome)["good"]
    assert all(finding.name in page_section(outcome) for finding in outcome.findings)


def test_without_a_compiler_no_hours_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("sys.argv", ["soak", "--seconds=120", f"--directory={tmp_path}", f"--json={tmp_path / 'told'}"])
    assert main() == 2
    said = capsys.readouterr()
    assert "there is nothing to judge: the clock cannot be turned: there is no C compiler" in said.err
    assert said.out == ""
    assert not (tmp_path / "told").exists()
