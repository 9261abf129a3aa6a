"""Certificates: those that are refused at a start, and a gateway that serves with one."""

import errno
import os
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from service.app import create_app
from service.cli.client import Gateway
from service.compare import parse_set, run_comparison
from service.errors import InvalidSettings
from service.gateway import http_options
from service.home import Home, Ports, gateway_url
from service.network.tls import require_key_pair, verification
from service.settings import Settings
from service.supervision.instance import Instance, write_instance
from service.supervision.leftovers import Identity, identify
from service.supervision.readiness import ask_ready
from tests.fakes.certificates import KeyPair, make_key_pair
from tests.fakes.context import open_small_context
from tests.fakes.engine import Served

QUICK_S = 1.0


@pytest.fixture
def pair(tmp_path: Path) -> KeyPair:
    return make_key_pair(tmp_path / "tls")


def refused(cert: Path, key: Path) -> str:
    with pytest.raises(InvalidSettings) as told:
        require_key_pair(cert, key)
    return str(told.value)


def test_a_pair_that_belongs_together_is_taken(pair: KeyPair) -> None:
    require_key_pair(pair.cert, pair.key)


def test_a_missing_file_is_named(pair: KeyPair, tmp_path: Path) -> None:
    nowhere = tmp_path / "nowhere.pem"
    for cert, key, setting in ((nowhere, pair.key, "cert"), (pair.cert, nowhere, "key")):
        told = refused(cert, key)
        assert f"server.tls_{setting}: {nowhere} cannot be read: No such file" in told


def test_a_folder_is_no_key(pair: KeyPair, tmp_path: Path) -> None:
    assert "Is a directory" in refused(pair.cert, tmp_path)


def test_an_unreadable_key_is_named(pair: KeyPair, monkeypatch: pytest.MonkeyPatch) -> None:
    read = Path.read_text

    def as_another_user(path: Path, **options: Any) -> str:
        if path == pair.key:  # root, too, reads every file
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return read(path, **options)

    monkeypatch.setattr(Path, "read_text", as_another_user)
    assert "Permission denied" in refused(pair.cert, pair.key)


def test_the_key_of_another_certificate_is_refused(pair: KeyPair, tmp_path: Path) -> None:
    other = make_key_pair(tmp_path / "other")
    assert "does not belong to the certificate" in refused(pair.cert, other.key)


def test_files_in_each_others_place_are_refused(pair: KeyPair) -> None:
    assert "holds no certificate" in refused(pair.key, pair.cert)
    assert "holds no private key" in refused(pair.cert, pair.cert)


def test_damaged_files_are_refused(pair: KeyPair) -> None:
    text = pair.cert.read_text()
    pair.cert.write_text(text.replace(text.splitlines()[2], ""))
    assert "cannot be used" in refused(pair.cert, pair.key)


def test_a_key_with_a_passphrase_is_refused_and_nobody_is_asked_for_it(pair: KeyPair) -> None:
    locked = pair.key.with_suffix(".locked")
    command = ["openssl", "pkey", "-in", str(pair.key), "-aes256", "-passout", "pass:x"]
    subprocess.run([*command, "-out", str(locked)], check=True)
    assert "is encrypted" in refused(pair.cert, locked)


@pytest.fixture
def loop() -> str:
    """Return the name of the event loop, as uvicorn's."""
    return "asyncio"


@pytest.fixture
def secured(settings: Settings, pair: KeyPair, loop: str) -> Iterator[Served]:
    update = {"tls_cert": pair.cert, "tls_key": pair.key, "receive_timeout_s": QUICK_S}
    server = settings.server.model_copy(update=update)
    settings = settings.model_copy(update={"server": server})
    app = create_app(settings, Ports(1, 1, 1), open_small_context)
    with Served(app, loop=loop, **http_options(settings)) as gateway:
        yield gateway


def test_programs_of_the_home_accept_its_certificate_and_no_other(
    secured: Served, pair: KeyPair, tmp_path: Path
) -> None:
    url = gateway_url("0.0.0.0", secured.port, scheme="https")
    assert httpx.get(f"{url}/health", verify=verification(pair.cert)).status_code == 200
    other = make_key_pair(tmp_path / "other")
    for verify in (verification(other.cert), verification(None)):
        with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            httpx.get(f"{url}/health", verify=verify)


def test_the_start_waits_for_a_gateway_with_a_certificate(secured: Served, pair: KeyPair) -> None:
    instance = Instance(Identity(1, 1, "", 1), "", "127.0.0.1", secured.port, str(pair.cert))
    assert instance.url == f"https://127.0.0.1:{secured.port}"
    assert "ready" in ask_ready(instance)[1]


def test_commands_of_the_home_reach_it(
    secured: Served, pair: KeyPair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FINGERPOST_HOME", str(tmp_path / "home"))
    own = identify(os.getpid())
    assert own is not None
    instance = Instance(own, "", "127.0.0.1", secured.port, str(pair.cert))
    write_instance(Home(tmp_path / "home"), instance)
    gateway = Gateway.find(None)
    assert "Fingerpost" in gateway.text("GET", "/openapi.json")
    gateway.close()


def test_comparisons_of_the_home_reach_it(secured: Served, pair: KeyPair) -> None:
    def asked(verify: ssl.SSLContext | bool) -> str:
        (outcome,) = run_comparison(
            parse_set([{"id": "1", "question": "Why?", "kind": "chitchat"}]),
            gateway_url=f"https://127.0.0.1:{secured.port}",
            verify=verify,
            use_case="nowhere",
            strategies=["prompt_only"],
            concurrency=1,
            on_progress=lambda _done, _total: True,
        )
        return str(outcome.error)

    assert "ConnectError" in asked(True)
    assert "nowhere" in asked(verification(pair.cert))


def test_plain_http_gets_no_answer_there(secured: Served) -> None:
    with pytest.raises(httpx.TransportError):
        httpx.get(f"http://127.0.0.1:{secured.port}/health")


def test_old_versions_of_tls_are_refused(secured: Served) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSVersion.TLSv1_1"):
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    with closing(socket.create_connection(("127.0.0.1", secured.port))) as link:
        with pytest.raises(ssl.SSLError):
            context.wrap_socket(link)


def test_half_a_head_is_closed_there_too(secured: Served, pair: KeyPair) -> None:
    context = verification(pair.cert)
    assert isinstance(context, ssl.SSLContext)
    with closing(socket.create_connection(("127.0.0.1", secured.port), timeout=10)) as link:
        with context.wrap_socket(link) as sealed:
            sealed.sendall(b"GET /health HTTP/1.1\r\nHost: loc")
            assert sealed.recv(4096).startswith(b"HTTP/1.1 408 ")


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
@pytest.mark.parametrize("sent", [b"", b"\x16\x03\x01\x02\x00\x01"], ids=["silent", "half"])
def test_a_handshake_that_does_not_arrive_is_closed(secured: Served, sent: bytes) -> None:
    began = time.monotonic()
    with closing(socket.create_connection(("127.0.0.1", secured.port), timeout=10)) as link:
        link.sendall(sent)
        assert link.recv(4096) == b""
    assert QUICK_S * 0.9 < time.monotonic() - began < QUICK_S * 4
