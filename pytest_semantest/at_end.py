"""What few want done when all tests are over: policies judged, reports written, GitHub told; imported for them only."""

from __future__ import annotations

import os

import pytest

from pytest_semantest.command_at_end import Deadline, Recorded
from pytest_semantest.fail_on import FailOn, checked_policies
from pytest_semantest.github_at_end import GithubAtEnd
from pytest_semantest.protocol.github_step import is_github
from pytest_semantest.reports_at_end import ReportsAtEnd
from pytest_semantest.settings import Settings


class AtEnd:
    """The end of a session, in pytest itself and in xdist's controller."""

    def __init__(self, config: pytest.Config, settings: Settings) -> None:
        """Register what is asked for. Raises ``UsageError`` for what cannot be understood."""
        self._strict = settings.strict
        self._patience = settings.report_timeout
        self._until: Deadline | None = None
        self._fail_on = FailOn(checked_policies(settings.fail_on)) if settings.fail_on else None
        self._reports = ReportsAtEnd(settings.report, str(config.invocation_params.dir)) if settings.report else None
        wanted = settings.github != "off" and is_github(os.environ)
        self._github = GithubAtEnd(settings.github) if wanted else None
        for name, plugin in (("fail-on", self._fail_on), ("reports", self._reports), ("github", self._github)):
            if plugin is not None:
                config.pluginmanager.register(plugin, f"semantest-{name}")

    def judge(self, missing: int, recorded: Recorded | None) -> tuple[list[str], list[str]]:
        """Why a green session is to fail, and what is merely told; a line each.

        ``missing``: how many planned tests have no result; ``recorded``: ``None`` when nothing was.
        """
        if self._fail_on is None:
            return [], []
        self._fail_on.judge(missing, recorded, self._deadline())
        hits = [f"--semantest-fail-on {line}" for line in self._fail_on.hits]
        unknown = [f"--semantest-fail-on {line} (not judged)" for line in self._fail_on.unknown]
        return ([*hits, *unknown], []) if self._strict else (hits, unknown)

    def write_reports(self, recorded: Recorded | None) -> bool:
        """Write the reports; whether all that are asked for are there."""
        if self._reports is None:
            return True
        if recorded is None:
            self._reports.nothing_recorded()
        else:
            self._reports.write(recorded, self._deadline())
        return self._reports.complete

    def tell_github(self, recorded: Recorded | None) -> None:
        """Have GitHub told, if it is asked for and there."""
        if self._github is not None and recorded is not None:
            self._github.write(recorded, self._deadline())

    def _deadline(self) -> Deadline:
        """One for all that is done, from the first of it on."""
        if self._until is None:
            self._until = Deadline(self._patience)
        return self._until
