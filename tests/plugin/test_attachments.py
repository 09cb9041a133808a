"""Files and bytes that recorded tests attach."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import pytest

from tests.plugin.conftest import Record_, artifacts


def test_attachments_are_files_by_their_hash(pytester: pytest.Pytester, record: Record_) -> None:
    pytester.makepyfile(
        """
        from pathlib import Path

        def test_a(semantest, tmp_path):
            picture = tmp_path / "shot.png"
            picture.write_bytes(b"\\x89PNG\\r\\n\\x1a\\nnothing")
            with semantest.step("look"):
                semantest.attach(picture)
            picture.unlink()
            semantest.attach(b"\\x89PNG\\r\\n\\x1a\\nnothing", "again")
            semantest.attach("plain words")
            semantest.attach('{"a": 1}', name="answer.json")
            semantest.attach(b"\\0\\1", name="dump", media_type="application/x-dump")
        """
    )
    recorded = record("-q")
    recorded.result.assert_outcomes(passed=1)
    png = b"\x89PNG\r\n\x1a\nnothing"
    told = recorded.of("test/attachment")
    assert [(one["name"], one["mediaType"], one["size"], one["kind"]) for one in told] == [
        ("shot.png", "image/png", len(png), "attachment"),
        ("again", "image/png", len(png), "attachment"),
        ("text.txt", "text/plain", 11, "attachment"),
        ("answer.json", "application/json", 8, "attachment"),
        ("dump", "application/x-dump", 2, "attachment"),
    ]
    kept = artifacts(pytester.path)
    assert kept == {hashlib.sha256(data).hexdigest(): data for data in (png, b"plain words", b'{"a": 1}', b"\0\1")}
    assert [one["sha256"] for one in told][:2] == [hashlib.sha256(png).hexdigest()] * 2
    assert told[0]["stepId"] == recorded.of("test/step/start")[0]["stepId"]


def test_what_cannot_be_kept_is_noted_and_the_test_passes(
    pytester: pytest.Pytester, record: Record_, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytester.makepyfile(
        """
        import os

        def test_a(semantest, tmp_path):
            semantest.attach(tmp_path / "missing.txt")
            semantest.attach(b"x" * 101, name="large")
            big = tmp_path / "big.bin"
            big.write_bytes(b"x" * 102)
            semantest.attach(big)
            semantest.attach(tmp_path)
            os.mkfifo(tmp_path / "pipe")
            semantest.attach(tmp_path / "pipe")
            semantest.screenshot()
            semantest.screenshot(object())
            semantest.attach(b"y" * 100, name="fits")
        """
    )
    recorded = record("-q", "--semantest-attachment-limit=100")
    recorded.result.assert_outcomes(passed=1)
    told = {one["name"]: one.get("omitted", "kept") for one in recorded.of("test/attachment")}
    assert told["missing.txt"] == "it cannot be read: No such file or directory"
    assert told["large"] == "101 bytes are more than the limit of 100 (--semantest-attachment-limit)"
    assert told["big.bin"].startswith("102 bytes are more")
    assert told["pipe"] == "it is no regular file"
    assert told["fits"] == "kept"
    assert told["screenshot"] == "object is no page, locator, element or driver"
    recorded.result.stdout.fnmatch_lines(["semantest: *attachment 'large' is not kept: 101 bytes are more*"])
    assert len(artifacts(pytester.path)) == 1


def test_secrets_reach_neither_events_nor_text_files(
    pytester: pytest.Pytester, record: Record_, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOP_API_KEY", "hunter2hunter2")
    pytester.makepyfile(
        """
        import pytest

        SECRET = "hunter2" * 2

        def test_a(semantest, tmp_path):
            semantest.log(f"key {SECRET}", **{SECRET: [SECRET]})
            with pytest.raises(ValueError), semantest.step(f"with {SECRET}"):
                raise ValueError(SECRET)
            semantest.attach(f"said {SECRET}", name=SECRET)
            file = tmp_path / "config.json"
            file.write_text(SECRET)
            semantest.attach(file)
            semantest.event(f"custom/{SECRET}", {"key": SECRET})
        """
    )
    recorded = record("-q")
    recorded.result.assert_outcomes(passed=1)
    assert "hunter2hunter2" not in json.dumps([event.payload for event in recorded.events])
    assert not any(b"hunter2hunter2" in data for data in artifacts(pytester.path).values())
    assert len(artifacts(pytester.path)) == 2
    for path in pytester.path.glob(".semantest/sessions/*/*.journal"):
        assert b"hunter2hunter2" not in path.read_bytes()


def test_a_path_that_is_none_is_noted(pytester: pytest.Pytester, record: Record_) -> None:
    pytester.makepyfile(
        """
        from pathlib import Path

        class Raises:
            def __fspath__(self):
                raise RuntimeError("no such thing")

        def test_a(semantest):
            semantest.attach(Path("a\\0b"), name="null.bin")
            semantest.attach(Raises(), name="raises.bin")
        """
    )
    recorded = record("-q", "--semantest-strict")
    recorded.result.assert_outcomes(passed=1)
    told = {event["name"]: event["omitted"] for event in recorded.of("test/attachment")}
    assert "null" in told["null.bin"]
    assert told["raises.bin"] == "its path cannot be asked: RuntimeError: no such thing"


@pytest.mark.skipif(os.geteuid() == 0 and not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_folder_that_cannot_be_written_costs_the_attachment_alone(pytester: pytest.Pytester, record: Record_) -> None:
    pytester.makepyfile(
        """
        from pathlib import Path

        def test_a(semantest):
            (folder,) = Path(".semantest/sessions").iterdir()
            (folder / "artifacts").write_text("in the way")
            semantest.attach("lost")
            semantest.log("on we go")
        """
    )
    recorded = record("-q")
    recorded.result.assert_outcomes(passed=1)
    (told,) = recorded.of("test/attachment")
    assert told["omitted"].endswith("artifacts cannot be written: Not a directory")
    assert recorded.of("test/log")
