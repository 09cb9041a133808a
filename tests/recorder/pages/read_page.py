"""A page of the dashboard, read strictly: what leads on from it, and what is wrong with it."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from itertools import pairwise
from typing import NamedTuple

_VOID = {"br", "col", "hr", "img", "input", "link", "meta", "wbr"}
#: What pages are made of, beside these; anything else comes from a test that was not escaped.
_KNOWN = re.compile(
    "a|article|aside|b|body|button|caption|code|datalist|dd|details|div|dl|dt|fieldset|figcaption|figure|footer|form|g|"
    "h[1-4]|head|header|html|kbd|label|legend|li|line|main|nav|ol|option|p|path|pre|rect|script|section|select|small|"
    "span|strong|style|summary|svg|table|tbody|td|text|th|thead|time|title|tr|ul"
)
_REFERENCES = ("for", "list", "aria-labelledby", "aria-describedby", "aria-controls")


class Form(NamedTuple):
    """A form that asks: where, and what it says when it is sent as it stands; ``texts``: the names of its texts."""

    action: str
    fields: list[tuple[str, str]]
    texts: list[str]


class ReadPage(HTMLParser):
    """What is in a page, and what is ``wrong`` with it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.title, self.ids = "", set[str]()
        self.wrong: list[str] = []
        self.links: list[str] = []
        self.forms: list[Form] = []
        self._open: list[str] = []
        self._referred: list[str] = []
        self._headings: list[int] = []
        self._form: Form | None = None
        self._select: tuple[str, list[tuple[str, bool]]] | None = None
        self.feed(text)
        self.close()
        self._judge()

    def _judge(self) -> None:
        self.wrong += [f"<{tag}> does not end" for tag in self._open]
        self.wrong += [f"no element has the id {name}" for name in self._referred if name not in self.ids]
        if self._headings.count(1) != 1:
            self.wrong.append(f"{self._headings.count(1)} h1")
        self.wrong += [f"h{one}, then h{other}" for one, other in pairwise(self._headings) if other > one + 1]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {name: value or "" for name, value in attrs}
        if tag not in _VOID and not _KNOWN.fullmatch(tag):
            self.wrong.append(f"<{tag}>")
        if len(told) < len(attrs):
            self.wrong.append(f"<{tag}> has an attribute twice: {attrs}")
        self.wrong += [f"<{tag} {name}>" for name in told if name.startswith("on") or name == "style"]
        self._identified(told)
        if tag not in _VOID:
            self._open.append(tag)
        if re.fullmatch("h[1-6]", tag):
            self._headings.append(int(tag[1]))
        for name in ("href", "src", "hx-get", "data-current"):
            if name in told and tag != "form":  # a form is sent with what is in its fields
                self.links.append(told[name])
        self._fields(tag, told)

    def _identified(self, told: dict[str, str]) -> None:
        if "id" in told:
            self.wrong += [f"two elements have the id {told['id']}"] if told["id"] in self.ids else []
            self.ids.add(told["id"])
        for name in _REFERENCES:
            self._referred += told.get(name, "").split()

    def _fields(self, tag: str, told: dict[str, str]) -> None:
        if tag == "form" and told.get("method", "get") == "get":
            self._form = Form(told.get("action", ""), [], [])
        elif self._form is None:
            return
        elif tag == "select":
            self._select = told["name"], []
        elif tag == "option" and self._select is not None:
            self._select[1].append((told.get("value", "?"), "selected" in told))
        elif (
            tag == "input" and told.get("name") and (told.get("type") not in ("radio", "checkbox") or "checked" in told)
        ):
            self._form.fields.append((told["name"], told.get("value", "")))
            self._form.texts.extend([told["name"]] if told.get("type") == "search" else [])

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in _VOID:
            self._open.pop()

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open[-1] != tag:
            self.wrong.append(f"</{tag}> ends {self._open[-3:]}")
        if tag in self._open:
            while self._open.pop() != tag:
                pass
        if tag == "select" and self._select is not None and self._form is not None:
            name, options = self._select
            chosen = [value for value, selected in options if selected] or [value for value, _ in options[:1]]
            self._form.fields.extend((name, value) for value in chosen if value != "?")
            self._select = None
        if tag == "form" and self._form is not None:
            self.forms.append(self._form)
            self._form = None

    def handle_data(self, data: str) -> None:
        if self._open == ["html", "head", "title"]:
            self.title += data
        if self._open[-1:] == ["script"] and data.strip():
            self.wrong.append(f"a script in the page: {data[:40]}")
