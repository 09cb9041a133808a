"""Plugins as classes with methods named like hooks, as the original has them: dicts in, and ``None`` drops."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from typing import Any

from semantest_recorder.plugins.event import DROP, Event
from semantest_recorder.plugins.hookspecs import HOOKS, PROJECT, hookimpl

_ARGUMENT = {
    "initialize": "context",
    "on_event": "event",
    "on_error": "failure",
    **dict.fromkeys(("before_test_run", "after_test_run"), "run"),
    **dict.fromkeys(("before_suite", "after_suite"), "suite"),
    **dict.fromkeys(("before_test", "after_test"), "test"),
}


def is_class_style(plugin: object) -> bool:
    """Whether an object has methods named like hooks, and none of them is marked with ``hookimpl``."""
    methods = [getattr(plugin, name, None) for name in HOOKS]
    marked = any(hasattr(method, f"{PROJECT}_impl") for method in methods)
    return not marked and any(callable(method) for method in methods)


class ClassStylePlugin:
    """A class-style plugin with the hooks of this recorder.

    Each method gets one dict as the wire has it (``initialize``: the options), or nothing if it takes nothing.
    ``on_event`` drops the event by giving ``None`` and must give the event to keep it: the original's convention, and
    the reason why it is not the one of ``hookimpl``.
    """

    def __init__(self, plugin: object) -> None:
        self.plugin = plugin
        for name in HOOKS:
            method = getattr(plugin, name, None)
            if callable(method):
                make = _on_event if name == "on_event" else _plain
                setattr(self, name, hookimpl(make(method, _ARGUMENT.get(name))))


def _takes_argument(method: Callable[..., Any]) -> bool:
    kinds = [parameter.kind for parameter in inspect.signature(method).parameters.values()]
    return any(kind is not inspect.Parameter.KEYWORD_ONLY for kind in kinds)


def _without_arguments(method: Callable[..., Any]) -> Callable[..., Any]:
    def call() -> Any:
        return method()

    return call


def _wire(value: Any) -> Any:
    return dict(value.options) if not hasattr(value, "to_wire") else value.to_wire()


def _on_event(method: Callable[..., Any], _argument: str | None) -> Callable[..., Any]:
    async def awaited(coming: Awaitable[Any]) -> Any:
        return _kept_or_dropped(await coming)

    def on_event(event: Event) -> Any:
        given = method(event.to_wire())  # whatever kind of callable it is, what it gives may be yet to come
        return awaited(given) if inspect.isawaitable(given) else _kept_or_dropped(given)

    return on_event


def _kept_or_dropped(given: Any) -> Any:
    return DROP if given is None else given


def _plain(method: Callable[..., Any], argument: str | None) -> Callable[..., Any]:
    """A function whose only argument is called ``argument``: pluggy looks at names."""
    if argument is None or not _takes_argument(method):
        return _without_arguments(method)
    by_name: dict[str, Callable[..., Any]] = {
        "context": lambda context: method(_wire(context)),
        "failure": lambda failure: method(_wire(failure)),
        "run": lambda run: method(_wire(run)),
        "suite": lambda suite: method(_wire(suite)),
        "test": lambda test: method(_wire(test)),
    }
    return by_name[argument]
