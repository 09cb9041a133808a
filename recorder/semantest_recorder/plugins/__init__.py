"""Plugins of the recorder: what an author imports.

``hookimpl`` marks a function or method as the implementation of a hook (:mod:`.hookspecs` has all of them),
:data:`DROP` is what ``on_event`` returns to drop an event; the other names are the types of what hooks are given.
"""

from __future__ import annotations

from semantest_recorder.plugins.arguments import Context, Failure, Run, Suite, Test
from semantest_recorder.plugins.event import DROP, Event
from semantest_recorder.plugins.hookspecs import hookimpl

__all__ = ["DROP", "Context", "Event", "Failure", "Run", "Suite", "Test", "hookimpl"]
