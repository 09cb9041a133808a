"""Retry policy on top of pytest-rerunfailures: which failed tests may run again, how often, after which delay."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from typing import Any

import pytest

from pytest_semantest.protocol.identity import strip_group
from pytest_semantest.protocol.layout import HISTORY
from pytest_semantest.settings import Settings


class RetryPolicy:
    """Sets pytest-rerunfailures up by its own options and marker; ``problems`` are lines for the user.

    ``all`` becomes ``--reruns``; ``known-flaky`` marks the tests that earlier runs found flaky.
    A user's own ``--reruns`` and ``flaky`` markers win.
    """

    def __init__(self, config: pytest.Config, settings: Settings) -> None:
        self.problems: list[str] = []
        self._settings = settings
        self._active = False
        option = config.option
        if not config.pluginmanager.hasplugin("rerunfailures"):
            self.problems.append("--semantest-retries needs pytest-rerunfailures, which is switched off; not retrying")
            return
        if option.usepdb:
            self.problems.append("--semantest-retries does not go with --pdb; not retrying")
            return
        self._active = True
        if settings.retry_match and option.only_rerun is None:
            option.only_rerun = list(settings.retry_match)
        if settings.retry == "all" and option.reruns is None:
            option.reruns = settings.retries
            if option.reruns_delay is None:
                option.reruns_delay = settings.retry_delay

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Mark what is known to be flaky."""
        if not self._active or self._settings.retry != "known-flaky":
            return
        known = known_flaky(self._settings.directory)
        for item in items:
            if strip_group(item.nodeid) in known and item.get_closest_marker("flaky") is None:
                item.add_marker(
                    pytest.mark.flaky(reruns=self._settings.retries, reruns_delay=self._settings.retry_delay)
                )


def known_flaky(directory: str) -> frozenset[str]:
    """Ids of the tests that were flaky in recent runs, from the snapshot that the recorder keeps; empty without one."""
    try:
        with open(os.path.join(directory, HISTORY), "rb") as file:
            history: Any = json.loads(file.read())
        return frozenset(history["flaky"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return frozenset()


def reruns_possible(config: pytest.Config, items: Sequence[pytest.Item]) -> bool:
    """Whether pytest-rerunfailures may repeat any of these tests."""
    if not config.pluginmanager.hasplugin("rerunfailures"):
        return False
    option = config.option
    if option.reruns is not None or option.force_reruns is not None or config.getini("reruns"):
        return True
    parents: set[Any] = set()
    for item in items:
        if item.own_markers and _is_flaky(item):
            return True
        parents.add(item.parent)
    return any(_is_flaky(node) for parent in parents if parent is not None for node in parent.listchain())


def _is_flaky(node: Any) -> bool:
    return any(mark.name == "flaky" for mark in node.own_markers)
