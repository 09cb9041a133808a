"""What GitHub Actions shows of a run: workflow commands for annotations, and lines that are no commands.

The escapes of workflow commands stand in ``packages/core/src/command.ts`` of GitHub's ``actions/toolkit``; a line is
taken for a command when it begins with ``::``, or has ``##[`` anywhere in it.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

from pytest_semantest.protocol.github_step import not_a_command
from pytest_semantest.protocol.identity import split_params
from semantest_recorder.reports.inert import inert, inert_line
from semantest_recorder.reports.report import Report, TestInfo, is_forgiven
from semantest_recorder.reports.verdict import bad_attempts, deciding_attempt, is_uncollected, why
from semantest_recorder.reports.wording import plural, shortened, state_word

#: So many annotations of each level are shown of a step.
SHOWN_OF_A_STEP: Final = 10
#: The worst first.
_ORDER: Final = ("lost", "crashed", "timeout", "error", "failed", "interrupted", "flaky")
_MESSAGE_MAX = 2000
_TITLE_MAX = 200
_NAMES_MAX = 500
_NUMBERS = re.compile(r"0x[0-9a-fA-F]+|\d+")

#: The place of a file of the run in the repository, ``None`` for one that is not in it.
RepositoryPath = Callable[[str], str | None]


def repository_path(rootdir: str | None, root: str | None) -> RepositoryPath:
    """How files that a run names are called in the repository; ``rootdir``: pytest's, ``root``: the work tree's.

    Both are whole paths of one machine, not necessarily of this one. Without a ``root`` pytest's stands for it.
    """

    def path_of(path: str) -> str | None:
        base = rootdir or "/"
        whole = posixpath.normpath(posixpath.join(base, path))
        found = posixpath.relpath(whole, root or base)
        theirs = found == ".." or found.startswith("../") or "/site-packages/" in f"/{found}"
        return None if theirs else found

    return path_of


def annotation_lines(report: Report, path_of: RepositoryPath) -> Iterator[str]:
    """Commands for the worst tests, then the others by name in a group.

    Of several tests with one error the first comes before all others of that error, and tells how many there are.
    """
    bad = sorted((test for test in report.tests if test.state in _ORDER), key=lambda test: _ORDER.index(test.state))
    alike: dict[object, list[TestInfo]] = {}
    for test in bad:
        alike.setdefault(_kind(test), []).append(test)
    firsts = [tests[0] for tests in alike.values()]
    known = {test.id for test in firsts}
    ranked = [*firsts, *(test for test in bad if test.id not in known)]
    errors = [test for test in ranked if not _is_warning(test)]
    warnings = [test for test in ranked if _is_warning(test)]
    for level, tests in (("error", errors), ("warning", warnings)):
        for test in tests[:SHOWN_OF_A_STEP]:
            others = len(alike[_kind(test)]) - 1 if test.id in known else 0
            yield _annotation(level, test, path_of, others)
    yield from _group(errors[SHOWN_OF_A_STEP:], "more tests that are not green")
    yield from _group(warnings[SHOWN_OF_A_STEP:], "more flaky or quarantined tests")


def command_line(name: str, message: str, **properties: str) -> str:
    """One workflow command. Whatever stands in its texts, it is this one command and no other."""
    told = ",".join(f"{key}={_property(value)}" for key, value in properties.items() if value)
    return f"::{name}{' ' if told else ''}{told}::{_data(message)}"


def plain_line(text: str) -> str:
    """The text as a line that is no command, whatever stands in it."""
    return not_a_command(inert_line(text))


def _is_warning(test: TestInfo) -> bool:
    """Whether it does not fail the run."""
    return test.state == "flaky" or is_forgiven(test)


def _annotation(level: str, test: TestInfo, path_of: RepositoryPath, others: int) -> str:
    file, line = _place(test, path_of)
    state = f"{state_word(test.state)} in quarantine" if is_forgiven(test) else state_word(test.state)
    title = f"{state}: {inert_line(test.name)}"
    message = inert(_message(test)).strip()
    more = f"\n\n(and {plural(others, 'more test')} like it)" if others else ""
    return command_line(
        level,
        f"{shortened(inert_line(test.id), _TITLE_MAX)}\n{shortened(message, _MESSAGE_MAX)}{more}",
        file=inert_line(file),
        line=str(line) if file and line else "",
        title=shortened(title, _TITLE_MAX),
    )


def _message(test: TestInfo) -> str:
    if test.state == "flaky":
        attempts = bad_attempts(test)
        told = why(attempts[-1].outcome or "", attempts[-1]) if attempts else ""
        return f"failed, then passed: {told}"
    return why(test.state, deciding_attempt(test) if test.attempts_detail else None, test.reason)


def _place(test: TestInfo, path_of: RepositoryPath) -> tuple[str, int | None]:
    """Where the test broke, if that is in the repository, else where it is."""
    error = test.error
    if error is not None and error.file and not is_uncollected(test):
        found = path_of(error.file)
        if found is not None:
            return found, error.line
    return (path_of(test.file) if test.file else None) or "", test.line


def _kind(test: TestInfo) -> tuple[str, ...]:
    """The same for tests that broke alike: cases of one function, or one error but for the numbers in it."""
    error, state = test.error, (test.state, str(is_forgiven(test)))
    if error is None or not error.message:
        return (*state, split_params(test.id)[0])
    message = error.message.strip().split("\n", 1)[0]
    return (*state, error.type or "", _NUMBERS.sub("0", message))


def _group(tests: Sequence[TestInfo], what: str) -> Iterator[str]:
    if not tests:
        return
    yield command_line("group", f"{len(tests)} {what}")
    yield from _names(tests)
    yield command_line("endgroup", "")


def _names(tests: Iterable[TestInfo]) -> Iterator[str]:
    for number, test in enumerate(tests):
        if number == _NAMES_MAX:
            yield "... and more: `semantest report` has all of them"
            return
        yield plain_line(f"{state_word(test.state)} {test.id}")


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
