"""The database's own version, and the scripts that bring a file there."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final

from semantest_recorder.store.queries import sql_text

#: ``PRAGMA application_id`` of every database of the recorder: "SmTs".
APPLICATION_ID: Final = 0x536D5473
#: ``PRAGMA user_version``: the number of the newest migration.
SCHEMA_VERSION: Final = 7
_MIGRATIONS = Path(__file__).with_name("migrations")


@cache
def migrations() -> dict[int, str]:
    """File names below ``migrations/`` by number; each brings a database from the version before to its number."""
    names = sorted(entry.name for entry in _MIGRATIONS.glob("*.sql"))
    return {int(name.partition("_")[0]): name for name in names}


def creation_script() -> str:
    """SQL that makes an empty file a database of this version."""
    return sql_text("schema.sql") + _stamp()


def migration_script(version: int) -> str:
    """SQL that brings a database of ``version`` to this one."""
    steps = [sql_text(f"migrations/{name}") for number, name in sorted(migrations().items()) if number > version]
    return "\n".join(steps) + _stamp()


def _stamp() -> str:
    return f"\nPRAGMA application_id = {APPLICATION_ID};\nPRAGMA user_version = {SCHEMA_VERSION};\n"
