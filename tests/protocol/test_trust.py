"""Folders and files that others made, or can write, are not used: they could give themselves tokens by them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pytest_semantest.protocol.configuration_files import find_configuration, passed_over
from pytest_semantest.protocol.layout import find_directory
from pytest_semantest.protocol.private_folder import make_private_folder, require_private_folder
from pytest_semantest.protocol.recorder_log import MOST_BYTES, open_log
from pytest_semantest.protocol.small_file import read_small_file
from pytest_semantest.protocol.trust import refuse_owner, refuse_writers

ROOT = Path(__file__).parents[2]
STRANGER = 12345
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files to another user")


@pytest.mark.parametrize(
    ("mode", "owner", "group", "refused"),
    [
        (0o700, 1000, 1000, False),
        (0o755, 1000, 100, False),
        (0o775, 1000, 1000, False),  # a group of that user's own
        (0o775, 1000, 100, True),
        (0o777, 1000, 1000, True),
        (0o1777, 0, 0, True),
    ],
)
def test_only_the_owner_may_write(mode: int, owner: int, group: int, refused: bool) -> None:
    assert (refuse_writers(mode, owner, group) is not None) is refused


def test_root_and_those_who_are_named_are_trusted_and_nobody_else() -> None:
    assert refuse_owner(0, {1000}) is None
    assert refuse_owner(1000, {1000}) is None
    assert refuse_owner(1001, {1000}) == "it belongs to user 1001"


def test_a_new_folder_is_private_and_out_of_sight_of_git(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / ".semantest"
    assert make_private_folder(str(folder))
    assert (folder.stat().st_mode & 0o777, (folder / ".gitignore").read_text()) == (0o700, "*\n")
    assert not make_private_folder(str(folder))


def test_a_gitignore_that_was_written_to_a_full_disk_is_written_again(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").touch()
    make_private_folder(str(tmp_path))
    assert (tmp_path / ".gitignore").read_text() == "*\n"
    (tmp_path / ".gitignore").write_text("/somebody's own\n")
    make_private_folder(str(tmp_path))
    assert (tmp_path / ".gitignore").read_text() == "/somebody's own\n"


@pytest.mark.parametrize("mode", [0o777, 0o1777, 0o702])
def test_a_folder_that_every_user_may_write_is_refused(tmp_path: Path, mode: int) -> None:
    tmp_path.chmod(mode)
    with pytest.raises(PermissionError, match=r"every user may write it: run `chmod go-w .*`"):
        require_private_folder(str(tmp_path))
    tmp_path.chmod(mode & ~0o022)
    require_private_folder(str(tmp_path))


@as_root
def test_a_folder_of_a_group_is_refused(tmp_path: Path) -> None:
    os.chown(tmp_path, 0, STRANGER)
    tmp_path.chmod(0o770)
    with pytest.raises(PermissionError, match=f"group {STRANGER} may write it"):
        require_private_folder(str(tmp_path))


@as_root
def test_the_container_works_in_a_volume_that_its_group_may_write(tmp_path: Path) -> None:
    words = (ROOT / "recorder" / "Containerfile").read_text().split()
    (variable,) = [word for word in words if word.startswith("SEMANTEST_DIR=")]
    inside = Path(variable.partition("=")[2]).relative_to(words[words.index("VOLUME") + 1])
    volume = tmp_path / "volume"  # as Kubernetes makes it for fsGroup: root's, and of the group of the process
    volume.mkdir()
    os.chown(volume, 0, STRANGER)
    volume.chmod(0o2775)
    program = (
        "import os, sys\n"
        "from pytest_semantest.protocol.private_folder import make_private_folder\n"
        "os.chdir(sys.argv[1])\n"
        "os.setgroups([])\n"
        f"os.setgid({STRANGER})\n"
        f"os.setuid({STRANGER})\n"
        "assert make_private_folder(sys.argv[2])\n"
        "assert not make_private_folder(sys.argv[2])\n"
    )
    subprocess.run([sys.executable, "-c", program, volume, inside], check=True)
    assert (volume / inside).stat().st_uid == STRANGER


@as_root
@pytest.mark.parametrize("name", ["tokens.json", "semantest.db", "recorder.log"])
def test_what_a_stranger_put_into_the_folder_is_told(tmp_path: Path, name: str) -> None:
    (tmp_path / name).symlink_to(tmp_path / "elsewhere")
    os.chown(tmp_path / name, STRANGER, STRANGER, follow_symlinks=False)
    with pytest.raises(PermissionError, match="belongs to user 12345: remove it") as caught:
        require_private_folder(str(tmp_path))
    assert caught.value.filename == str(tmp_path / name)


@as_root
def test_root_works_in_the_folder_of_any_user_as_in_a_container(tmp_path: Path) -> None:
    folder = tmp_path / ".semantest"
    folder.mkdir(mode=0o700)
    (folder / "tokens.json").touch(mode=0o600)
    for path in (tmp_path, folder, folder / "tokens.json"):
        os.chown(path, STRANGER, STRANGER)
    require_private_folder(str(folder))
    assert find_directory(None, tmp_path) == folder


@as_root
def test_what_a_stranger_put_into_a_folder_above_is_passed_over_and_told(tmp_path: Path) -> None:
    shared, mine = tmp_path / "shared", tmp_path / "shared" / "mine"
    mine.mkdir(parents=True)
    shared.chmod(0o1777)
    (shared / ".semantest").mkdir()
    (shared / "semantest.toml").write_text("[recorder]\nallow-anonymous = true\n")
    assert find_directory(None, mine) == shared / ".semantest"
    found = find_configuration(str(mine))
    assert found is not None
    assert found.folder == str(shared)
    for name in (".semantest", "semantest.toml"):
        os.chown(shared / name, STRANGER, STRANGER)
    assert find_directory(None, mine) is None
    assert find_configuration(str(mine)) is None
    told = passed_over(str(mine))
    assert [line.split(" is not used: ")[0] for line in told] == [
        str(shared / "semantest.toml"),
        str(shared / ".semantest"),
    ]
    os.chown(shared, STRANGER, STRANGER)
    assert find_directory(None, shared) == shared / ".semantest", "who works in the folder of a stranger trusts it"


def test_a_log_that_is_a_link_is_not_followed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("mine\n")
    (tmp_path / "recorder.log").symlink_to(victim)
    with pytest.raises(OSError, match="it is a symbolic link: remove it"):
        open_log(tmp_path)
    assert victim.read_text() == "mine\n"


def test_a_large_log_is_kept_once(tmp_path: Path) -> None:
    (tmp_path / "recorder.log").write_bytes(b"x" * (MOST_BYTES + 1))
    os.close(open_log(tmp_path))
    assert (tmp_path / "recorder.log").stat().st_size == 0
    assert (tmp_path / "recorder.log.1").stat().st_size == MOST_BYTES + 1


def test_what_is_no_file_is_not_read_and_nobody_waits_for_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path("/dev/zero")):
        with pytest.raises(OSError, match="it is no regular file"):
            read_small_file(path)
    with pytest.raises(IsADirectoryError):
        read_small_file(tmp_path)
    (tmp_path / "file").write_bytes(b"x" * 11)
    assert read_small_file(tmp_path / "file", 11)[0] == b"x" * 11
    with pytest.raises(OSError, match="it is larger than 10 bytes"):
        read_small_file(tmp_path / "file", 10)
