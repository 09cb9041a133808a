"""Quality gates: is a run good enough, condition by condition (pure).

A condition is ``ok``, ``failed``, or ``unknown`` where nobody can tell: there is no run to compare with, no test that
ran, or the run is not over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any, Final, Literal

import msgspec

from pytest_semantest.protocol.events import BAD_STATES
from pytest_semantest.protocol.globs import glob_pattern, is_glob

Verdict = Literal["ok", "failed", "unknown"]

#: Bad states that other conditions ask for.
_OF_OTHERS: Final = frozenset({"lost", "not_run", "pending", "running"})
#: States of tests that count as failed.
FAILED: Final = frozenset(BAD_STATES) - _OF_OTHERS
#: States of tests that did not come to run.
_DID_NOT_RUN: Final = frozenset({"skipped", "not_run", "pending", "running"})
_GOOD: Final = frozenset({"passed", "xpassed", "xfailed", "flaky"})
_PASSED: Final = frozenset({"passed", "xpassed", "flaky"})


class Bounds(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked of a run; ``None``, false or empty: nothing.

    Rates are per cent from 0 to 100, ``max_duration_ms`` milliseconds; ``critical`` are tests, functions, classes,
    files, folders or patterns with ``*`` and ``?`` that must have passed. The names are those of the keys
    (protocol/keys.py).
    """

    complete: bool = False
    min_tests: int | None = None
    min_pass_rate: float | None = None
    max_failed: int | None = None
    max_lost: int | None = None
    max_flaky: int | None = None
    max_flaky_rate: float | None = None
    max_quarantined: int | None = None
    max_left_out: int | None = None
    max_warnings: int | None = None
    max_duration_ms: float | None = None
    max_slower: int | None = None
    max_removed: int | None = None
    no_new_failures: bool = False
    critical: tuple[str, ...] = ()


#: What ``--semantest-fail-on`` and ``semantest gate --fail-on`` mean.
POLICIES: Final[Mapping[str, Bounds]] = {
    "flaky": Bounds(max_flaky=0),
    "lost": Bounds(max_lost=0),
    "left-out": Bounds(max_left_out=0),
    "warnings": Bounds(max_warnings=0),
    "new-failures": Bounds(no_new_failures=True),
    "slower": Bounds(max_slower=0),
}


class Compared(msgspec.Struct, frozen=True):
    """What changed against run ``base``: ids of tests."""

    base: str
    newly_failing: Sequence[str] = ()
    slower: Sequence[str] = ()
    removed: Sequence[str] = ()


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of the run. ``states``: of each test by id; ``forgiven``: those in quarantine whose end is bad.

    ``incomplete``: why the run is not whole, a line for each reason. ``compared`` is a text, why nothing could be
    compared, where there is no run to compare with.
    """

    states: Mapping[str, str]
    forgiven: frozenset[str] = frozenset()
    over: bool = True
    duration_ms: float | None = None
    left_out: int = 0
    warnings: int = 0
    incomplete: Sequence[str] = ()
    compared: Compared | str = "nothing was compared"


class Check(msgspec.Struct, frozen=True):
    """One condition. ``value`` is what it was judged by, ``bound`` what was asked; ``null``: not known.

    ``tests``: those that the value counts, as far as there are such; ``why``: what the numbers do not say.
    """

    condition: str
    verdict: Verdict
    value: float | int | bool | None
    bound: float | int | bool | str
    why: str = ""
    tests: Sequence[str] = ()


def needs_comparison(bounds: Bounds) -> bool:
    """Whether the run has to be compared with an earlier one."""
    return bounds.no_new_failures or bounds.max_slower is not None or bounds.max_removed is not None


def merged(policies: Iterable[str]) -> Bounds:
    """The bounds of several policies together. Raises ``KeyError`` for a name that is none."""
    asked: dict[str, Any] = {name: value for policy in policies for name, value in _asked(POLICIES[policy])}
    return Bounds(**asked)


def judge(bounds: Bounds, facts: Facts) -> list[Check]:
    """Every condition that is asked for, in the order of ``Bounds``."""
    checks = [check for name, _ in _asked(bounds) for check in _JUDGES[name](bounds, facts)]
    if facts.over:
        return checks
    return [_not_over(check) if check.verdict == "ok" else check for check in checks]


def is_passed(checks: Iterable[Check], *, allow_unknown: bool = False) -> bool:
    """Whether the gate is open; with ``allow_unknown`` what is not known does not close it."""
    return all(check.verdict == "ok" or (allow_unknown and check.verdict == "unknown") for check in checks)


def _asked(bounds: Bounds) -> Iterator[tuple[str, object]]:
    for name in bounds.__struct_fields__:
        value = getattr(bounds, name)
        if value is not None and value is not False and value != ():
            yield name, value


def _not_over(check: Check) -> Check:
    return msgspec.structs.replace(check, verdict="unknown", why="the run is not over")


def _complete(_bounds: Bounds, facts: Facts) -> Iterator[Check]:
    missing = [test_id for test_id, state in facts.states.items() if state in ("not_run", "lost")]
    why = list(facts.incomplete)
    if facts.left_out:
        why.append(f"left out by a budget: {facts.left_out}")
    if missing:
        why.append(f"tests without a result: {len(missing)}")
    yield Check("complete", "failed" if why else "ok", not why, True, "; ".join(why), missing)


def _min_tests(bounds: Bounds, facts: Facts) -> Iterator[Check]:
    number, least = len(_ran(facts)), bounds.min_tests or 0
    yield Check("min-tests", "ok" if number >= least else "failed", number, least)


def _min_pass_rate(bounds: Bounds, facts: Facts) -> Iterator[Check]:
    ran = [state for test_id, state in facts.states.items() if state != "skipped" and test_id not in facts.forgiven]
    good = sum(state in _GOOD for state in ran)
    yield _rate("min-pass-rate", good, len(ran), bounds.min_pass_rate or 0.0, least=True)


def _max_flaky_rate(bounds: Bounds, facts: Facts) -> Iterator[Check]:
    flaky = _in_states(facts, {"flaky"})
    check = _rate("max-flaky-rate", len(flaky), len(_ran(facts)), bounds.max_flaky_rate or 0.0, least=False)
    yield msgspec.structs.replace(check, tests=flaky)


def _rate(condition: str, number: int, of: int, bound: float, *, least: bool) -> Check:
    """A share in per cent, compared before it is rounded."""
    if not of:
        return Check(condition, "unknown", None, bound, "no test ran")
    share, asked = Fraction(100 * number, of), Fraction(repr(bound))  # 99.9 as people mean it, not the nearest float
    good = share >= asked if least else share <= asked
    return Check(condition, "ok" if good else "failed", float(share), bound)


def _max_duration(bounds: Bounds, facts: Facts) -> Iterator[Check]:
    most = bounds.max_duration_ms or 0.0
    if facts.duration_ms is None:
        yield Check("max-duration", "unknown", None, most, "it is not known how long the run took")
    else:
        yield Check("max-duration", "ok" if facts.duration_ms <= most else "failed", facts.duration_ms, most)


def _critical(bounds: Bounds, facts: Facts) -> Iterator[Check]:
    for pattern in bounds.critical:
        meant = _meant(pattern, facts.states)
        bad = [test_id for test_id in meant if facts.states[test_id] not in _PASSED]
        if not meant:
            yield Check("critical", "failed", 0, pattern, "the run has no such test")
        else:
            yield Check("critical", "failed" if bad else "ok", len(meant) - len(bad), pattern, _of(bad, meant), bad)


def _of(bad: Sequence[str], meant: Sequence[str]) -> str:
    return f"{len(bad)} of {len(meant)} did not pass" if bad else ""


def _meant(pattern: str, test_ids: Iterable[str]) -> list[str]:
    """The tests that are this one, in this function, class, file or folder, or match it as a pattern."""
    if is_glob(pattern):
        wanted = glob_pattern(pattern)
        return [test_id for test_id in test_ids if wanted.fullmatch(test_id)]
    name = pattern.rstrip("/")
    return [one for one in test_ids if one == name or (one.startswith(name) and one[len(name)] in "/:[")]


def _ran(facts: Facts) -> list[str]:
    return [test_id for test_id, state in facts.states.items() if state not in _DID_NOT_RUN]


def _in_states(facts: Facts, states: Iterable[str]) -> list[str]:
    wanted = frozenset(states)
    return [test_id for test_id, state in facts.states.items() if state in wanted and test_id not in facts.forgiven]


def _most(name: str, find: Callable[[Facts], Sequence[str]]) -> Callable[[Bounds, Facts], Iterator[Check]]:
    """A condition on how many tests there are that ``find`` gives."""

    def check(bounds: Bounds, facts: Facts) -> Iterator[Check]:
        tests, most = find(facts), getattr(bounds, name)
        yield Check(name.replace("_", "-"), "ok" if len(tests) <= most else "failed", len(tests), most, "", tests)

    return check


def _most_of(name: str, count: Callable[[Facts], int]) -> Callable[[Bounds, Facts], Iterator[Check]]:
    """A condition on a number."""

    def check(bounds: Bounds, facts: Facts) -> Iterator[Check]:
        number, most = count(facts), getattr(bounds, name)
        yield Check(name.replace("_", "-"), "ok" if number <= most else "failed", number, most)

    return check


def _changed(name: str, find: Callable[[Compared], Sequence[str]]) -> Callable[[Bounds, Facts], Iterator[Check]]:
    """A condition on how many tests changed in one way; ``True`` asks for none."""

    def check(bounds: Bounds, facts: Facts) -> Iterator[Check]:
        condition, bound = name.replace("_", "-"), getattr(bounds, name)
        if isinstance(facts.compared, str):
            yield Check(condition, "unknown", None, bound, facts.compared)
            return
        tests, most = find(facts.compared), 0 if bound is True else bound
        why = f"against run {facts.compared.base}"
        yield Check(condition, "ok" if len(tests) <= most else "failed", len(tests), bound, why, tests)

    return check


_JUDGES: Final[Mapping[str, Callable[[Bounds, Facts], Iterator[Check]]]] = {
    "complete": _complete,
    "min_tests": _min_tests,
    "min_pass_rate": _min_pass_rate,
    "max_failed": _most("max_failed", lambda facts: _in_states(facts, FAILED)),
    "max_lost": _most("max_lost", lambda facts: _in_states(facts, {"lost"})),
    "max_flaky": _most("max_flaky", lambda facts: _in_states(facts, {"flaky"})),
    "max_flaky_rate": _max_flaky_rate,
    "max_quarantined": _most("max_quarantined", lambda facts: sorted(facts.forgiven)),
    "max_left_out": _most_of("max_left_out", lambda facts: facts.left_out),
    "max_warnings": _most_of("max_warnings", lambda facts: facts.warnings),
    "max_duration_ms": _max_duration,
    "max_slower": _changed("max_slower", lambda compared: compared.slower),
    "max_removed": _changed("max_removed", lambda compared: compared.removed),
    "no_new_failures": _changed("no_new_failures", lambda compared: compared.newly_failing),
    "critical": _critical,
}
