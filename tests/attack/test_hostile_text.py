"""All that ``semantest`` prints about a run whose every text would steer the terminal, or be read as another one."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from semantest_recorder.cli.semantest import main
from tests.recorder.cli.command import semantest
from tests.recorder.cli.recording import START, Recording
from tests.recorder.cli_recorder.daemons import Daemon
from tests.recorder.cli_recorder.daemons import ask as ask_recorder
from tests.recorder.server.running import batch

pytestmark = pytest.mark.hazard(33)

#: Colours, a title, a link (OSC 8), C1, overwriting by CR and backspace, direction, what nobody sees, formulas.
EVIL = (
    "=cmd|' /C calc'!A1\x1b[2J\x1b]0;title\x07\x1b]8;;https://evil.example\x1b\\link\x1b]8;;\x1b\\\x9b31m\x90q\x9c"
    "\rforged\b\b\x7f\x0b\x0c\x85\u2028\u202etxt.exe\u2066\u200b\U000e0041<script>alert(1)</script>[red]rich[/red]"
    "##[stop-commands]on\nsecond"
)
SESSION = "20261121-093000-a1b2c3"
LEFT = "20261121-100000-ffffff"
TEST = f"::add-mask::evil_{EVIL}.py::test_{EVIL}[{EVIL}]"
#: How each command is asked for all that it can say, and how it ends; with ``--json`` as well where it knows that.
COMMANDS: dict[str, list[tuple[list[str], int]]] = {
    "report": [(["report"], 1), (["report", "stored", "--output"], 1), (["report", "--format", "agent"], 1)],
    "runs": [(["runs"], 0)],
    "show": [(["show", TEST], 0), (["show", "evil"], 2)],
    "export": [(["export", "--format", "json"], 0), (["export", "--format", "ctrf"], 0)],
    "watch": [(["watch", "stored"], 1)],
    "sql": [(["sql", "v_results"], 0), (["sql", "v_events"], 0), (["sql", f'SELECT 1 FROM "{EVIL}"'], 2)],
    "dump": [(["dump", "out", "--format", "jsonl", "--force"], 0)],
    "open": [(["open"], 2)],
    "flaky": [(["flaky"], 0)],
    "slowest": [(["slowest"], 0)],
    "slower": [(["slower", "--since", EVIL], 3)],
    "trends": [(["trends"], 0)],
    "diff": [(["diff"], 0)],
    "failures": [(["failures"], 1)],
    "history": [(["history", TEST], 0)],
    "blame": [(["blame", TEST], 1)],
    "alias": [(["alias", "list"], 0)],
    "alerts": [
        *((["alerts", "silence", EVIL, "--for", "2h", "--reason", EVIL], 0), (["alerts"], 0)),
        *((["alerts", "unsilence", EVIL], 3), (["alerts", "retry", EVIL], 3), (["alerts", "test", EVIL], 2)),
    ],
    "quarantine": [(["quarantine", "list"], 3)],
    "owed": [(["owed"], 1)],
    "gate": [(["gate"], 1)],
    "ci": [(["ci", "github", "--summary-file", "summary.md"], 0)],
    "badge": [(["badge"], 0), (["badge", "--branch", EVIL[:-3]], 3)],
    "recover": [(["recover"], 1), (["recover", "--all"], 1)],
    "sync": [(["sync", "--dry-run"], 0)],
    "cleanup": [(["cleanup", "--keep", "0", "--dry-run"], 0)],
    "backup": [(["backup", "copy.db"], 0)],
    "restore": [(["restore", "copy.db", "--dry-run"], 0)],
    "merge": [
        *((["merge", EVIL], 3), (["merge", "elsewhere/.semantest", "--dry-run"], 1)),
        (["merge", "copy.db", "--dry-run"], 0),
    ],
    "import": [(["import", "reports", "--dry-run"], 0), (["import", "evil.json", "--dry-run"], 0)],
    "rebuild": [(["rebuild", "--check"], 0)],
    "plugins": [(["plugins"], 2)],
    "config": [(["config", "show"], 0), (["config", "check"], 2)],
    "token": [(["token", "revoke", EVIL], 3)],
    "doctor": [(["doctor"], 1)],
    "completion": [(["completion", "bash"], 0)],
    "mcp": [(["mcp"], 2)],  # without the extra; what its tools say is tested beside them
}
#: Those that read files which say what they may not.
MISLED = [(["plugins"], 2), (["config", "show"], 2), (["config", "check"], 2), (["cleanup", "--dry-run"], 2)]
MISLED += [(["token", "list"], 1)]
#: Those that ask a recorder.
LIVE: dict[str, list[tuple[list[str], int]]] = {
    "cancel": [(["cancel", "other"], 3), (["cancel", "--no-wait", "--grace", "600"], 0)],
    "stack": [(["stack", EVIL], 3)],
    "replay": [(["replay", "--from", "2000-01-01", "--to", "2100-01-01"], 0)],
}
#: What shows no text of others: a script, counts, sizes, and that a file is no list of tokens.
SILENT = {
    *("completion bash", "backup copy.db", "restore copy.db --dry-run", "rebuild --check", "rebuild --check --json"),
    *("replay --from 2000-01-01 --to 2100-01-01", "token list", "token list --json"),
    *("dump out --format jsonl --force", "flaky", "alias list", "alias list --json"),
    *("quarantine list", "quarantine list --json", "merge copy.db --dry-run", "mcp"),
}
_WITHOUT_JSON = ("backup", "restore", "completion", "open", "export", "ci", "badge", "mcp")
#: Those whose output is for files; `ci` prints commands of its own.
FOR_FILES = ("ci", "export", "dump", "badge", "sql --json")
#: What a runner of GitHub takes for a command, wherever it comes from.
COMMAND = re.compile(r"^.*##\[.*|^\s*::.*", re.MULTILINE)
Ask = Callable[[list[str], int], None]


def hostile(session: str, run_id: str, start_ms: float = START) -> Recording:
    """A run in which a test failed, was retried, and died, and every text is hostile."""
    test, other = TEST, f"-p{EVIL}/a.py::test_b"
    story: dict[str, Any] = {"testId": test, "attempt": 1}
    run = Recording(session, run_id=run_id, start_ms=start_ms)
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


def foreign_report(folder: Path) -> None:
    """A report of another tool, by its name and in all that it says."""
    failed = {
        "outcome": "failed",
        "crash": {"path": EVIL, "lineno": 3, "message": EVIL},
        "longrepr": EVIL,
        "stdout": EVIL,
    }
    document = {
        "exitcode": 1,
        "environment": {EVIL: EVIL},
        "tests": [{"nodeid": TEST, "outcome": "failed", "call": failed}],
    }
    folder.mkdir()
    (folder / f"{EVIL.replace('/', '')}.json").write_text(json.dumps(document))


def what_steers(said: str) -> set[str]:
    """Characters that a terminal obeys or does not show, but for line ends and tabs."""
    kinds = {character: unicodedata.category(character) for character in set(said) - {"\n", "\t"}}
    return {character for character, kind in kinds.items() if kind in ("Cc", "Cf", "Zl", "Zp", "Cs")}


def as_toml(text: str) -> str:
    """The text as TOML has it, which knows JSON's escapes but for halves of a character, and wants one for DEL."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Everything is printed in a step of GitHub Actions, which takes some lines for commands."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    return tmp_path / ".semantest"


@pytest.fixture
def ask(folder: Path, capfd: pytest.CaptureFixture[str]) -> Ask:
    """Asks a command, as people and as programs do, and looks at what it prints, its shipper's words included."""

    def ask(call: list[str], code: int) -> None:
        place = [] if call[0] in ("completion", "config") else ["--directory", str(folder)]
        for form in [[]] if call[0] in _WITHOUT_JSON or "agent" in call else [[], ["--json"]]:
            capfd.readouterr()
            found = semantest(*call, *form, *place)
            said = found.out + found.err + "".join(capfd.readouterr())
            asked = " ".join([*call, *form])
            assert (found.code, what_steers(said)) == (code, set()), (asked, said)
            assert not re.search(r"^(forged|txt|second)", said, re.MULTILINE), (asked, said)
            assert " ".join([call[0], *form]) in FOR_FILES or not COMMAND.search(said), (asked, COMMAND.search(said))
            assert ("<script>" in said) == (asked not in SILENT), (asked, said)
            if form and found.out:
                json.loads(found.out.splitlines()[-1] if call[0] in ("replay", "watch") else found.out)

    return ask


def test_no_command_prints_what_steers_a_terminal(folder: Path, ask: Ask) -> None:
    for session, run_id, start_ms in (("20261121-080000-bbbbbb", "old", START - 5_400_000), (SESSION, "stored", START)):
        ended = hostile(session, f"{run_id}{EVIL}", start_ms)
        ended.end(1, "gw0")
        ended.end(1, reason=EVIL)
        ended.store(folder)
    foreign_report(folder.parent / "reports")
    other = hostile(SESSION, f"stored{EVIL}", START + 1)  # other events than those of the same name here
    other.store(folder.parent / "elsewhere" / ".semantest")
    session_folder = hostile(LEFT, f"left{EVIL}").journal(folder)
    ship = {"state": "unreachable", "detail": EVIL, "named": True, "recorder": f"http://127.0.0.1:1/{EVIL}", "pid": 1}
    (session_folder / "ship.json").write_text(json.dumps(ship))
    (session_folder / "shipper.log").write_text(EVIL * 20)
    (folder / "recorder.log").write_text(EVIL * 20)
    (folder / "recorder.json").write_text(json.dumps({"pid": 1, "url": EVIL, "token": EVIL, "version": EVIL}))
    results = {"tool": {"name": EVIL}, "tests": [{"name": EVIL, "status": "failed", "message": EVIL}]}
    Path("evil.json").write_text(json.dumps({"results": results}))
    settings, text = folder.parent / "semantest.toml", as_toml(EVIL)
    settings.write_text(f"[plugins]\nmodules = [{text}]\n[plugins.{text}]\n{text} = {text}\n")
    assert COMMANDS.keys() | LIVE.keys() == set(
        main.list_commands(main.make_context("semantest", ["report"], resilient_parsing=True))
    )
    for calls in COMMANDS.values():
        for call, code in calls:
            ask(call, code)
    settings.write_text(f"{text} = {text}\nurl = {text}\n")
    token = {"name": EVIL, "roles": ["read"], "digest": "0" * 64, "createdMs": 1.0}
    (folder / "tokens.json").write_text(json.dumps({"schema": 1, "tokens": [token]}))
    (folder / "tokens.json").chmod(0o600)
    for call, code in MISLED:
        ask(call, code)


def test_no_command_prints_it_out_of_a_recorder(folder: Path, ask: Ask, serve: Callable[..., Daemon]) -> None:
    client = serve().ready().connect()
    run = hostile(SESSION, f"running{EVIL}")
    for worker, bodies in run.bodies.items():
        answer = ask_recorder(client, batch(1, [json.loads(body) for body in bodies], f"{SESSION}.{worker}"))
        assert answer["type"] == "ack", answer
    for calls in LIVE.values():
        for call, code in calls:
            ask(call, code)
    client.close()
