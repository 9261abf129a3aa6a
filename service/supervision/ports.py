"""Which ports a home uses: the gateway's must be free, the inner ones are picked and kept.

It knows sockets; it starts nothing.
"""

import socket

from service.errors import ProcessFailed
from service.home import Home, Ports, free_port


class PortTaken(ProcessFailed):
    """Something else listens on the gateway's port."""

    code = "port_taken"
    hint = "`fingerpost up --port N` takes another port; 0 picks a free one."


def choose_ports(home: Home, gateway_port: int) -> Ports:
    """Return the ports of a start: the inner ones of the last run where they are still free."""
    last = home.read_ports()
    taken = {gateway_port}
    chosen: list[int] = []
    for port in (last.engine, last.chroma) if last else (0, 0):
        while port in taken or not _is_free(port):
            port = free_port()
        taken.add(port)
        chosen.append(port)
    return Ports(gateway=gateway_port, engine=chosen[0], chroma=chosen[1])


def refuse_taken(host: str, port: int) -> None:
    """Refuse a port that something listens on.

    Raises:
        PortTaken: It is not free; another port may be.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as listener:
        # As uvicorn binds: a port whose old connections linger is free.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
        except OSError as exc:
            raise PortTaken(
                f"Port {port} on {host} is taken ({exc.strerror}); `ss -ltnp 'sport = :{port}'` "
                "shows by whom. End that program or choose another port: `fingerpost up --port N`."
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
