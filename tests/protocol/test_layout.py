from __future__ import annotations

from pathlib import Path

from pytest_semantest.protocol.layout import DIRECTORY, find_directory, has_journal


def test_the_nearest_folder_is_found(tmp_path: Path) -> None:
    (tmp_path / DIRECTORY).mkdir()
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    assert find_directory(None, below) == tmp_path / DIRECTORY
    (tmp_path / "a" / DIRECTORY).mkdir()
    assert find_directory(None, below) == tmp_path / "a" / DIRECTORY


def test_a_named_folder_is_taken_as_it_is(tmp_path: Path) -> None:
    assert find_directory("elsewhere", tmp_path) == tmp_path / "elsewhere"
    assert find_directory("/x/y", tmp_path) == Path("/x/y")


class _Going(type(Path())):  # type: ignore[misc]  # the class of paths depends on the platform
    """A folder that another shipper deletes after it was seen to be there."""

    def is_dir(self) -> bool:
        seen = super().is_dir()
        if seen:
            Path(self).rmdir()
        return bool(seen)


def test_a_folder_that_goes_while_it_is_looked_at_has_no_journal(tmp_path: Path) -> None:
    (tmp_path / "session").mkdir()
    assert not has_journal(_Going(tmp_path / "session"))
