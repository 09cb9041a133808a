"""Journals whose first record cannot be read: who wrote them, and which run they belong to.

What can be read of them is shipped all the same, behind a ``journal/gap`` that names the run in place of the record.
"""

from __future__ import annotations

from collections.abc import Collection

from pytest_semantest.protocol.gaps import opening_of
from pytest_semantest.protocol.identity import MAIN_WORKER
from pytest_semantest.protocol.layout import STATUS_SUFFIX
from pytest_semantest.protocol.liveness import guessed_start
from pytest_semantest.shipper.source import FollowedSource


def run_of(sources: Collection[FollowedSource], session: str) -> str | None:
    """The run of a session: what the first record of any journal says, pytest's own before its workers'.

    Of a session that is over without one that can be read: what an end record says, else its own name, which is what a
    run is called by default. ``None`` while it is not known, and when no record at all can be read.
    """
    if all(source.is_own for source in sources):
        return None
    ordered = sorted(sources, key=lambda source: (source.is_own, source.worker != MAIN_WORKER, source.worker))
    named = next((run_id for source in ordered if (run_id := source.digest.text("runId"))), None)
    if named is not None or not any(source.readable and not source.is_own for source in sources):
        return named
    if not all(source.follower.drained and (source.is_own or source.is_dead) for source in sources):
        return None
    ends = (source.digest.end.get("runId") for source in ordered)
    return next((run_id for run_id in ends if isinstance(run_id, str) and run_id), session)


def unmet(sources: Collection[FollowedSource]) -> list[FollowedSource]:
    """The sources whose process nobody named: others of their records came, or all the rest of the session is over."""
    over = (
        any(source.digest.start is not None for source in sources)
        and all(source.follower.drained for source in sources)
        and not any(source.watch is not None and not source.is_dead for source in sources)
    )
    return [
        source
        for source in sources
        if not source.is_own and source.watch is None and source.digest.start is None and (source.unnamed or over)
    ]


def meet(source: FollowedSource, sources: Collection[FollowedSource]) -> None:
    """Watches the process of an unmet source, by what its neighbours and its status slot tell."""
    source.meet_unnamed(_guess(source, sources))


def name(sources: Collection[FollowedSource], session: str, run_id: str) -> bool:
    """Names the run for each source whose first record cannot; whether there was one."""
    unnamed = [source for source in sources if source.unnamed and source.follower.opening is None]
    for source in unnamed:
        source.name(_guess(source, sources), opening_of(run_id, session, source.worker))
    return bool(unnamed)


def _guess(source: FollowedSource, sources: Collection[FollowedSource]) -> dict[str, object]:
    neighbour = next((other.digest.start for other in sources if other.digest.start and not other.unnamed), {})
    return guessed_start(source.path.with_suffix(STATUS_SUFFIX), neighbour)
