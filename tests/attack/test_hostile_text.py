"""All that ``semantest`` prints about a run whose every text would steer the terminal, or be read as another one."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path
from typing import Any

import pytest

from semantest_recorder.cli.semantest import main
from tests.recorder.cli.command import Said, semantest
from tests.recorder.cli.recording import Recording

pytestmark = pytest.mark.hazard(33)

#: Colours, a title, a link (OSC 8), C1, overwriting by CR and backspace, direction, what nobody sees, formulas.
EVIL = (
    "=cmd|' /C calc'!A1\x1b[2J\x1b]0;title\x07\x1b]8;;https://evil.example\x1b\\link\x1b]8;;\x1b\\\x9b31m\x90q\x9c"
    "\rforged\b\b\x0b\x0c\x85\u2028\u202etxt.exe\u2066\u200b\U000e0041<script>alert(1)</script>[red]rich[/red]\nsecond"
)
SESSION = "20261121-093000-a1b2c3"
#: How each command is asked for all that it can say; with ``--json`` as well where it knows that.
COMMANDS: dict[str, list[list[str]]] = {
    "report": [["report"], ["report", "--rerun"]],
    "runs": [["runs"]],
    "show": [["show", "evil"]],
    "watch": [["watch", "stored"]],
    "cancel": [["cancel"]],
    "replay": [["replay"]],
    "recover": [["recover"]],
    "sync": [["sync", "--dry-run"]],
    "cleanup": [["cleanup", "--keep", "0", "--dry-run"]],
    "backup": [["backup", "copy.db"]],
    "restore": [["restore", "copy.db", "--dry-run"]],
    "rebuild": [["rebuild", "--check"]],
    "plugins": [["plugins"]],
    "config": [["config", "show"], ["config", "check"]],
    "token": [["token", "list"]],
    "doctor": [["doctor"]],
    "completion": [["completion", "bash"]],
}
_WITH_JSON = {"report", "runs", "show", "recover", "sync", "cleanup", "rebuild", "plugins", "config", "token", "doctor"}


def hostile(session: str, run_id: str) -> Recording:
    """A run in which a test failed, was retried, and died, and every text is hostile."""
    test, other = f"evil_{EVIL}.py::test_{EVIL}[{EVIL}]", f"-p{EVIL}/a.py::test_b"
    story: dict[str, Any] = {"testId": test, "attempt": 1}
    run = Recording(session, run_id=run_id)
    run.start(labels={EVIL: EVIL}, args=[EVIL], cwd=f"/x/{EVIL}", rootdir=f"/x/{EVIL}", name=EVIL, tags=[EVIL])
    git = dict.fromkeys(("commit", "branch", "remote", "root", "subject", "author"), EVIL)
    ci = dict.fromkeys(("provider", "build", "url", "job", "branch"), EVIL)
    run.add("main", "run/context", {"git": git, "ci": ci, "environment": {"python": EVIL, "platform": EVIL}})
    run.plan(test, other, f"never{EVIL}.py::test_c")
    run.start("gw0", name=EVIL)
    run.begin(test, "gw0", suiteName=EVIL, browser=EVIL, tags=[EVIL], params={EVIL: EVIL}, markers=[EVIL])
    run.add("gw0", "test/step/start", story | {"stepId": "1", "name": EVIL})
    run.add("gw0", "test/log", story | {"level": EVIL, "message": EVIL, "data": {EVIL: EVIL}})
    run.add("gw0", "test/step/end", story | {"stepId": "1", "name": EVIL, "status": "failed", "error": EVIL})
    run.add("gw0", "test/assertion", story | {"type": "fail", "message": EVIL, "expected": EVIL, "actual": EVIL})
    run.add("gw0", "test/attachment", story | {"name": EVIL, "sha256": "0" * 64, "kind": EVIL, "mediaType": EVIL})
    run.add("gw0", "run/warning", {"runId": run_id, "message": EVIL, "category": EVIL, "testId": test, "file": EVIL})
    error = {"message": EVIL, "type": EVIL, "stack": EVIL, "file": EVIL, "line": 3, "phase": "call", "code": EVIL}
    logs = [{"stream": EVIL, "phase": "call", "text": EVIL}]
    run.test(test, "failed", "gw0", 1, error=error, logs=logs, userProperties=[[EVIL, EVIL]], willRetry=True)
    run.test(test, "failed", "gw0", 2, error=error, logs=logs, reason=EVIL)
    run.test(other, "skipped", "gw0", reason=EVIL)
    run.begin(f"{other}{EVIL}", "gw0")
    run.add("main", "worker/crash", {"runId": run_id, "worker": "gw0", "reason": EVIL, "testId": test})
    return run


def asked(folder: Path, arguments: list[str]) -> Said:
    more = [] if arguments[0] == "completion" else ["--directory", str(folder)]
    return semantest(*arguments, *more)


def what_steers(said: str) -> set[str]:
    """Characters that a terminal obeys or does not show, but for line ends and tabs."""
    kinds = {character: unicodedata.category(character) for character in set(said) - {"\n", "\t"}}
    return {character for character, kind in kinds.items() if kind in ("Cc", "Cf", "Zl", "Zp", "Cs")}


def test_no_command_prints_what_steers_a_terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / ".semantest"
    monkeypatch.chdir(tmp_path)
    ended = hostile(SESSION, f"stored{EVIL}")
    ended.end(1, "gw0")
    ended.end(1, reason=EVIL)
    ended.store(folder)
    hostile("20261121-100000-ffffff", f"left{EVIL}").journal(folder)
    ship = {"state": "unreachable", "detail": EVIL, "named": True, "recorder": f"http://127.0.0.1:1/{EVIL}", "pid": 1}
    session = folder / "sessions" / "20261121-100000-ffffff"
    (session / "ship.json").write_text(json.dumps(ship))
    (session / "shipper.log").write_text(EVIL * 20)
    (folder / "recorder.log").write_text(EVIL * 20)
    (folder / "recorder.json").write_text(json.dumps({"pid": 1, "url": EVIL, "token": EVIL, "version": EVIL}))
    text = json.dumps(EVIL)
    (tmp_path / "semantest.toml").write_text(f"{text} = {text}\nurl = {text}\n[plugins]\nmodules = [{text}]\n")
    assert set(COMMANDS) == set(main.list_commands(main.make_context("semantest", ["report"], resilient_parsing=True)))
    shown, wrong = "", dict[str, object]()
    for name, calls in COMMANDS.items():
        for call in [*calls, *([[*calls[0], "--json"]] if name in _WITH_JSON else [])]:
            said = asked(folder, call)
            assert "Traceback" not in said.err, call
            if found := what_steers(said.out + said.err):
                wrong[" ".join(call)] = sorted(map(ascii, found)), (said.out + said.err)[:300]
            if "--json" in call and said.out:
                json.loads(said.out)
            shown += said.out
    assert not wrong
    assert shown.count("<script>") > 10, "the hostile texts were there to be shown"
