"""Whether files and variables can be used, by everybody who reads them: pytest, commands, the recorder, its plugins."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from pytest_semantest.protocol.configuration import Configuration, ConfigurationError
from pytest_semantest.protocol.effective import policy_changes, resolve_key, resolve_section, unknown_variables
from pytest_semantest.protocol.keys import OTHER_VARIABLES, all_keys
from semantest_recorder.cli.alerts_section import alerts_of
from semantest_recorder.cli.plugin_section import section_of
from semantest_recorder.core.alerts.settings import InvalidAlerts
from semantest_recorder.core.exposure import refuse_exposure, refuse_names
from semantest_recorder.core.policy import InvalidPolicy, Policy
from semantest_recorder.plugins.configuration import InvalidPlugins
from semantest_recorder.plugins.settings_check import installed_names, problems_of, set_in_vain


class Findings(NamedTuple):
    """``problems``: something cannot be used; ``notes``: something is set that nothing reads. A line each."""

    problems: tuple[str, ...]
    notes: tuple[str, ...]


def check_configuration(found: Configuration, environment: Mapping[str, str]) -> Findings:
    """What is wrong with the files and the variables together."""
    variables = tuple(_bad_variables(found, environment))
    problems, notes = [*found.problems, *variables], unknown_variables(environment, OTHER_VARIABLES)
    if not variables:  # the sections cannot be put together otherwise
        problems += _bad_policy(found, environment)
        problems += _bad_recorder(found, environment)
        problems += _bad_alerts(found, environment)
        bad, idle = _plugins(found, environment)
        problems += bad
        notes += idle
    return Findings(tuple(problems), tuple(notes))


def _bad_variables(found: Configuration, environment: Mapping[str, str]) -> Iterator[str]:
    for key in all_keys():
        try:
            resolve_key(key, environment, found)
        except ValueError as error:
            yield str(error)


def _bad_policy(found: Configuration, environment: Mapping[str, str]) -> Iterator[str]:
    """What the policy itself refuses although each value is of its type: a pattern, say."""
    try:
        Policy().changed(policy_changes(environment, found))
    except InvalidPolicy as error:
        yield f"[policy] {error}"


def _bad_recorder(found: Configuration, environment: Mapping[str, str]) -> Iterator[str]:
    """Why a recorder would not listen like this; what is told is the option, which has the key's name."""
    values = {name: one.setting.value for name, one in resolve_section("recorder", environment, found).items()}
    if (values["tls-cert"] is None) != (values["tls-key"] is None):
        yield "[recorder] tls-cert and tls-key go together: give both"
        return
    refusal = refuse_exposure(
        values["host"],
        tls=values["tls-cert"] is not None,
        terminated=values["tls-terminated"],
        anonymous=values["allow-anonymous"],
        allowed_hosts=values["allow-host"],
    )
    refusal = refusal or refuse_names(values["allow-host"], values["allow-origin"])
    if refusal is not None:
        yield f"[recorder] {refusal}"


def _bad_alerts(found: Configuration, environment: Mapping[str, str]) -> Iterator[str]:
    """Rules and channels that do not go together, though each value is of its type."""
    if found.problems:  # what is left of them would be complained of again
        return
    try:
        alerts_of(found, environment)
    except (ConfigurationError, InvalidAlerts) as error:
        yield from error.problems


def _plugins(found: Configuration, environment: Mapping[str, str]) -> tuple[list[str], list[str]]:
    """Problems and notes of the section for plugins."""
    try:
        settings = section_of(found, environment)
    except (ConfigurationError, InvalidPlugins) as error:
        return [str(error)], []
    installed = installed_names()
    return list(problems_of(settings, installed)), list(set_in_vain(settings, installed))
