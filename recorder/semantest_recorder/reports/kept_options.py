"""Which of a run's own pytest arguments also hold for a run of some of its tests."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import PurePath

from pytest_semantest.protocol.redaction import MASK
from semantest_recorder.reports.inert import inert_line
from semantest_recorder.reports.report import Report, RunInfo, TestInfo

# What chose the tests, ended the run early, or named files that the run wrote.
_DROPPED = """
    --exitfirst --lf --last-failed --ff --failed-first --nf --new-first --sw --stepwise --sw-skip --stepwise-skip
    --sw-reset --stepwise-reset --cache-clear --pyargs --semantest --no-semantest
"""
_DROPPED_WITH_VALUE = """
    -k -m --maxfail --deselect --ignore --ignore-glob --lfnf --last-failed-no-failures --splits --group --num-shards
    --shard-id --test-group --test-group-count --junitxml --junit-xml --report-log --html --json-report-file --log-file
    --semantest-run-id --semantest-rerun --semantest-order --semantest-shard --semantest-budget
"""
#: Options that take the next argument as their value: pytest's and those of common plugins.
_WITH_VALUE = """
    -n --numprocesses --dist --tx --px --maxprocesses --max-worker-restart --maxschedchunk --rsyncdir
    -p -c --config-file --rootdir --confcutdir -o --override-ini -W --pythonwarnings --import-mode --basetemp
    -r --tb --capture --color --show-capture --durations --durations-min --verbosity --assert --pdbcls
    --log-level --log-format --log-cli-level --log-cli-format --log-file-level --doctest-report --doctest-glob
    --timeout --session-timeout --timeout-method --reruns --reruns-delay --only-rerun --rerun-except --count
    --asyncio-mode --ds --hypothesis-profile --hypothesis-seed --cov-report --cov-config --cov-context
    --semantest-url --semantest-token --semantest-dir --semantest-run-name --semantest-labels
    --semantest-flush-timeout --semantest-capture --semantest-output-limit --semantest-redact
    --semantest-retries --semantest-retry --semantest-retry-match --semantest-retry-delay
"""
_dropped_with_value = frozenset(_DROPPED_WITH_VALUE.split())
_dropped = _dropped_with_value | frozenset(_DROPPED.split())
_with_value = frozenset(_WITH_VALUE.split())
#: Short options that stand alone, in any combination; ``x`` ends a run early.
_SHORT_FLAGS = re.compile(r"-[vqslx]+")
_SHORT_WITH_VALUE = re.compile(r"-[kmnpcoWr].")


def can_be_typed(text: str) -> bool:
    """Whether the text reaches pytest as it is: nothing hidden, nothing redacted."""
    return inert_line(text) == text and MASK not in text


def kept_options(report: Report) -> list[str]:
    """The options of the run but for those that chose its tests: how many workers, which plugins, which limits.

    An option that nobody knows here may have a value: the next argument, unless tests of the run are below it. When
    tests were deselected, such an argument may also have been a folder of theirs; then it and its option are left out.
    """
    places = _places(report.run, report.tests)
    arguments, kept, at = report.run.args, list[str](), 0
    while at < len(arguments):
        following = arguments[at + 1] if at + 1 < len(arguments) else ""
        taken, has_value = _option(arguments[at], following, places, guess=not report.run.deselected)
        if can_be_typed("".join(taken)):
            kept += taken
        at += 2 if has_value else 1
    return kept


def names_places(run: RunInfo) -> bool:
    """Whether an argument of the run may say where tests are; one that may be an option's value counts as such."""
    value = False
    for argument in run.args:
        if not argument.startswith("-") and not value:
            return True
        value = argument in _with_value or argument in _dropped_with_value
    return False


def _option(argument: str, following: str, places: set[str], *, guess: bool) -> tuple[list[str], bool]:
    """What to keep of an argument, and whether the one after it is its value."""
    if not argument.startswith("-") or argument == "-":
        return [], False  # a path to tests, or a file with arguments
    name, equals, _value = argument.partition("=")
    if _SHORT_FLAGS.fullmatch(argument):
        letters = argument.replace("x", "")
        return ([letters] if letters != "-" else []), False
    if name in _dropped:
        return [], name in _dropped_with_value and not equals
    if name in _with_value:
        return ([argument], False) if equals else ([argument, following], True)
    if _SHORT_WITH_VALUE.match(argument):
        return ([] if argument.startswith(("-k", "-m")) else [argument]), False
    if equals or not following or following.startswith(("-", "@")) or following in places:
        return [argument], False
    return ([argument, following], True) if guess else ([], True)


def _places(run: RunInfo, tests: Iterable[TestInfo]) -> set[str]:
    """The arguments of the run that name files with tests of it, or folders above such files."""
    names = {test.file or test.id.partition("::")[0] for test in tests}
    files = {os.path.normpath(os.path.join(run.rootdir or "", name)) for name in names}
    below = {str(place) for file in files for place in (file, *PurePath(file).parents)}
    folder = run.cwd or run.rootdir or ""
    return {
        argument
        for argument in run.args
        if os.path.normpath(os.path.join(folder, argument.partition("::")[0])) in below
    }
