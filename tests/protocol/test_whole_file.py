"""A file is replaced whole, or the one before stays as it was."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from pytest_semantest.protocol.whole_file import open_whole, write_whole


def test_a_file_is_put_in_place_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(b"before")
    path.chmod(0o644)
    write_whole(path, b"after")
    assert path.read_bytes() == b"after"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    write_whole(str(path), b"last", mode=0o640, durable=True)
    assert (path.read_bytes(), stat.S_IMODE(path.stat().st_mode) & 0o640) == (b"last", 0o640)
    assert [found.name for found in tmp_path.iterdir()] == ["a.json"]


def test_a_link_is_replaced_not_what_it_names(tmp_path: Path) -> None:
    (tmp_path / "another").write_bytes(b"mine")
    (tmp_path / "link").symlink_to("another")
    write_whole(tmp_path / "link", b"ours")
    assert (tmp_path / "another").read_bytes() == b"mine"
    assert not (tmp_path / "link").is_symlink()


def test_what_cannot_be_put_in_place_leaves_no_draft(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(IsADirectoryError) as caught:
        write_whole(tmp_path / "folder", b"x")
    assert caught.value.filename == str(tmp_path / "folder")
    with pytest.raises(FileNotFoundError, match=r"nowhere/file'$"):
        write_whole(tmp_path / "nowhere" / "file", b"x")
    assert [found.name for found in tmp_path.iterdir()] == ["folder"]


WRITERS = {
    "ship.json": (
        "from pytest_semantest.shipper.state import ShipState, StateFile\n"
        "write = lambda: StateFile(folder).write(ShipState(1, 'i', 'connecting', detail='x' * 9000), 0.0)\n"
    ),
    "stop": (
        "from pytest_semantest.shipper.stopping import Stopping\n"
        "write = lambda: Stopping(folder, 'x' * 9000, 10.0, 0.0)\n"
    ),
    "recorder.json": (
        "from semantest_recorder.discovery import Discovery, write_discovery\n"
        "write = lambda: write_discovery(folder, Discovery(1, 'http://127.0.0.1:1', 'x' * 9000, '1', 1))\n"
    ),
    "report.json": (
        "from semantest_recorder.plugins.builtin.files import write_whole\n"
        "write = lambda: write_whole(folder / 'report.json', 'x' * 9000)\n"
    ),
}


@pytest.mark.hazard(22)
@pytest.mark.parametrize("name", WRITERS)
def test_a_full_disk_leaves_the_file_before(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("before")
    program = (
        "import resource, sys\n"
        "from pathlib import Path\n"
        "folder = Path(sys.argv[1])\n"
        f"{WRITERS[name]}"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n"
        "try:\n"
        "    write()\n"
        "except OSError as error:\n"
        "    print(error.errno)\n"
    )
    done = subprocess.run([sys.executable, "-c", program, tmp_path], capture_output=True, text=True, check=True)
    assert done.stdout in (f"{errno.EFBIG}\n", "")
    assert (tmp_path / name).read_text() == "before"
    assert [found.name for found in tmp_path.iterdir()] == [name]


def test_a_content_in_parts_is_seen_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(b"before")
    with open_whole(path) as stream:
        stream.write(b"after")
        stream.flush()
        assert path.read_bytes() == b"before"
    assert path.read_bytes() == b"after"


def test_a_content_that_ends_in_an_error_leaves_the_file_of_before(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(b"before")
    with pytest.raises(FileNotFoundError, match="elsewhere"):
        _write_in_part(path, FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), "elsewhere"))
    with pytest.raises(OSError, match=r"No space left on device: '.*/a\.json'$"):
        _write_in_part(path, OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))
    assert [(found.name, found.read_bytes()) for found in tmp_path.iterdir()] == [("a.json", b"before")]


def _write_in_part(path: Path, error: OSError) -> None:
    with open_whole(path) as stream:
        stream.write(b"after")
        raise error
