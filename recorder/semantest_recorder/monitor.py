"""Reads the metrics of a daemon out of all of its parts: the composition root hands them in."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pytest_semantest import __version__
from pytest_semantest.protocol.version import PROTOCOL_VERSION
from semantest_recorder.artifact_use import ArtifactUse
from semantest_recorder.engine import Engine
from semantest_recorder.monitoring.readings import Disk, Readings, Told, readings_of, readings_of_disk
from semantest_recorder.server.hub import Hub
from semantest_recorder.server.observing import RequestMeasures
from semantest_recorder.store.disk_use import bytes_of_log, bytes_on_disk


@dataclass(frozen=True)
class Monitor:
    """``requests``: what the middleware counts; ``acceptor``: see ``Acceptor.status``."""

    hub: Hub
    engine: Engine
    requests: RequestMeasures
    acceptor: Callable[[], Mapping[str, int]]
    artifacts: ArtifactUse

    async def expose(self, accept: str) -> tuple[bytes, str]:
        """The answer to a scrape, and its type. Numbers of the loop are read in it, all else in another thread."""
        told, artifacts = readings_of(self._told()), self.artifacts.bytes()
        return await asyncio.to_thread(self._write, told, artifacts, accept)

    def _told(self) -> Told:
        hub, engine = self.hub, self.engine
        return Told(
            version=__version__,
            protocol=PROTOCOL_VERSION,
            uptime_s=(hub.now_ms() - hub.facts.started_ms) / 1000,
            ready=hub.is_ready,
            accepting=hub.accepting,
            store_refuses=hub.store_refuses,
            load=hub.load(),
            ingest=hub.measures,
            store=engine.store.measures,
            pending_events=engine.store.pending_events,
            requests=self.requests,
            plugins=engine.dispatcher.status(),
            acceptor=self.acceptor(),
        )

    def _write(self, readings: Readings, artifacts: int | None, accept: str) -> tuple[bytes, str]:
        # 90 ms that a recorder which nobody scrapes need not pay
        from semantest_recorder.monitoring.exposition import exposition  # noqa: PLC0415
        from semantest_recorder.monitoring.process import readings_of_process  # noqa: PLC0415

        return exposition(readings | readings_of_disk(self._disk(artifacts)) | readings_of_process(), accept)

    def _disk(self, artifacts: int | None) -> Disk:
        database = self.engine.database
        log = bytes_of_log(database)
        try:
            usage = shutil.disk_usage(database.parent)
        except OSError:  # the folder is gone, and the recorder is about to end for it
            return Disk(bytes_on_disk(database) - log, log, artifacts, None, None)
        return Disk(bytes_on_disk(database) - log, log, artifacts, usage.free, usage.total)
