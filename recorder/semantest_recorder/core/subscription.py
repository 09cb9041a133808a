"""Which event types a client wants: exact names, ``*``, and prefixes such as ``test/*`` or ``test.*`` (pure)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

#: What one client may ask for, so that matching stays cheap for everybody.
MAX_PATTERNS = 500
MAX_PATTERN_LENGTH = 200


class InvalidPattern(ValueError):  # noqa: N818 - named for what it says about its argument
    """A subscription pattern that means nothing; the text says which and what would be right."""


class Subscription:
    """The set of patterns of one client.

    ``test/*`` and ``test.*`` mean the same: every type that starts with ``test/`` or ``test.``.
    """

    def __init__(self) -> None:
        self._patterns: dict[str, None] = {}
        self._exact: frozenset[str] = frozenset()
        self._prefixes: tuple[str, ...] = ()
        self._all = False

    def __bool__(self) -> bool:
        return bool(self._patterns)

    def __iter__(self) -> Iterator[str]:
        return iter(self._patterns)

    def add(self, patterns: Iterable[str]) -> None:
        """Adds patterns; all or none. Raises ``InvalidPattern``."""
        added = list(patterns)
        if len(added) <= MAX_PATTERNS:
            for pattern in added:
                _check(pattern)
        if len(added) > MAX_PATTERNS or len(self._patterns.keys() | set(added)) > MAX_PATTERNS:
            raise InvalidPattern(f"more than {MAX_PATTERNS} subscriptions on a connection; use a prefix such as test/*")
        self._patterns |= dict.fromkeys(added)
        self._compile()

    def discard(self, patterns: Iterable[str]) -> None:
        """Takes patterns away; one that was never added is no error."""
        for pattern in patterns:
            self._patterns.pop(pattern, None)
        self._compile()

    def matches(self, event_type: str) -> bool:
        """Whether the client wants events of this type."""
        return self._all or event_type in self._exact or event_type.startswith(self._prefixes)

    def _compile(self) -> None:
        prefixes: list[str] = []
        exact: set[str] = set()
        for pattern in self._patterns:
            if pattern.endswith(("/*", ".*")):
                prefixes += [pattern[:-2] + "/", pattern[:-2] + "."]
            else:
                exact.add(pattern)
        self._all = "*" in self._patterns
        self._exact = frozenset(exact)
        self._prefixes = tuple(prefixes)


def _check(pattern: str) -> None:
    if not pattern or len(pattern) > MAX_PATTERN_LENGTH:
        raise InvalidPattern(f"an event type has 1 to {MAX_PATTERN_LENGTH} characters")
    stem = pattern[:-2] if pattern.endswith(("/*", ".*")) else pattern
    if pattern != "*" and (not stem or "*" in stem):
        raise InvalidPattern(f"{pattern!r}: use an exact event type, '*', or a prefix such as 'test/*'")
