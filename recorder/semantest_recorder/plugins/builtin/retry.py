"""``retry``: which failed tests of clients are worth running again, and what came of it.

pytest reruns its tests itself (``--semantest-retries``); for a run that a client started, the recorder answers a failed
``test/end`` with ``test/retry``. The run's own ``retries`` say how often; this policy says for which errors, and how
often where the client said nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Annotated, Any

import msgspec

from semantest_recorder.core.active_runs import as_asked
from semantest_recorder.plugins.arguments import Context, Run, Test
from semantest_recorder.plugins.builtin.options import read_options, read_patterns
from semantest_recorder.plugins.hookspecs import hookimpl

if TYPE_CHECKING:
    from semantest_recorder.plugins.registry import PluginRegistry

_SEARCHED = 10_000
_RUNS = 256


class RetryOptions(msgspec.Struct, frozen=True):
    """``retries``: how often where the run does not say. ``only`` and ``never`` are regular expressions.

    They are searched in ``<type>: <message>`` of the error; ``never`` wins.
    """

    retries: Annotated[int, msgspec.Meta(ge=0, le=1000)] = 0
    only: tuple[str, ...] = ()
    never: tuple[str, ...] = ()


class RetryPolicy:
    """Decides whether a failed attempt is followed by another one (pure). Raises ``InvalidOptions``."""

    def __init__(self, options: RetryOptions | None = None) -> None:
        self.options = options or RetryOptions()
        self._only = read_patterns(self.options.only)
        self._never = read_patterns(self.options.never)

    def wants(self, payload: Mapping[str, Any], failures: int, asked: int) -> bool:
        """Whether a test is to be run again whose ``failures``-th attempt ended with ``payload``.

        ``asked``: the ``retries`` of the run's own config, 0 when it does not say.
        """
        if failures > (asked or self.options.retries):
            return False
        given = payload.get("error")
        error: Mapping[str, Any] = given if isinstance(given, Mapping) else {}
        text = f"{error.get('type') or error.get('code') or ''}: {error.get('message') or ''}"[:_SEARCHED]
        if any(pattern.search(text) for pattern in self._never):
            return False
        return not self._only or any(pattern.search(text) for pattern in self._only)


def worth_retrying(registry: PluginRegistry) -> Callable[[Mapping[str, Any], int, int], bool]:
    """What decides for runs of clients: the policy of this plugin while it is on, else the ``retries`` of the run.

    It may come and go while the recorder runs.
    """

    def wants(payload: Mapping[str, Any], failures: int, asked: int) -> bool:
        for plugin in registry.plugins:
            if isinstance(plugin.loaded, Retry) and not (plugin.disabled or plugin.waits):
                return plugin.loaded.policy.wants(payload, failures, asked)
        return as_asked(payload, failures, asked)

    return wants


class Retry:
    """Holds the policy, and says at the end of a run what retries brought: they hide flaky tests otherwise."""

    def __init__(self) -> None:
        self.policy = RetryPolicy()
        self._context: Context | None = None
        self._runs: dict[str, _Retried] = {}

    @staticmethod
    def read(options: Mapping[str, Any]) -> RetryPolicy:
        """The policy that the options make. Raises ``InvalidOptions``."""
        return RetryPolicy(read_options(options, RetryOptions))

    @hookimpl
    def initialize(self, context: Context) -> None:
        """Takes the options."""
        self._context = context
        self.policy = self.read(context.options)

    @hookimpl
    def before_test(self, test: Test) -> None:
        """Notes a test that is run again."""
        if test.attempt > 1:
            self._of(test.run_id).again.add(test.test_id)

    @hookimpl
    def after_test(self, test: Test) -> None:
        """Notes a test that was run again, or is to be."""
        if test.attempt > 1:
            self._of(test.run_id).again.add(test.test_id)
        if test.will_retry:
            self._of(test.run_id).asked.add(test.test_id)

    @hookimpl
    def after_test_run(self, run: Run) -> None:
        """One line, when anything was retried, or was to be and was not."""
        found = self._runs.get(run.run_id)
        if found is not None and self._context is not None:
            line, fields = found.line(run.counts.get("flaky", 0)), {"run": run.run_id}
            self._context.log.warning("run %s: %s", run.run_id, line, extra={"fields": fields})

    def _of(self, run_id: str) -> _Retried:
        if run_id not in self._runs and len(self._runs) >= _RUNS:
            del self._runs[next(iter(self._runs))]
        return self._runs.setdefault(run_id, _Retried())


class _Retried:
    """The tests of a run that were run again, and those that were to be."""

    def __init__(self) -> None:
        self.again: set[str] = set()
        self.asked: set[str] = set()

    def line(self, flaky: int) -> str:
        """``flaky``: how many tests of the run passed only then."""
        again, missing = len(self.again), len(self.asked - self.again)
        said = [f"{_tests(again)} run again, {flaky} of all tests passed only then"] if again else []
        said += [f"{_tests(missing)} to be run again and {_was(missing)} not"] if missing else []
        return "; ".join(said)


def _tests(count: int) -> str:
    return f"{count} test{'' if count == 1 else 's'} {_was(count)}"


def _was(count: int) -> str:
    return "was" if count == 1 else "were"
