"""nginx and HAProxy as deploy/proxies configures them, on free ports and with other files."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from service.home import free_port
from service.settings import CHECKOUT
from tests.fakes.certificates import KeyPair

CONFIGURATIONS = {"nginx": "nginx.conf", "haproxy": "haproxy.cfg"}
FOUND_IN = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin"
PAUSE_S = 1  # in place of the half minute that a client may take


def program(name: str) -> str | None:
    """Return where a proxy is installed, or None."""
    return shutil.which(name, path=FOUND_IN)


@contextmanager
def proxy(name: str, folder: Path, *, gateway: int, pair: KeyPair) -> Iterator[int]:
    """Run a proxy in front of the port `gateway`; yields its own port."""
    folder.mkdir()
    port = free_port()
    both = folder / "both.pem"
    both.write_text(pair.cert.read_text() + pair.key.read_text())
    text = (CHECKOUT / "deploy" / "proxies" / CONFIGURATIONS[name]).read_text()
    common = {"server 127.0.0.1:8080": f"server 127.0.0.1:{gateway}"}
    if name == "nginx":
        changes = {
            **common,
            "listen 443": f"listen 127.0.0.1:{port}",
            "/etc/ssl/certs/answers.example.com.pem": str(pair.cert),
            "/etc/ssl/private/answers.example.com.key": str(pair.key),
            "client_header_timeout 30s": f"client_header_timeout {PAUSE_S}s",
        }
    else:
        changes = {
            "server gateway 127.0.0.1:8080": f"server gateway 127.0.0.1:{gateway}",
            "bind :443": f"bind 127.0.0.1:{port}",
            "/etc/haproxy/answers.example.com.pem": str(both),
            "http-request 30s": f"http-request {PAUSE_S}s",
        }
    file = folder / CONFIGURATIONS[name]
    file.write_text(_changed(text, changes))
    with subprocess.Popen(_command(name, file), stderr=subprocess.PIPE, text=True) as process:
        try:
            _wait_for(port, process)
            yield port
        finally:
            process.terminate()
            process.communicate(timeout=10)


def _changed(text: str, changes: Mapping[str, str]) -> str:
    for old, new in changes.items():
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


def _command(name: str, file: Path) -> list[str]:
    binary = program(name)
    assert binary is not None
    if name == "haproxy":
        return [binary, "-db", "-f", str(file)]
    own = f"daemon off; pid {file.parent}/nginx.pid; error_log stderr;"
    if os.geteuid() == 0:
        own += " user root;"  # it reads the folders of tests
    return [binary, "-e", "stderr", "-p", str(file.parent), "-c", str(file), "-g", own]


def _wait_for(port: int, process: "subprocess.Popen[str]") -> None:
    deadline = time.monotonic() + 10
    while True:
        if process.poll() is not None:
            raise AssertionError(process.stderr.read() if process.stderr else "")
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            assert time.monotonic() < deadline, "the proxy does not listen"
            time.sleep(0.05)
