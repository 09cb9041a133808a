"""Rules and channels out of configuration files, and what is told about the rest."""

from __future__ import annotations

import pytest

from pytest_semantest.protocol.alert_keys import RULE_KINDS
from pytest_semantest.protocol.configuration import read_configuration
from pytest_semantest.protocol.effective import alert_tables
from semantest_recorder.core.alerts.settings import AlertSettings, InvalidAlerts, read_alerts


def settings(text: str, **environment: str) -> AlertSettings:
    found = read_configuration("/project", {"semantest.toml": text.encode()})
    assert found.problems == ()
    return read_alerts(*alert_tables(environment, found))


def test_a_whole_configuration() -> None:
    found = settings(
        """
        [alerts]
        repeat = "12h"
        link = "https://recorder.example/"
        [alerts.channels.team]
        kind = "webhook"
        url_env = "TEAM_URL"
        secret_env = "TEAM_SECRET"
        [alerts.channels.chat]
        kind = "apprise"
        url-env = "CHAT_URL"
        [alerts.rules.red]
        kind = "run-failed"
        branches = ["main", "release/*"]
        severity = "critical"
        channels = ["team"]
        repeat = "0s"
        [alerts.rules.hangs]
        kind = "hanging-test"
        at-least = "2m"
        """,
        SEMANTEST_ALERTS_REPEAT="6h",
    )
    assert found.link == "https://recorder.example"
    assert [(channel.name, channel.url_env, channel.secret_env) for channel in found.channels] == [
        ("team", "TEAM_URL", "TEAM_SECRET"),
        ("chat", "CHAT_URL", ""),
    ]
    red, hangs = found.rules
    assert (red.channels, red.repeat_ms, red.severity) == (("team",), 0.0, "critical")
    assert [red.is_about(branch) for branch in ("main", "release/2", "mainly", None)] == [True, True, False, False]
    assert (hangs.channels, hangs.repeat_ms, hangs.factor) == (("team", "chat"), 6 * 3_600_000.0, 3.0)
    assert (hangs.at_least_ms, hangs.new_after_ms) == (120_000.0, 600_000.0)
    assert hangs.is_about(None)
    assert not red.is_about("main", "7"), "a fork may call its branch so"
    assert hangs.is_about("main", "7")


def test_without_channels_the_log_is_one() -> None:
    found = settings('[alerts.rules.a]\nkind = "flaky"\nrate = 10')
    assert [(channel.name, channel.kind) for channel in found.channels] == [("log", "log")]
    assert (found.rules[0].channels, found.rules[0].rate) == (("log",), 0.1)


@pytest.mark.parametrize("kind", RULE_KINDS)
def test_every_kind_of_rule_can_be_set_up(kind: str) -> None:
    needed = 'max-duration = "10m"' if kind == "budget-exceeded" else ""
    assert settings(f'[alerts.rules.a]\nkind = "{kind}"\n{needed}').rules[0].kind == kind


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[alerts.rules.a]\nseverity = 'info'", "[alerts.rules.a] needs kind = one of run-failed, "),
        ('[alerts.rules.a]\nkind = "run-failed"\nfactor = 2', "factor is none of kind run-failed, which has kind, "),
        ('[alerts.rules.a]\nkind = "flaky"\nchannels = ["x"]', "names the channel 'x', and there is log"),
        ('[alerts.rules.a]\nkind = "budget-exceeded"', 'needs max-duration, such as "10m"'),
        ('[alerts.rules.a]\nkind = "recorder-unhealthy"\nbranches = ["main"]', "has no branches"),
        ('[alerts.channels.c]\nkind = "webhook"', "[alerts.channels.c] needs url-env: the name of a variable"),
        ('[alerts.channels.c]\nkind = "log"\nurl-env = "A"', "url-env is none of kind log"),
        ("[alerts.channels.c]\ntimeout = 5", "needs kind = one of log, webhook, apprise"),
        ('[alerts.channels.c]\nkind = "webhook"\nurl-env = "A"\ntimeout = 0', "timeout is 0, and must be from 1 to 60"),
    ],
)
def test_what_cannot_be_used_is_told(text: str, said: str) -> None:
    with pytest.raises(InvalidAlerts) as refused:
        settings(text)
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[alerts.rules.a]\nkind = "failed"', "alerts.rules.a.kind is 'failed', and must be one of run-failed, "),
        ("[alerts.rules.a]\nbranch = ['main']", "alerts.rules.a.branch is no setting; there are kind, branches, "),
        ("[alerts.rules.a]\nfactor = 0.5", "alerts.rules.a.factor is 0.5, and must be a number from 1 up"),
        ("[alerts]\nrules = 1", "alerts.rules holds tables: write [alerts.rules.NAME]"),
        ('[alerts.rules."a b"]\nkind = "flaky"', "has no name of letters, digits"),
        ("[alerts.rules.a]", "alerts.rules.a is empty, and needs a kind"),
        ("[alerts]\nrepeats = '1h'", "alerts.repeats is no setting; did you mean alerts.repeat?"),
        ("[alerts.channels.c]\nurl_env = 'A'\nurl-env = 'B'", "alerts.channels.c.url-env is there twice"),
        ("[alerts.channels.c]\nurl = 'https://hooks.example/xyz'", "alerts.channels.c.url is no setting"),
    ],
)
def test_keys_are_checked_as_all_others_are(text: str, said: str) -> None:
    (problem,) = read_configuration("/project", {"semantest.toml": text.encode()}).problems
    assert said in problem
    assert "xyz" not in problem
