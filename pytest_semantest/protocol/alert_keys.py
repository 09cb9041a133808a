"""The keys of a rule and of a channel of alerts, ``[alerts.rules.<name>]`` and ``[alerts.channels.<name>]``.

Apart from ``keys.py``, which every start of pytest imports: these are needed once a file has such a table.
"""

from __future__ import annotations

from collections.abc import Iterable

from pytest_semantest.protocol.keys import Key

SEVERITIES = ("info", "warning", "critical")

#: The kinds of rules, and which keys each takes beside those that all take.
RULE_KINDS = {
    "run-failed": (),
    "new-failure": ("base",),
    "flaky": ("rate", "flaky-runs", "runs"),
    "run-slower": ("factor", "at-least"),
    "hanging-test": ("factor", "at-least", "new-after"),
    "recorder-unhealthy": ("min-free",),
    "budget-exceeded": ("max-duration",),
}
#: What a rule takes whatever its kind is.
OF_ALL_RULES = ("kind", "branches", "severity", "channels", "repeat", "resolved")

_RULES = "alerts.rules"
RULE = (
    Key(_RULES, "kind", "choice", None, "", "What the rule looks at.", choices=tuple(RULE_KINDS)),
    Key(_RULES, "branches", "words", (), "", "Branches that it looks at: names, or patterns with *. Default: all."),
    Key(_RULES, "severity", "choice", "warning", "", "How much it matters.", choices=SEVERITIES),
    Key(_RULES, "channels", "words", (), "", "Names of the channels that are told. Default: all."),
    Key(_RULES, "repeat", "duration", None, "", "Tell again what still holds after so long. Default: alerts.repeat."),
    Key(_RULES, "resolved", "flag", True, "", "Tell also when it is over."),
    Key(_RULES, "base", "text", None, "", "new-failure: the branch to compare with. Default: the run before."),
    Key(_RULES, "rate", "percent", 5, "", "flaky: from this share of flaky runs on."),
    Key(_RULES, "flaky-runs", "integer", 2, "", "flaky: from so many flaky runs on.", limits=(1, 1000)),
    Key(_RULES, "runs", "integer", 50, "", "flaky: how many of the last runs are looked at.", limits=(2, 1000)),
    Key(
        *(_RULES, "factor", "factor", None, ""),
        "Times the usual duration. Default: 1.2 for run-slower, 3 for hanging-test.",
    ),
    Key(
        *(_RULES, "at-least", "duration", None, ""),
        "run-slower: slower by so much at least (10s). hanging-test: running for so long at least (60s).",
    ),
    Key(_RULES, "new-after", "duration", "10m", "", "hanging-test: a test without any earlier pass, after so long."),
    Key(_RULES, "max-duration", "duration", None, "", "budget-exceeded: the time that a run may take. Required."),
    Key(_RULES, "min-free", "size", "1GB", "", "recorder-unhealthy: the room that its disk must have."),
)

#: The kinds of channels, and which keys each needs and may have.
CHANNEL_KINDS = {
    "log": ((), ()),
    "webhook": (("url-env",), ("secret-env", "timeout")),
    "apprise": (("url-env",), ("timeout",)),
}

_CHANNELS = "alerts.channels"
CHANNEL = (
    Key(_CHANNELS, "kind", "choice", None, "", "How it is told.", choices=tuple(CHANNEL_KINDS)),
    Key(_CHANNELS, "url-env", "text", None, "", "The recorder's environment variable that holds the address."),
    Key(_CHANNELS, "secret-env", "text", None, "", "webhook: the variable with the secret that signs what is sent."),
    Key(_CHANNELS, "timeout", "seconds", 10, "", "What one try may take, from 1 to 60 s."),
)

#: By the name of the table below ``[alerts]``.
TABLES = {"rules": RULE, "channels": CHANNEL}


def key_in(table: str, written: str) -> Key | None:
    """The key of a rule (``rules``) or channel (``channels``), with dashes or underscores."""
    return next((key for key in TABLES[table] if key.name == written.replace("_", "-")), None)


def names_of(keys: Iterable[Key]) -> str:
    """Their names for a message."""
    return ", ".join(key.name for key in keys)
