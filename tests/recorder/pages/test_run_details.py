"""The details of runs, from what their processes and their CI said."""

from __future__ import annotations

from pathlib import Path
from threading import Event
from typing import Any

import msgspec
import pytest
from multidict import MultiDict

from semantest_recorder.core.access import ANONYMOUS
from semantest_recorder.core.batch import Batch, RawEvent
from semantest_recorder.pages.drawing import Drawing
from semantest_recorder.pages.page import Misunderstood, Page, Visit
from semantest_recorder.pages.run_details import pages
from semantest_recorder.pages.static_files import StaticFiles
from semantest_recorder.store.writer import Writer

START: dict[str, Any] = {
    "runId": "r",
    "session": "s1",
    "source": "s1.main",
    "worker": "main",
    "host": "<i>host",
    "labels": {"team": "<b>"},
    "args": ["-k", "new or \u202eold"],
    "rootdir": "/shop",
    "distribution": {"workers": 4, "mode": "load"},
}
CONTEXT: dict[str, Any] = {
    "git": {
        "branch": "main",
        "commit": "c" * 40,
        "dirty": True,
        "author": "Ada",
        "subject": "<script>alert(1)</script>",
    },
    "ci": {"provider": "github", "buildUrl": "https://ci.example.org/1", "jobId": 7},
    "environment": {"python": "3.13.1", "packages": {"pytest": "9.2.0", "requests": 2}},
}


def recorded(
    folder: Path, *events: tuple[str, dict[str, Any]], shipped: tuple[tuple[str, dict[str, Any]], ...] = ()
) -> Page:
    """The page over a database with these events; ``shipped``: those of the shipper."""
    database = folder / "semantest.db"
    writer = Writer(database)
    submit(writer, "s1.main", events)
    if shipped:
        submit(writer, "s1.shipper", shipped)
    writer.close()
    (page,) = pages(database)
    return page


def submit(writer: Writer, source: str, events: tuple[tuple[str, dict[str, Any]], ...]) -> None:
    done = Event()
    told = [
        RawEvent(kind, 1000.0 + at, msgspec.Raw(msgspec.json.encode(said))) for at, (kind, said) in enumerate(events)
    ]
    writer.submit(Batch(source, 1, told, 1000.0), lambda _verdict: done.set())
    assert done.wait(60)


def visit(**query: str) -> Visit:
    return Visit("/runs/r/details", {"run": "r"}, MultiDict(query), ANONYMOUS)


def drawn(page: Page, seen: Visit) -> str:
    return Drawing(StaticFiles(), "shop").draw(
        page.template, seen.identity, page.section, visit=seen, **page.view(seen)
    )


def test_what_is_known_is_told_and_inert(tmp_path: Path) -> None:
    plan = {"tests": ["a.py::test_a"], "offset": 0, "total": 1, "deselected": 3}
    page = recorded(tmp_path, ("run/start", START), ("run/context", CONTEXT), ("run/plan", plan))
    text = drawn(page, visit())
    assert '<a href="https://ci.example.org/1" rel="noreferrer">' in text
    for said in (
        "&lt;script&gt;",
        "&lt;b&gt;",
        "&lt;i&gt;host",
        "4 (load)",
        "1 test, 3 deselected",
        "2 packages",
        "Ada",
        "what <code>semantest report --json</code> prints",
        "&#39;new</span>",
    ):
        assert said in text, said
    assert "<script>alert" not in text
    assert "\u202e" not in text
    assert text.count("<svg") == 0


def test_a_shipper_sends_while_the_run_goes_on_and_no_longer(tmp_path: Path) -> None:
    told = {"runId": "r", "session": "s1", "source": "s1.shipper", "worker": "shipper", "host": "h", "pid": 1}
    shipper = (("shipper/start", told),)
    for name, said, ends in (("going", "sends events", ()), ("over", "sent events", (("run/end", {"exitCode": 0}),))):
        folder = tmp_path / name
        folder.mkdir()
        assert said in drawn(recorded(folder, ("run/start", START), *ends, shipped=shipper), visit()), name


@pytest.mark.parametrize("url", ["javascript:alert(1)", "data:text/html,x", "//evil.example", "\u0001https://x"])
def test_only_addresses_of_the_web_are_links(tmp_path: Path, url: str) -> None:
    page = recorded(tmp_path, ("run/start", START), ("run/context", CONTEXT | {"ci": {"buildUrl": url}}))
    assert 'rel="noreferrer"' not in drawn(page, visit())


def test_facts_of_wrong_shapes_are_left_out(tmp_path: Path) -> None:
    odd = {
        "git": {"branch": ["x"], "dirty": "yes"},
        "ci": {"provider": True, "buildUrl": 7},
        "environment": {"packages": 3},
    }
    page = recorded(tmp_path, ("run/start", START | {"distribution": {"workers": [1]}}), ("run/context", odd))
    text = drawn(page, visit())
    assert "<h2>CI</h2>" not in text
    assert "<h2>Checkout</h2>" not in text


def test_the_log_is_windowed_and_cut(tmp_path: Path) -> None:
    plans = [
        ("run/plan", {"tests": [f"a.py::test_{n}{'x' * 5000}"], "offset": n, "total": 60, "deselected": 0})
        for n in range(60)
    ]
    page = recorded(tmp_path, ("run/start", START), *plans)
    first = page.view(visit(type="run/plan"))
    assert len(first["events"]) == 50
    assert first["events"][0].is_cut
    assert "characters in all" in drawn(page, visit(type="run/plan"))
    assert first["next"].endswith("after=s1.main%3A51")
    second = page.view(visit(type="run/plan", after="s1.main:51"))
    assert [one.event.seq for one in second["events"]] == list(range(52, 62))
    assert second["next"] == ""
    assert page.table is not None
    assert len(page.table(visit(type="run/plan")).rows) == 60
    with pytest.raises(Misunderstood):
        page.view(visit(type="test/start"))
