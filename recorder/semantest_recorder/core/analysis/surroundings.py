"""What else differs between two runs: interpreter, packages, machine, labels, how pytest was started."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from semantest_recorder.core.rows import RunRow

#: What is compared: a name for people, and the path to it in context or facts.
_FACTS = (
    ("Python", "context", ("environment", "python")),
    ("Python", "facts", ("pythonVersion",)),
    ("implementation", "context", ("environment", "implementation")),
    ("platform", "context", ("environment", "platform")),
    ("pytest", "facts", ("pytestVersion",)),
    ("host", "facts", ("host",)),
    ("arguments", "facts", ("args",)),
    ("workers", "facts", ("distribution", "workers")),
    ("distribution", "facts", ("distribution", "mode")),
    ("retries", "facts", ("retries", "count")),
    ("CI", "context", ("ci", "provider")),
    ("branch", "context", ("git", "branch")),
)
#: In which of these the legs of a matrix differ, beside labels.
OF_LEG: Final = frozenset({"Python", "implementation", "platform"})


class Difference(msgspec.Struct, frozen=True):
    """One thing that is another in the later run; ``None``: it is not there.

    ``kind``: ``fact``, ``label`` or ``package``.
    """

    kind: str
    name: str
    before: str | None
    after: str | None


def differences_between(before: RunRow, after: RunRow) -> list[Difference]:
    """Facts first, then labels and packages by name. A fact that one run does not tell of is no difference."""
    return [*_facts(before, after), *_labels(before, after), *_packages(before, after)]


def _facts(before: RunRow, after: RunRow) -> Iterator[Difference]:
    told = set()
    for name, part, path in _FACTS:
        was, now = (_text(_at(getattr(run, part), path)) for run in (before, after))
        if name not in told and was is not None and now is not None:
            told.add(name)
            if was != now:
                yield Difference("fact", name, was, now)


def _labels(before: RunRow, after: RunRow) -> Iterator[Difference]:
    for name in sorted({*before.labels, *after.labels}):
        was, now = before.labels.get(name), after.labels.get(name)
        if was != now:
            yield Difference("label", name, was, now)


def _packages(before: RunRow, after: RunRow) -> Iterator[Difference]:
    was, now = (_at(run.context, ("environment", "packages")) for run in (before, after))
    if not isinstance(was, Mapping) or not isinstance(now, Mapping):
        return
    for name in sorted({str(name) for name in (*was, *now)}, key=str.lower):
        one, other = _text(was.get(name)), _text(now.get(name))
        if one != other:
            yield Difference("package", name, one, other)


def _at(value: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def _text(value: Any) -> str | None:
    if isinstance(value, list):
        return " ".join(str(part) for part in value)
    return None if value is None else str(value)
