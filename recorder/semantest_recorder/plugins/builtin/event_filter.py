"""``event-filter``: secrets leave events before they are stored, whoever sent them.

Three rules: values of fields that are named like a secret, at any depth; what ``protocol.redaction`` knows in every
text, names of fields included; and the same across the edges of chunks, in the ``logs`` of one event and in successive
``test/log`` of one test. All are linear in the event. Ids are left alone: masked ones could be neither joined nor run
again.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import msgspec

from pytest_semantest.protocol.redaction import MASK, Redactor, secret_values
from semantest_recorder.core.batch import RawEvent
from semantest_recorder.plugins.arguments import Context
from semantest_recorder.plugins.builtin.log_tails import KEPT, LogTails
from semantest_recorder.plugins.builtin.options import read_options, read_patterns
from semantest_recorder.plugins.event import FIXED_FIELDS, Event
from semantest_recorder.plugins.hookspecs import hookimpl

_LOG = "test/log"
#: Fields of the payload itself that name things.
_IDS = frozenset({*FIXED_FIELDS, "testName", "suiteId", "suiteName", "stepId", "parentId", "clientId", "file", "hash"})
_EXACT = frozenset({"authorization", "proxyauthorization", "cookie", "setcookie", "auth", "jwt", "bearer"})
#: An event without any of these, in lower case, holds nothing that a rule knows: most events end here.
_SIGNS = (
    *(b"token", b"secret", b"passw", b"passphrase", b"credential", b"key", b"private", b"auth", b"cookie", b"jwt"),
    *(b"bearer", b"\\u00", b"ghp_", b"gho_", b"ghu_", b"ghs_", b"ghr_", b"github_pat_", b"glpat-", b"xox", b"akia"),
    *(b"asia", b"aiza", b"sk-", b"k_live_", b"k_test_", b"pypi-", b"npm_", b"smt_", b"eyj"),
)
_DEPTH = 100
#: Of a stream in more chunks, one with a secret across an edge becomes one chunk: each edge takes 0.1 ms.
_CHUNKS = 2000
#: What is known of so many names of fields is kept, of longer ones nothing: clients choose them.
_NAMES_KEPT = 4096
_NAME_KEPT_MAX = 200


class FilterOptions(msgspec.Struct, frozen=True):
    """``fields``: more names of secret fields; ``patterns``: regular expressions of secrets, whose cost is yours.

    ``environment``: whether values of secret environment variables of the recorder are masked.
    """

    fields: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()
    environment: bool = True


class EventFilter:
    """Guards: it runs behind all other plugins, so that what they write is filtered, too."""

    guards = True

    def __init__(self) -> None:
        self._use(FilterOptions())
        self._tails = LogTails()

    def _use(self, options: FilterOptions) -> None:
        literals = secret_values(os.environ) if options.environment else []
        self._redactor = Redactor(literals, options.patterns)
        self._names = _EXACT | {_plain(name) for name in options.fields}
        signs = [re.escape(sign) for sign in _SIGNS] + [_any_spelling(name) for name in options.fields]
        self._sign = re.compile(b"|".join(signs))  # half the time of a search for each
        own = [_any_spelling(name) for name in options.fields]
        self._own_sign = re.compile(b"|".join(own)) if own else None
        self._literals = tuple(_forms(literals))
        self._always = bool(options.patterns) or not all(name.isascii() for name in options.fields)

    @staticmethod
    def read(options: Mapping[str, Any]) -> FilterOptions:
        """The options. Raises ``InvalidOptions``."""
        found = read_options(options, FilterOptions)
        read_patterns(found.patterns)
        return found

    @hookimpl
    def initialize(self, context: Context) -> None:
        """Takes the options. Raises ``InvalidOptions``."""
        self._use(self.read(context.options))

    def concerns(self, events: Sequence[RawEvent]) -> bool:
        """Whether any of these events may hold something for the filter; most batches hold nothing."""
        if self._always or any(event.type == _LOG for event in events) or self._tails.end_in(events):
            return True
        text = b"\n".join([bytes(event.payload) for event in events])
        lowered = text.lower()
        if b'"logs"' in text or _may_hold_url(text):
            return True
        # No sign holds a quote, and a batch says the same again and again: this halves the time.
        parts = b'"'.join(set(lowered.split(b'"')))
        return any(sign in parts for sign in _SIGNS) or self._holds_more(lowered)

    def _holds_more(self, lowered: bytes) -> bool:
        own = self._own_sign is not None and self._own_sign.search(lowered) is not None
        return own or any(literal in lowered for literal in self._literals)

    @hookimpl
    def on_event(self, event: Event) -> Event | None:
        """The event without its secrets."""
        text = event.text
        is_log = event.type == _LOG
        self._tails.end(event)
        if not (is_log or self._always or b'"logs"' in text or self._may_hold_secrets(text)):
            return None
        payload = event.payload
        filtered = self._payload(payload)
        if is_log:
            filtered = self._continued(event, payload, filtered)
        return None if filtered is payload else event.replace(payload=filtered)

    def _may_hold_secrets(self, text: bytes) -> bool:
        lowered = text.lower()
        if self._sign.search(lowered) is not None or _may_hold_url(text):
            return True
        return bool(self._literals) and any(literal in lowered for literal in self._literals)

    # -- fields ------------------------------------------------------------------------------------------------

    def _payload(self, payload: dict[str, Any]) -> dict[str, Any]:
        changed = {}
        for name, value in payload.items():
            if name in _IDS:
                continue
            if name == "logs" and isinstance(value, list):
                after: Any = self._logs(value)
            elif name == "userProperties" and isinstance(value, list):
                after = self._pairs(value)
            else:
                after = self._field(name, value, 1)
            if after is not value:
                changed[name] = after
        return self._named({**payload, **changed} if changed else payload)

    def _field(self, name: str, value: Any, depth: int) -> Any:
        return self._masked(value, depth) if self._is_secret(name) else self._value(value, depth)

    def _value(self, value: Any, depth: int) -> Any:
        """The value without secrets: the very same object when there are none."""
        if isinstance(value, str):
            after = self._clean(value)
            return value if after == value else after
        if depth >= _DEPTH:
            return MASK if isinstance(value, dict | list) and value else value
        if isinstance(value, list):
            items = [self._value(item, depth + 1) for item in value]
            return items if any(new is not old for new, old in zip(items, value, strict=True)) else value
        if isinstance(value, dict):
            fields = {name: self._field(name, item, depth + 1) for name, item in value.items()}
            label = value.get("name", value.get("key"))  # a header or property as an object of its own
            if "value" in value and isinstance(label, str) and self._is_secret(label):
                fields["value"] = self._masked(value["value"], depth + 1)
            return self._named(fields if any(fields[name] is not item for name, item in value.items()) else value)
        return value

    def _masked(self, value: Any, depth: int) -> Any:
        """The value of a secret field: all that is in it is masked, but for its shape."""
        if value is None or isinstance(value, bool) or value in ("", MASK):
            return value
        if isinstance(value, str | int | float) or depth >= _DEPTH:
            return MASK
        if isinstance(value, list):
            items = [self._masked(item, depth + 1) for item in value]
            return items if any(new is not old for new, old in zip(items, value, strict=True)) else value
        fields = {name: self._masked(item, depth + 1) for name, item in value.items()}
        return self._named(fields if any(fields[name] is not item for name, item in value.items()) else value)

    def _named(self, fields: dict[str, Any]) -> dict[str, Any]:
        """The fields without secrets in their names, all of them; the very same object when there are none."""
        names = [self._clean(name) for name in fields]
        if all(new == old for new, old in zip(names, fields, strict=True)):
            return fields
        found: dict[str, Any] = {}
        numbers: dict[str, int] = {}
        for name, old, value in zip(names, fields, fields.values(), strict=True):
            free = name
            while name != old and (free in found or free in fields):  # several may be masked to the same
                numbers[name] = numbers.get(name, 1) + 1
                free = f"{name} {numbers[name]}"
            found[free] = value
        return found

    def _pairs(self, pairs: list[Any]) -> list[Any]:
        """``[[name, value], ...]``."""
        items = [
            [self._clean(pair[0]), self._field(pair[0], pair[1], 2)]
            if isinstance(pair, list) and len(pair) == 2 and isinstance(pair[0], str)
            else self._value(pair, 2)
            for pair in pairs
        ]
        return items if items != pairs else pairs

    def _is_secret(self, name: str) -> bool:
        return _plain(name) in self._names or _is_named_like_a_secret(name)

    def _clean(self, text: str) -> str:
        """Redacted; what is masked already stays as it is."""
        if MASK not in text:
            return self._redactor.redact(text)
        return MASK.join(self._redactor.redact(part) for part in text.split(MASK))

    # -- chunks ------------------------------------------------------------------------------------------------

    def _logs(self, logs: list[Any]) -> list[Any]:
        """Captured output; chunks of the same stream are looked at together."""
        streams: dict[str, list[int]] = {}
        for index, entry in enumerate(logs):
            if isinstance(entry, dict) and isinstance(entry.get("text"), str):
                streams.setdefault(str(entry.get("stream")), []).append(index)
        texts: dict[int, str] = {}
        for indexes in streams.values():
            texts |= zip(indexes, self._chunks([logs[index]["text"] for index in indexes]), strict=True)
        items = [
            {**self._value({key: value for key, value in entry.items() if key != "text"}, 2), "text": texts[index]}
            if index in texts
            else self._value(entry, 2)
            for index, entry in enumerate(logs)
        ]
        return items if items != logs else logs

    def _chunks(self, chunks: list[str]) -> list[str]:
        """The chunks of one stream without their secrets, those across edges included; linear in all of them."""
        joined = "".join(chunks)
        whole = self._clean(joined)
        if whole == joined:
            return chunks
        alone = [self._clean(chunk) for chunk in chunks]
        if whole == "".join(alone):
            return alone
        if len(chunks) > _CHUNKS:
            return [whole, *[""] * (len(chunks) - 1)]
        tail, found = "", list[str]()
        for chunk in chunks:
            taken, text = self._joined(tail, chunk)
            for at in range(len(found) - 1, -1, -1):
                if taken <= 0:
                    break
                kept = found[at]
                found[at] = kept[: max(0, len(kept) - taken)]
                taken -= len(kept)
            found.append(text)
            tail = (tail + chunk)[-KEPT:]
        return found

    def _continued(self, event: Event, payload: dict[str, Any], filtered: dict[str, Any]) -> dict[str, Any]:
        """A ``test/log`` whose message goes on with a secret that the one before began.

        The beginning is stored by then; without the rest it is none.
        """
        message = payload.get("message")
        if not isinstance(message, str):
            return filtered
        _taken, text = self._joined(self._tails.follow(event, payload, message), message)
        return filtered if text == filtered.get("message") else {**filtered, "message": text}

    def _joined(self, tail: str, text: str) -> tuple[int, str]:
        """``(taken, text)``: the text redacted, and how many characters before it belong to a secret that goes on."""
        alone = self._clean(text)
        if not tail:
            return 0, alone
        before, together = self._clean(tail), self._clean(tail + text)
        if together == before + alone:
            return 0, alone
        same_end = _common(together[::-1], alone[::-1])
        same_start = _common(together, before)
        return len(before) - same_start, MASK + (alone[len(alone) - same_end :] if same_end else "")


def _common(one: str, other: str) -> int:
    """How many characters two texts begin with alike; a common start of all but a little costs one comparison."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _may_hold_url(text: bytes) -> bool:
    """Whether there may be a URL with a password in this JSON, which may write a slash with a backslash before it."""
    return b"@" in text and (b"://" in text or b"\\/" in text)


def _plain(name: str) -> str:
    return name.lower().replace("-", "").replace("_", "")


def _any_spelling(name: str) -> bytes:
    """An expression for a field's name as it may be written: ``card_number``, ``card-number``, ``cardNumber``."""
    return b"[-_]?".join(re.escape(letter.encode("utf-8", "replace")) for letter in _plain(name))


_NAMES = Redactor()


def _is_named_like_a_secret(name: str) -> bool:
    return _known_name(name) if len(name) <= _NAME_KEPT_MAX else _looks_like_a_secret(name)


def _looks_like_a_secret(name: str) -> bool:
    return _NAMES.redact_pair(name, "?")[1] == MASK


_known_name = lru_cache(maxsize=_NAMES_KEPT)(_looks_like_a_secret)


def _forms(literals: Iterable[str]) -> Iterable[bytes]:
    """Secrets as they may stand in JSON, in lower case; what is escaped beyond that has a sign."""
    for literal in literals:
        for text in (msgspec.json.encode(literal), json.dumps(literal).encode()):
            form = text[1:-1].lower()
            yield from {form, form.replace(b"/", b"\\/")}
