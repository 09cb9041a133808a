"""Which test is meant by a part of its id."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from semantest_recorder.answers.errors import NoSuchTest, SeveralTests
from semantest_recorder.core.analysis.identity import function_of
from semantest_recorder.reports.inert import inert_line
from semantest_recorder.store.reader import Reader

_LISTED = 20
_PARAMS_LISTED = 3
#: Of how many tests of earlier runs the one that is meant is chosen.
_SEARCHED = 1000
_NEAR = 0.6
#: Of how many tests the nearest is looked for, and of how many characters together: what is asked for may be long.
_NEAR_SEARCHED, _NEAR_COMPARED = 5000, 100_000


def one_test(
    fragment: str, in_run: list[str], reader: Reader | None, current: Callable[[str], str] = lambda test_id: test_id
) -> str:
    """The only test that ``fragment`` can mean: among those of the run, else among all that ``reader`` knows.

    An id counts before a name with its parameters, that before a name without them, that before any other part.
    ``current`` gives the present id of a test: several names of one test are one.
    Raises ``NoSuchTest`` when there is none and ``SeveralTests``.
    """
    if fragment in in_run:
        return fragment
    known = reader.find_tests(fragment, _SEARCHED) if reader is not None else []
    ways: list[tuple[Callable[[str, str], bool], list[str]]]
    ways = [(fits, tests) for tests in (in_run, known) for fits in (_is_id, _is_name, _is_function)]
    ways += [(_contains, in_run), (_contains, known)]
    for fits, tests in ways:
        matches = list(dict.fromkeys(current(test_id) for test_id in tests if fits(test_id, fragment)))
        if len(matches) == 1:
            return matches[0]
        if matches:
            raise SeveralTests("\n".join(_choice(fragment, matches)), matches)
    raise NoSuchTest(fragment, nearest(fragment, in_run or _some(reader)))


def _is_id(test_id: str, fragment: str) -> bool:
    return test_id == fragment


def _is_name(test_id: str, fragment: str) -> bool:
    return test_id.endswith(f"::{fragment}")


def _is_function(test_id: str, fragment: str) -> bool:
    return f"::{function_of(test_id)}".endswith(f"::{fragment}")


def _contains(test_id: str, fragment: str) -> bool:
    return fragment in test_id


def _choice(fragment: str, matches: Iterable[str]) -> Iterator[str]:
    """The tests to choose from, those of one function in a line, unless there is only one function."""
    functions: dict[str, list[str]] = {}
    for test_id in matches:
        functions.setdefault(function_of(test_id), []).append(test_id)
    if len(functions) == 1:
        (ids,) = functions.values()
        yield f"{fragment!r} has {len(ids)} sets of parameters, name one:"
        lines = ids
    else:
        yield f"{fragment!r} is part of several tests, give more of one:"
        lines = [_function_line(function, ids) for function, ids in functions.items()]
    yield from (f"  {inert_line(line)}" for line in lines[:_LISTED])
    if len(lines) > _LISTED:
        yield f"  ... and {len(lines) - _LISTED} more"


def _function_line(function: str, ids: list[str]) -> str:
    if len(ids) == 1:
        return ids[0]
    params = ", ".join(test_id.removeprefix(function) for test_id in ids[:_PARAMS_LISTED])
    return f"{function} ({len(ids)} sets of parameters: {params}{', ...' if len(ids) > _PARAMS_LISTED else ''})"


def _some(reader: Reader | None) -> list[str]:
    return reader.find_tests("", _NEAR_SEARCHED) if reader is not None else []


def nearest(fragment: str, tests: list[str]) -> list[str]:
    """The functions that are called most like ``fragment``, which is no test."""
    import difflib  # noqa: PLC0415 - for mistakes only

    wanted = _telling(fragment)
    most = min(_NEAR_SEARCHED, _NEAR_COMPARED // max(len(wanted), 1))
    names = {_telling(test_id): function_of(test_id) for test_id in tests[:most]}
    near = difflib.get_close_matches(wanted, names, n=3, cutoff=_NEAR)
    return [names[name] for name in near]


def _telling(test_id: str) -> str:
    """What tells a function from others: its name without the beginning that all share."""
    return function_of(test_id).rpartition("::")[2].removeprefix("test").strip("_")
