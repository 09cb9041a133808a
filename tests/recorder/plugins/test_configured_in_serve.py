"""Which plugins a recorder starts with: sections, options and modules, right and wrong."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.recorder.cli_recorder.daemons import DEADLINE_S, Daemon, run
from tests.recorder.plugins.plugged_project import path_of, rows, semantest, send


def test_without_a_recorder_plugins_shows_what_one_would_load(project: Path) -> None:
    shown = semantest(project, "plugins")
    assert shown.returncode == 0
    assert shown.stdout.startswith("no recorder runs; it would load:\n  changing (our-plugins 1.2)\n")
    assert "absent (our-plugins 1.2): OFF, cannot be loaded: AttributeError" in shown.stdout


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ('enabled = ["chnging"]', "no plugin 'chnging' is installed; did you mean 'changing'?"),
        ("[plugins.consle]\nslowest = 1", "no plugin 'consle' is installed; did you mean 'console'?"),
        ('[plugins.event-filter]\nfield = ["card"]', "[plugins.event-filter] no option 'field'; did you mean fields?"),
        ('[plugins.event-filter]\npatterns = ["CARD-[0-9+"]', "'CARD-[0-9+' is no regular expression"),
        ("timeout = 0", "timeout is a number of seconds from 0.01"),
    ],
)
def test_a_section_that_names_what_there_is_not_is_refused_in_one_line(project: Path, section: str, said: str) -> None:
    (project / "semantest.toml").write_text(f"[plugins]\n{section}\n")
    daemon = Daemon(project / ".semantest", PYTHONPATH=path_of(project))
    code, _out, err = daemon.process.wait(DEADLINE_S), *daemon.process.communicate()
    assert code == 2
    assert said in err
    assert len(err.splitlines()) == 1
    shown = semantest(project, "plugins")
    assert (shown.returncode, said in shown.stderr) == (2, True)


def test_why_no_recorder_started_stands_in_its_log_with_the_time(project: Path) -> None:
    (project / "semantest.toml").write_text('[plugins]\nenabled = ["chnging"]\n')
    said = "[plugins] no plugin 'chnging' is installed; did you mean 'changing'?"
    for style in ("text", "json"):
        started = run("start", "--log-format", style, cwd=project, PYTHONPATH=path_of(project))
        assert (started.returncode, started.stderr) == (2, f"semantest-recorder: {said}\n")
    text, record = (project / ".semantest" / "recorder.log").read_text().splitlines()
    assert re.fullmatch(rf"[\d-]+T[\d:.]+Z ERROR {re.escape(said)}", text)
    assert (json.loads(record)["level"], json.loads(record)["message"]) == ("error", said)


def test_a_plugin_whose_options_are_wrong_is_off_and_the_recorder_serves(project: Path) -> None:
    (project / "semantest.toml").write_text('[plugins]\nenabled = ["console"]\n[plugins.console]\nslowst = 1\n')
    daemon = Daemon(project / ".semantest").ready()
    assert send(daemon)["type"] == "ack"
    reason = "[plugins.console] no option 'slowst'; did you mean slowest?"
    assert f"  console (built-in): OFF, {reason}\n" in semantest(project, "plugins").stdout
    checks = {check["name"]: check for check in json.loads(semantest(project, "doctor", "--json").stdout)["checks"]}
    assert (checks["plugin console"]["status"], checks["plugin console"]["detail"]) == ("warn", reason)
    _code, _out, err = daemon.end()
    (line,) = [line for line in err.splitlines() if "slowst" in line]
    assert line.endswith(f"ERROR plugin console is disabled until the recorder starts again: {reason}")
    assert "Traceback" not in err


OWN_MODULE = """
from semantest_recorder.plugins import hookimpl

class Signing:
    @hookimpl
    def initialize(self, context):
        self.name = context.options["name"]

    @hookimpl
    def on_event(self, event):
        if event.type == "test/log":
            return event.replace(payload={**event.payload, "signed": self.name})

@hookimpl
def on_event(event):
    if event.type == "test/log":
        return event.replace(payload={**event.payload, "seen": True})
"""


OWN_SETTINGS = """
[plugins]
modules = ["own.signing", "own.signing:Signing", "own.broken", "own.absent:Plugin", "own.signing:Signing.nothing"]
disabled = ["*"]
[plugins."own.signing:Signing"]
name = "us"
"""


def test_plugins_in_modules_beside_the_configuration_need_no_installation(project: Path) -> None:
    (project / "own").mkdir()
    (project / "own" / "signing.py").write_text(OWN_MODULE)
    (project / "own" / "broken.py").write_text("raise ImportError('needs a library')")
    (project / "semantest.toml").write_text(OWN_SETTINGS)
    daemon = Daemon(project / ".semantest").ready()
    assert send(daemon)["type"] == "ack"
    (stored,) = rows(project, "SELECT payload FROM events WHERE type = 'test/log'")
    assert json.loads(stored[0]) == {"testId": "a.py::t", "message": "sent", "seen": True, "signed": "us"}
    shown = json.loads(semantest(project, "plugins", "--json").stdout)["plugins"]
    _code, _out, err = daemon.end()
    assert [(plugin["name"], plugin["origin"]) for plugin in shown if plugin["enabled"]] == [
        ("own.signing", "configuration"),
        ("own.signing:Signing", "configuration"),
    ]
    reasons = {plugin["name"]: plugin["disabledBecause"] for plugin in shown if plugin["name"].startswith("own")}
    assert reasons["own.broken"] == "cannot be loaded: ImportError: needs a library"
    assert reasons["own.absent:Plugin"] == "cannot be loaded: ModuleNotFoundError: No module named 'own.absent'"
    assert reasons["own.signing:Signing.nothing"].startswith("cannot be loaded: AttributeError")
    assert "plugin own.broken cannot be loaded: ImportError: needs a library" in err
