"""A recorder that speaks TLS itself: for its clients by a certificate, for commands beside it by loopback."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from http.client import HTTPConnection, HTTPSConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from pytest_semantest.shipper.spawn import shipper_environment
from semantest_recorder.client import Client, NotConnectedError
from tests.recorder.cli_recorder.daemons import DEADLINE_S, Daemon, environment, run, wait_until
from tests.shipper.conftest import shipper_command
from tests.shipper.test_shipping import ended_session
from tests.shipper.tls_proxy import self_signed

pytestmark = pytest.mark.hazard(32)

Serve = Callable[..., Daemon]
SEMANTEST = [sys.executable, "-m", "semantest_recorder.cli.semantest"]


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    return self_signed(tmp_path, "IP:127.0.0.1,DNS:localhost")


def tls_options(certificate: tuple[Path, Path]) -> list[str | Path]:
    return ["--tls-cert", certificate[0], "--tls-key", certificate[1]]


def ask(url: str, trusted: Path, bearer: str = "", host: str | None = None) -> int:
    parts = urlsplit(url)
    context = ssl.create_default_context(cafile=str(trusted))
    connection = HTTPSConnection("127.0.0.1", parts.port, timeout=DEADLINE_S, context=context)
    headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
    try:
        connection.request("GET", "/api/v1/status", headers=headers | ({"Host": host} if host else {}))
        return connection.getresponse().status
    finally:
        connection.close()


def public_url(daemon: Daemon) -> str:
    url = daemon.line.split()[3]
    assert url.startswith("https://")
    return url


def test_the_python_client_trusts_what_the_variable_names(
    serve: Serve, certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    daemon = serve("--host", "0.0.0.0", "--allow-host", "recorder.example", *tls_options(certificate)).ready()
    url, own = public_url(daemon).replace("0.0.0.0", "127.0.0.1"), daemon.discovery["token"]
    with pytest.raises(NotConnectedError, match="SEMANTEST_CA_FILE may name one to trust"), Client(url, own):
        pass
    monkeypatch.setenv("SEMANTEST_CA_FILE", str(certificate[0]))
    with Client(url, own) as client:
        assert client.request("echo", 1) == 1
    monkeypatch.setenv("SEMANTEST_CA_FILE", str(tmp_path / "none"))
    with pytest.raises(NotConnectedError, match=r"SEMANTEST_CA_FILE names .*none: No such file"), Client(url, own):
        pass


PLUGIN = """
import os
import aiohttp
from semantest_recorder.plugins import hookimpl

class Calling:
    @hookimpl
    async def initialize(self, context):
        async with aiohttp.ClientSession() as session, session.get(os.environ["CALLED"]) as answer:
            (context.directory / "answer").write_text(await answer.text())
"""


def test_a_plugin_with_aiohttp_s_own_trust_reaches_what_the_machine_trusts(
    project: Path, serve: Serve, certificate: tuple[Path, Path]
) -> None:
    called = serve(*tls_options(certificate), folder=project / "called").ready()
    (project / "calling.py").write_text(PLUGIN)
    (project / "semantest.toml").write_text("[plugins]\nmodules = ['calling:Calling']\ntimeout = 60\n")
    daemon = serve(
        CALLED=f"{public_url(called)}/healthz",
        SSL_CERT_FILE=str(certificate[0]),
        PYTHONPATH=os.pathsep.join(filter(None, (str(project), os.environ.get("PYTHONPATH")))),
    ).ready()
    code, _out, err = daemon.end()
    assert code == 0, err
    assert (daemon.folder / "answer").read_text() == "ok", err


def test_clients_by_tls_and_commands_of_this_machine_by_loopback(
    project: Path, serve: Serve, certificate: tuple[Path, Path]
) -> None:
    daemon = serve("--host", "0.0.0.0", "--allow-host", "recorder.example", *tls_options(certificate)).ready()
    url, own = public_url(daemon), daemon.discovery["token"]
    assert ask(url, certificate[0]) == 401
    assert ask(url, certificate[0], own) == 200
    assert ask(url, certificate[0], own, host=f"recorder.example:{urlsplit(url).port}") == 200
    assert ask(url, certificate[0], own, host="evil.example") == 403
    found = json.loads(run("status", "--json", cwd=project).stdout)
    assert found["publicUrl"] == url
    assert f"running at {found['url']} (for other machines {url}), pid" in run("status", cwd=project).stdout
    assert found["url"] == daemon.discovery["url"]
    assert found["url"].startswith("http://127.0.0.1:")
    assert run("stop", cwd=project).returncode == 0


def test_old_tls_is_refused_and_plain_http_too(project: Path, serve: Serve, certificate: tuple[Path, Path]) -> None:
    daemon = serve(*tls_options(certificate)).ready()
    port = urlsplit(public_url(daemon)).port
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with pytest.warns(DeprecationWarning, match="TLSVersion"):  # noqa: PT031 - one for each
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    with socket.create_connection(("127.0.0.1", port), DEADLINE_S) as plain, pytest.raises((ssl.SSLError, OSError)):
        context.wrap_socket(plain)
    with socket.create_connection(("127.0.0.1", port), DEADLINE_S) as plain:
        plain.sendall(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        assert b"HTTP" not in plain.recv(1000)


def test_a_renewed_certificate_is_shown_without_a_restart(
    project: Path, serve: Serve, certificate: tuple[Path, Path], tmp_path: Path
) -> None:
    daemon = serve(*tls_options(certificate)).ready()
    renewed = tmp_path / "renewed"
    renewed.mkdir()
    new = self_signed(renewed, "IP:127.0.0.1")
    port = urlsplit(public_url(daemon)).port

    def shown() -> str:
        return ssl.get_server_certificate(("127.0.0.1", port or 0), timeout=DEADLINE_S)

    assert shown() == certificate[0].read_text()
    shutil.copy(new[0], certificate[0])  # its key does not fit: the old one stays
    assert daemon.process.stderr is not None
    while "stays the old one" not in daemon.process.stderr.readline():
        assert daemon.process.poll() is None
    assert shown() != new[0].read_text()
    shutil.copy(new[1], certificate[1])
    wait_until(lambda: shown() == new[0].read_text(), "the renewed certificate")


@pytest.mark.parametrize("with_ca", [True, False])
def test_a_shipper_delivers_with_an_ingest_token_to_a_named_recorder(
    project: Path, serve: Serve, certificate: tuple[Path, Path], tmp_path: Path, with_ca: bool
) -> None:
    daemon = serve(*tls_options(certificate)).ready()
    made = subprocess.run(
        [*SEMANTEST, "token", "create", "--role", "ingest", "--name", "ci", "--directory", str(daemon.folder)],
        capture_output=True,
        text=True,
        check=True,
        env=environment(),
    )
    elsewhere = tmp_path / "elsewhere" / ".semantest"
    elsewhere.mkdir(parents=True)
    journal = ended_session(elsewhere)
    trusted = {"SEMANTEST_CA_FILE": str(certificate[0])} if with_ca else {}
    shipped = subprocess.run(
        shipper_command(elsewhere, None, sync=True, url=public_url(daemon), give_up=4),
        env=shipper_environment(environment() | trusted, token=made.stdout.strip()),
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
    )
    if with_ca:
        assert (shipped.returncode, journal.path.exists()) == (0, False), shipped.stderr
        return
    assert (shipped.returncode, journal.path.exists()) == (3, True)
    assert [line for line in shipped.stderr.splitlines() if "its certificate is not trusted" in line]
    assert "Traceback" not in shipped.stderr


def test_behind_a_proxy_the_names_that_were_allowed_are_answered_and_no_others(project: Path, serve: Serve) -> None:
    daemon = serve("--host", "0.0.0.0", "--tls-terminated", "--allow-host", "recorder.example").ready()
    port, token = urlsplit(daemon.line.split()[3]).port, daemon.discovery["token"]

    def look(host: str, origin: str = "") -> int:
        connection = HTTPConnection("127.0.0.1", port, timeout=DEADLINE_S)
        headers = {"Host": host, "Authorization": f"Bearer {token}"} | ({"Origin": origin} if origin else {})
        connection.request("GET", "/api/v1/status", headers=headers)
        with closing(connection):
            return connection.getresponse().status

    assert look("recorder.example") == 200
    assert look("recorder.example", "https://recorder.example") == 200
    assert look("recorder.example", "http://recorder.example") == 403
    assert look("other.example") == 403
    assert look(f"127.0.0.1:{port}") == 200


REFUSED = [
    (["--host", "0.0.0.0"], "--tls-cert and --tls-key, or --tls-terminated"),
    (["--host", "192.0.2.1", "--allow-anonymous"], "--allow-anonymous is for this machine's loopback alone"),
    (["--tls-terminated", "--allow-anonymous"], "--allow-anonymous is for this machine's loopback alone"),
    (["--host", "0.0.0.0", "--tls-terminated"], "add --allow-host NAME"),
    (["--tls-cert", "c.pem"], "give both"),
    (["--tls-cert", "c.pem", "--tls-key", "none.pem"], "c.pem cannot be read: No such file or directory"),
]


@pytest.mark.parametrize(("options", "told"), REFUSED)
def test_what_would_lie_open_is_refused_in_one_line(project: Path, options: list[str], told: str) -> None:
    for command in ("serve", "start"):
        refused = run(command, *options, cwd=project)
        assert (refused.returncode, refused.stdout) == (2, "")
        assert told in refused.stderr
        assert len(refused.stderr.splitlines()) == 1
    assert not (project / ".semantest" / "recorder.json").exists()


def test_a_certificate_of_another_key_or_with_a_password_is_refused(
    project: Path, certificate: tuple[Path, Path]
) -> None:
    other = project / "other"
    other.mkdir()
    wrong = self_signed(other, "IP:127.0.0.1")[1]
    refused = run("serve", *tls_options((certificate[0], wrong)), cwd=project)
    assert refused.returncode == 2
    assert "is not that of the certificate" in refused.stderr
    locked = project / "locked.pem"
    options = ["-in", str(certificate[1]), "-aes256", "-passout", "pass:abcd", "-out", str(locked)]
    subprocess.run(["openssl", "ec", *options], check=True, capture_output=True)
    refused = run("serve", *tls_options((certificate[0], locked)), cwd=project)
    assert refused.returncode == 2
    assert "unencrypted key in PEM" in refused.stderr


@pytest.fixture
def namespace() -> Iterator[str]:
    """A network of its own, joined to ours by a cable: 10.233.x.1 here, 10.233.x.2 there."""
    name = f"st{os.getpid()}"
    if os.geteuid() != 0 or shutil.which("ip") is None:
        pytest.skip("network namespaces need root and the command ip")
    if subprocess.run(["ip", "netns", "add", name], capture_output=True, check=False).returncode:
        pytest.skip("this kernel allows no network namespaces")
    net = f"10.233.{os.getpid() % 250}"
    try:
        for line in (
            f"link add {name}a type veth peer name {name}b netns {name}",
            f"address add {net}.1/24 dev {name}a",
            f"link set {name}a up",
            f"-n {name} address add {net}.2/24 dev {name}b",
            f"-n {name} link set {name}b up",
        ):
            subprocess.run(["ip", *line.split()], check=True, capture_output=True)
        yield name
    finally:
        subprocess.run(["ip", "link", "delete", f"{name}a"], capture_output=True, check=False)
        subprocess.run(["ip", "netns", "delete", name], capture_output=True, check=False)


_LOOK = """\
import http.client, ssl, sys
kind, host, port, ca, token = sys.argv[1:]
if kind == "https":
    c = http.client.HTTPSConnection(host, int(port), timeout=20, context=ssl.create_default_context(cafile=ca))
else:
    c = http.client.HTTPConnection(host, int(port), timeout=20)
try:
    c.request("GET", "/api/v1/status", headers={"Authorization": "Bearer " + token})
    print(c.getresponse().status)
except ConnectionRefusedError:
    print("refused")
"""


def test_another_machine_reaches_it_by_tls_and_never_the_plain_socket(
    project: Path, serve: Serve, namespace: str, tmp_path: Path
) -> None:
    address = f"10.233.{os.getpid() % 250}.1"
    certificate = self_signed(tmp_path, f"IP:{address}")
    daemon = serve("--host", address, *tls_options(certificate)).ready()
    token, plain = daemon.discovery["token"], urlsplit(daemon.discovery["url"])

    def look(kind: str, port: int | None, bearer: str) -> str:
        told = [sys.executable, "-c", _LOOK, kind, address, str(port), str(certificate[0]), bearer]
        done = subprocess.run(
            ["ip", "netns", "exec", namespace, *told], capture_output=True, text=True, timeout=DEADLINE_S, check=False
        )
        return done.stdout.strip() or done.stderr

    public = urlsplit(public_url(daemon))
    assert public.hostname == address
    assert look("https", public.port, token) == "200"
    assert look("https", public.port, "smt_wrong-wrong-wrong") == "401"
    assert look("http", plain.port, token) == "refused"
    assert daemon.end(signal.SIGTERM)[0] == 0
