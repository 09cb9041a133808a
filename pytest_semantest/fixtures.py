"""What the ``semantest`` fixture gives: the whole interface, without effect. A recording overrides what it does.

So a test behaves the same with and without a recording, mistakes included: they are found here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    import os
    from typing import Self

F = TypeVar("F", bound=Callable[..., Any])

#: What ``log`` takes as a level, and how it is written.
LEVELS = {"debug": "debug", "info": "info", "warn": "warn", "warning": "warn", "error": "error", "critical": "error"}
_CUSTOM = "custom/"
_TYPE_MAX = 200


class Step:
    """A step of a test: enter it with ``with``, or decorate a function (``async`` ones too), each call of which is one.

    A step that an exception leaves has failed, or was skipped by ``pytest.skip``; the exception goes on unchanged.
    """

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        return

    def __call__(self, function: F) -> F:
        """The function, each call of which is a step."""
        return function


class Semantest:
    """Tells a recording what happens in a test. Without one (``pytest`` without ``--semantest``) it does nothing.

    All methods may be called in tests, in setup and teardown of fixtures of every scope, and in threads: what is told
    belongs to the test that runs then. No method raises for a reason of the recording; wrong arguments raise
    ``ValueError`` or ``TypeError``, with and without one.
    """

    def step(self, name: str) -> Step:
        """A step called ``name``; steps inside it are its parts."""
        return self._step(name)

    def log(self, message: object, /, level: str = "info", **data: object) -> None:
        """A line for the test's story with ``data`` beside it.

        ``level`` is ``debug``, ``info``, ``warning`` or ``error``; ``ValueError`` for another one.
        """
        if level not in LEVELS:
            raise ValueError(f"level {level!r} is not one of debug, info, warning, error")
        self._log(message, LEVELS[level], data)

    def attach(
        self,
        content: str | bytes | bytearray | os.PathLike[str],
        /,
        name: str | None = None,
        media_type: str | None = None,
    ) -> None:
        """Keep a file (a ``Path``), bytes, or text (a ``str``) with the test, as it is now.

        ``name``: how it is called, by default as the file; ``media_type``: by default by the name. What cannot be
        read or is over ``--semantest-attachment-limit`` is only noted. ``TypeError`` for any other content.
        """
        if not isinstance(content, str | bytes | bytearray) and not hasattr(type(content), "__fspath__"):
            raise TypeError(f"attach a path, bytes or text, not {type(content).__name__}")
        _check_texts(name=name, media_type=media_type)
        self._attach(content, name, media_type)

    def screenshot(self, target: object = None, /, name: str | None = None) -> None:
        """A picture of ``target``: a page, locator or element of Playwright's sync API, a Selenium driver or element.

        Without one: of every page and driver among the fixtures of the running test. What fails is only noted.
        ``TypeError`` for a text or a path: a picture that is there already is attached.
        """
        if isinstance(target, str | bytes) or hasattr(type(target), "__fspath__"):
            raise TypeError(f"take a picture of a page, locator, element or driver, not of {type(target).__name__}")
        _check_texts(name=name)
        self._screenshot(target, name)

    def event(self, type: str, payload: Mapping[str, object], /) -> None:  # noqa: A002 - the field's name
        """An event of your own. ``type`` begins with ``custom/``, else ``ValueError``."""
        if not isinstance(type, str) or not type.startswith(_CUSTOM) or not len(_CUSTOM) < len(type) <= _TYPE_MAX:
            raise ValueError(f"the type of an own event is custom/NAME of at most {_TYPE_MAX} characters, not {type!r}")
        if not isinstance(payload, Mapping):
            raise TypeError(f"the payload of an event is a dict, not {payload.__class__.__name__}")
        self._event(type, payload)

    # What a recording does with it.

    def _step(self, name: str) -> Step:  # noqa: ARG002
        return Step()

    def _log(self, message: object, level: str, data: Mapping[str, object]) -> None: ...

    def _attach(self, content: Any, name: str | None, media_type: str | None) -> None: ...

    def _screenshot(self, target: object, name: str | None) -> None: ...

    def _event(self, kind: str, payload: Mapping[str, object]) -> None: ...


def _check_texts(**values: object) -> None:
    for name, value in values.items():
        if value is not None and not isinstance(value, str):
            raise TypeError(f"{name} is a text, not {type(value).__name__}")
