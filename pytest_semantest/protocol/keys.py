"""Every key of the configuration, said once: pytest's options, those of ``serve``, files, variables and docs follow it.

Pure, and imported at every start of every pytest: no dataclass or NamedTuple (making one compiles code), no ``re``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

#: The two files that are read: keys stand at the top of the first, and in ``[tool.semantest]`` of the second.
OWN_FILE = "semantest.toml"
PYPROJECT = "pyproject.toml"

#: What an environment variable may say for a flag, in small letters.
TRUE = ("1", "true", "yes", "on")
FALSE = ("", "0", "false", "no", "off")

CAPTURE_POLICIES = ("failed", "all", "none")
SCREENSHOTS = ("on-failure", "off")
STACKS = ("on-request", "off")
RETRY_POLICIES = ("all", "known-flaky")
ORDERS = ("collected", "failed-first", "slowest-first", "likely-to-fail")
#: What may fail a session that pytest calls green, and what is said to GitHub Actions.
FAIL_ON = ("flaky", "lost", "left-out", "warnings", "new-failures", "slower")
GITHUB = ("off", "summary", "annotations", "all")
#: The shape of a recorder's address, and of a run id.
URL = r"(?i)(?:https?|wss?)://[^\s/]+"
RUN_ID = r"[\w.:/@+-]{1,200}"


class Key:
    """One key: ``[section] name`` in a file (the section of pytest's own has no name), ``variable``, ``flag``, ``ini``.

    ``kind`` says what it takes; ``choices`` are those of a ``choice``; ``default`` is ``None`` when nothing stands for
    itself. ``limits`` are the least and the most that an ``integer`` may be.

    ======== ==================================== =======================================
    kind     in a file                            in a variable (and a pytest ini file)
    ======== ==================================== =======================================
    flag     ``true`` or ``false``                1, true, yes, on; 0, false, no, off
    text     a string                             itself
    path     a string, relative to the file       itself, relative to the working directory
    url      a string                             itself
    choice   a string                             itself
    integer  a whole number                       itself
    percent  a number from 0 to 100               itself
    factor   a number from 1 up                   itself
    seconds  a number from 0 up                   itself
    duration a string such as ``"30d"``           itself
    size     a string such as ``"2 GB"``          itself
    lines    a list of strings                    one per line
    patterns a list of regular expressions        one per line
    words    a list of strings                    separated by blanks
    labels   a table of strings                   ``key=value``, one per line or by commas
    ======== ==================================== =======================================
    """

    __slots__ = ("choices", "default", "help", "kind", "limits", "metavar", "name", "section")

    def __init__(
        self,
        section: str,
        name: str,
        kind: str,
        default: Any,
        metavar: str,
        help: str,  # noqa: A002 - as argparse and click have it
        *,
        choices: tuple[str, ...] = (),
        limits: tuple[int, int] = (0, 1_000_000_000),
    ) -> None:
        self.section = section
        self.name = name
        self.kind = kind
        self.default = default
        self.metavar = metavar
        self.help = help
        self.choices = choices
        self.limits = limits

    @property
    def path(self) -> str:
        """Its dotted name in a file."""
        return f"{self.section}.{self.name}" if self.section else self.name

    @property
    def flag(self) -> str:
        """The option: of pytest for a key without a section, else of the commands that take it."""
        if self.section:
            return f"--{self.name}"
        return "--semantest" if self.name == "enabled" else f"--semantest-{self.name}"

    @property
    def variable(self) -> str:
        """The environment variable."""
        words = ["semantest", self.section, "" if self.path == "enabled" else self.name]
        return "_".join(word for word in words if word).replace("-", "_").upper()

    @property
    def ini(self) -> str:
        """The key in pytest's ini file and the destination on ``config.option``; for keys without a section only."""
        return self.variable.lower()

    @property
    def is_list(self) -> bool:
        """Whether it takes several values."""
        return self.kind in ("lines", "patterns", "words", "labels")

    @property
    def is_secret(self) -> bool:
        """Whether its value is nobody's to see."""
        return self.name == "token"


#: What pytest's plugin takes.
RECORDING = (
    Key(
        *("", "enabled", "flag", False, ""),
        "Record this session with Semantest: every test as it happens, nothing lost.",
    ),
    Key("", "url", "url", None, "URL", "Recorder to ship to (http or ws URL). Default: the project's own, on demand."),
    Key(
        *("", "token", "text", None, "TOKEN"),
        "Token for --semantest-url. Prefer SEMANTEST_TOKEN: arguments show in process lists.",
    ),
    Key("", "token-file", "path", None, "FILE", "File that holds the token, out of version control."),
    Key("", "dir", "path", None, "DIR", "The .semantest folder itself. Default: .semantest in the rootdir."),
    Key("", "run-name", "text", None, "NAME", "A name for the run, shown in reports."),
    Key("", "run-id", "text", None, "ID", "Join this run: CI shards and matrix jobs that name one id become one run."),
    Key("", "labels", "labels", None, "K=V", "Labels for the run; repeatable."),
    Key(
        "",
        "strict",
        "flag",
        False,
        "",
        "Fail the session (exit code 1) when its recording is not complete and shipped.",
    ),
    Key(
        *("", "flush-timeout", "seconds", 2, "SECONDS"),
        "Longest wait at the end for the last acknowledgement; 0: do not wait. Default: 2, in CI 15.",
    ),
    Key(
        *("", "report", "lines", (), "FORMAT:PATH"),
        "Write a report to PATH at the end: junit, ctrf, markdown, ... as `semantest export`; repeatable.",
    ),
    Key(
        *("", "report-timeout", "seconds", 30, "SECONDS"),
        "Longest wait at the end for reports, for what fail-on asks of history, and for github. Default: 30.",
    ),
    Key(
        *("", "fail-on", "lines", (), "POLICY"),
        "Exit code 1 instead of 0 for: flaky, lost, left-out, warnings, new-failures, slower; repeatable.",
        choices=FAIL_ON,
    ),
    Key(
        *("", "github", "choice", "off", "WHAT"),
        "In GitHub Actions, show at the end: summary, annotations, all or off. Default: off.",
        choices=GITHUB,
    ),
    Key(
        *("", "capture", "choice", "failed", "POLICY"),
        "Whose captured output to keep: failed, all or none. Default: failed.",
        choices=CAPTURE_POLICIES,
    ),
    Key(
        *("", "output-limit", "integer", 65536, "CHARS"),
        "Longest captured text or traceback kept, head and tail. Default: 65536.",
    ),
    Key("", "redact", "patterns", (), "REGEX", "Further pattern to redact before anything is written; repeatable."),
    Key(
        *("", "screenshots", "choice", "on-failure", "WHEN"),
        "Pictures of pages of failed tests: on-failure, or off. Default: on-failure.",
        choices=SCREENSHOTS,
    ),
    Key(
        *("", "stacks", "choice", "on-request", "WHEN"),
        "Whether `semantest stack` may see what threads do: on-request, or off. Default: on-request.",
        choices=STACKS,
    ),
    Key(
        *("", "attachment-limit", "integer", 20_971_520, "BYTES"),
        "Largest attachment kept. Default: 20971520 (20 MiB).",
    ),
    Key("", "retries", "integer", 0, "N", "Run a failed test up to N more times; every attempt is kept."),
    Key(
        *("", "retry", "choice", "all", "POLICY"),
        "Which failed tests to retry: all, or known-flaky by history. Default: all.",
        choices=RETRY_POLICIES,
    ),
    Key("", "retry-match", "patterns", (), "REGEX", "Retry only errors that match 'Type: message'; repeatable."),
    Key("", "retry-delay", "seconds", 0, "SECONDS", "Wait before each retry. Default: 0."),
    Key(
        *("", "quarantine", "flag", False, ""),
        "Failures of the tests in the quarantine file do not fail the run; they are reported apart.",
    ),
    Key(
        *("", "quarantine-file", "path", None, "FILE"),
        "The list of quarantined tests. Default: semantest-quarantine.toml in the rootdir.",
    ),
    Key(
        *("", "quarantine-base", "text", None, "REV"),
        "Take the list as it is in this git revision, so that a change cannot quarantine its own failures.",
    ),
    Key(
        *("", "quarantine-days", "integer", 90, "DAYS"),
        "How many days ahead an entry of the list may expire. Default: 90.",
        limits=(1, 3650),
    ),
    Key(
        *("", "order", "choice", "collected", "ORDER"),
        "Run tests in this order, by earlier runs: collected, failed-first, slowest-first or likely-to-fail. "
        "Default: collected.",
        choices=ORDERS,
    ),
    Key("", "shard", "text", None, "I/N", "Run the I-th of N parts of the tests, equally long by earlier runs."),
    Key(
        *("", "budget", "duration", None, "TIME"),
        "Run what is most likely to fail within this time (90s, 2m); new, changed and failed tests always run.",
    ),
    Key(
        *("", "rerun", "words", (), "RUN"),
        "Run only what this run still owes (an id, the beginning of one, or last); repeatable, or several by commas.",
    ),
    Key(
        *("", "repeat-new", "integer", None, "N"),
        "Run tests that did not pass in any earlier run up to N times: the first time that fails makes them fail.",
        limits=(1, 1000),
    ),
)

#: Those of them that choose and order tests, with a recording or without one.
SELECTION = ("order", "shard", "budget", "rerun", "repeat-new")

#: What ``semantest-recorder serve`` and ``start`` take.
RECORDER = (
    Key("recorder", "host", "text", "127.0.0.1", "", "Address to listen on."),
    Key("recorder", "port", "integer", 0, "", "Port to listen on.  [default: any free one]", limits=(0, 65535)),
    Key(
        *("recorder", "token-file", "path", None, ""),
        "File that holds the token.  [default: the variable SEMANTEST_TOKEN, else a new random one]",
    ),
    Key(
        *("recorder", "tls-cert", "path", None, "FILE"),
        "Speak TLS with this certificate (PEM, with its chain); a renewed one is taken at once.",
    ),
    Key("recorder", "tls-key", "path", None, "FILE", "The key of the certificate (PEM, no password)."),
    Key(
        *("recorder", "tls-terminated", "flag", False, ""),
        "A proxy in front speaks TLS: plain HTTP beyond loopback is meant.",
    ),
    Key("recorder", "allow-anonymous", "flag", False, "", "Clients without a token may send and read events."),
    Key("recorder", "allow-origin", "words", (), "ORIGIN", "Pages of this exact origin may connect."),
    Key("recorder", "allow-host", "words", (), "HOST", "Serve this Host too: name or name:port."),
    Key(
        *("recorder", "idle-timeout", "seconds", 0, "SECONDS"),
        "End after this time without a client.  [default: never; 600 for a recorder that a run starts]",
    ),
    Key("recorder", "log-format", "choice", "text", "", "How the log is written.", choices=("text", "json")),
    Key(
        *("recorder", "log-level", "choice", "info", "", "What the log holds."),
        choices=("debug", "info", "warning", "error"),
    ),
)

#: The security policy that a recorder starts with; the names are those of ``core/policy.py``.
POLICY = (
    Key(
        *("policy", "max-events-per-second", "integer", 50_000, ""),
        "Events of each client in a second; more are delayed or refused.",
        limits=(1, 100_000_000),
    ),
    Key(
        *("policy", "max-event-size", "integer", 1024 * 1024, ""),
        "Bytes of a one-off event.",
        limits=(256, 16 * 1024 * 1024),
    ),
    Key("policy", "allowed-event-types", "words", None, "", "Types (exact, or test/*) that are let in. Default: all."),
    Key("policy", "blocked-event-types", "words", (), "", "Types (exact, or test/*) that are refused."),
    Key("policy", "require-authentication", "flag", True, "", "Refuse clients without a token."),
    Key("policy", "allowed-clients", "words", None, "", "Names of tokens that are let in. Default: every known one."),
    Key(
        *("policy", "scan-content", "flag", True, ""),
        "Refuse (one-off) or mark (shipped) texts that look like an injection.",
    ),
)

#: Which plugins of the recorder are loaded. Options of a plugin stand in a table of its name, ``[plugins.<name>]``.
PLUGINS = (
    Key("plugins", "enabled", "words", (), "", "Names of plugins to load besides those that load by themselves."),
    Key(
        "plugins",
        "disabled",
        "words",
        (),
        "",
        "Names of plugins not to load; * is every one that neither enabled nor modules name.",
    ),
    Key(
        *("plugins", "modules", "words", (), ""),
        "Plugins that are not installed: package.module or package.module:name, found from the file's folder, too.",
    ),
    Key("plugins", "timeout", "seconds", 5, "SECONDS", "What one call of a plugin may take before it is given up."),
)

#: What ``semantest cleanup`` deletes; a run stays only if every key that is set lets it stay.
CLEANUP = (
    Key("cleanup", "older-than", "duration", None, "AGE", "Delete runs that started before: 12h, 30d, 8w."),
    Key("cleanup", "keep", "integer", None, "N", "Keep the newest N runs (of each group, see --per)."),
    Key(
        "cleanup",
        "max-size",
        "size",
        None,
        "SIZE",
        "Keep the newest runs (of each group, see --per) that fit: 500MB, 1GB.",
    ),
)

#: What ``semantest gate`` asks of a run; the names are those of ``core/gate.py``.
GATE = (
    Key(
        "gate", "base", "text", None, "BRANCH", "Compare with the last run of this branch that went through its tests."
    ),
    Key("gate", "complete", "flag", True, "", "Every planned test ran, every shard came, and no budget left any out."),
    Key("gate", "min-tests", "integer", None, "N", "At least so many tests ran."),
    Key("gate", "min-pass-rate", "percent", None, "PERCENT", "Of the tests that were not skipped so many passed."),
    Key("gate", "max-failed", "integer", 0, "N", "At most so many tests failed, crashed or ran out of time."),
    Key("gate", "max-lost", "integer", 0, "N", "At most so many tests have no complete record."),
    Key("gate", "max-flaky", "integer", None, "N", "At most so many tests failed, then passed."),
    Key("gate", "max-flaky-rate", "percent", None, "PERCENT", "The same as a share of the tests that ran."),
    Key("gate", "max-quarantined", "integer", None, "N", "At most so many tests failed in quarantine."),
    Key("gate", "max-left-out", "integer", None, "N", "At most so many tests were left out by a budget."),
    Key("gate", "max-warnings", "integer", None, "N", "At most so many warnings."),
    Key("gate", "max-duration", "duration", None, "TIME", "The run took no longer: 90s, 15m."),
    Key("gate", "max-slower", "integer", None, "N", "At most so many tests became slower than they usually are."),
    Key("gate", "max-removed", "integer", None, "N", "At most so many tests of the base are no longer there."),
    Key("gate", "no-new-failures", "flag", False, "", "No test fails that did not fail in the base."),
    Key(
        "gate",
        "critical",
        "lines",
        (),
        "TEST",
        "A test, function, class, file, folder or pattern that passed.",
    ),
)

#: What the recorder tells people by itself. Rules stand in ``[alerts.rules.<name>]``, where they are told in
#: ``[alerts.channels.<name>]``; their keys are those of ``alert_keys.py``.
ALERTS = (
    Key("alerts", "repeat", "duration", "24h", "TIME", "Tell again what still holds after so long; 0s: never."),
    Key("alerts", "keep", "duration", "30d", "TIME", "Forget what is over, and what was told, after so long."),
    Key("alerts", "link", "url", None, "URL", "Where readers of a message reach the recorder, for links."),
    Key(
        *("alerts", "allow-hosts", "words", (), "HOST"),
        "Hosts that webhooks may call: names, or patterns with *. Default: every host.",
    ),
)

SECTIONS = {
    "": RECORDING,
    "recorder": RECORDER,
    "policy": POLICY,
    "plugins": PLUGINS,
    "cleanup": CLEANUP,
    "gate": GATE,
    "alerts": ALERTS,
}

#: Variables that belong to no key: the shipper's, and those handed over between our own processes.
OTHER_VARIABLES = ("SEMANTEST_CA_FILE", "SEMANTEST_SHIPPER_REDACT", "SEMANTEST_COVERAGE")


def all_keys() -> Iterator[Key]:
    """Those of all sections, in the order of the documentation."""
    for keys in SECTIONS.values():
        yield from keys


def key_of(path: str) -> Key | None:
    """The key with this dotted name, with dashes or underscores."""
    wanted = path.replace("_", "-")
    return next((key for key in all_keys() if key.path == wanted), None)


def may_hold_settings(pyproject: bytes) -> bool:
    """Whether a ``pyproject.toml`` is worth reading: it says more of us than that the package is required."""
    return b"semantest" in pyproject.replace(b"pytest-semantest", b"")


def default_of(key: Key, environment: Mapping[str, str]) -> Any:
    """What the key is when nobody says anything."""
    if key.path == "flush-timeout" and environment.get("CI", "").lower() not in FALSE:
        return 15
    return key.default
