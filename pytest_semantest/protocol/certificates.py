"""Which certificates a client of a recorder trusts."""

from __future__ import annotations

import os
import ssl

#: The variable that names a file of certificates to trust, for a recorder with one of its own.
CA_FILE_VARIABLE = "SEMANTEST_CA_FILE"


class NothingTrustedError(OSError):
    """The file that names what to trust cannot be read, or names nothing."""


def tls_context() -> ssl.SSLContext:
    """Trusts the certificates in the file that ``SEMANTEST_CA_FILE`` names alone, else those of the system.

    Raises ``NothingTrustedError`` when there are none in it.
    """
    trusted = os.environ.get(CA_FILE_VARIABLE) or None
    try:
        return ssl.create_default_context(cafile=trusted)
    except OSError as error:
        reason = "it holds no certificate in PEM" if isinstance(error, ssl.SSLError) else error.strerror
        raise NothingTrustedError(f"{CA_FILE_VARIABLE} names {trusted}: {reason}") from None
