"""Pictures of browser pages, by what an object can do: neither Playwright nor Selenium is imported.

Only types are asked, not objects: a mock answers to every name.
"""

from __future__ import annotations

from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from pytest_semantest.containment import CONTAINED

if TYPE_CHECKING:
    from pytest_semantest.translate import Attempt

_ASYNC = "an async page cannot be used from here: await its screenshot() and attach the bytes"
#: How many pages of one test are taken.
_PAGES_MAX = 5
_FAILURE_MS = 10_000.0


class Pictures(Protocol):
    """Where pictures go."""

    def picture(self, attempt: Attempt, target: object, name: str, timeout_ms: float | None) -> None:
        """Take one and write it down."""


class NoPictureError(Exception):
    """There is no picture; the text says why."""


def pictured(item: pytest.Item) -> list[tuple[str, object]]:
    """``(fixture, page or driver)`` of those among the item's fixtures that are set up, each object once."""
    found: dict[int, tuple[str, object]] = {}
    funcargs = getattr(item, "funcargs", None)
    for name, value in funcargs.items() if type(funcargs) is dict else ():
        if isinstance(name, str) and (_is_page(type(value)) or _is_driver(type(value))):
            found.setdefault(id(value), (name, value))
    return list(found.values())[:_PAGES_MAX]


def picture_of(target: object, timeout_ms: float | None) -> bytes:
    """A PNG of a page, locator, element or driver. Raises ``NoPictureError``.

    ``timeout_ms``: Playwright's limit for it; Selenium has one of its own for every command.
    """
    kind = type(target)
    try:
        data = _taken(target, kind, timeout_ms)
    except NoPictureError:
        raise
    except CONTAINED as error:
        first = (str(error).strip().splitlines() or [""])[0]
        raise NoPictureError(f"{type(error).__name__}: {first}") from None
    if not isinstance(data, bytes):
        raise NoPictureError(f"{kind.__name__} gives no picture as bytes")
    return data


def _taken(target: Any, kind: type, timeout_ms: float | None) -> object:
    if callable(getattr(kind, "get_screenshot_as_png", None)):
        return target.get_screenshot_as_png()
    if hasattr(kind, "screenshot_as_png"):
        return target.screenshot_as_png
    method = getattr(kind, "screenshot", None)
    if not callable(method):
        raise NoPictureError(f"{kind.__name__} is no page, locator, element or driver")
    if iscoroutinefunction(method):
        raise NoPictureError(_ASYNC)
    return target.screenshot() if timeout_ms is None else target.screenshot(timeout=timeout_ms)


def _is_page(kind: type) -> bool:
    """Playwright's sync ``Page``, or what has its interface."""
    methods = [getattr(kind, name, None) for name in ("screenshot", "goto", "content")]
    return all(callable(method) and not iscoroutinefunction(method) for method in methods)


def _is_driver(kind: type) -> bool:
    return callable(getattr(kind, "get_screenshot_as_png", None)) and callable(getattr(kind, "get", None))


def take_failure(item: pytest.Item, attempt: Attempt, pictures: Pictures) -> None:
    """Attach pictures of the pages and drivers of a test that failed."""
    for fixture, page in pictured(item):
        pictures.picture(attempt, page, f"failure-{fixture}", _FAILURE_MS)
