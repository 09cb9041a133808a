"""The ``semantest`` fixture: own events, and what it is without a recording or in a test that fakes everything."""

from __future__ import annotations

import pytest

from tests.plugin.conftest import Record_, artifacts


def test_own_events(pytester: pytest.Pytester, record: Record_) -> None:
    pytester.makepyfile(
        """
        import pytest

        def test_a(semantest):
            semantest.event("custom/cart", {"items": 3, "odd": object})
            for wrong in ("test/end", "custom/", "", "custom/" + "x" * 300, None):
                with pytest.raises(ValueError, match="custom/NAME"):
                    semantest.event(wrong, {})
            with pytest.raises(TypeError, match="is a dict"):
                semantest.event("custom/a", [1])
            with pytest.raises(ValueError, match="not one of debug, info, warning, error"):
                semantest.log("x", "loud")
            with pytest.raises(TypeError, match="attach a path, bytes or text, not int"):
                semantest.attach(3)
            for wrong in ({"name": 5}, {"media_type": 5}):
                with pytest.raises(TypeError, match="is a text, not int"):
                    semantest.attach(b"x", **wrong)
            with pytest.raises(TypeError, match="not of str"):
                semantest.screenshot("page.png")
        """
    )
    for options in ((), ("--no-semantest",)):  # mistakes are found with and without a recording
        recorded = record("-q", *options)
        recorded.result.assert_outcomes(passed=1)
    (event,) = recorded.of("custom/cart")
    assert event == {"testId": "test_own_events.py::test_a", "attempt": 1, "items": 3, "odd": "<builtins.type>"}


def test_without_a_recording_nothing_happens_and_nothing_heavy_is_imported(
    pytester: pytest.Pytester, record: Record_
) -> None:
    pytester.makepyfile(
        """
        import sys
        from pathlib import Path

        def test_a(semantest):
            with semantest.step("a") as step:
                semantest.log("b", "error", c=1)
            @semantest.step("f")
            def function():
                return 5
            assert function() == 5
            semantest.attach(Path("/nowhere"))
            semantest.attach(b"")
            semantest.screenshot()
            semantest.event("custom/x", {})
            ours = {name for name in sys.modules if name.startswith("pytest_semantest.")}
            names = {name.partition(".")[2] for name in ours}
            assert names <= {"fixtures", "hookspecs", "options", "plugin", "protocol", "protocol.keys"}, names
        """
    )
    recorded = record("-q", options=("--no-semantest",), subprocess=True)
    assert recorded.result.ret == 0, recorded.result.stdout.str()
    assert not (pytester.path / ".semantest").exists()


@pytest.mark.hazard(10)
def test_a_test_that_fakes_the_file_system_threads_and_clock(pytester: pytest.Pytester, record: Record_) -> None:
    pytester.makepyfile(
        """
        import os
        from unittest import mock

        def broken(*args, **kwargs):
            raise AssertionError("replaced")

        def test_a(semantest):
            semantest.log("first")
            names = ("os.open", "os.write", "os.rename", "os.mkdir", "threading.Lock", "threading.RLock", "time.time")
            with mock.patch.multiple("os", open=broken, write=broken, rename=broken, mkdir=broken):
                with mock.patch("threading.RLock", broken), mock.patch("time.time", broken):
                    with semantest.step("still"):
                        semantest.attach("kept")
        """
    )
    recorded = record("-q")
    recorded.result.assert_outcomes(passed=1)
    assert [one.get("omitted") for one in recorded.of("test/attachment")] == [None]
    assert list(artifacts(pytester.path).values()) == [b"kept"]


@pytest.mark.hazard(10)
def test_what_is_first_needed_in_a_faked_world_works_in_the_real_one(
    pytester: pytest.Pytester, record: Record_
) -> None:
    pytester.makepyfile(
        """
        import os
        import pytest
        NAMES = ["getpid", "write", "rename", "mkdir", "lseek"]
        class TestFaked:
            @pytest.fixture(scope="class")
            def nothing_works(self):
                patch = pytest.MonkeyPatch()
                def forbidden(*args, **kwargs): raise RuntimeError("not allowed here")
                for name in NAMES:
                    patch.setattr(os, name, forbidden)
                yield
                patch.undo()
            def test_fails(self, nothing_works): assert 0
            def test_attaches(self, nothing_works, request):
                request.getfixturevalue("semantest").attach("some text", name="a.txt")
        class TestReal:
            def test_attaches(self, semantest):
                assert os.getpid()
                semantest.attach("another text", name="b.txt")
        """
    )
    recorded = record("--tb=no", subprocess=True)
    assert recorded.result.ret == 1
    assert [(one["name"], "omitted" in one) for one in recorded.of("test/attachment")] == [
        ("a.txt", False),
        ("b.txt", False),
    ]
    assert sorted(map(len, artifacts(pytester.path).values())) == [9, 12]
