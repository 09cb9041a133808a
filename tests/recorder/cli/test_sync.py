"""``semantest sync`` in a process of its own: where sessions go, exit codes, and advice that works as it stands."""

from __future__ import annotations

import json
import os
import shlex
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from tests.recorder.cli.project import Project
from tests.recorder.cli.recording import RUN, green_run, small_run
from tests.shipper.ingest_server import TOKEN, IngestServer, Misbehaviour
from tests.shipper.tls_proxy import TlsProxy, self_signed

NOBODY = "http://127.0.0.1:1"
OTHER_RUN = "20261121-100000-bbbbbb"


@pytest.fixture
def server() -> Iterator[IngestServer]:
    """A recorder elsewhere."""
    with IngestServer() as running:
        yield running


def told(session: Path, **state: Any) -> None:
    (session / "ship.json").write_text(json.dumps(state))


def advised(said: str) -> list[str]:
    """The arguments of the command at the end of the last line of advice."""
    line = [line for line in said.splitlines() if line.startswith("semantest: ")][-1]
    program, *arguments = shlex.split(line[line.rindex(": semantest") + 2 :])
    assert program == "semantest"
    return arguments


def test_plain_sync_ships_each_session_to_where_it_was_meant_to_go(project: Project, server: IngestServer) -> None:
    told(small_run().journal(project.folder), recorder=server.url, named=True, state="unreachable")
    green_run(OTHER_RUN).journal(project.folder)
    said = project.semantest("sync", SEMANTEST_TOKEN=TOKEN)
    assert (said.returncode, said.stdout) == (0, "2 of 2 sessions shipped.\n"), said.stderr
    assert f"{RUN}.main" in server.events
    (run,) = project.json("runs")["runs"]
    assert run["id"] == OTHER_RUN
    assert TOKEN not in (project.folder / "recorder.json").read_text(), "the own recorder has a token of its own"


def test_an_exported_url_does_not_redirect_what_is_meant_for_the_own_recorder(
    project: Project, server: IngestServer
) -> None:
    told(small_run().journal(project.folder), recorder="http://127.0.0.1:9", named=False)
    green_run(OTHER_RUN).journal(project.folder)
    said = project.semantest("sync", SEMANTEST_URL=server.url, SEMANTEST_TOKEN=TOKEN)
    assert said.returncode == 0, said.stderr
    assert {source.rpartition(".")[0] for source in server.events} == {OTHER_RUN}
    assert [run["id"] for run in project.json("runs")["runs"]] == [RUN]


def test_a_refused_token_is_named_and_the_advice_works(project: Project, server: IngestServer) -> None:
    told(small_run().journal(project.folder), recorder=server.url, named=True)
    wrong = project.semantest("sync", SEMANTEST_TOKEN="wrong")
    assert (wrong.returncode, len(server.handshakes)) == (4, 1)
    assert "no valid token" in wrong.stderr
    assert (
        f"semantest: {server.url} wants its token: set SEMANTEST_TOKEN to it, then run: semantest sync" in wrong.stderr
    )
    assert project.semantest(*advised(wrong.stderr), SEMANTEST_TOKEN=TOKEN).returncode == 0


def test_a_token_is_taken_from_a_file(project: Project, server: IngestServer) -> None:
    told(small_run().journal(project.folder), recorder=server.url, named=True)
    path = project.root / "token"
    path.write_text("no token\n")
    refused = project.semantest("sync", "--token-file", "token")
    assert refused.returncode == 2
    assert refused.stderr == "semantest: the token in token is not one line of visible ASCII characters\n"
    path.write_text(f"{TOKEN}\n")
    both = project.semantest("sync", "--token-file", "token", "--token-env", "ANY")
    assert both.returncode == 2
    assert both.stderr == "semantest: --token-env and --token-file name two tokens: give one of them.\n"
    assert server.handshakes == []
    done = project.semantest("sync", "--token-file", "token", SEMANTEST_TOKEN="wrong")
    assert done.returncode == 0, done.stderr


def test_a_certificate_that_is_not_trusted_is_told_once_and_at_once(
    project: Project, server: IngestServer, tmp_path: Path
) -> None:
    runs = [f"20261121-10000{number}-cccccc" for number in range(5)]
    with TlsProxy(*self_signed(tmp_path, "IP:127.0.0.1"), server.port) as proxy:
        url = f"https://127.0.0.1:{proxy.port}"
        for run in runs:
            told(green_run(run).journal(project.folder), recorder=url, named=True)
        said = project.semantest("sync", "--timeout", "3600")
        found = json.loads(project.semantest("sync", "--timeout", "3600", "--json").stdout)["sessions"]
    assert (said.returncode, said.stdout) == (3, "0 of 5 sessions shipped.\n")
    reason, advice = said.stderr.splitlines()
    assert reason.startswith(
        f"5 sessions ({', '.join(runs[:3])}, ...): not shipped: 127.0.0.1:{proxy.port}: its certificate"
    )
    assert advice == (
        "semantest: when that is corrected, run: semantest sync; "
        "to ship to the project's own recorder instead: semantest sync --here"
    )
    assert [(entry["outcome"], entry["inVain"]) for entry in found] == [("unreachable", True)] * 5


def test_a_token_for_another_recorder_is_not_sent_and_it_is_said(project: Project, server: IngestServer) -> None:
    told(small_run().journal(project.folder), recorder=server.url, named=True)
    said = project.semantest("sync", SEMANTEST_URL=NOBODY, SEMANTEST_TOKEN=TOKEN)
    assert said.returncode == 4
    assert f"set SEMANTEST_TOKEN to it and SEMANTEST_URL to {server.url}, then run" in said.stderr
    again = project.semantest(*advised(said.stderr), SEMANTEST_URL=server.url, SEMANTEST_TOKEN=TOKEN)
    assert again.returncode == 0, again.stderr


def test_a_token_goes_elsewhere_only_where_the_user_names_it(project: Project, server: IngestServer) -> None:
    url = f"http://0.0.0.0:{server.port}"  # leads here, and is no loopback address
    told(small_run().journal(project.folder), recorder=url, named=True)
    said = project.semantest("sync", SEMANTEST_TOKEN=TOKEN)
    assert said.returncode == 4
    assert said.stderr.splitlines()[-1] == (
        f"semantest: {url} wants its token, which goes to no address that only the folder names: "
        f"set SEMANTEST_TOKEN to it and SEMANTEST_URL to {url}, then run: semantest sync"
    )
    assert "Authorization" not in server.handshakes[0].headers
    again = project.semantest(*advised(said.stderr), SEMANTEST_URL=url, SEMANTEST_TOKEN=TOKEN)
    assert again.returncode == 0, again.stderr


def test_what_cannot_be_reached_is_advised_to_go_here(project: Project, tmp_path: Path) -> None:
    told(small_run().journal(project.folder), recorder=NOBODY, named=True)
    (tmp_path / "else where").mkdir()
    project.root = tmp_path / "else where"
    moved = project.folder.rename(project.root / ".artifacts")
    said = project.semantest("sync", "--directory", ".artifacts", "--timeout", "1")
    assert (said.returncode, said.stdout) == (3, "0 of 1 session shipped.\n")
    assert f"{RUN}: not shipped: 127.0.0.1:1: Connection refused" in said.stderr
    arguments = advised(said.stderr)
    assert arguments == ["sync", "--directory", str(moved), "--here"]
    try:
        assert project.semantest(*arguments).returncode == 0
    finally:
        project.recorder("stop", "--directory", str(moved))


def test_what_another_shipper_keeps_is_not_called_shipped(project: Project) -> None:
    session = small_run().journal(project.folder)
    told(session, pid=os.getpid(), state="connecting")
    with FileLock(session / "ship.lock"):
        said = project.semantest("sync", "--timeout", "0.5")
    assert (said.returncode, said.stdout) == (6, "0 of 1 session shipped.\n")
    assert f"waiting for the shipper of session {RUN} (pid {os.getpid()})" in said.stderr


def test_a_run_that_goes_on_is_shipped_so_far_and_not_called_shipped(project: Project, server: IngestServer) -> None:
    running = small_run(pid=os.getpid(), start_ms=4e12)
    running.bodies["main"] = running.bodies["main"][:-1]
    running.journal(project.folder)
    said = project.semantest("sync", "--url", server.url, SEMANTEST_TOKEN=TOKEN)
    assert (said.returncode, said.stdout) == (6, "0 of 1 session shipped.\n")
    assert "still runs" in said.stderr
    assert len(server.events[f"{RUN}.main"]) == len(running.bodies["main"])


def test_json_and_dry_run(project: Project, server: IngestServer) -> None:
    assert json.loads(_nothing(project).stdout)["sessions"] == []
    told(small_run().journal(project.folder), recorder=server.url, named=True)
    planned = project.semantest("sync", "--dry-run", "--json", "--quiet")
    found = json.loads(planned.stdout)
    assert (planned.returncode, found["schema"], found["dryRun"]) == (0, 1, True)
    assert [(entry["outcome"], entry["recorder"]) for entry in found["sessions"]] == [("planned", server.url)]
    assert server.handshakes == []
    plain = project.semantest("sync", "--dry-run")
    assert plain.stdout == "1 session to ship; nothing was done.\n"
    assert plain.stderr == f"{RUN}: would go to {server.url}\n"
    shipped = json.loads(project.semantest("sync", "--json", SEMANTEST_TOKEN=TOKEN).stdout)
    (entry,) = shipped["sessions"]
    assert (entry["outcome"], entry["acknowledged"], entry["events"]) == ("shipped", entry["events"], entry["events"])


def _nothing(project: Project) -> Any:
    project.folder.mkdir()
    said = project.semantest("sync", "--json")
    assert said.returncode == 0
    return said


def test_url_and_here_exclude_each_other(project: Project) -> None:
    project.folder.mkdir()
    said = project.semantest("sync", "--url", NOBODY, "--here")
    assert (said.returncode, said.stderr.count("\n")) == (2, 1)
    assert project.semantest("sync", "--here", SEMANTEST_URL=NOBODY).returncode == 0


def test_ctrl_c_ends_it_in_words(project: Project, server: IngestServer) -> None:
    told(small_run().journal(project.folder), recorder=server.url, named=True)
    server.behaviour = Misbehaviour(status=500)
    process = project.popen("sync", "--timeout", "3600")
    assert process.stderr is not None
    assert (
        process.stderr.readline() == f"{RUN}: no recorder yet ({server.url} answers with HTTP status 500), trying on\n"
    )
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (6, "0 of 1 session shipped.\n"), err
    assert f"{RUN}: stopped, 0 events are acknowledged" in err
