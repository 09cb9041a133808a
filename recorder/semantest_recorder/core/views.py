"""What the public views mean: their columns, and examples. docs/reference/sql.md is made from it.

The views themselves stand in ``store/schema.sql``; a test holds that both name the same columns in the same order.
"""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

#: Within a version views and columns are only added. One that goes, or means something else, makes the next version.
VIEWS_VERSION: Final = 1


class View(NamedTuple):
    """A public view: what a row of it is, what each column means, and queries that people ask."""

    text: str
    columns: dict[str, str]
    #: What is asked, and the SQL that answers it.
    examples: dict[str, str]


Kind = Literal["TEXT", "INTEGER", "REAL"]

_INTEGERS: Final = frozenset(
    {
        *("exit_code", "planned", "deselected", "stopped_early", "gaps", "dirty", "pid", "events", "dropped", "runs"),
        *("passed", "failed", "flaky", "skipped", "attempts", "line", "position", "attempt", "error_line", "seq"),
        *(
            "subtests_passed",
            "subtests_failed",
            "will_retry",
            "judged",
            "flaky_runs",
            "total",
            "done",
            "count",
            "bytes",
        ),
        *("quarantined", "forgiven", "shard_count", "shards_missing", "repetitions"),
    }
)


def kind_of(column: str) -> Kind:
    """Of what kind the values of a column are, in any view: what its name says."""
    if column.endswith("_ms") or column in ("rate", "confidence"):
        return "REAL"
    return "INTEGER" if column in _INTEGERS else "TEXT"


_RUN: Final = "id of the run"
_TEST: Final = "id of the test, as in `pytest ID`"
_ATTEMPT: Final = "number of the attempt, from 1"
_WORKER: Final = "`main`, or an xdist worker such as `gw0`"
_SOURCE: Final = "process that told it: `SESSION.WORKER`"
_STARTED: Final = "when it started"
_ENDED: Final = "when it ended; NULL while it runs"
_SEQ: Final = "number of its event in the log of its source"
_OUTCOME: Final = (
    "`passed`, `failed`, `error`, `skipped`, `xfailed`, `xpassed`, `crashed`, `timeout`, `interrupted`, `lost`"
)
_STATE: Final = "as an outcome; or `flaky` (failed, then passed), `not_run`, `pending`, `running`"

VIEWS: Final[dict[str, View]] = {
    "v_runs": View(
        "A run.",
        {
            "run": _RUN,
            "name": "its name, if it was given one",
            "state": "`pending`, `running`, `passed`, `failed`, `cancelled`, `interrupted`, `timeout`",
            "exit_code": "pytest's; the largest of several sessions",
            "started_ms": "when it started, by the clock of its machine",
            "ended_ms": _ENDED,
            "duration_ms": "`ended_ms - started_ms`",
            "since_ms": "by what runs are ordered: `started_ms`, but not later than it came to the recorder",
            "planned": "how many tests were collected and selected",
            "deselected": "how many were collected and not selected",
            "stopped_early": "1: stopped before its end (`-x`, Ctrl-C, ...)",
            "stop_reason": "why it was stopped",
            "gaps": "records that cannot be read, or were never written",
            "quarantined": "failed tests in quarantine, which do not count",
            "shard_count": "of how many shards it is; 0: it is not of shards",
            "shards_missing": "how many of these did not come: a run that `passed` without them passed so far",
            "branch": "git branch; what CI says where git names none",
            "commit": "git commit, in full; as CI says it where git is not there",
            "dirty": "1: there were changes that are in no commit",
            "author": "author of the commit",
            "subject": "first line of the commit's message",
            "ci": "provider, such as `github`; NULL: none",
            "build_url": "page of the CI build",
            "pull_request": "number or name of the pull request",
            "host": "machine",
            "python": "version of Python",
            "platform": "operating system and architecture",
            "labels": "JSON object; `v_labels` has a row for each",
            "facts": "JSON object: the payload of `run/start`",
            "context": "JSON object: the payload of `run/context` (git, CI, versions of packages)",
        },
        {
            "The last five runs of a branch": "SELECT run, state, datetime(started_ms / 1000, 'unixepoch') AS started, "
            "round(duration_ms / 1000) AS seconds\nFROM v_runs WHERE branch = 'main' ORDER BY since_ms DESC LIMIT 5",
        },
    ),
    "v_labels": View(
        "A label of a run.",
        {"run": _RUN, "name": "name of the label", "value": "its value"},
        {
            "Runs by team": "SELECT value AS team, count(*) AS runs FROM v_labels "
            "WHERE name = 'team' GROUP BY team ORDER BY team",
        },
    ),
    "v_sources": View(
        "A process of a run: pytest itself, an xdist worker, the shipper, or a client of its own.",
        {
            "run": _RUN,
            "source": "its name: `SESSION.WORKER`",
            "session": "one call of pytest; a run may have several",
            "worker": "`main`, `gw0`, ..., `shipper`",
            "state": "`open` (a shipper stays so), `ended` (it said so), `closed` (others said so), `crashed`",
            "host": "machine",
            "pid": "process id there",
            "exit_code": "its exit code, if it told one",
            "started_ms": _STARTED,
            "ended_ms": _ENDED,
            "events": "how many events of it are stored",
            "gaps": "records that cannot be read",
            "dropped": "records that it could not write",
            "crash_reason": "why it died",
            "crash_test": "id of the test that it ran then",
        },
        {
            "Processes that died": "SELECT run, worker, host, crash_reason, crash_test FROM v_sources "
            "WHERE state = 'crashed' ORDER BY started_ms DESC",
        },
    ),
    "v_tests": View(
        "A test through all runs that have it.",
        {
            "test": _TEST,
            "suite": "id of its suite: the file, or the class in it",
            "function": "its id without parameters",
            "params": "its parameters, as in the brackets of its id",
            "runs": "how many runs have it, be it that it was planned only",
            "first_ms": "`since_ms` of the first of them",
            "last_ms": "`since_ms` of the last of them",
            "first_run": "id of the first of them",
            "last_run": "id of the last of them",
            "last_state": "what became of it in the last of them",
            "passed": "runs in which it passed",
            "failed": "runs in which it ended `failed`, `error`, `crashed` or `timeout`",
            "flaky": "runs in which it was flaky",
            "skipped": "runs in which it was skipped",
        },
        {
            "Tests that were new in the last run": "SELECT test FROM v_tests\n"
            "WHERE first_run = (SELECT run FROM v_runs ORDER BY since_ms DESC LIMIT 1)",
            "Tests that no run of the last week has": "SELECT test, last_run FROM v_tests\n"
            "WHERE last_ms < (SELECT max(since_ms) FROM v_runs) - 7 * 86400000",
        },
    ),
    "v_results": View(
        "What became of a test in a run.",
        {
            "run": _RUN,
            "test": _TEST,
            "suite": "id of its suite in this run",
            "function": "its id without parameters",
            "params": "its parameters",
            "state": _STATE,
            "attempts": "how many attempts",
            "duration_ms": "duration of the attempt that decided, the last one as a rule",
            "worker": "worker of that attempt",
            "file": "file of the test function",
            "line": "line of it, from 1",
            "started_ms": "when the first attempt started; NULL: it never did",
            "ended_ms": "when the last attempt ended",
            "reason": "why it was skipped, or expected to fail",
            "position": "its place in the plan, from 0; NULL: it was not planned",
            "markers": "JSON array: names of its markers",
            "fingerprint": "checksum of the lines of its function: another one means that it was edited",
            "quarantine": "JSON object, NULL for one not in quarantine: `entry`, `reason`, `owner`, `expires`",
            "forgiven": "1: it is in a bad state, which does not count since it was in quarantine",
            "repetitions": "how often it was to run at most, as a new test (`--semantest-repeat-new`); NULL: once",
        },
        {
            "How many tests are in which state, run by run": "SELECT run, state, count(*) AS tests FROM v_results\n"
            "GROUP BY run, state ORDER BY run DESC, tests DESC LIMIT 8",
            "What failed in the last run": "SELECT test, worker, round(duration_ms, 1) AS ms FROM v_results\n"
            "WHERE run = (SELECT run FROM v_runs ORDER BY since_ms DESC LIMIT 1) AND state IN ('failed', 'error')",
            "Tests with a marker": "SELECT r.test, r.state FROM v_results r, json_each(r.markers) m "
            "WHERE m.value = 'slow' ORDER BY r.test LIMIT 5",
        },
    ),
    "v_attempts": View(
        "An attempt at a test.",
        {
            "run": _RUN,
            "test": _TEST,
            "attempt": _ATTEMPT,
            "source": _SOURCE,
            "worker": _WORKER,
            "outcome": _OUTCOME + "; NULL while it runs",
            "phase": "phase that decided, or in which it is: `setup`, `call`, `teardown`",
            "started_ms": _STARTED,
            "ended_ms": _ENDED,
            "duration_ms": "all phases together",
            "setup_ms": "duration of its setup",
            "call_ms": "duration of the test function",
            "teardown_ms": "duration of its teardown",
            "timeout_ms": "how long it may take (pytest-timeout)",
            "error_type": "class of the exception",
            "error_message": "what the exception says",
            "error_file": "where it was raised",
            "error_line": "line of it, from 1",
            "reason": "why it was skipped, or expected to fail",
            "last_output": "last output of a process that died",
            "subtests_passed": "how many of its subtests passed",
            "subtests_failed": "how many of its subtests failed",
            "will_retry": "1: it said that another attempt follows",
            "judged": "1: its end never came; the outcome follows from the end of its process",
            "forgiven": "1: pytest did not count its failure, since the test was in quarantine",
        },
        {
            "Where the time goes": "SELECT round(sum(setup_ms) / 1000, 1) AS setup, "
            'round(sum(call_ms) / 1000, 1) AS "call",\n       round(sum(teardown_ms) / 1000, 1) AS teardown '
            "FROM v_attempts",
            "How busy each worker of the last run was": "SELECT worker, count(*) AS attempts, "
            "round(sum(duration_ms) / 1000, 1) AS seconds FROM v_attempts\n"
            "WHERE run = (SELECT run FROM v_runs ORDER BY since_ms DESC LIMIT 1) GROUP BY worker",
        },
    ),
    "v_errors": View(
        "An attempt that did not end well.",
        {
            "run": _RUN,
            "test": _TEST,
            "attempt": _ATTEMPT,
            "worker": _WORKER,
            "outcome": "`failed`, `error`, `crashed`, `timeout`, `interrupted`, `lost`",
            "phase": "phase in which it went wrong",
            "time_ms": "when the attempt ended",
            "error_type": "class of the exception",
            "error_message": "what the exception says",
            "error_file": "where it was raised",
            "error_line": "line of it, from 1",
            "final_state": "what became of the test in that run: `flaky` when a later attempt passed",
        },
        {
            "The most frequent errors": "SELECT error_type, count(*) AS attempts, count(DISTINCT test) AS tests "
            "FROM v_errors\nGROUP BY error_type ORDER BY attempts DESC LIMIT 5",
        },
    ),
    "v_durations": View(
        "How long a test takes: over all runs in which it passed.",
        {
            "test": _TEST,
            "runs": "in how many runs it passed",
            "mean_ms": "mean of its durations",
            "min_ms": "the shortest",
            "max_ms": "the longest",
            "total_ms": "all of them together",
        },
        {
            "Tests that cost most": "SELECT test, runs, round(mean_ms) AS mean_ms, round(total_ms / 1000) AS seconds\n"
            "FROM v_durations ORDER BY total_ms DESC LIMIT 5",
        },
    ),
    "v_flaky": View(
        "A test that was flaky in a run: failed, then passed in the same one. `semantest flaky` compares runs, too: a\n"
        "failure counts where another run of the same commit passed, and a run that failed as a whole does not.",
        {
            "test": _TEST,
            "runs": "in how many runs it was run",
            "flaky_runs": "in how many of them it was flaky",
            "rate": "`flaky_runs / runs`, 0 to 1",
            "last_ms": "when it was run last",
            "last_flaky_ms": "when it started in the last run in which it was flaky",
        },
        {
            "The flakiest": "SELECT test, flaky_runs, runs, round(100 * rate) AS percent FROM v_flaky\n"
            "ORDER BY rate DESC, test LIMIT 5",
        },
    ),
    "v_aliases": View(
        "An earlier name of a test, or of a function, class or file and of all tests in it. Other views count by ids;\n"
        "`semantest flaky`, `slowest`, `trends`, `history` and others go on over a rename.",
        {
            "old": "the earlier id",
            "new": "the later one",
            "state": "`detected` (by the recorder), `added` (by a user), `removed` (by a user: they are two tests)",
            "since_ms": "when the first run with the new id started, or when a user said so",
            "evidence": "why the recorder thinks so; empty if a user said so",
            "confidence": "how sure that is, 0 to 1; NULL if a user said so",
            "first_run": "id of the first run with the new id; NULL if a user said so",
        },
        {
            "The last renames, the newest first": "SELECT old, new, evidence FROM v_aliases\n"
            "WHERE state <> 'removed' ORDER BY since_ms DESC, new LIMIT 5",
        },
    ),
    "v_suites": View(
        "A suite in a run: a test file, a class in it, or what a client calls one.",
        {
            "run": _RUN,
            "suite": "its id",
            "name": "its name, if a client gave it one",
            "total": "planned tests of it",
            "done": "tests that are over",
            "passed": "tests that passed, flaky ones included",
            "failed": "tests that ended badly",
            "skipped": "tests that were skipped, failed as expected, or were not run",
            "started_ms": "when its first test started",
            "ended_ms": "when its last test ended",
            "duration_ms": "`ended_ms - started_ms`; suites may overlap in time",
        },
        {
            "The slowest suites of the last run": "SELECT suite, total, round(duration_ms / 1000, 1) AS seconds "
            "FROM v_suites\nWHERE run = (SELECT run FROM v_runs ORDER BY since_ms DESC LIMIT 1) "
            "ORDER BY duration_ms DESC LIMIT 5",
        },
    ),
    "v_warnings": View(
        "A warning that pytest recorded; the same one of a process is told once.",
        {
            "run": _RUN,
            "source": _SOURCE,
            "category": "class of the warning",
            "message": "what it says",
            "test": "id of the test, if it came from one",
            "file": "where it was raised",
            "line": "line of it, from 1",
            "count": "how often it was told",
        },
        {
            "What is deprecated": "SELECT message, count(DISTINCT run) AS runs FROM v_warnings\n"
            "WHERE category = 'DeprecationWarning' GROUP BY message ORDER BY runs DESC, message LIMIT 5",
        },
    ),
    "v_steps": View(
        "A step of a test that is over (`semantest.step`).",
        {
            "run": _RUN,
            "test": _TEST,
            "attempt": _ATTEMPT,
            "name": "its name",
            "status": "`passed`, `failed`, `skipped`",
            "duration_ms": "how long it took",
            "step": "its id, unique in its source",
            "time_ms": "when it ended",
            "source": _SOURCE,
            "seq": _SEQ,
        },
        {
            "The slowest steps": "SELECT name, count(*) AS times, round(avg(duration_ms), 1) AS mean_ms FROM v_steps\n"
            "GROUP BY name ORDER BY mean_ms DESC LIMIT 5",
        },
    ),
    "v_attachments": View(
        "A file that a test attached. Files lie in `.semantest/artifacts/AB/SHA256`, AB being its first two digits.",
        {
            "run": _RUN,
            "test": _TEST,
            "attempt": _ATTEMPT,
            "name": "name that the test gave it; never a path",
            "kind": "`attachment`, `screenshot`",
            "media_type": "such as `image/png`",
            "bytes": "its size; NULL when it was not kept",
            "sha256": "hash of its content; NULL when it was not kept",
            "omitted": "why it was not kept",
            "time_ms": "when it was attached",
            "source": _SOURCE,
            "seq": _SEQ,
        },
        {
            "The largest attachments": "SELECT name, media_type, bytes, test FROM v_attachments "
            "ORDER BY bytes DESC, run, test LIMIT 3",
        },
    ),
    "v_events": View(
        "An event of the log, as it came: docs/reference/events.md says what each type holds.",
        {
            "run": _RUN,
            "source": _SOURCE,
            "seq": "its number in the log of its source, from 1",
            "type": "such as `test/end` or `custom/...`",
            "time_ms": "when it happened",
            "payload": "JSON object; `json_valid` says 0 of the rare one that is none",
        },
        {
            "How many events of which type": "SELECT type, count(*) AS events FROM v_events "
            "GROUP BY type ORDER BY events DESC LIMIT 5",
            "What tests logged": "SELECT json_extract(payload, '$.message') AS message, count(*) AS times\n"
            "FROM v_events WHERE type = 'test/log' AND json_valid(payload) GROUP BY message LIMIT 5",
        },
    ),
}
