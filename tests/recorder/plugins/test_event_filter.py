"""Secrets do not get past the event filter, in whatever field, depth or chunk; what is none stays byte by byte."""

from __future__ import annotations

import json
import sys
import tracemalloc
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_semantest.protocol.redaction import MASK, Redactor
from semantest_recorder.core.batch import RawEvent
from semantest_recorder.plugins import Context, Event
from semantest_recorder.plugins.builtin.event_filter import EventFilter
from semantest_recorder.plugins.builtin.options import InvalidOptions
from semantest_recorder.plugins.event import accepted
from tests.recorder.store.ingesting import event

TOKEN = "ghp_" + "a1B2" * 9


def make(**options: Any) -> EventFilter:
    found = EventFilter()
    found.initialize(Context("event-filter", Path(), options))
    return found


def filtered(sent: RawEvent, by: EventFilter | None = None) -> dict[str, Any]:
    """The payload as it is stored."""
    before = Event(sent, source="s.main", seq=1, run_id="s", worker="main")
    after = accepted(before, (by or make()).on_event(before))
    return (after or before).payload


words = st.sampled_from(
    ["plain", "password=hunter22", TOKEN, "token", "https://u:pw@h", "customer_pin", "\u00e9", "logs", "KEY", "pin"]
)
payloads = st.dictionaries(words, words | st.lists(words, max_size=2) | st.integers(), max_size=3)


@given(st.lists(st.tuples(st.sampled_from(["custom/x", "test/log", "test/end"]), payloads), max_size=4), st.booleans())
def test_a_batch_that_does_not_concern_it_has_no_event_that_it_would_change(
    given_events: list[tuple[str, dict[str, Any]]], own: bool
) -> None:
    found = make(fields=["customerPin"]) if own else make()
    events = [event(kind, testId="t", **payload) for kind, payload in given_events]
    if not found.concerns(events):
        for sent in events:
            before = Event(sent, source="s.main", seq=1)
            assert found.on_event(before) is None


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        ({"password": "x1y2"}, {"password": MASK}),
        ({"a": {"b": [{"apiKey": "k", "n": 1}]}}, {"a": {"b": [{"apiKey": MASK, "n": 1}]}}),
        (
            {"credentials": {"user": "u", "pin": 1234, "ok": True}},
            {"credentials": {"user": MASK, "pin": MASK, "ok": True}},
        ),
        ({"Set-Cookie": ["a", "b"]}, {"Set-Cookie": [MASK, MASK]}),
        (
            {"headers": [{"name": "Authorization", "value": "z"}]},
            {"headers": [{"name": "Authorization", "value": MASK}]},
        ),
        ({"userProperties": [["token", "t"], ["n", "v"]]}, {"userProperties": [["token", MASK], ["n", "v"]]}),
        ({"error": {"stack": f"git clone https://u:{TOKEN}@h"}}, {"error": {"stack": f"git clone https://u:{MASK}@h"}}),
        ({"message": f"a {TOKEN} b"}, {"message": f"a {MASK} b"}),
        ({"args": ["--x", "password=hunter22"]}, {"args": ["--x", f"password={MASK}"]}),
        ({TOKEN: 1, "n": 2}, {MASK: 1, "n": 2}),
        (
            {"seen": {TOKEN: 1, MASK: 2, TOKEN + "c": 3, f"{MASK} 3": 4}},
            {"seen": {f"{MASK} 2": 1, MASK: 2, f"{MASK} 4": 3, f"{MASK} 3": 4}},
        ),
        ({"credentials": {TOKEN: "x"}}, {"credentials": {MASK: MASK}}),
        ({"userProperties": [[TOKEN, "t"]]}, {"userProperties": [[MASK, "t"]]}),
    ],
    ids=lambda value: next(iter(value)),
)
def test_secret_fields_and_texts_are_masked(payload: dict[str, Any], expected: dict[str, Any]) -> None:
    assert filtered(event("custom/x", **payload)) == expected


@pytest.mark.parametrize(
    "payload",
    [
        {"testId": "a.py::t[password=secret99]", "duration": 1.5},
        {"message": f"password={MASK}", "token": MASK},
        {"token": None, "secret": "", "password": False, "keys": {}},
        {"message": "the key of the token ring"},
    ],
)
def test_what_is_no_secret_or_is_masked_already_is_not_touched(payload: dict[str, Any]) -> None:
    sent = event("test/end", **payload)
    assert make().on_event(Event(sent)) is None


def test_escaped_names_and_values_are_seen_through() -> None:
    text = rb'{"p\u0061ssword":"x","m":"\u0067hp_' + TOKEN[4:].encode() + b'"}'
    assert filtered(RawEvent("custom/x", 1.0, msgspec.Raw(text))) == {"password": MASK, "m": MASK}


def test_a_password_in_a_url_is_seen_however_its_slashes_are_written() -> None:
    for slashes in (rb"//", rb"\/\/", rb"\/\u002f", rb"/\/"):
        sent = RawEvent("custom/x", 1.0, msgspec.Raw(rb'{"m":"ftp:' + slashes + rb'u:hunter22@h"}'))
        assert make().concerns([sent])
        assert filtered(sent) == {"m": f"ftp://u:{MASK}@h"}


def test_what_clients_choose_takes_little_room() -> None:
    """Ids of tests and names of fields may be as long as an event may be."""
    by = make()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for number in range(100):
        long = f"{number}{'x' * 100_000}"
        filtered(event("test/log", testId=long, message="hello", **{f"token-{long}": "t"}), by)
    taken = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert taken < 1_000_000


def test_a_payload_nested_too_deeply_is_masked_not_passed() -> None:
    deep: Any = {"password": "x1y2"}
    for _ in range(300):
        deep = [deep]
    assert "x1y2" not in str(filtered(event("custom/x", a=deep)))


@pytest.mark.hazard(35)
@given(st.integers(1, len(TOKEN) - 1), st.integers(0, 3))
def test_a_secret_split_over_two_chunks_of_output_is_gone_from_both(at: int, between: int) -> None:
    logs = [{"stream": "stdout", "text": f"begin {TOKEN[:at]}"}]
    logs += [{"stream": "stderr", "text": "other"}] * between
    logs.append({"stream": "stdout", "text": f"{TOKEN[at:]} end"})
    found = filtered(event("test/end", testId="t", logs=logs))["logs"]
    together = "".join(entry["text"] for entry in found if entry["stream"] == "stdout")
    assert together == f"begin {MASK} end"
    assert [entry["text"] for entry in found if entry["stream"] == "stderr"] == ["other"] * between


@pytest.mark.hazard(35)
@given(st.lists(st.integers(1, len(TOKEN) - 1), min_size=1, max_size=3, unique=True))
def test_a_secret_split_over_successive_logs_of_a_test_is_never_whole(cuts: list[int]) -> None:
    by, edges = make(), [0, *sorted(cuts), len(TOKEN)]
    pieces = [TOKEN[start:end] for start, end in pairwise(edges)]
    pieces[0], pieces[-1] = f"begin {pieces[0]}", f"{pieces[-1]} end"
    found = [filtered(event("test/log", testId="t", message=piece), by)["message"] for piece in pieces]
    assert TOKEN not in "".join(found)
    assert found[0] == pieces[0], "it is stored by the time that the rest comes"
    assert found[-1].endswith(" end")
    assert TOKEN[edges[-2] :] not in found[-1] or len(pieces[-1]) < 6


def test_logs_of_other_tests_and_runs_are_not_joined() -> None:
    by = make()
    assert filtered(event("test/log", testId="t", message="token="), by)["message"] == "token="
    assert filtered(event("test/log", testId="u", message="harmless"), by)["message"] == "harmless"
    filtered(event("test/end", testId="t"), by)
    assert filtered(event("test/log", testId="t", message="harmless"), by)["message"] == "harmless"


def log(by: EventFilter, source: str, test_id: str, message: str) -> str:
    sent = Event(event("test/log", testId=test_id, message=message), source=source, seq=1, run_id="s")
    return str((by.on_event(sent) or sent).payload["message"])


@pytest.mark.parametrize(
    "ending",
    [
        *(event(kind, testId="t") for kind in ("test/end", "test/passed", "test/failed", "test/skipped")),
        event("worker/end"),
        event("run/end", exitCode=0),
        event("worker/crash", worker="gw0", testId="t"),
        event("worker/crash", session="s", worker="gw0"),
    ],
    ids=lambda ending: ending.type,
)
def test_a_log_is_remembered_until_its_test_or_the_process_of_its_test_ends(ending: RawEvent) -> None:
    by = make()
    log(by, "s.gw0", "t", "token=")
    log(by, "s.gw1", "u", "token=")
    told_by = "s.shipper" if ending.type == "worker/crash" else "s.gw0"
    assert not by.concerns([event("custom/x"), event("test/end", testId="v"), event("test/start", testId="t")])
    assert by.concerns([event("custom/x"), ending])
    by.on_event(Event(ending, source=told_by, seq=1, run_id="s"))
    assert not by.concerns([event("test/end", testId="t")])
    assert log(by, "s.gw0", "t", "harmless") == "harmless"
    assert log(by, "s.gw1", "u", "hunter22") == MASK, "of other processes it is"


def test_own_fields_and_patterns() -> None:
    by = make(fields=["iban"], patterns=[r"X-\d{4}"])
    assert filtered(event("custom/x", IBAN="DE1", m="an X-1234"), by) == {"IBAN": MASK, "m": f"an {MASK}"}
    for name in ("cardNumber", "card-number", "CARD_NUMBER"):
        assert filtered(event("custom/x", **{name: "4111"}), make(fields=["card-number"])) == {name: MASK}
    assert filtered(event("custom/x", schlüssel="x"), make(fields=["Schlüssel"])) == {"schlüssel": MASK}
    for pattern in ("(", "x{99999999999}"):
        with pytest.raises(InvalidOptions, match="no regular expression"):
            make(patterns=[pattern])
    with pytest.raises(InvalidOptions, match="not UTF-8"):
        make(environment="\udcff")
    with pytest.raises(InvalidOptions, match="did you mean fields"):
        make(felds=["x"])


def test_values_of_secret_variables_are_masked_unless_switched_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEPLOY_TOKEN", "correct-horse-battery")
    sent = event("custom/x", m="it is correct-horse-battery here")
    assert filtered(sent, make()) == {"m": f"it is {MASK} here"}
    assert filtered(sent, make(environment=False)) == {"m": "it is correct-horse-battery here"}


@pytest.mark.parametrize("value", ["correct/horse/battery", "corr\u0151ct-horse-battery"])
@pytest.mark.parametrize("write", [json.dumps, lambda text: json.dumps(text).replace("/", "\\/"), msgspec.json.encode])
def test_values_of_secret_variables_are_seen_however_json_writes_them(
    monkeypatch: pytest.MonkeyPatch, value: str, write: Callable[[str], str | bytes]
) -> None:
    monkeypatch.setenv("DEPLOY_TOKEN", value)
    written = write(f"it is {value} here")
    text = written if isinstance(written, bytes) else written.encode()
    assert filtered(RawEvent("custom/x", 1.0, msgspec.Raw(b'{"m":' + text + b"}"))) == {"m": f"it is {MASK} here"}


@pytest.mark.hazard(35)
@pytest.mark.parametrize("unit", ["password=", "://a:", "ghp_", "eyJ", "-----BEGIN PRIVATE KEY-----", "token: \\", "["])
def test_hostile_texts_cost_linear_time(unit: str) -> None:
    """Counted in function calls and lines, not seconds: twice the text costs about twice as much."""

    def cost(size: int) -> int:
        chunks = [{"stream": "stdout", "text": unit * 8} for _ in range(size)]
        sent, by, steps = event("test/end", testId="t", logs=chunks, m=unit * size), make(), 0

        def count(*_: Any) -> Any:
            nonlocal steps
            steps += 1
            return count

        before = sys.gettrace()
        sys.settrace(count)
        try:
            filtered(sent, by)
        finally:
            sys.settrace(before)
        return steps

    assert cost(400) < 3 * cost(200)


@pytest.mark.hazard(27)
@pytest.mark.parametrize("more", [[], ["pass", "word=hunter2hunter2 x"], ["password=hunter2hunter2 x"]])
def test_output_in_very_many_chunks_is_looked_at_a_few_times_only(
    monkeypatch: pytest.MonkeyPatch, more: list[str]
) -> None:
    seen = [0]
    redact = Redactor.redact

    def counting(redactor: Redactor, text: str) -> str:
        seen[0] += len(text)
        return redact(redactor, text)

    monkeypatch.setattr(Redactor, "redact", counting)
    chunks = [*["a"] * 20_000, *more]
    payload = {"testId": "t", "logs": [{"stream": "stdout", "text": chunk} for chunk in chunks]}
    text = "".join(entry["text"] for entry in filtered(event("test/end", 1.0, **payload))["logs"])
    assert text.startswith("a" * 20_000)
    assert "hunter2" not in text
    assert seen[0] < 50 * len(chunks), "and not a window of text for each"
