"""What light clients do with the recorder, each in a coroutine of its own that ends by itself or when all rest."""

from __future__ import annotations

import asyncio
import hashlib
import random
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, suppress
from typing import Any

import aiohttp

from tests.recorder.cli.recording import Recording
from tests.soak.ledger import Ledger
from tests.soak.place import Place
from tests.wire import DeniedError, RefusedError, SlowReaderError, Wire, connect

_OUTCOMES = ("passed",) * 12 + ("failed", "skipped", "xfailed", "error")
#: What one flood says: more than a reader may leave unread.
_FLOOD_EVENTS, _FLOOD_TEXT = 300, 50_000
#: Among so many of the newest runs people choose: a cleanup leaves them.
_NEWEST = 30

Work = Callable[[random.Random, str], Awaitable[None]]


class Clients:
    """``resting`` is set when everybody who is still there is to leave."""

    def __init__(self, place: Place, http: aiohttp.ClientSession, ledger: Ledger) -> None:
        self.place = place
        self.ledger = ledger
        self.resting = asyncio.Event()
        self._http = http

    def connect(self, **said: str) -> AbstractAsyncContextManager[Wire]:
        """With the owner's token."""
        return connect(self._http, self.place.url, self.place.token, **said)

    # -- shippers ----------------------------------------------------------------------------------------------

    async def record_run(self, rng: random.Random, name: str) -> None:
        """A whole run, its sources one after the other over one connection."""
        recording, outcomes = self._recording(rng, name)
        async with self.connect(instance=name, run=name) as wire:
            for worker, bodies in recording.bodies.items():
                await wire.ship(f"{name}.{worker}", bodies, size=rng.randint(20, 400))
        self.ledger.note(name, outcomes)

    async def record_run_again(self, rng: random.Random, name: str) -> None:
        """The connection breaks in the midst of a run; the shipper comes back and sends all of it once more."""
        recording, outcomes = self._recording(rng, name)
        async with self.connect(instance=name, run=name) as wire:
            for worker, bodies in recording.bodies.items():
                await wire.ship(f"{name}.{worker}", bodies[: rng.randint(1, len(bodies))])
            await wire.cut()
        async with self.connect(instance=name, run=name) as wire:
            for worker, bodies in recording.bodies.items():
                await wire.ship(f"{name}.{worker}", bodies)
        self.ledger.note(name, outcomes)

    async def abandon_run(self, rng: random.Random, name: str) -> None:
        """A machine vanishes in the midst of a run."""
        recording, _outcomes = self._recording(rng, name)
        async with self.connect(instance=name, run=name) as wire:
            for worker, bodies in recording.bodies.items():
                await wire.ship(f"{name}.{worker}", bodies[: max(1, len(bodies) // 2)])

    async def abandon_worker(self, rng: random.Random, name: str) -> None:
        """Of a run nothing comes but the journal of one worker."""
        recording = Recording(name, start_ms=self.place.now_ms())
        recording.start("gw0")
        for number in range(rng.randint(1, 10)):
            recording.test(f"test_{number % 7}.py::test_{number}", worker="gw0")
        self._count(recording)
        async with self.connect(instance=name, run=name) as wire:
            await wire.ship(f"{name}.gw0", recording.bodies["gw0"])

    def _recording(self, rng: random.Random, name: str) -> tuple[Recording, list[str | None]]:
        recording = Recording(name, start_ms=self.place.now_ms())
        workers = [f"gw{number}" for number in range(rng.choice((0, 0, 2, 4)))]
        tests = [f"test_{number % 7}.py::test_{number}" for number in range(rng.randint(5, 80))]
        outcomes = [rng.choice(_OUTCOMES) for _ in tests]
        recording.start()
        recording.plan(*tests)
        for worker in workers:
            recording.start(worker)
        for test, outcome in zip(tests, outcomes, strict=True):
            text = [{"stream": "stdout", "phase": "call", "text": "x" * rng.randrange(500)}]
            recording.test(test, outcome, rng.choice(workers or ["main"]), logs=text)
        for worker in workers:
            recording.end(worker=worker)
        recording.end(int("failed" in outcomes or "error" in outcomes))
        self._count(recording)
        return recording, list(outcomes)

    def _count(self, recording: Recording) -> None:
        self.ledger.runs += 1
        self.ledger.events += sum(map(len, recording.bodies.values()))

    # -- clients without a journal -----------------------------------------------------------------------------

    async def client_run(self, rng: random.Random, name: str) -> None:
        """A program that starts a run, fills it and ends it."""
        tests = rng.randint(1, 30)
        async with self.connect() as wire:
            await wire.ask("startTestRun", {"runId": name, "name": "nightly", "tags": ["soak"]})
            for number in range(tests):
                await self._say_test(wire, f"t{number}", rng)
            status = await wire.ask("endTestRun", {"runId": name})
        if status["totalTests"] != tests:
            raise RefusedError(f"{name} has {status['totalTests']} tests, {tests} were said")
        self.ledger.note(name, ["passed"] * tests)
        self.ledger.runs += 1

    async def implicit_run(self, rng: random.Random, name: str) -> None:
        """A client that only says events, and leaves without a word."""
        async with self.connect() as wire:
            for number in range(rng.randint(1, 10)):
                await self._say_test(wire, f"t{number}", rng, runId=name)
            await wire.ask("echo")
        self.ledger.runs += 1

    async def word_beside_run(self, rng: random.Random, name: str) -> None:
        """Somebody adds to a run that is over."""
        known = list(self.ledger.recorded)[-_NEWEST:]
        async with self.connect() as wire:
            for run_id in rng.sample(known, min(3, len(known))):
                await self._say(wire, "custom/note", {"runId": run_id, "text": name})
            await wire.ask("echo")

    async def flood(self, rng: random.Random, name: str) -> None:
        """Much output at once, while a reader takes none of it."""
        async with self.connect() as stuck, self.connect() as wire:
            await stuck.subscribe("*")
            for _ in range(_FLOOD_EVENTS):
                text = {"runId": name, "testId": "t", "level": "info", "message": "x" * _FLOOD_TEXT}
                await self._say(wire, "test/log", text)
            await wire.ask("echo")
            await stuck.cut()
        self.ledger.runs += 1

    async def _say_test(self, wire: Wire, test: str, rng: random.Random, **more: Any) -> None:
        await self._say(wire, "test/start", {"testId": test, "testName": test, **more})
        if rng.random() < 0.3:
            await self._say(wire, "test/log", {"testId": test, "level": "info", "message": "y" * 200, **more})
        await self._say(wire, "test/end", {"testId": test, "status": "passed", "duration": rng.random() * 9, **more})

    async def _say(self, wire: Wire, kind: str, payload: dict[str, Any]) -> None:
        self.ledger.events += 1
        now = self.place.now_ms()
        event = {"id": f"e{self.ledger.events}", "type": kind, "timestamp": now, "payload": payload}
        await wire.send({"id": event["id"], "type": "event", "timestamp": now, "payload": event})

    # -- readers -----------------------------------------------------------------------------------------------

    async def watch(self, rng: random.Random, name: str) -> None:
        """Somebody looks at what goes on, for a while or until all rest."""
        async with self.connect() as wire:
            await wire.subscribe(*rng.choice((["*"], ["test/*"], ["run/*", "test.end"], ["custom/never"])))
            await self._unless_resting(self._read(wire, rng.randint(10, 3000)))

    async def _read(self, wire: Wire, events: int) -> None:
        with suppress(SlowReaderError):
            for _ in range(events):
                await wire.receive()

    async def _unless_resting(self, work: Coroutine[Any, Any, None]) -> None:
        """Carries the work out, to its end or until all rest."""
        working, resting = asyncio.create_task(work), asyncio.create_task(self.resting.wait())
        await asyncio.wait({working, resting}, return_when=asyncio.FIRST_COMPLETED)
        resting.cancel()
        if working.done():
            working.result()
        else:
            working.cancel()
            await asyncio.wait({working})

    async def questions(self, rng: random.Random, name: str) -> None:
        """A dashboard asks everything there is to ask."""
        now = self.place.now_ms()
        async with self.connect() as wire:
            await wire.ask("getStatistics")
            await wire.ask("getActiveRuns")
            await wire.ask("getSecurityMetrics")
            wanted = {"startTime": now - 600_000, "endTime": now, "limit": rng.choice((10, 500))}
            page = await wire.ask("getEventsByTimeRange", wanted)
            if page["cursor"]:
                await wire.ask("getEventsByTimeRange", wanted | {"cursor": page["cursor"]})
            known = list(self.ledger.recorded)[-_NEWEST:]
            if known:
                run_id = rng.choice(known)
                await wire.ask("getRunStatus", {"runId": run_id})
                await wire.ask("getTestResultsByRun", {"runId": run_id, "limit": 20})

    async def replay(self, rng: random.Random, name: str) -> None:
        """Somebody has the last minutes said again."""
        now = self.place.now_ms()
        async with self.connect() as wire:
            wanted = {"startTime": now - 300_000, "endTime": now, "types": ["test/*"], "speed": 0}
            await wire.ask("replayEvents", wanted)
            ended = await wire.until("replayEnded")
        if not ended["payload"]["completed"]:
            raise RefusedError(f"the replay broke: {ended['payload']}")

    # -- over HTTP ---------------------------------------------------------------------------------------------

    async def attachment(self, rng: random.Random, name: str) -> None:
        """Something is stored by its hash, and fetched again."""
        content = rng.randbytes(rng.randint(10, 100_000))
        url = f"{self.place.url}/api/v1/artifacts/{hashlib.sha256(content).hexdigest()}"
        headers = {"Authorization": f"Bearer {self.place.token}"}
        async with self._http.put(url, data=content, headers=headers) as answer:
            answer.raise_for_status()
        async with self._http.get(url, headers=headers) as answer:
            if await answer.read() != content:
                raise RefusedError("an attachment came back as something else")

    async def strangers(self, rng: random.Random, name: str) -> None:
        """Who has no token, who says nothing, and who speaks nonsense."""
        async with self._http.get(f"{self.place.url}/api/v1/status", headers={"Authorization": name}) as answer:
            if answer.status != 401:
                raise RefusedError(f"a stranger was answered {answer.status}")
        address = self.place.url.rpartition("/")[2].split(":")
        _reader, writer = await asyncio.open_connection(address[0], int(address[1]))
        async with self.connect() as wire:
            await wire.connection.send_str(
                rng.choice(("{", '{"type":"nonsense"}', '{"type":"event","payload":7}', "[]"))
            )
            await wire.until("error")
        writer.close()
        await writer.wait_closed()

    async def policy(self, rng: random.Random, name: str) -> None:
        """The policy is changed for everybody."""
        async with self.connect() as wire:
            await wire.ask("updatePolicy", {"maxEventsPerSecond": rng.randint(15_000, 25_000)})

    async def token_holder(self, token: str) -> None:
        """Somebody is there with a token of its own, until it is not valid any more or all rest."""
        async with connect(self._http, self.place.url, token) as wire:
            await wire.subscribe("run/*")
            await self._unless_resting(self._read_while_valid(wire))

    async def _read_while_valid(self, wire: Wire) -> None:
        with suppress(DeniedError):
            while True:
                await wire.receive()
