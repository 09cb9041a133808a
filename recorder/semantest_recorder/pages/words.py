"""How values read in pages: the filters and functions of the templates."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote, urlencode

from markupsafe import Markup, escape

from semantest_recorder.core.analysis.standing import NEVER_JUDGED
from semantest_recorder.pages.run_words import bar_parts, by_severity, counted, run_badge_state, state_count, words_of
from semantest_recorder.reports.aggregate import iso_time
from semantest_recorder.reports.inert import inert
from semantest_recorder.reports.state_letters import LETTERS, NO_LETTER
from semantest_recorder.reports.window import WindowInfo, window_run_words
from semantest_recorder.reports.wording import (
    duration,
    moment,
    nonzero,
    percent,
    run_words,
    shortened,
    size,
    state_word,
)


def finalized(value: Any) -> Any:
    """What a template shows of a value: of a text what is inert, of nothing nothing."""
    if isinstance(value, Markup):
        return value
    return "" if value is None else inert(value) if isinstance(value, str) else value


#: Control characters without tab and line feed (and NUL, for which HTML has no form).
_CONTROLS = re.compile("[\x01-\x08\x0b-\x1f\x7f]")


def exact(text: str) -> Markup:
    """A text in a field that nobody sees, and that comes back to us: as it is, not made inert.

    Control characters are written as references: browsers make line feeds of some, and terminals obey others.
    """
    return Markup(_CONTROLS.sub(lambda found: f"&#{ord(found[0])};", escape(text)))  # noqa: S704 - escaped above


def badge(state: str) -> Markup:
    """The coloured letter of a state; the word is to be beside it, or in what is read aloud."""
    letter = LETTERS.get(state, NO_LETTER)
    return Markup('<span class="badge is-{}" aria-hidden="true">{}</span>').format(state.replace(" ", "-"), letter)


def when(milliseconds: float | None) -> Markup | str:
    """A moment: in the recorder's time, which a script turns into the reader's own."""
    iso = iso_time(milliseconds)
    if iso is None:
        return "unknown"
    return Markup('<time datetime="{}">{}</time>').format(iso, moment(milliseconds))


def window_words(window: WindowInfo) -> Markup:
    """The runs that a page looked at, with the moments of the first and the last: ``the last 40 runs of main, ...``."""
    first, last = when(window.first.since_ms), when(window.last.since_ms)
    times = last if window.runs == 1 else Markup("{} to {}").format(first, last)
    return Markup("{}, {}").format(inert(window_run_words(window)), times)


def begun(words: str) -> str:
    """Words that begin a sentence: with a capital letter, and else as they are."""
    return words[:1].upper() + words[1:]


def address(path: str, **query: object) -> str:
    """A path of ours with a query; parameters without a value are left out."""
    return address_of(path, {name.rstrip("_"): value for name, value in query.items()})


def address_of(path: str, query: Mapping[str, object]) -> str:
    """The same with parameters of any name: those that a visitor invents, too."""
    given = {name: value for name, value in query.items() if value not in (None, "", ())}
    return f"{path}?{urlencode(given, doseq=True)}" if given else path


def error_words(kind: str | None, message: str | None) -> str:
    """An error in words: its type and its message, which mostly begins with it."""
    told = (message or "").strip()
    named = not kind or told.startswith((kind, kind.rpartition(".")[2]))
    return told if named else f"{kind}: {told}" if told else str(kind)


def run_address(run_id: str, rest: str = "", **query: object) -> str:
    """A page of a run: ``/runs/<id>``, or one below it."""
    return address(f"/runs/{quote(run_id, safe='')}{rest}", **query)


def test_address(test_id: str, **query: object) -> str:
    """The page of a test."""
    return address("/test", id=test_id, **query)


def first_lines(text: str, most: int) -> str:
    """The first lines of a text, and ``…`` for those that are left out."""
    lines = inert(text).strip().split("\n")
    return "\n".join(lines[:most]) + (" …" if len(lines) > most else "")


def first_line(text: str, most: int) -> str:
    """So many characters of the first line that says something."""
    return shortened(inert(text).strip().partition("\n")[0], most)


def with_code(text: str) -> Markup:
    """A line of text in which what stands between backticks is code."""
    parts = enumerate(inert(text).split("`"))
    return Markup("").join(Markup("<code>{}</code>").format(part) if at % 2 else escape(part) for at, part in parts)


def breakable(text: str) -> Markup:
    """A name that may go on in the next line after ``_``, ``/``, ``:`` and ``[``, not in the middle of a word."""
    return Markup("<wbr>").join(escape(part) for part in re.split(r"(?<=[_/\[])|(?<=::)", inert(text)) if part)


def cut(text: str, most: int = 160) -> str:
    """A long text without its middle, about ``most`` characters: of names begin and end say the most."""
    half = most // 2
    return text if len(text) <= most + 10 else f"{text[:half]}…{text[-half:]}"


FILTERS: Mapping[str, Callable[..., Any]] = {
    "begun": begun,
    "cut": cut,
    "duration": duration,
    "exact": exact,
    "first_lines": first_lines,
    "percent": percent,
    "plural": counted,
    "size": size,
    "state_word": state_word,
    "when": when,
    "breakable": breakable,
    "with_code": with_code,
}
FUNCTIONS: Mapping[str, Any] = {
    "address": address,
    "badge": badge,
    "bar_parts": bar_parts,
    "by_severity": by_severity,
    "state_count": state_count,
    "error_words": error_words,
    "first_line": first_line,
    "letters": LETTERS,
    "never_judged": NEVER_JUDGED,
    "nonzero": nonzero,
    "run_address": run_address,
    "run_badge_state": run_badge_state,
    "run_words": run_words,
    "test_address": test_address,
    "window_words": window_words,
    "words_of": words_of,
}
