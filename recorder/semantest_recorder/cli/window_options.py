"""Options that choose the runs of an analysis."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from semantest_recorder.cli.amounts import Age
from semantest_recorder.cli.completing import complete_branch
from semantest_recorder.cli.number import Number

if TYPE_CHECKING:
    from semantest_recorder.answers.window import Window

_OPTIONS = (
    click.option(
        "--runs",
        type=Number(min=0),
        help="At most so many runs, the newest; 0: all.  [default: 100, with --window all of that time]",
    ),
    click.option("--window", type=Age(), metavar="AGE", help="Only runs that started in this time, such as 30d."),
    click.option("--branch", metavar="NAME", shell_complete=complete_branch, help="Only runs of this branch."),
)


class WindowOptions(NamedTuple):
    """The newest ``runs`` runs (0: all), of the last ``window_ms`` milliseconds, of ``branch``; ``None``: not said."""

    runs: int | None
    window_ms: float | None
    branch: str | None

    def chosen(self, usual: int | None = 100) -> Window:
        """What they say; ``usual`` runs (``None``: all) when nothing is said of their number or time."""
        from semantest_recorder.answers.window import Window  # noqa: PLC0415 - shell completion does without

        since = None if self.window_ms is None else time.time() * 1000 - self.window_ms
        most = usual if self.runs is None and self.window_ms is None else self.runs or None
        return Window(most, since, self.branch)


def window_options(function: Callable[..., None]) -> Callable[..., None]:
    """``--runs``, ``--window`` and ``--branch``, together as the argument ``window`` (``WindowOptions``)."""

    @wraps(function)
    def with_window(*, runs: int | None, window: float | None, branch: str | None, **others: Any) -> None:
        function(window=WindowOptions(runs, window, branch), **others)

    decorated: Callable[..., None] = with_window
    for option in reversed(_OPTIONS):
        decorated = option(decorated)
    return decorated
