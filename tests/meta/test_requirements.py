"""What the distribution brings with it: every pytest plugin in an environment costs each pytest start there."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import metadata

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

OWN = "pytest-semantest"
PLUGINS = {
    "pytest-semantest": {"semantest"},
    "pytest-xdist": {"xdist", "xdist.looponfail"},
    "pytest-rerunfailures": {"rerunfailures"},
}


def required(name: str, seen: set[str], extra: str = "") -> Iterator[metadata.Distribution]:
    """The distribution and all that it requires, each once; of itself with ``extra``, of others without extras."""
    if name in seen:
        return
    seen.add(name)
    distribution = metadata.distribution(name)
    yield distribution
    for text in distribution.requires or ():
        requirement = Requirement(text)
        if requirement.marker is None or requirement.marker.evaluate({"extra": extra}):
            yield from required(canonicalize_name(requirement.name), seen)


@pytest.mark.parametrize("extra", ["", "otel"])
def test_no_requirement_brings_a_pytest_plugin_that_was_not_asked_for(extra: str) -> None:
    found = {}
    for distribution in required(OWN, set(), extra):
        plugins = {entry.name for entry in distribution.entry_points.select(group="pytest11")}
        if plugins:
            found[canonicalize_name(distribution.metadata["Name"])] = plugins
    assert found == PLUGINS


def test_requirements_are_bounded_below_and_not_above() -> None:
    """The package lives in other people's environments: an upper bound would fight theirs."""
    wrong = []
    for text in metadata.requires(OWN) or ():
        requirement = Requirement(text)
        operators = {specifier.operator for specifier in requirement.specifier}
        if operators != {">="}:
            wrong.append(text)
    assert not wrong


def test_the_plugin_is_loaded_under_the_name_that_switches_it_off() -> None:
    (entry,) = metadata.distribution(OWN).entry_points.select(group="pytest11")
    assert (entry.name, entry.value) == ("semantest", "pytest_semantest.plugin")
