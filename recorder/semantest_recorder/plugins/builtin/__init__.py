"""The plugins that come with the recorder; each is imported when it is enabled."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any, Final, Protocol


class BuiltIn(Protocol):
    """The class of a built-in plugin."""

    @staticmethod
    def read(options: Mapping[str, Any]) -> object:
        """The options as the plugin uses them. Raises ``InvalidOptions``."""

    def __call__(self) -> object:
        """A plugin."""


def _of(module: str, name: str) -> Callable[[], BuiltIn]:
    def load() -> BuiltIn:
        found: BuiltIn = getattr(import_module(f"{__name__}.{module}"), name)
        return found

    return load


#: Name to what gives the plugin's class.
BUILTIN: Final = {
    "console": _of("console", "ConsoleReporter"),
    "json-report": _of("json_report", "JsonReporter"),
    "screenshots": _of("screenshots", "Screenshots"),
    "retry": _of("retry", "Retry"),
    "performance": _of("performance", "Performance"),
    "opentelemetry": _of("otel", "OpenTelemetry"),
    "event-filter": _of("event_filter", "EventFilter"),
}
#: Those that are on without being named: what is stored must not depend on somebody having thought of it.
DEFAULT: Final = ("event-filter",)
