"""What people do beside the clients: commands, cleanup, backups, tokens, pytest itself."""

from __future__ import annotations

import asyncio
import json
import random
from pathlib import Path

from tests.chaos.plan import Run
from tests.chaos.suite import GREEN, MIXED
from tests.soak.clients import Clients
from tests.soak.place import CommandFailedError


class Commands:
    """Programs of their own, one or two at a time."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        self._place = clients.place
        self._ledger = clients.ledger
        self._cleaning = asyncio.Lock()
        self._runs = 0

    @property
    def backup_file(self) -> Path:
        """The last backup."""
        return self._place.fleet.root / "backup.db"

    async def token(self, rng: random.Random, name: str) -> None:
        """A token is made, used, and revoked or let expire."""
        expires = rng.random() < 0.5
        more = ["--expires", "30m"] if expires else []
        made = await self._place.semantest("token", "create", "--role", "read", "--name", name, "--json", *more)
        holding = asyncio.create_task(self._clients.token_holder(json.loads(made)["token"]))
        if not expires:
            await self._place.semantest("token", "list")
            await self._place.semantest("token", "revoke", name)
        await holding

    async def commands(self, rng: random.Random, name: str) -> None:
        """Somebody reads reports."""
        await self._place.semantest("runs", "--limit", "20")
        await self._place.semantest("report", "--json", codes=(0, 1, 3, 4))
        await self._place.semantest("doctor", codes=(0, 1))

    async def cleanup(self, rng: random.Random, name: str) -> None:
        """What the configuration says, as a timer would do it."""
        async with self._cleaning:
            told = json.loads(await self._place.semantest("cleanup", "--yes", "--json", codes=(0, 3)) or "{}")
            if told:
                self._ledger.deleted |= set(told["done"]["deleted"])

    async def backup(self, rng: random.Random, name: str) -> None:
        """A new backup takes the place of the one before."""
        async with self._cleaning:
            self.backup_file.unlink(missing_ok=True)
            await self._place.semantest("backup", str(self.backup_file), codes=(0, 3))

    async def pytest(self, rng: random.Random, name: str) -> None:
        """A real one, recorded."""
        self._runs += 1
        suite = rng.choice((GREEN, MIXED))
        fleet = self._place.fleet
        fleet.start(self._runs, Run(suite, rng.choice((0, 2)), proxied=False), {})
        running = fleet.running[-1]
        code = await asyncio.to_thread(running.process.wait)
        fleet.reap()
        self._ledger.runs += 1
        if code != int(suite == MIXED):
            raise CommandFailedError(f"pytest ended with {code}, see {running.output}")
