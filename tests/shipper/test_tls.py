"""A recorder behind TLS: an unknown certificate is refused before a word is said, one that was given is accepted."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.shipper.conftest import StartShipper
from tests.shipper.ingest_server import IngestServer
from tests.shipper.test_shipping import ended_session, finish
from tests.shipper.tls_proxy import TlsProxy, self_signed


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    return self_signed(tmp_path, "IP:127.0.0.1")


@pytest.fixture
def proxy(server: IngestServer, certificate: tuple[Path, Path]) -> Iterator[TlsProxy]:
    with TlsProxy(*certificate, server.port) as running:
        yield running


def test_an_unknown_certificate_is_refused_in_one_clear_line(
    directory: Path, server: IngestServer, proxy: TlsProxy, start_shipper: StartShipper
) -> None:
    journal = ended_session(directory)
    # It ends at once: what fails until somebody corrects it is not tried for an hour.
    code, said = finish(start_shipper(sync=True, url=f"https://127.0.0.1:{proxy.port}", timeout=3600))
    assert code == 3
    line = next(line for line in said.splitlines() if "certificate" in line)
    assert f"127.0.0.1:{proxy.port}: its certificate is not trusted: self-signed certificate" in line
    assert "SEMANTEST_CA_FILE" in line
    assert server.handshakes == []
    assert journal.path.exists()


@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "SEMANTEST_CA_FILE"])
@pytest.mark.parametrize("scheme", ["https", "wss"])
def test_a_certificate_that_was_given_is_accepted(
    directory: Path,
    server: IngestServer,
    proxy: TlsProxy,
    certificate: tuple[Path, Path],
    start_shipper: StartShipper,
    scheme: str,
    variable: str,
) -> None:
    journal = ended_session(directory, tests=3000)
    url = f"{scheme}://127.0.0.1:{proxy.port}"
    process = start_shipper(sync=True, url=url, environment={variable: str(certificate[0])})
    assert finish(process)[0] == 0
    assert server.events[journal.source] == journal.events()


def test_a_certificate_for_another_name_is_refused(
    directory: Path, server: IngestServer, tmp_path: Path, start_shipper: StartShipper
) -> None:
    journal = ended_session(directory)
    certificate, key = self_signed(tmp_path, "DNS:recorder.example")
    with TlsProxy(certificate, key, server.port) as proxy:
        url, trusted = f"https://127.0.0.1:{proxy.port}", {"SSL_CERT_FILE": str(certificate)}
        assert finish(start_shipper(sync=True, url=url, timeout=3600, environment=trusted))[0] == 3
    assert "its certificate is not trusted: IP address mismatch" in (journal.folder / "shipper.log").read_text()
    assert server.handshakes == []
    assert journal.path.exists()


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_a_file_of_certificates_that_is_none_is_named_in_one_line(
    directory: Path, proxy: TlsProxy, tmp_path: Path, start_shipper: StartShipper, content: str | None
) -> None:
    journal, trusted = ended_session(directory), tmp_path / "ca.pem"
    if content is not None:
        trusted.write_text(content)
    url, given = f"https://127.0.0.1:{proxy.port}", {"SEMANTEST_CA_FILE": str(trusted)}
    assert finish(start_shipper(sync=True, url=url, timeout=3600, environment=given))[0] == 3
    assert f"SEMANTEST_CA_FILE names {trusted}: " in (journal.folder / "shipper.log").read_text()


def test_https_to_a_recorder_without_tls_says_what_to_write(
    directory: Path, server: IngestServer, start_shipper: StartShipper
) -> None:
    journal = ended_session(directory)
    assert finish(start_shipper(sync=True, url=f"https://127.0.0.1:{server.port}", timeout=3600))[0] == 3
    assert "it does not speak TLS there" in (journal.folder / "shipper.log").read_text()
