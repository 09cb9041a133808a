"""A run of a million events."""

from __future__ import annotations

import asyncio

import psutil
import pytest

from tests.load.conftest import Served
from tests.recorder.cli.recording import Recording

_WORKERS, _TESTS = 10, 50_000
#: All tests of a run that goes on are in memory, half a million here: 600 MiB were seen.
_MEMORY_MIB = 900
RUN = "million"


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.hazard(17)
def test_a_million_events_are_stored_once_in_bounded_memory(served: Served) -> None:
    async def ship() -> None:
        async with served.clients(), served.connect() as wire:
            for number in range(_WORKERS):
                worker = f"gw{number}"
                recording = Recording(RUN)
                recording.start(worker)
                for test in range(_TESTS):
                    recording.test(f"test_{test % 100}.py::test_{number}_{test}", worker=worker)
                recording.end(worker=worker)
                await wire.ship(f"{RUN}.{worker}", recording.bodies[worker], size=2000)
            main = Recording(RUN)
            main.start()
            main.end()
            await wire.ship(f"{RUN}.main", main.bodies["main"])
            status = await wire.ask("getRunStatus", {"runId": RUN})
            assert (status["state"], status["totalTests"], status["passedTests"]) == ("passed", 500_000, 500_000)

    asyncio.run(ship())
    ((events,),) = served.rows("SELECT count(*) FROM events")
    assert events == _WORKERS * (2 * _TESTS + 2) + 2
    assert served.rows("SELECT attempt, count(*), count(DISTINCT test_key) FROM attempts GROUP BY 1") == [
        (1, 500_000, 500_000)
    ]
    assert psutil.Process(served.daemon.process.pid).memory_info().rss < _MEMORY_MIB * 2**20
