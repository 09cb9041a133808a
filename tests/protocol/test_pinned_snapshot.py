"""Old pins and copies are forgotten, whatever other sessions do in their folder."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pytest_semantest.protocol.pinned_snapshot import forget_old


def test_a_file_that_another_session_takes_away_is_no_obstacle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a.json", "b.json", "draft"):
        (tmp_path / name).touch()
    scandir = os.scandir

    def slowly(folder: str) -> list[os.DirEntry[str]]:
        entries = list(scandir(folder))
        (tmp_path / "draft").unlink()
        return entries

    monkeypatch.setattr(os, "scandir", slowly)
    forget_old(str(tmp_path), 1, 3600)
    assert [path.name for path in tmp_path.iterdir()] == ["b.json"]
