"""The snapshot of the tests where no daemon writes it after each run: made when somebody asks for it."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

from semantest_recorder.core.refusal import Refusal
from semantest_recorder.store.errors import StoreError
from semantest_recorder.store.snapshot import Basis, read_basis, write_snapshot


class CurrentSnapshot:
    """``test-snapshot.json`` of ``database`` at ``target``."""

    def __init__(self, database: Path, target: Path) -> None:
        self._database, self._target = database, target
        self._made_from: Basis | None = None
        self._one_at_a_time = threading.Lock()

    def refresh(self) -> None:
        """Writes it when a run was closed since it was written last. Raises ``Refusal`` and ``OSError``."""
        try:
            with self._one_at_a_time:
                basis = read_basis(self._database)
                if basis.runs and basis != self._made_from:
                    write_snapshot(self._database, self._target)
                    self._made_from = basis
        except (StoreError, sqlite3.Error) as error:
            raise Refusal("STORE_ERROR", str(error)) from None
