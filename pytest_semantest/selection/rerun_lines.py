"""What a rerun tells the user in the terminal. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pytest_semantest.protocol.printable import printable_line
from pytest_semantest.selection.lines import NAMED, plural, run_words
from pytest_semantest.selection.owed import Owed
from pytest_semantest.selection.rest import CHANGED, FOREIGN, OWED, RENAMED, RUNS, TWIN, UNCOLLECTED, UNNAMED, Rest

_ID_SHOWN = 200
#: Why tests run, in words.
_WHY = (
    (OWED, "owed"),
    (TWIN, "named as one that is"),
    (UNCOLLECTED, "of files that could not be collected"),
    (RENAMED, "under a new name"),
    (CHANGED, "whose code changed since"),
    (UNNAMED, "that it does not name"),
)


def rerun_facts(
    rest: Rest, runs: Sequence[int], other_shards: Sequence[int], *, names_tests: bool, settles: bool
) -> dict[str, Any]:
    """What the lines are made of, small enough to be sent by a worker of xdist; ``settles``: the files it collected."""
    return {
        "runs": dict(Counter(rest.rules[at] for at in runs)),
        "inOtherShards": sum(rest.rules[at] in RUNS for at in other_shards),
        "collected": len(rest.rules),
        "foreign": rest.rules.count(FOREIGN),
        "gone": [len(rest.gone), rest.gone[:NAMED]],
        "leftOut": [len(rest.left_out), rest.left_out[:NAMED]],
        "partly": [0 if settles else len(rest.mended), rest.mended[:NAMED]],
        "namesTests": names_tests,
    }


def is_elsewhere(facts: Mapping[str, Any]) -> bool:
    """Whether all that is owed runs in other shards."""
    return bool(facts["inOtherShards"]) and not facts["runs"] and not facts["gone"][0] and not facts["leftOut"][0]


def is_unrelated(facts: Mapping[str, Any]) -> bool:
    """Whether none of the collected tests was part of what is rerun, as in another project or rootdir."""
    return bool(facts["foreign"]) and facts["foreign"] == facts["collected"]


def rerun_lines(owed: Owed, facts: Mapping[str, Any], *, recorded: bool) -> Iterator[str]:
    """What runs and why, what is owed and does not run, and what that means."""
    who, runs = run_words(owed), facts["runs"]
    if runs:
        why = ", ".join(f"{runs[rule]} {words}" for rule, words in _WHY if rule in runs)
        yield f"rerun of {who}: {plural(sum(runs.values()), 'test')}: {why}"
    elif is_unrelated(facts):
        yield f"nothing to run: no test that was collected is one of {who}; is that of another project or rootdir?"
    elif owed.green:
        yield f"nothing to run: {who} owes nothing any more"
    elif is_elsewhere(facts):
        yield f"nothing to run in this shard: what {who} owes is in others"
    elif owed.outstanding:
        yield f"nothing to run here, and {who} still owes {plural(owed.outstanding, 'test')}"
    else:
        yield f"nothing to run: {who} owes no test, and did not pass all the same (`semantest report` tells why)"
    if facts["foreign"]:
        yield f"{plural(facts['foreign'], 'test')} not part of what is rerun (new, or left out then): not run"
    gone, left_out, partly = facts["gone"], facts["leftOut"], facts["partly"]
    if partly[0]:
        yield f"still owed until a rerun without paths, -k, shard or budget: {_named(partly)}, not collected then"
    if gone[0]:
        why = "not among the tests that were asked for" if facts["namesTests"] else "no longer there"
        yield f"NOT RUN, and still owed: {plural(gone[0], 'test')} {why}: {_named(gone)}"
    if left_out[0]:
        tests = plural(left_out[0], "test")
        yield f"NOT RUN, and still owed: {tests} left out by -k, -m or another plugin: {_named(left_out)}"
    if not recorded:
        yield f"not recorded: what ran here does not count for {who}"


def _named(found: Sequence[Any]) -> str:
    number, ids = found
    shown = ", ".join(printable_line(test_id)[:_ID_SHOWN] for test_id in ids)
    return shown + (f" and {number - len(ids)} more" if number > len(ids) else "")
