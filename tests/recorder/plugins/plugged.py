"""A real writer behind real plugins, in their real thread."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import msgspec

from semantest_recorder.plugins.configuration import read_section
from semantest_recorder.plugins.dispatch import Dispatcher
from semantest_recorder.plugins.registry import PluginRegistry
from semantest_recorder.plugins.writing import PluginWriter
from semantest_recorder.run_reading import RunReading
from semantest_recorder.store.writer import Writer
from tests.recorder.cli_recorder.daemons import wait_until
from tests.recorder.store.ingesting import MAIN, Recorder

#: Far more than any call here takes, and little to wait where one never comes back.
LIMIT_S = 1.0


class Plugged(Recorder):
    """Submits batches through plugins to a writer on the database at ``path``."""

    def __init__(self, path: Path, registry: PluginRegistry) -> None:
        self.path = path
        reading = RunReading(path)
        self.dispatcher = Dispatcher(
            registry,
            path.parent,
            known=reading.known_source,
            read_summary=reading.summary,
            read_report=reading.report,
            read_pictures=reading.pictures,
            read_steps=reading.steps,
        )
        self.dispatcher.start()
        self.store = Writer(path)
        super().__init__(PluginWriter(self.store, self.dispatcher))  # type: ignore[arg-type]

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.path)) as connection:
            return connection.execute(sql).fetchall()

    def stored(self, source: str = MAIN) -> list[tuple[int, str, dict[str, Any]]]:
        rows = self.rows(
            "SELECT s.source, seq, type, payload FROM events JOIN sources s USING (source_key) ORDER BY seq"
        )
        return [(seq, kind, msgspec.json.decode(text)) for name, seq, kind, text in rows if name == source]

    def marks(self) -> list[tuple[Any, ...]]:
        return self.rows("SELECT seq, kind, reason FROM marks ORDER BY seq, kind")

    def counts(self, plugin: str, hook: str) -> dict[str, Any]:
        found = next(entry for entry in self.dispatcher.registry.to_wire() if entry["name"] == plugin)
        counts: dict[str, Any] = found["hooks"][hook]
        return counts


@contextmanager
def plugged(
    path: Path, *plugins: object, section: Mapping[str, Any] | None = None, builtin: bool = False
) -> Iterator[Plugged]:
    """A recorder with these plugins, called in this order; ``builtin``: with those that the section enables."""
    settings = read_section({"timeout": LIMIT_S, **(section or {})})
    registry = PluginRegistry(settings)
    if builtin:
        registry.load([])
    for plugin in plugins:
        registry.register(plugin)
    recorder = Plugged(path, registry)
    try:
        yield recorder
    finally:
        recorder.writer.close()
        recorder.dispatcher.close()


def wait_for(condition: Callable[[], bool]) -> None:
    """Returns when the condition holds; fails when it does not in a minute."""
    wait_until(condition, condition.__name__)
