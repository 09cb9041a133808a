"""Which formats there are, and which one a file is of."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

import msgspec

from semantest_recorder.foreign.allure import CONTAINER, RESULT
from semantest_recorder.foreign.ctrf import read_ctrf
from semantest_recorder.foreign.decoding import text_of
from semantest_recorder.foreign.errors import NotThisFormatError, UnreadableError
from semantest_recorder.foreign.json_report import read_json_report
from semantest_recorder.foreign.junit import read_junit
from semantest_recorder.foreign.reportlog import read_reportlog
from semantest_recorder.foreign.run import ForeignRun

Reader = Callable[[bytes], ForeignRun]


class ForeignFormat(msgspec.Struct, frozen=True):
    """A format; ``read`` is ``None`` for one whose run is a whole folder."""

    title: str
    read: Reader | None


ALLURE: Final = "allure"
#: By the name that ``--format`` takes.
FORMATS: Final = {
    "junit": ForeignFormat("JUnit XML", read_junit),
    "reportlog": ForeignFormat("pytest-reportlog", read_reportlog),
    "pytest-json-report": ForeignFormat("pytest-json-report", read_json_report),
    "ctrf": ForeignFormat("CTRF", read_ctrf),
    ALLURE: ForeignFormat("Allure results", None),
}
_LOG_LINE = re.compile(r'^[^\n]*"\$report_type"\s*:')
_RESULTS = re.compile(r'"results"\s*:\s*\{')
_TESTS = re.compile(r'"(?:tests|collectors)"\s*:\s*\[')


def format_of(data: bytes) -> str:
    """The name of the format, by what is in the file. Raises ``UnreadableError`` when it is none of them."""
    text = text_of(data).lstrip()
    if not text:
        raise UnreadableError("the file is empty")
    if text.startswith("<"):
        return "junit"
    if text.startswith("{"):
        if _LOG_LINE.match(text):
            return "reportlog"
        if _RESULTS.search(text):
            return "ctrf"
        if _TESTS.search(text):
            return "pytest-json-report"
    raise NotThisFormatError(f"it is of no known format; give one with --format: {', '.join(FORMATS)}")


def is_of_allure(name: str) -> bool:
    """Whether a file of this name is one of Allure's results."""
    return name.endswith((RESULT, CONTAINER))
