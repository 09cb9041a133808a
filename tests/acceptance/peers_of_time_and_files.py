"""Suites for what falsifies time or the file system, and what has to be recorded of each."""

from __future__ import annotations

from tests.acceptance.peer import Peer

PYFAKEFS = Peer(
    "pyfakefs",
    "fakefs",
    {
        "test_before": "passed",
        "test_files_that_are_none_takes_50_ms": "passed",
        "test_a_file_that_is_missing": "failed",
        "test_files_of_a_fixture": "passed",
        "TestModule::test_first": "passed",
        "TestModule::test_second": "passed",
        "test_teardown_in_it": "error",
        "test_after": "passed",
    },
    """
    import io, os, pathlib
    import pytest
    from pyfakefs.fake_filesystem_unittest import Patcher
    from waiting import wait_50_ms

    def test_before():
        assert os.path.exists(__file__)

    def test_files_that_are_none_takes_50_ms(fs):
        fs.create_file("/data/a.txt", contents="made up")
        assert open("/data/a.txt").read() == io.open("/data/a.txt").read() == "made up"
        assert os.stat("/data/a.txt").st_size == 7
        descriptor = os.open("/data/b.txt", os.O_CREAT | os.O_WRONLY)
        assert os.write(descriptor, b"mine") == 4
        os.close(descriptor)
        assert sorted(os.listdir("/data")) == ["a.txt", "b.txt"]
        assert not os.path.exists("/etc")
        wait_50_ms()

    def test_a_file_that_is_missing(fs):
        open("/etc/passwd")

    @pytest.fixture
    def faked():
        with Patcher() as patcher:
            patcher.fs.create_file("/fixture.txt", contents="f")
            yield patcher.fs
            assert pathlib.Path("/fixture.txt").read_text() == "f"

    def test_files_of_a_fixture(faked):
        assert "fixture.txt" in os.listdir("/")

    class TestModule:
        @pytest.fixture(autouse=True, scope="class")
        def everywhere(self, fs_class):
            fs_class.create_file("/class.txt")

        def test_first(self):
            assert os.path.exists("/class.txt")

        def test_second(self):
            assert os.path.exists("/class.txt")

    @pytest.fixture
    def breaks(fs):
        yield
        os.remove("/nothing")

    def test_teardown_in_it(breaks):
        print("on stdout")

    def test_after():
        assert os.path.exists(__file__)
    """,
)

FREEZEGUN = Peer(
    "freezegun",
    "",
    {
        "test_frozen_through_setup_and_teardown_takes_50_ms": "passed",
        "test_fails_in_the_past": "failed",
        "TestLong::test_first": "passed",
        "TestLong::test_second_takes_50_ms": "passed",
        "test_real_again": "passed",
    },
    """
    import datetime, time
    import pytest
    from freezegun import freeze_time
    from waiting import wait_50_ms

    @pytest.fixture
    def the_nineties():
        with freeze_time("1995-05-05 05:05:05") as frozen:
            yield frozen
            assert datetime.datetime.now().year == 1995

    def test_frozen_through_setup_and_teardown_takes_50_ms(the_nineties):
        begun = time.monotonic(), time.perf_counter(), time.time()
        wait_50_ms()
        assert (time.monotonic(), time.perf_counter(), time.time()) == begun
        the_nineties.tick(86400)
        assert time.time() == begun[2] + 86400

    @freeze_time("2001-01-01")
    def test_fails_in_the_past():
        print(datetime.date.today())
        assert time.gmtime().tm_year == 2000

    class TestLong:
        @pytest.fixture(autouse=True, scope="class")
        def forever(self):
            freezer = freeze_time("2038-01-19")
            freezer.start()
            yield
            freezer.stop()

        def test_first(self):
            assert datetime.date.today().year == 2038

        def test_second_takes_50_ms(self):
            wait_50_ms()
            assert datetime.date.today().year == 2038

    def test_real_again():
        assert datetime.date.today().year > 2024
        begun = time.monotonic()
        wait_50_ms()
        assert time.monotonic() > begun
    """,
)

TIME_MACHINE = Peer(
    "time_machine",
    "time_machine",
    {
        "test_moved_takes_50_ms": "passed",
        "test_fails_elsewhen": "failed",
        "test_today": "passed",
    },
    """
    import datetime, time
    import pytest
    import time_machine
    from waiting import wait_50_ms

    def test_moved_takes_50_ms(time_machine):
        time_machine.move_to(datetime.datetime(1985, 10, 26), tick=False)
        wait_50_ms()
        assert time.time() == time.time()
        assert datetime.date.today().year == 1985
        time_machine.shift(86400)

    @time_machine.travel("2015-10-21", tick=True)
    def test_fails_elsewhen():
        assert datetime.date.today().year == 1985

    def test_today():
        assert datetime.date.today().year > 2024
    """,
)

#: From before the session begins, and never back: all of the recording runs in it.
ANOTHER_TIME = Peer(
    "another_time",
    "time_machine",
    {"test_frozen_takes_50_ms": "passed", "test_fails": "failed"},
    """
    import time
    from waiting import wait_50_ms

    def test_frozen_takes_50_ms():
        begun = time.time()
        wait_50_ms()
        assert time.time() == begun == 499132800.0

    def test_fails():
        assert time.time() > 1e9
    """,
    conftest="""
    import datetime
    import time_machine
    time_machine.travel(datetime.datetime(1985, 10, 26, tzinfo=datetime.UTC), tick=False).start()
    """,
)
