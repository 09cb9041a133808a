"""Artifacts: files that belong to a test, named by the SHA-256 of their content."""

from __future__ import annotations

#: Beside the journals of a session, and in the ``.semantest`` folder for what a recorder has.
ARTIFACTS = "artifacts"
#: Bytes. What no option allows more than, and no recorder takes more than.
MAX_ARTIFACT = 100 * 1024 * 1024
#: Where a recorder takes and gives them: ``PUT`` and ``GET`` of this with the hash behind it.
ARTIFACTS_PATH = "/api/v1/artifacts/"
_HEX = frozenset("0123456789abcdef")


def is_sha256(text: object) -> bool:
    """Whether ``text`` is a SHA-256 as it is written here: 64 lower-case hex digits, and so a safe name of a file."""
    return isinstance(text, str) and len(text) == 64 and _HEX.issuperset(text)


def place_of(sha256: str) -> tuple[str, str]:
    """Folder and file below a recorder's ``artifacts``: ``("ab", "ab12...")``."""
    return sha256[:2], sha256
