"""Two histories behind servers that all tests of the API share; none of them changes what was recorded."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.histories.database import history_folder
from tests.recorder.api.asking import Api, served
from tests.recorder.cli.recording import START, Recording, small_run

SHA256 = "0f" * 32


@pytest.fixture(scope="session")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """Two small runs; the second one has labels, a branch, and a test that tells of itself."""
    folder = tmp_path_factory.mktemp("api") / ".semantest"
    small_run("20261121-093000-a1b2c3").store(folder)
    _telling().store(folder)
    picture = folder / "artifacts" / SHA256[:2] / SHA256
    picture.parent.mkdir(parents=True)
    picture.write_bytes(b"picture")
    found = served(folder)
    yield found
    found.server.close()


@pytest.fixture(scope="session")
def long(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """Fourteen runs of a hundred tests: flaky, renamed, slower, broken and mended ones."""
    found = served(history_folder(14, 100, 1, tmp_path_factory.mktemp("long")))
    yield found
    found.server.close()


def _telling() -> Recording:
    recording = Recording("20261121-103000-d4e5f6", start_ms=START + 3_600_000.0)
    recording.start(labels={"team": "core", "shard": "1=2"})
    recording.start("shipper")
    context = {"runId": recording.run_id, "git": {"branch": "main", "commit": "c0ffee1234"}}
    recording.add("shipper", "run/context", context)
    test = "shop/a b.py::TestCart::test_buy[50% off/Ü]"
    recording.plan(test, "a.py::test_ok")
    recording.begin(test)
    recording.add("main", "test/step/start", {"testId": test, "attempt": 1, "stepId": "1", "name": "open the shop"})
    recording.add("main", "test/log", {"testId": test, "attempt": 1, "stepId": "1", "level": "info", "message": "hi"})
    recording.add("main", "test/step/end", {"testId": test, "attempt": 1, "stepId": "1", "status": "passed"})
    told = {"testId": test, "attempt": 1, "name": "page.png", "kind": "screenshot", "sha256": SHA256, "size": 7}
    recording.add("main", "test/attachment", told)
    recording.close(test, "failed")
    recording.test("a.py::test_ok")
    recording.end(1)
    return recording
