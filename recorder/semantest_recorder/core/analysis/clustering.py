"""Failures that have one cause: the same error at the same place, whatever values stand in its message."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Final

import msgspec

from semantest_recorder.core.analysis.identity import function_of
from semantest_recorder.core.analysis.rows import Failure

#: Characters of a message that are looked at; what follows the first line is a comparison of values, or a traceback.
_LOOKED_AT = 500
_QUOTED = re.compile(r"(?<![\w'])'[^'\n]*'(?!\w)|(?<![\w\"])\"[^\"\n]*\"(?!\w)|`[^`\n]*`")
#: Names of which a number is a part, such as utf-8; behind other words in small letters it counts (host-3, worker_12).
_NAMES: Final = ("aes", "cp", "http", "ipv", "iso", "latin", "sha", "utf")
_COUNTED = "(?<=[a-z][-_])" + "".join(rf"(?<!\b{name}[-_])" for name in _NAMES) + r"\d+(?:[-_.]\d+)*(?![A-Za-z0-9])"
#: What differs between two messages of one cause, in the order in which it is replaced.
_REPLACED: Final = tuple(
    (re.compile(pattern), word)
    for pattern, word in (
        (r"(?i)\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b", "<uuid>"),
        (r"\b\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d)?(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?)?", "<time>"),
        (r"\b\d\d:\d\d:\d\d(?:[.,]\d+)?", "<time>"),
        (r"\b[a-z][a-z0-9+.-]*://[^\s'\"<>]+", "<url>"),
        (_QUOTED.pattern, "<text>"),
        (r"(?<![\w.<])(?:[A-Za-z]:)?(?:[/\\][\w.@+~-]+){2,}[/\\]?", "<path>"),
        (r"\b0[xX][0-9a-fA-F]+\b", "<address>"),
        (r"\b(?=[0-9a-fA-F]*\d)(?=[0-9a-fA-F]*[a-fA-F])[0-9a-fA-F]{7,}\b", "<id>"),
        (_COUNTED, "<n>"),
        (r"(?<![\w<])(?<![\w][-+])[-+]?\d+(?:[.,_]\d+)*(?:[eE][-+]?\d+)?", "<n>"),
        (r"\s+", " "),
    )
)


class Occurrence(msgspec.Struct, frozen=True):
    """A failure in a run."""

    run_id: str
    failure: Failure


class Cluster(msgspec.Struct):
    """Failures of one cause, in the order in which they were given; there is at least one.

    ``id`` stays the same from run to run and when lines are added above. ``message`` is what all messages have in
    common.
    """

    id: str
    type: str | None
    message: str
    file: str | None
    occurrences: list[Occurrence]

    @property
    def tests(self) -> list[str]:
        """The tests, each once."""
        return list(dict.fromkeys(one.failure.test_id for one in self.occurrences))

    @property
    def broken(self) -> list[str]:
        """Those of the tests that did not pass in the end, in a run at least."""
        return list(dict.fromkeys(one.failure.test_id for one in self.occurrences if one.failure.state != "flaky"))

    @property
    def runs(self) -> list[str]:
        """The runs, each once."""
        return list(dict.fromkeys(one.run_id for one in self.occurrences))


def normalized(message: str) -> str:
    """The first line of the message, with words for numbers, addresses, ids, paths, times and quoted text."""
    text = message.strip()[:_LOOKED_AT].split("\n", 1)[0].strip()
    only_quoted = _QUOTED.fullmatch(text) is not None  # as of a KeyError: it is all that tells one from another
    for pattern, word in _REPLACED:
        if word != "<text>" or not only_quoted:
            text = pattern.sub(word, text)
    return text


def clusters(occurrences: Iterable[Occurrence]) -> list[Cluster]:
    """The causes: the one that broke the most tests first, of some as many in the most runs; of flaky tests last."""
    found: dict[str, Cluster] = {}
    for place in _by_line(occurrences).values():
        first = place[0].failure
        key = _cause(first)
        name = cluster_id(*key, min(function_of(one.failure.test_id) for one in place) if _is_own(first) else "")
        cluster = found.setdefault(name, Cluster(name, first.type, key[1], first.file, []))
        cluster.occurrences += place
    return sorted(
        found.values(),
        key=lambda cluster: (-len(cluster.broken), -len(cluster.tests), -len(cluster.runs), cluster.id),
    )


def cluster_id(kind: str, message: str, file: str, function: str) -> str:
    """Eight hex digits for a cause; ``function`` when the place is in the file of the test itself."""
    return sha256("\0".join((kind, message, file, function)).encode("utf-8", "replace")).hexdigest()[:8]


def under_name(failure: Failure, test_id: str) -> Failure:
    """A failure under another name of its test; a place in the test's own file moves along."""
    old, new = (name.partition("::")[0] for name in (failure.test_id, test_id))
    file = failure.file.removesuffix(old) + new if failure.file and _is_own(failure) else failure.file
    return failure._replace(test_id=test_id, file=file)


def first_seen(cluster: Cluster, earlier: Sequence[Occurrence]) -> str | None:
    """The run of the first of ``earlier`` (oldest first) that has the cluster's cause at a test of it."""
    cause, tests = _cause(cluster.occurrences[0].failure), set(cluster.tests)
    return next((one.run_id for one in earlier if one.failure.test_id in tests and _cause(one.failure) == cause), None)


def _by_line(occurrences: Iterable[Occurrence]) -> dict[tuple[object, ...], list[Occurrence]]:
    """Failures of one cause at one place: a file of the product, or a line of a test file, where tests are many."""
    places: dict[tuple[object, ...], list[Occurrence]] = defaultdict(list)
    for one in occurrences:
        line = one.failure.line if _is_own(one.failure) else None
        places[*_cause(one.failure), line].append(one)
    return places


def _cause(failure: Failure) -> tuple[str, str, str]:
    message = failure.message or failure.reason or ""
    return failure.type or failure.outcome, normalized(message), failure.file or ""


def _is_own(failure: Failure) -> bool:
    """Whether the place is in the file of the test: there each test has asserts of its own."""
    file = failure.test_id.partition("::")[0]
    return bool(failure.file) and (failure.file == file or (failure.file or "").endswith(f"/{file}"))
