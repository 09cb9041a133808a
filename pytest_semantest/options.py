"""Semantest's options, and whether to record at all: with ``plugin.py`` all that an inactive plugin costs."""

from __future__ import annotations

from os import environ

import pytest


class Option:
    """One setting: ``--semantest-<name>``, ``SEMANTEST_<NAME>`` and the ini key ``semantest_<name>``.

    ``kind`` is ``flag``, ``text`` or ``list``: repeatable on the command line, lines in ini and environment (labels
    may be separated by commas there, too). The main switch has the empty name.
    """

    # No NamedTuple or dataclass: making one compiles code, at every start of every pytest.
    __slots__ = ("default", "help", "kind", "metavar", "name")

    def __init__(self, name: str, kind: str, default: str, metavar: str, help: str) -> None:  # noqa: A002
        self.name = name
        self.kind = kind
        self.default = default
        self.metavar = metavar
        self.help = help

    @property
    def flag(self) -> str:
        """The command line option."""
        return f"--semantest-{self.name}" if self.name else "--semantest"

    @property
    def key(self) -> str:
        """The ini key, which is also the destination on ``config.option``."""
        return f"semantest_{self.name.replace('-', '_')}" if self.name else "semantest"

    @property
    def variable(self) -> str:
        """The environment variable."""
        return self.key.upper()


OPTIONS = (
    Option("", "flag", "false", "", "Record this session with Semantest: every test as it happens, nothing lost."),
    Option(
        "url", "text", "", "URL", "Recorder to ship to (http or ws URL). Default: the project's own, started on demand."
    ),
    Option(
        "token",
        "text",
        "",
        "TOKEN",
        "Token for --semantest-url. Prefer SEMANTEST_TOKEN: arguments show in process lists.",
    ),
    Option("dir", "text", "", "DIR", "The .semantest folder itself. Default: .semantest in the rootdir."),
    Option("run-name", "text", "", "NAME", "A name for the run, shown in reports."),
    Option(
        "run-id", "text", "", "ID", "Join this run: CI shards and matrix jobs that name the same id become one run."
    ),
    Option("labels", "list", "", "K=V", "Labels for the run; repeatable."),
    Option(
        "strict", "flag", "false", "", "Fail the session (exit code 1) when its recording is not complete and shipped."
    ),
    Option(
        "flush-timeout",
        "text",
        "",
        "SECONDS",
        "Longest wait at the end for the last acknowledgement; 0: do not wait. Default: 2, in CI 15.",
    ),
    Option(
        "capture", "text", "failed", "POLICY", "Whose captured output to keep: failed, all or none. Default: failed."
    ),
    Option(
        "output-limit",
        "text",
        "65536",
        "CHARS",
        "Longest captured text or traceback kept, head and tail. Default: 65536.",
    ),
    Option("redact", "list", "", "REGEX", "Further pattern to redact before anything is written; repeatable."),
    Option(
        "screenshots",
        "text",
        "on-failure",
        "WHEN",
        "Pictures of pages of failed tests: on-failure, or off. Default: on-failure.",
    ),
    Option("attachment-limit", "text", "20971520", "BYTES", "Largest attachment kept. Default: 20971520 (20 MiB)."),
    Option("retries", "text", "0", "N", "Run a failed test up to N more times; every attempt is kept."),
    Option(
        "retry", "text", "all", "POLICY", "Which failed tests to retry: all, or known-flaky by history. Default: all."
    ),
    Option("retry-match", "list", "", "REGEX", "Retry only errors that match 'Type: message'; repeatable."),
    Option("retry-delay", "text", "0", "SECONDS", "Wait before each retry. Default: 0."),
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Register every option and its ini key."""
    group = parser.getgroup("semantest", "Semantest, the flight recorder")
    for option in OPTIONS:
        text = f"{option.help} (ini: {option.key}, env: {option.variable})"
        if option.kind == "flag":
            group.addoption(option.flag, action="store_true", default=None, dest=option.key, help=text)
            parser.addini(option.key, text, type="bool", default=None)
        else:
            action = "append" if option.kind == "list" else "store"
            group.addoption(
                option.flag, action=action, default=None, dest=option.key, metavar=option.metavar, help=text
            )
            if option.kind == "list":
                parser.addini(option.key, text, type="linelist", default=None)
            else:
                parser.addini(option.key, text, type="string", default=None)
    group.addoption(
        "--no-semantest",
        action="store_const",
        const=False,
        dest="semantest",
        help="Do not record, whatever ini file and environment say.",
    )


#: What an environment variable may say for a flag.
TRUE = ("1", "true", "yes", "on")
FALSE = ("", "0", "false", "no", "off")
_RUNS_NOTHING = ("collectonly", "showfixtures", "show_fixtures_per_test", "cacheshow", "setupplan")


def _ini_flag(config: pytest.Config) -> bool:
    try:
        return bool(config.getini("semantest"))
    except (ValueError, pytest.UsageError):
        return False  # no truth value: pytest's own message would end the session


def is_nested(config: pytest.Config) -> bool:
    """Whether this is a pytest inside a test: it records only when its own command line or ini file says so."""
    return "PYTEST_CURRENT_TEST" in environ and not hasattr(config, "workerinput")


def is_wanted(config: pytest.Config) -> bool:
    """Whether this session is to be recorded: command line before environment before ini file."""
    wanted = config.option.semantest
    if wanted is None:
        told = "" if is_nested(config) else environ.get("SEMANTEST", "").strip().lower()
        wanted = told in TRUE or (told not in FALSE[1:] and _ini_flag(config))
    return bool(wanted) and not any(getattr(config.option, name, None) for name in _RUNS_NOTHING)


def unheeded(config: pytest.Config) -> str:
    """What was given and has no effect, as a line for the user; empty in the usual case."""
    told = "" if is_nested(config) else environ.get("SEMANTEST", "")
    if config.option.semantest is None and told.strip().lower() not in TRUE + FALSE:
        return f"SEMANTEST: {told!r} is neither true nor false; using the default"
    if config.option.semantest is False or is_wanted(config):
        return ""
    if any(getattr(config.option, name, None) for name in (*_RUNS_NOTHING, "help", "version")):
        return ""
    given = [option.flag for option in OPTIONS if getattr(config.option, option.key) is not None]
    return f"{', '.join(given)}: without effect, since nothing is recorded without --semantest" if given else ""
