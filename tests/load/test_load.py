"""Many at once: all is stored once, and nobody waits behind others."""

from __future__ import annotations

import asyncio

import pytest

from tests.load.conftest import Served
from tests.recorder.cli.recording import Recording
from tests.recorder.event_loop import in_loop
from tests.wire import RefusedError, Wire

_STORED = """
SELECT r.id, r.state, (SELECT count(*) FROM attempts a WHERE a.run_key = r.run_key),
    (SELECT count(*) FROM events e JOIN sources s USING (source_key) WHERE s.run_key = r.run_key)
FROM runs r ORDER BY r.id
"""


def run_of(name: str, tests: int) -> list[bytes]:
    """A whole run's journal."""
    recording = Recording(name)
    recording.start()
    for number in range(tests):
        recording.test(f"a.py::test_{number}")
    recording.end()
    return recording.bodies["main"]


@pytest.mark.hazard(28)
def test_128_sources_at_once_are_stored_once_and_hold_up_nobody(served: Served) -> None:
    sources, tests = 128, 6
    runs = {f"run-{number:03}": run_of(f"run-{number:03}", tests) for number in range(sources)}
    overtaken: list[int] = []

    async def ship(name: str, wires: list[Wire], ready: asyncio.Barrier) -> int:
        async with served.connect() as wire:
            wires.append(wire)
            await ready.wait()
            return await wire.ship(f"{name}.main", runs[name], size=2)

    async def all_at_once() -> None:
        wires, ready = list[Wire](), asyncio.Barrier(sources + 1)
        async with served.clients(), served.connect() as other:
            shipping = asyncio.gather(*(ship(name, wires, ready) for name in runs))
            await ready.wait()
            while not shipping.done():
                before = sum(wire.acked for wire in wires)
                await other.ask("startTestRun", {"runId": f"other-{len(overtaken):03}"})
                overtaken.append(sum(wire.acked for wire in wires) - before)
            assert await shipping == [0] * sources, "nobody was told to wait"

    in_loop(all_at_once())
    stored = [row for row in served.rows(_STORED) if row[0] in runs]
    assert stored == [(name, "passed", tests, len(bodies)) for name, bodies in runs.items()]
    assert max(overtaken) < 3 * sources, "who comes waits for a batch or two of each other client, not for all"


@pytest.mark.hazard(23)
@pytest.mark.parametrize("readers", [200, pytest.param(1000, marks=pytest.mark.slow)])
def test_readers_get_all_in_order_while_others_are_idle_and_one_is_stuck(served: Served, readers: int) -> None:
    first, second = run_of("run-1", 20), run_of("run-2", 20)
    wanted = [f"run-{run}.main:{seq}" for run in (1, 2) for seq in range(3, 42, 2)]
    noise = [b'{"type":"custom/noise","timestamp":1,"payload":{"text":"%s"}}' % (b"x" * 50_000)] * 20

    async def read(ready: asyncio.Barrier) -> list[str]:
        async with served.connect() as wire:
            await wire.subscribe("test/end")
            await ready.wait()
            return [(await wire.until("event"))["payload"]["id"] for _ in wanted]

    async def idle(ready: asyncio.Barrier, over: asyncio.Event) -> str:
        async with served.connect() as wire:
            await wire.subscribe("custom/never")
            await ready.wait()
            await over.wait()
            await wire.send({"id": "p", "type": "ping"})
            return str((await wire.receive())["type"])

    async def all_together() -> None:
        ready, over = asyncio.Barrier(readers), asyncio.Event()
        async with served.clients(), served.connect() as shipper, served.connect() as stuck:
            await stuck.subscribe("*")
            idling = [asyncio.create_task(idle(ready, over)) for _ in range(readers // 2)]
            reading = [asyncio.create_task(read(ready)) for _ in range(readers - readers // 2 - 1)]
            await ready.wait()
            await shipper.ship("run-1.main", first)
            bodies, stored = run_of("noise", 0)[:1], 0
            while (await served.status())["subscribers"] == readers:  # the stuck one reads nothing
                bodies += noise
                assert len(bodies) < 1000, "what waits for it has no bound"
                await shipper.ship("noise.main", bodies, stored=stored)
                stored = len(bodies)
            with pytest.raises(RefusedError, match=r"1013|1006"):  # 1006: its goodbye did not get through in time
                await stuck.until("nothing more")
            await shipper.ship("run-2.main", second)
            assert await asyncio.gather(*reading) == [wanted] * len(reading)
            over.set()
            assert set(await asyncio.gather(*idling)) == {"pong"}, "nothing else came to them"

    in_loop(all_together())
