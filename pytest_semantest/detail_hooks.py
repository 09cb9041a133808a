"""What tests tell of themselves, and pictures of failed pages: loaded by the first test that wants it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import pytest

from pytest_semantest.attempts import TestHooks
from pytest_semantest.containment import contained
from pytest_semantest.protocol.redaction import Redactor
from pytest_semantest.settings import Settings

if TYPE_CHECKING:
    from pytest_semantest.details import Details


class DetailHooks:
    """Makes the ``Details`` of a process that records; ``folder`` is its session's, ``items`` are those collected."""

    def __init__(
        self,
        tests: TestHooks,
        settings: Settings,
        folder: str,
        redactor: Redactor,
        items: Callable[[], Sequence[pytest.Item]],
    ) -> None:
        self._tests = tests
        self._settings = settings
        self._folder = folder
        self._redactor = redactor
        self._items = items
        self._details: Details | None = None

    def contain(self, error: BaseException) -> None:
        """Hand on to the one who tells the user."""
        self._tests.contain(error)

    @staticmethod
    def load() -> None:
        """Before any test runs: a module keeps the functions that it finds at its import, and tests fake some."""
        from pytest_semantest.plugin import PlainImports  # noqa: PLC0415 - it is there by now

        with PlainImports():
            import pytest_semantest.details  # noqa: F401, PLC0415 - most sessions never need it

    def begin(self) -> Details:
        """What the ``semantest`` fixture gives."""
        if self._details is None:
            from pytest_semantest.artifacts import ArtifactFolder  # noqa: PLC0415 - most sessions never need it
            from pytest_semantest.details import Details  # noqa: PLC0415

            artifacts = ArtifactFolder(self._folder, self._settings.attachment_limit, self._redactor)
            self._details = Details(self._tests, artifacts, self._settings.output_limit, self._items)
        return self._details

    @pytest.hookimpl(tryfirst=True)
    @contained
    def pytest_exception_interact(self, node: Any, report: Any) -> None:
        """A test failed: pictures of its pages, before they are torn down. pytest-timeout's timer is off by now."""
        when = getattr(report, "when", None)
        if self._settings.screenshots == "off" or when not in ("setup", "call"):
            return
        attempt = self._tests.running.get(node.nodeid)
        if attempt is None or not getattr(node, "funcargs", None):
            return
        from pytest_semantest.plugin import PlainImports  # noqa: PLC0415 - it is there by now

        with PlainImports():
            from pytest_semantest.pictures import pictured, take_failure  # noqa: PLC0415

            if pictured(node):
                take_failure(node, attempt, self.begin())
