"""Ports for servers that are told where to listen, safe beside other tests that do the same."""

import random
import socket

# Below what the kernel hands out by itself (32768 on Linux): nobody's connection takes it between
# our look and the server's start.
FROM, TO = 12_000, 32_000


def free_port() -> int:
    """Return a loopback port on which nobody listens."""
    while True:
        port = random.SystemRandom().randrange(FROM, TO)
        with socket.socket() as free:
            try:
                free.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
