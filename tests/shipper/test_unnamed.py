"""Journals whose first record cannot be read: what can be is shipped, behind a gap that names the run."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest

from pytest_semantest.protocol.gaps import GAP_REASON
from pytest_semantest.shipper.folder import is_running
from tests.shipper.conftest import StartShipper
from tests.shipper.ingest_server import IngestServer
from tests.shipper.journals import Journal, session
from tests.shipper.test_shipping import finish

RUN = "build-7"


def damage_first(journal: Journal) -> None:
    data = bytearray(journal.path.read_bytes())
    for offset in range(40, 60):
        data[offset] ^= 0x15
    journal.path.write_bytes(bytes(data))


def ended(directory: Path, run_id: str, *, end_names: str = "", damage: bool = True) -> Journal:
    journal = Journal(session(directory))
    journal.start(runId=run_id)
    journal.test("test_a.py::test_one")
    named: dict[str, Any] = {"runId": end_names} if end_names else {}
    journal.write("run/end", exitCode=0, **named)
    if damage:
        damage_first(journal)
    return journal


@pytest.mark.hazard(15)
@pytest.mark.parametrize(("end_names", "expected"), [(RUN, RUN), ("", "20261121-093000-a1b2c3")])
def test_of_a_lone_journal_the_end_names_the_run_else_the_session(
    directory: Path, server: IngestServer, start_shipper: StartShipper, end_names: str, expected: str
) -> None:
    journal = ended(directory, RUN, end_names=end_names)
    assert finish(start_shipper(sync=True, url=server.url)) == (0, f"{journal.folder.name}: shipped, 6 events\n")
    gap, *rest = server.events[journal.source]
    assert (gap["type"], gap["timestamp"]) == ("journal/gap", 0.0)
    assert gap["payload"] == {
        "reason": GAP_REASON,
        "runId": expected,
        "session": journal.folder.name,
        "source": journal.source,
        "worker": "main",
    }
    assert rest == journal.events()[1:]
    assert server.events[f"{journal.folder.name}.shipper"][0]["payload"]["runId"] == expected
    assert (directory / "damaged" / f"{journal.folder.name}.main.journal").exists()


def test_a_worker_names_the_run_of_its_controller_and_the_other_way_round(
    directory: Path, server: IngestServer, start_shipper: StartShipper
) -> None:
    main = ended(directory, RUN)
    workers = [Journal(main.folder, f"gw{number}") for number in range(2)]
    for worker in workers:
        worker.start(runId=RUN)
        worker.test(f"test_a.py::test_{worker.worker}")
        worker.write("worker/end", exitCode=0)
    damage_first(workers[1])
    assert finish(start_shipper(sync=True, url=server.url))[0] == 0
    for journal in (main, workers[1]):
        gap, *rest = server.events[journal.source]
        assert gap["payload"]["runId"] == RUN
        assert gap["payload"]["worker"] == journal.worker
        assert rest == journal.events()[1:]
    assert server.events[workers[0].source] == workers[0].events()
    assert server.of_type("worker/crash") == []


def test_what_an_earlier_shipper_was_told_is_said_again(
    directory: Path, server: IngestServer, start_shipper: StartShipper
) -> None:
    journal = ended(directory, RUN)
    own = Journal(journal.folder, "shipper")
    own.write("shipper/start", runId=RUN, session=journal.folder.name, source=own.source, worker="shipper")
    assert finish(start_shipper(sync=True, url=server.url))[0] == 0
    assert server.events[journal.source][0]["payload"]["runId"] == RUN


def test_a_journal_of_nothing_but_noise_is_a_gap_beside_one_that_can_be_read(
    directory: Path, server: IngestServer, start_shipper: StartShipper
) -> None:
    main = ended(directory, RUN, damage=False)
    (main.folder / "gw0.journal").write_bytes(b"\0" * 4096)  # what a power failure leaves
    (main.folder / "gw1.journal").touch()
    assert finish(start_shipper(sync=True, url=server.url))[0] == 0
    (gap,) = server.events[f"{main.folder.name}.gw0"]
    assert (gap["payload"]["runId"], gap["payload"]["worker"]) == (RUN, "gw0")
    assert {event["payload"]["worker"] for event in server.of_type("worker/crash")} == {"gw0", "gw1"}
    assert not main.folder.exists()


def test_a_process_that_died_is_closed_though_nothing_names_it(
    directory: Path, server: IngestServer, start_shipper: StartShipper
) -> None:
    journal = Journal(session(directory))
    journal.start()
    journal.start_test("test_a.py::test_last")
    damage_first(journal)
    assert finish(start_shipper(sync=True, url=server.url))[0] == 0
    (crash,) = server.of_type("worker/crash")
    assert (crash["payload"]["runId"], crash["payload"]["testId"]) == (journal.folder.name, "test_a.py::test_last")
    assert [event["payload"]["interrupted"] for event in server.of_type("run/end")] == [True]


def test_a_process_that_lives_is_known_by_its_status_slot(
    directory: Path, server: IngestServer, start_shipper: StartShipper
) -> None:
    journal = Journal(session(directory))
    journal.start()
    journal.start_test("test_a.py::test_one")
    damage_first(journal)
    memory = os.memfd_create("semantest")
    try:
        (journal.folder / "main.status").symlink_to(f"/proc/{os.getpid()}/fd/{memory}")
        assert is_running(journal.folder, time.time() * 1000)
        worker = Journal(journal.folder, "gw0", pid=os.getpid())
        worker.start(runId=RUN)
        code, said = finish(start_shipper(sync=True, url=server.url))
        assert (code, said) == (0, f"{journal.folder.name}: still runs, 3 events are acknowledged\n")
        assert server.types() == {journal.source: ["journal/gap", "test/start"], worker.source: ["worker/start"]}
        assert server.events[journal.source][0]["payload"]["runId"] == RUN
    finally:
        os.close(memory)
    assert journal.path.exists()
