"""The page: template, style, programs and the blocks of data, part by part."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator
from functools import cache
from html import escape
from importlib.resources import files
from typing import Final

from semantest_recorder.reports.exporters.html.blocks import detail_blocks, packed
from semantest_recorder.reports.exporters.html.index import index_of
from semantest_recorder.reports.inert import inert_line
from semantest_recorder.reports.json_text import json_text
from semantest_recorder.reports.report import Report, TestInfo
from semantest_recorder.reports.wording import count_words, state_in_words

#: Runs before anything is drawn.
_EARLY: Final = "theme.js"
#: In the order in which they build on each other.
_SCRIPTS: Final = (
    *("dom.js", "wording.js", "data.js", "view.js", "windowed.js", "attempts.js", "test.js", "tests.js", "suites.js"),
    *("timeline.js", "summary.js", "header.js", "printing.js", "report.js"),
)


def page_parts(report: Report, tests: Iterable[TestInfo], rerun: str | None, *, pictures: bool) -> Iterator[str]:
    """The page of a report, from its beginning to its end.

    ``tests`` gives each test of the report in its order, with its details until the next one is asked for.
    """
    index = packed("index", json_text(index_of(report, rerun)))
    verdict = state_in_words(report.run, report.counts.total)
    words = {
        "policy": _policy(),
        "title": _text(f"{report.run.name or report.run.id}: {verdict}"),
        "verdict": _text(f"Run {report.run.id}: {verdict}. {count_words(report.counts)}."),
        "style": _asset("report.css"),
        "early": _script(_EARLY),
        "index": index,
        "scripts": "".join(map(_script, _SCRIPTS)),
    }
    before, after = _asset("report.html").split("{{blocks}}")
    yield _filled(before, words)
    yield from detail_blocks(tests, pictures=pictures)
    yield _filled(after, words)


def _filled(template: str, words: dict[str, str]) -> str:
    """The template with each ``{{name}}`` replaced once: what is put in is not looked at again."""
    first, *rest = template.split("{{")
    parts = (part.partition("}}") for part in rest)
    return first + "".join(words[name] + behind for name, _end, behind in parts)


def _text(text: str) -> str:
    return escape(inert_line(text))


def _script(name: str) -> str:
    return f"<script>{_asset(name)}</script>\n"


@cache
def _asset(name: str) -> str:
    return files(__package__).joinpath(name).read_text("utf-8")


def _policy() -> str:
    """What the page may do: run these very programs, use this style, show pictures that are in it; nothing else."""
    scripts = " ".join(_hash(_asset(name)) for name in (_EARLY, *_SCRIPTS))
    style = _hash(_asset("report.css"))
    return (
        f"default-src 'none'; script-src {scripts}; style-src {style}; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
