"""``[recorder]`` and ``[policy]`` of the configuration files, as real recorders heed them."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.recorder.cli_recorder.daemons import DEADLINE_S, Daemon, environment, run, wait_until

TOKEN = "smt_correct-horse-battery-staple"


def configure(project: Path, text: str) -> None:
    (project / "semantest.toml").write_text(text)


def status(project: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run("status", "--json", cwd=project).stdout)
    return found


def answers(found: dict[str, Any], host: str | None = None, token: str = TOKEN) -> int:
    headers = {"Authorization": f"Bearer {token}"} | ({"Host": host} if host else {})
    request = urllib.request.Request(f"{found['url']}/api/v1/status", headers=headers)
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=DEADLINE_S) as answer:
            code: int = answer.status
            return code
    except urllib.error.HTTPError as error:
        return error.code


def test_a_recorder_goes_by_the_files_of_its_project(project: Path) -> None:
    (project / "conf").mkdir()
    (project / "conf" / "token").write_text(TOKEN + "\n")
    configure(
        project,
        '[recorder]\nallow-host = ["tests"]\ntoken-file = "conf/token"\nidle_timeout = 600\n',
    )
    below = project / "src"
    below.mkdir()
    assert run("start", cwd=below).returncode == 0
    found = status(below)
    assert (found["options"]["allowHost"], found["options"]["idleTimeout"]) == (["tests"], 600.0)
    assert answers(found, host="tests") == 200
    assert answers(found, host="other") == 403
    again = run("start", cwd=project)
    assert (again.returncode, again.stdout.strip(), again.stderr) == (0, found["url"], "")


def test_command_line_before_environment_before_files(project: Path) -> None:
    configure(project, '[recorder]\nlog-format = "json"\nidle-timeout = 500\nallow-host = ["file"]')
    variables = {"SEMANTEST_RECORDER_IDLE_TIMEOUT": "700", "SEMANTEST_RECORDER_ALLOW_HOST": "one two"}
    assert run("start", "--allow-host", "typed", cwd=project, **variables).returncode == 0
    options = status(project)["options"]
    assert (options["logFormat"], options["idleTimeout"], options["allowHost"]) == ("json", 700.0, ["typed"])


def test_the_token_of_the_environment_hides_the_file_of_the_configuration(project: Path) -> None:
    configure(project, "[recorder]\ntoken-file = 'nowhere'")
    assert run("start", cwd=project, SEMANTEST_TOKEN=TOKEN).returncode == 0
    assert answers(status(project)) == 200


def test_start_says_which_setting_the_one_that_runs_lacks(project: Path) -> None:
    assert run("start", "--allow-host", "a", cwd=project).returncode == 0
    configure(project, "[recorder]\nallow-host = ['b']")
    said = run("start", cwd=project)
    assert said.returncode == 4
    assert 'without recorder.allow-host = ["b"] (semantest.toml): stop it first' in said.stderr


def test_one_that_a_run_started_is_replaced_as_ever(project: Path, serve: Callable[..., Daemon]) -> None:
    configure(project, "[recorder]\nallow-host = ['tests']")
    serve("--on-demand", "600").ready()
    assert status(project)["options"]["idleTimeout"] == 600.0
    assert "in place of the recorder that a run had started" in run("start", cwd=project).stderr
    assert status(project)["options"]["idleTimeout"] == 0.0


def test_the_configured_idle_timeout_is_that_of_a_runs_own_recorder_too(
    project: Path, serve: Callable[..., Daemon]
) -> None:
    configure(project, "[recorder]\nidle-timeout = 0.5")
    daemon = serve("--on-demand", "600").ready()
    wait_until(lambda: daemon.process.poll() is not None, "it ends when idle")


def test_the_policy_is_that_of_the_files(project: Path, serve: Callable[..., Daemon]) -> None:
    configure(project, "[policy]\nblocked-event-types = ['test/log']\nmax_event_size = 1000")
    connection = serve(SEMANTEST_POLICY_SCAN_CONTENT="off").ready().connect()
    connection.send(json.dumps({"id": "1", "type": "getSecurityMetrics", "timestamp": 0, "payload": {}}))
    policy = next(found for found in iter(lambda: policy_in(json.loads(connection.recv())), None) if found)
    connection.close()
    assert policy["blockedEventTypes"] == ["test/log"]
    assert (policy["maxEventSize"], policy["scanContent"]) == (1000, False)


def policy_in(message: Any) -> dict[str, Any]:
    """The policy, wherever it is in a message; empty when it holds none."""
    if isinstance(message, dict):
        if isinstance(message.get("policy"), dict):
            return dict(message["policy"])
        for value in message.values():
            if found := policy_in(value):
                return found
    return {}


@pytest.mark.parametrize(
    ("text", "variables", "said"),
    [
        ("[recorder]\nprot = 1", {}, "semantest.toml: recorder.prot is no setting; did you mean recorder.port?"),
        ("[recorder]\nport = 'x'", {}, "semantest.toml: recorder.port is 'x', and must be a whole number"),
        ("no toml", {}, "semantest.toml: it is no TOML: "),
        ("", {"SEMANTEST_RECORDER_PORT": "x"}, "'x' is not a valid number"),
        ("", {"SEMANTEST_POLICY_MAX_EVENT_SIZE": "1"}, "SEMANTEST_POLICY_MAX_EVENT_SIZE is '1', and must be"),
        ("[policy]\nblocked-event-types = ['a*b']", {}, "[policy] "),
        ("[recorder]\nhost = '10.0.0.1'", {}, "can be reached from other machines"),
    ],
)
@pytest.mark.parametrize("command", ["serve", "start"])
def test_what_is_wrong_is_one_line_and_exit_code_2(
    project: Path, command: str, text: str, variables: dict[str, str], said: str
) -> None:
    configure(project, text)
    done = run(command, cwd=project, **variables)
    assert done.returncode == 2, done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert not (project / ".semantest" / "recorder.json").exists()


def test_help_is_there_whatever_the_files_say(project: Path) -> None:
    configure(project, "no toml")
    for command in ("serve", "start", "status"):
        assert run(command, "--help", cwd=project).returncode == 0


def test_commands_find_the_folder_that_the_files_name(project: Path) -> None:
    configure(project, "dir = 'build/sem'\n")
    below = project / "src"
    below.mkdir()
    assert run("start", cwd=below).returncode == 0
    assert (project / "build" / "sem" / "recorder.json").exists()
    assert run("stop", cwd=below).returncode == 0
    assert not (below / ".semantest").exists()
    listed = [sys.executable, "-m", "semantest_recorder.cli.semantest", "runs", "--json"]
    done = subprocess.run(listed, cwd=below, env=environment(), capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (3, "semantest: no run was recorded yet\n")
