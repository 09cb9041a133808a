"""The hooks of the recorder. An implementation names the arguments that it wants, and may be ``def`` or ``async def``.

All hooks of all plugins run in one thread, one call at a time but for awaiting ones. A call that raises or takes too
long is contained: others follow, ingest goes on. Wrappers are not supported.
"""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TYPE_CHECKING, Any, Final

import pluggy

if TYPE_CHECKING:
    from semantest_recorder.plugins.arguments import Context, Failure, Run, Suite, Test
    from semantest_recorder.plugins.event import Event

PROJECT: Final = "semantest"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)

Maybe = Awaitable[None] | None


@hookspec
def initialize(context: Context) -> Maybe:
    """Called first, before any event is taken in, with the plugin's options.

    A plugin whose ``initialize`` raises is disabled. Called again (``context.restarted``) when a stuck plugin made a
    new thread necessary: what belonged to the old event loop is gone.
    """


@hookspec
def destroy() -> Maybe:
    """Called last, when the recorder stops; all plugins together have a few seconds."""


@hookspec
def on_event(event: Event) -> Any:
    """Called once for every event before it is written; never by replay or rebuild.

    Give ``event.replace(...)`` to store another one, ``DROP`` to store none, ``None`` to keep it. The next plugin gets
    what the last one gave. Plan, start and end of runs, workers and tests cannot be dropped, nor change of whom they
    speak. It is in the way of every event: do what takes long in the other hooks.
    """


@hookspec
def on_error(failure: Failure) -> Maybe:
    """Called when a hook of any plugin failed. When it fails itself, that is only logged."""


@hookspec
def before_test_run(run: Run) -> Maybe:
    """Called after the start of a run was stored."""


@hookspec
def after_test_run(run: Run) -> Maybe:
    """Called shortly after a run closed, and again (``run.again``) after events of it that came later."""


@hookspec
def before_suite(suite: Suite) -> Maybe:
    """Called once, after the first test of a file or class has started, or a client has said so of a suite."""


@hookspec
def after_suite(suite: Suite) -> Maybe:
    """Called once, after all planned tests of a file or class have their final state, or a client has said so."""


@hookspec
def before_test(test: Test) -> Maybe:
    """Called after the start of an attempt was stored. The test itself does not wait for it."""


@hookspec
def after_test(test: Test) -> Maybe:
    """Called after the end of an attempt was stored; not for one whose process died: see ``after_test_run``."""


#: Every hook, in the order in which a plugin meets them.
HOOKS: Final = (
    "initialize",
    "on_event",
    "before_test_run",
    "before_suite",
    "before_test",
    "after_test",
    "after_suite",
    "after_test_run",
    "on_error",
    "destroy",
)
