"""The ports of a home: the gateway's must be free, the inner ones are picked and stored.

It knows sockets; it starts nothing.
"""

import socket

from service.errors import ProcessFailed
from service.home import Home, Ports, free_port


class PortTaken(ProcessFailed):
    """Something else listens on the gateway's port."""

    code = "port_taken"
    hint = "`fingerpost up --port N` uses another port; 0 picks a free one."


def choose_ports(home: Home, gateway_port: int) -> Ports:
    """Return the ports of a start: the inner ones of the last run where they are still free."""
    last = home.read_ports()
    used = {gateway_port}
    chosen: list[int] = []
    for port in (last.engine, last.chroma) if last else (0, 0):
        while port in used or not _is_free(port):
            port = free_port()
        used.add(port)
        chosen.append(port)
    return Ports(gateway=gateway_port, engine=chosen[0], chroma=chosen[1])


def require_free(host: str, port: int) -> None:
    """Raise an error for a port that something listens on.

    Raises:
        PortTaken: It is in use.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as listener:
        # As uvicorn binds: a port in TIME_WAIT is free.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
        except OSError as exc:
            raise PortTaken(
                f"Port {port} on {host} is in use ({exc.strerror}); `ss -ltnp 'sport = :{port}'` "
                "shows by which program. End it or choose another port: `fingerpost up --port N`."
            ) from exc


def _is_free(port: int) -> bool:
    if port == 0:
        return False
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
