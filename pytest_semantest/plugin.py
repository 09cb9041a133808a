"""The entry point that pytest loads at every start: options always, recording and selection only when asked for.

pytest rewrites the assertions of every module of a plugin's distribution and so compiles it anew at each start where
it cannot cache the result (a read-only installation, ``PYTHONDONTWRITEBYTECODE``, which container images like to
set): 150 ms for an active recording. There is nothing to rewrite here, so all modules but this one are imported as
any other library, from the bytecode that came with the installation.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pytest_semantest.fixtures import Semantest
    from pytest_semantest.protocol.configuration import Configuration

_PACKAGE = __name__.rpartition(".")[0] + "."


class _PlainFinder:
    """Finds this package's modules before pytest's rewriting finder does."""

    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> ModuleSpec | None:
        """The spec that Python itself would use, or ``None`` for a module of somebody else."""
        return PathFinder.find_spec(name, path, target) if name.startswith(_PACKAGE) else None


class _PlainImports:
    """While it is entered, this package's modules are imported without pytest's rewriting."""

    @staticmethod
    def __enter__() -> None:
        sys.meta_path.insert(0, _PlainFinder)

    @staticmethod
    def __exit__(*_: object) -> None:
        sys.meta_path.remove(_PlainFinder)


with _PlainImports():
    from pytest_semantest import hookspecs
    from pytest_semantest.options import is_selecting, is_wanted, may_have_files, pytest_addoption, unheeded

__all__ = ["PlainImports", "pytest_addhooks", "pytest_addoption", "pytest_configure", "semantest"]

#: For what the recording itself imports late.
PlainImports = _PlainImports


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    """The hooks that others may implement; known also where nothing is recorded."""
    pluginmanager.add_hookspecs(hookspecs)


@pytest.fixture(scope="session")
def semantest(request: pytest.FixtureRequest) -> Semantest:
    """Tells the recording what happens in a test: step, log, attach, screenshot, event; without one it does nothing."""
    recording = request.config.pluginmanager.get_plugin("semantest-recording")
    with _PlainImports():
        if recording is not None:
            found: Semantest = recording.details()
            return found
        from pytest_semantest.fixtures import Semantest  # noqa: PLC0415 - for those who use it
    return Semantest()


class _Notice:
    """One line in the terminal summary, also of a session that is not recorded."""

    def __init__(self, line: str) -> None:
        self._line = line

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        terminalreporter.write_line(f"semantest: {self._line}", yellow=True)


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Load the recording and selection only when they were asked for."""
    files = _files(config)
    wanted, selecting = is_wanted(config, files), is_selecting(config, files)
    problem = _problem(config, files, wanted=wanted or selecting)
    if wanted or selecting:
        with _PlainImports():
            _install(config, files, wanted=wanted, selecting=selecting)
    line = problem or unheeded(config, files, selecting=selecting)
    if line:
        config.pluginmanager.register(_Notice(line), "semantest-notice")


def _install(config: pytest.Config, files: Configuration | None, *, wanted: bool, selecting: bool) -> None:
    """Only what is asked for is imported, by its whole name.

    A package keeps a module as its attribute when a nested pytest (pytester) puts ``sys.modules`` back: taken from
    there, an old recording and a new quarantine would meet.
    """
    from pytest_semantest.settings import resolve  # noqa: PLC0415

    settings = resolve(config, files)
    if wanted:
        from pytest_semantest.recording import install  # noqa: PLC0415

        install(config, settings)
    if selecting:
        from pytest_semantest.selection.hooks import install_selection  # noqa: PLC0415

        install_selection(config, settings)


def _files(config: pytest.Config) -> Configuration | None:
    """What the configuration files in the rootdir say, ``None`` when there are none."""
    if not may_have_files(config):
        return None
    with _PlainImports():
        from pytest_semantest.protocol.configuration_files import load_configuration  # noqa: PLC0415 - only for files
    return load_configuration(str(config.rootpath))


def _problem(config: pytest.Config, files: Configuration | None, *, wanted: bool) -> str:
    """What is wrong with the files, as a line. Raises ``UsageError`` where anything would go by them."""
    if files is None or not files.problems:
        return ""
    from pytest_semantest.protocol.configuration import ConfigurationError  # noqa: PLC0415 - imported by now

    line = str(ConfigurationError(files.problems))
    if wanted and not hasattr(config, "workerinput") and not config.option.help:
        raise pytest.UsageError(f"semantest: {line}")
    return f"{line}; it does no harm, since nothing is recorded"
