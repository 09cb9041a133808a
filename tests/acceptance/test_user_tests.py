"""What users' tests do to their process: they pass as without the plugin, and the recording is complete."""

from __future__ import annotations

import subprocess
import sys
import time
from textwrap import dedent

import pytest

from tests.acceptance.conftest import PATIENCE_S, WATCHED, Project, states


def passes_recorded(project: Project, source: str, *args: str) -> dict[str, str]:
    """Run the suite recorded; every test must pass and be recorded as passed. The states by name."""
    (project.path / "test_user.py").write_text(dedent(source))
    code, output = project.pytest("--semantest-flush-timeout=60", *args)
    assert code == 0, output
    report = project.report()
    found = states(report)
    assert set(found.values()) == {"passed"}, found
    assert report["run"]["state"] == "passed"
    assert report["run"]["gaps"] == 0
    return found


@pytest.mark.hazard(9)
def test_tests_that_close_all_descriptors(project: Project) -> None:
    passes_recorded(
        project,
        """
        import os
        def test_a():
            kept = [os.dup(n) for n in range(3)]
            os.closerange(3, 4096)
            path = os.path.abspath("user.txt")
            files = [os.open(f"{path}{n}", os.O_RDWR | os.O_CREAT) for n in range(20)]
            for fd in files:
                os.write(fd, b"mine")
            assert all(os.pread(fd, 100, 0) == b"mine" for fd in files)
        def test_b():
            assert open("user.txt7").read() == "mine"
        """,
        "-s",
    )


@pytest.mark.hazard(8)
@pytest.mark.parametrize("fork", ["os.fork", "ctypes.CDLL(None).fork"])
def test_tests_that_fork(project: Project, fork: str) -> None:
    found = passes_recorded(
        project,
        """
        import ctypes, os, sys
        import pytest
        def test_child_leaves():
            pid = os.fork()
            if pid == 0:
                os._exit(3)
            assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 3
        def test_child_runs_the_rest_of_the_session():
            pid = FORK()
            if pid == 0:
                sys.stdout = sys.stderr = open(os.devnull, "w")
                raise SystemExit(0)
            os.waitpid(pid, 0)
        def test_after(): pass
        def test_there_are_no_children():
            with pytest.raises(ChildProcessError):
                os.waitpid(-1, os.WNOHANG)
        """.replace("FORK", fork),
    )
    assert len(found) == 4


@pytest.mark.hazard(10)
def test_tests_that_falsify_the_clock_and_forbid_sockets(project: Project) -> None:
    passes_recorded(
        project,
        """
        import socket, threading, time
        import pytest
        @pytest.fixture(autouse=True, scope="module")
        def strange_world():
            patch = pytest.MonkeyPatch()
            def forbidden(*args, **kwargs): raise AssertionError("not allowed here")
            patch.setattr(time, "time", lambda: 1.0)
            patch.setattr(time, "perf_counter", lambda: 1.0)
            patch.setattr(time, "monotonic", lambda: 1.0)
            patch.setattr(socket, "socket", forbidden)
            patch.setattr(threading, "Thread", forbidden)
            yield
            patch.undo()
        def test_a(): assert time.time() == 1.0
        def test_b(): pass
        """,
    )
    (first,) = project.rows("SELECT min(time_ms) FROM events")
    assert abs(first[0] / 1000 - time.time()) < 3600


@pytest.mark.hazard(10)
def test_a_conftest_that_falsifies_the_clock_before_anything_starts(project: Project) -> None:
    (project.path / "conftest.py").write_text("import time; time.time = lambda: 1325376000.0\n")
    passes_recorded(project, "import time\ndef test_a(): assert time.time() == 1325376000.0\ndef test_b(): pass\n")
    (first,) = project.rows("SELECT min(time_ms) FROM events")
    assert abs(first[0] / 1000 - time.time()) < 3600


@pytest.mark.hazard(10)
@pytest.mark.parametrize("opened", ["mock_open(read_data='x')", "Mock(side_effect=RuntimeError('not allowed here'))"])
def test_tests_that_falsify_opened_files_where_ctrl_c_is_ignored(project: Project, opened: str) -> None:
    (project.path / "test_user.py").write_text(
        dedent(
            f"""
            import builtins, os
            from unittest.mock import Mock, mock_open
            import pytest
            @pytest.fixture(autouse=True, scope="module")
            def strange_world():
                patch = pytest.MonkeyPatch()
                patch.setattr(builtins, "open", {opened})
                patch.setattr(os, "read", lambda *args: b"x")
                yield
                patch.undo()
            def test_a(): pass
            def test_b(): pass
            """
        )
    )
    process = project.start_pytest("--semantest-flush-timeout=60", interruptible=False)
    output, _ = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, output
    assert states(project.report()) == {"test_a": "passed", "test_b": "passed"}


@pytest.mark.hazard(8)
def test_a_process_whose_children_leave_no_trace_replaces_a_dead_shipper(project: Project) -> None:
    # A parent that ignores SIGCHLD hands that on, and nobody can wait for a child then.
    (project.path / "conftest.py").write_text("import signal; signal.signal(signal.SIGCHLD, signal.SIG_IGN)\n")
    (project.path / "watched.py").write_text(WATCHED)
    (project.path / "test_user.py").write_text(
        dedent(
            """
            import fcntl, json, os, signal
            from pathlib import Path
            from watched import wait_until_watched
            def test_kills_the_shipper():
                wait_until_watched()
                (state,) = Path(".semantest").glob("sessions/*/ship.json")
                with open(state.parent / "ship.lock") as lock:
                    os.kill(json.loads(state.read_bytes())["pid"], signal.SIGKILL)
                    fcntl.flock(lock, fcntl.LOCK_EX)  # it is dead
            """
        )
    )
    code, output = project.pytest("--semantest-flush-timeout=60", "--semantest-strict")
    assert code == 0, output
    assert [line.partition(",")[0] for line in output.splitlines() if line.startswith("semantest: ")] == [
        "semantest: recording to .semantest",
        "semantest: 1 test recorded",
    ]
    assert states(project.report()) == {"test_kills_the_shipper": "passed"}


@pytest.mark.hazard(35)
@pytest.mark.parametrize("options", [("--semantest-capture=none",), ("--semantest-redact=CUST-\\d+",)])
def test_last_output_obeys_what_the_user_said(project: Project, options: tuple[str, ...]) -> None:
    (project.path / "watched.py").write_text(WATCHED)
    (project.path / "test_user.py").write_text(
        dedent(
            """
            import os
            from watched import wait_until_watched
            def test_a():
                print("customer CUST-1234", flush=True)
                wait_until_watched()
                os.kill(os.getpid(), 9)
            """
        )
    )
    project.pytest(*options)
    shown = project.semantest("report", f"--sync-timeout={PATIENCE_S:g}")
    assert "CRASHED test_user.py::test_a" in shown.stdout
    assert ("last output" in shown.stdout) == ("capture" not in options[0])
    assert "CUST-1234" not in shown.stdout
    for path in project.directory.rglob("*"):
        if path.is_file():
            assert b"CUST-1234" not in path.read_bytes(), path


@pytest.mark.hazard(12)
def test_tests_that_look_around(project: Project) -> None:
    passes_recorded(
        project,
        """
        import gc, logging, threading, warnings
        def test_logs(caplog):
            assert caplog.records == []
        def test_warnings(recwarn):
            assert len(recwarn) == 0
        def test_threads():
            assert threading.active_count() == 1
        def test_output(capfd):
            print("mine")
            assert capfd.readouterr().out == "mine\\n"
        def test_objects():
            gc.collect()
            before = len(gc.get_objects())
            gc.collect()
            assert abs(len(gc.get_objects()) - before) < 50
        """,
        "-W",
        "error",
        "-p",
        "no:rerunfailures",  # with xdist it opens a socket and a thread of its own
    )


@pytest.mark.hazard(11)
def test_a_pipe_behind_pytest_ends_with_pytest(project: Project) -> None:
    (project.path / "test_user.py").write_text(
        dedent(
            """
            import contextlib, json, os, time
            from pathlib import Path
            def pid_of(pattern):
                for path in Path(".semantest").glob(pattern):
                    return json.loads(path.read_bytes())["pid"]
            def test_neither_shipper_nor_recorder_holds_it():
                pipe, deadline = os.readlink("/proc/self/fd/7"), time.monotonic() + 60
                assert pipe.startswith("pipe:")
                for pattern in ("sessions/*/ship.json", "recorder.json"):
                    while (pid := pid_of(pattern)) is None:
                        assert time.monotonic() < deadline
                        time.sleep(0.01)
                    for entry in Path(f"/proc/{pid}/fd").iterdir():
                        with contextlib.suppress(FileNotFoundError):  # closed meanwhile
                            assert os.readlink(entry) != pipe
            """
        )
    )
    command = f"{sys.executable} -m pytest --semantest --semantest-flush-timeout=0 -p no:cacheprovider 7>&1 | cat"
    done = subprocess.run(
        ["sh", "-c", command],
        cwd=project.path,
        env=project.environment(),
        capture_output=True,
        text=True,
        timeout=PATIENCE_S * 2,  # the recorder would hold the pipe for ten minutes
        check=False,
    )
    assert "1 passed" in done.stdout


@pytest.mark.hazard(14)
def test_a_proxy_in_the_environment_is_not_asked(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    passes_recorded(project, "def test_a(): pass\n")


@pytest.mark.hazard(13)
def test_pytest_in_pytest_and_twice_in_a_process(project: Project) -> None:
    found = passes_recorded(
        project,
        """
        pytest_plugins = ["pytester"]
        def test_inside(pytester):
            pytester.makepyfile("def test_x(): assert 0")
            pytester.runpytest_inprocess().assert_outcomes(failed=1)
            pytester.runpytest_inprocess("--semantest", "--semantest-url=http://127.0.0.1:9",
                                         "--semantest-flush-timeout=0").assert_outcomes(failed=1)
            pytester.runpytest_subprocess().assert_outcomes(failed=1)
            assert len(list(pytester.path.glob(".semantest/sessions/*"))) == 1
        """,
    )
    assert found == {"test_inside": "passed"}
    code = "import pytest, sys; a = pytest.main(sys.argv[1:]); b = pytest.main(sys.argv[1:]); sys.exit(a or b)"
    (project.path / "test_user.py").write_text("def test_x(): pass\n")
    done = subprocess.run(
        [sys.executable, "-c", code, "--semantest", "-p", "no:cacheprovider", "test_user.py"],
        cwd=project.path,
        env=project.environment(),
        check=False,
        capture_output=True,
    )
    assert done.returncode == 0, done.stdout
    assert project.semantest("sync").returncode == 0
    assert [state for (state,) in project.rows("SELECT state FROM runs ORDER BY started_ms")] == ["passed"] * 3


@pytest.mark.hazard(16)
@pytest.mark.parametrize("options", [("-p", "no:terminal"), ("-q", "-q"), ("--tb=no",), ("--capture=no",)])
def test_options_that_change_what_pytest_says(project: Project, options: tuple[str, ...]) -> None:
    passes_recorded(project, "def test_a(): pass\n", *options)


ENDINGS = {
    "os._exit": "os._exit(0)",
    "SIGTERM": "os.kill(os.getpid(), signal.SIGTERM)",
    "SIGSEGV": "os.kill(os.getpid(), signal.SIGSEGV)",
    "abort": "os.abort()",
    "faulthandler": "faulthandler.dump_traceback_later(0.05, exit=True); signal.pause()",
}


@pytest.mark.hazard(1)
@pytest.mark.parametrize("ending", ENDINGS)
def test_a_process_that_ends_itself_names_its_test(project: Project, ending: str) -> None:
    (project.path / "test_user.py").write_text(
        dedent(
            f"""
            import faulthandler, os, signal
            def test_before(): pass
            def test_ends_here():
                print("just before", flush=True)
                {ENDINGS[ending]}
            def test_after(): pass
            """
        )
    )
    project.pytest()
    report = project.report()
    assert report["run"]["state"] == "interrupted"
    assert states(report) == {"test_before": "passed", "test_ends_here": "crashed", "test_after": "not_run"}
    counts = report["counts"]
    assert counts["total"] == sum(number for state, number in counts.items() if state != "total") == 3


@pytest.mark.hazard(1)
def test_ctrl_c_under_xdist(project: Project) -> None:
    (project.path / "conftest.py").write_text(
        # A shell starts programs in the background with SIGINT ignored.
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
    )
    (project.path / "test_user.py").write_text(
        dedent(
            """
            import contextlib, os, pathlib, signal, time
            import pytest
            @pytest.mark.parametrize("n", range(4))
            def test_n(n):
                pathlib.Path(f"started{n}").touch()
                if len(list(pathlib.Path().glob("started*"))) == 2:
                    with contextlib.suppress(FileExistsError):  # both may see two: one Ctrl-C, not two
                        pathlib.Path("pressed").touch(exist_ok=False)
                        os.kill(os.getppid(), signal.SIGINT)
                deadline = time.monotonic() + 100
                while time.monotonic() < deadline:
                    time.sleep(0.05)
            """
        )
    )
    code, output = project.pytest("-n2")
    assert code == 2, output
    report = project.report()
    assert report["run"]["state"] == "interrupted"
    assert sorted(states(report).values()) == ["interrupted", "interrupted", "not_run", "not_run"]
