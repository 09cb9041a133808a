"""Tests that have another name than in the runs of the snapshot, before any recorder can know that. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from pytest_semantest.protocol.identity import split_params
from pytest_semantest.selection.candidate import Collected
from pytest_semantest.selection.snapshot import Known, Snapshot


def renamed_since(
    collected: Sequence[Collected], known: Mapping[str, Known], is_gone: Callable[[str], bool]
) -> dict[str, str]:
    """New ids of collected tests to those by which earlier runs know them.

    By function and case, where of all tests that are known, and of all that were collected, only one has them, and the
    known one was not collected and is gone (``is_gone``), not merely left out.
    """
    new = {
        case_of(test.id, test.fingerprint): test.id for test in collected if test.fingerprint and test.id not in known
    }
    if not new:
        return {}
    here = Counter(case_of(test.id, test.fingerprint) for test in collected)
    then = Counter(case_of(test_id, row.fingerprint or "") for test_id, row in known.items())
    old = {case_of(test_id, row.fingerprint or ""): test_id for test_id, row in known.items()}
    present = {test.id for test in collected}
    return {
        test_id: old[case]
        for case, test_id in new.items()
        if here[case] == then[case] == 1 and old[case] not in present and is_gone(old[case])
    }


def under_new_names(snapshot: Snapshot, renamed: Mapping[str, str]) -> Snapshot:
    """The snapshot with what it knows of renamed tests under their new ids as well."""
    return snapshot._replace(tests=snapshot.tests | {new: snapshot.tests[old] for new, old in renamed.items()})


def case_of(test_id: str, fingerprint: str) -> tuple[str, str]:
    """What a test keeps when its name changes: its function, and the part of its id in brackets."""
    return fingerprint, split_params(test_id)[1]
