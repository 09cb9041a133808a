"""The certificate that a recorder shows, and its renewal while it runs."""

from __future__ import annotations

import logging
import ssl
from pathlib import Path

_log = logging.getLogger(__name__)


class CertificateUnusable(Exception):  # noqa: N818 - says what it is
    """The certificate or its key cannot be used; one line that says why."""


class ServerCertificate:
    """TLS 1.2 and newer with the certificate (chain) and key in two PEM files. Raises ``CertificateUnusable``."""

    def __init__(self, certificate: Path, key: Path) -> None:
        self._certificate = certificate
        self._key = key
        self._seen = self._stamps()
        self._has_failed = False
        self.context = self._load(_new_context())

    def renew(self) -> None:
        """Takes renewed files for the connections to come; ones that cannot be used are told, and the old stay."""
        try:
            present = self._stamps()
            if present == self._seen:
                return
            self._load(_new_context())  # a key that does not fit must not get half way into the one in use
            self._load(self.context)
        except CertificateUnusable as error:
            if not self._has_failed:  # they are often replaced one after the other
                _log.error("the certificate stays the old one: %s", error)
            self._has_failed = True
        else:
            self._seen, self._has_failed = present, False
            _log.info("took the renewed certificate in %s", self._certificate)

    def _load(self, context: ssl.SSLContext) -> ssl.SSLContext:
        try:
            context.load_cert_chain(self._certificate, self._key, password=lambda: "")  # never ask a terminal
        except ssl.SSLError as error:
            if error.reason == "KEY_VALUES_MISMATCH":
                text = f"the key in {self._key} is not that of the certificate in {self._certificate}"
            else:
                text = f"{self._certificate} and {self._key} are no certificate and unencrypted key in PEM"
            raise CertificateUnusable(text) from None
        except OSError as error:
            text = f"{self._certificate} or {self._key} cannot be read: {error.strerror}"
            raise CertificateUnusable(text) from None
        return context

    def _stamps(self) -> tuple[tuple[int, int, int], ...]:
        stamps = []
        for path in (self._certificate, self._key):
            try:
                found = path.stat()
            except OSError as error:
                raise CertificateUnusable(f"{path} cannot be read: {error.strerror}") from None
            stamps.append((found.st_ino, found.st_size, found.st_mtime_ns))
        return tuple(stamps)


def _new_context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
