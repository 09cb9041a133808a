"""Signatures of webhooks, as the Standard Webhooks specification has them, so that receivers need no code of ours.

The signed text is ``<id>.<timestamp>.<body>``; the header is ``v1,`` and the base64 of its HMAC-SHA256.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from typing import Final

_PREFIX: Final = "whsec_"


def key_of(secret: str) -> bytes:
    """The key that a secret stands for: base64 behind ``whsec_``, else its own bytes. Raises ``ValueError``."""
    if not secret.startswith(_PREFIX):
        return secret.encode()
    try:
        return base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except binascii.Error:
        raise ValueError("what follows whsec_ is no base64") from None


def signed_headers(key: bytes | None, delivery_id: str, timestamp_s: int, body: bytes) -> dict[str, str]:
    """The headers of one try; without a key there is no signature."""
    headers = {"webhook-id": delivery_id, "webhook-timestamp": str(timestamp_s)}
    if key is not None:
        text = f"{delivery_id}.{timestamp_s}.".encode() + body
        signature = base64.b64encode(hmac.new(key, text, hashlib.sha256).digest()).decode()
        headers["webhook-signature"] = f"v1,{signature}"
    return headers
