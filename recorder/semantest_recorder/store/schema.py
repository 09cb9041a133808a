"""The database's own version, and how a file gets there."""

from __future__ import annotations

from typing import Final

#: ``PRAGMA application_id`` of every database of the recorder: "SmTs".
APPLICATION_ID: Final = 0x536D5473
#: ``PRAGMA user_version``: the number of the newest migration.
SCHEMA_VERSION: Final = 1
