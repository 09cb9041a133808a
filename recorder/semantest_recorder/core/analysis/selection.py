"""What a run set out to run: whether a test that it does not have is gone, or was merely not asked for."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Iterable, Sequence

import msgspec

#: Options that leave tests out without deselecting them, or choose by what happened before.
_CHOOSES = re.compile(
    r"--(lf|last-failed|sw|stepwise.*|ignore.*|pyargs|nf|ff-only|splits?|group|test-group.*|testmon.*|picked.*"
    r"|(?:[\w-]*-)?(shards?|shard-id|num-shards|budget|rerun|repeat-new|sample|select))(?:=|$)"
)
#: Options that deselect tests: the same in both runs, they chose alike. The number alone does not tell, for under xdist
#: it is the workers who deselect.
_DESELECTS = re.compile(r"-k|-m|--deselect(=|$)")
_NO_REASON = ""


class RunFacts(msgspec.Struct, frozen=True):
    """What is known of how a run was started and ended; ``args`` are those of pytest.

    ``sessions``: how many pytest sessions it is made of. ``over``: whether nothing more of it is expected.
    """

    args: tuple[str, ...] = ()
    cwd: str = ""
    rootdir: str = ""
    deselected: int = 0
    planned: int = 0
    sessions: int = 1
    over: bool = True


class Selection:
    """Which tests a run would have run if they had been there, as far as that can be told.

    ``like``: another run. Started with the same arguments, and with as many deselected tests, both chose alike.
    """

    def __init__(self, facts: RunFacts, test_ids: Iterable[str], like: RunFacts) -> None:
        own = set(test_ids)
        self._uncollected = {test_id for test_id in own if "::" not in test_id}
        self._asked = _asked_for(facts, own)
        self._reason = why_unsure(facts, like)

    def why_missing(self, test_id: str) -> str:
        """Why the run may not have had the test although it exists; empty when it is gone."""
        if self._reason:
            return self._reason
        if self._uncollected and test_id.partition("::")[0] in self._uncollected:
            return "its file could not be collected"
        if self._asked and not any(_is_below(test_id, name) for name in self._asked):
            return "the run was asked for other tests"
        return _NO_REASON


def why_unsure(facts: RunFacts, like: RunFacts) -> str:
    """Why nobody can tell which tests the run left out, though ``like`` had them; empty when it can be told."""
    if not facts.over:
        return "the run is not over"
    if not facts.planned:
        return "it is not known which tests the run set out to run"
    for argument in facts.args:
        if argument.startswith("@"):
            return "the run took its arguments from a file"
        if _CHOOSES.match(argument):
            return f"the run chose its tests by {argument.partition('=')[0]}"
    if facts.args != like.args:
        for argument in facts.args:
            if _DESELECTS.match(argument):
                return f"the run chose its tests by {argument[:2] if argument[1] != '-' else '--deselect'}"
    if facts.sessions > 1:
        return "the run is made of several sessions"
    if facts.deselected and (facts.args != like.args or facts.deselected != like.deselected):
        return f"the run deselected {facts.deselected} tests"
    return _NO_REASON


def _asked_for(facts: RunFacts, own: Collection[str]) -> Sequence[str]:
    """The arguments that are folders, files or tests of this run, relative to its rootdir; none when it ran all.

    The value of an option looks the same, so that what no test of the run is below is no such argument.
    """
    asked = []
    for argument in facts.args:
        if argument.startswith("-"):
            continue
        path, separator, rest = argument.partition("::")
        whole = posixpath.normpath(posixpath.join(facts.cwd, path))
        known = whole.startswith("/") and facts.rootdir.startswith("/")
        place = posixpath.relpath(whole, facts.rootdir) if known else whole
        name = f"{'' if place == '.' else place}{separator}{rest}"
        if name == "":
            return ()
        if any(_is_below(test_id, name) for test_id in own):
            asked.append(name)
    return asked


def _is_below(test_id: str, name: str) -> bool:
    """Whether a test is in that folder, file, class or function, or is it."""
    return test_id.startswith(name) and test_id[len(name) : len(name) + 1] in ("", "/", ":", "[")
