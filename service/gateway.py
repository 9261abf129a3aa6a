"""`python -m service.gateway`: the gateway as a process."""

import logging

import uvicorn

from service.app import create_app
from service.errors import HostForbidden, InvalidSettings
from service.settings import Settings, load_settings

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
SHUTDOWN_S = 10  # uvicorn waits forever for open streams otherwise


def require_loopback(host: str) -> None:
    """Refuse to listen on any other address.

    Raises:
        HostForbidden: There are no API keys yet, so nobody else could be kept out.
    """
    if host not in LOOPBACK:
        raise HostForbidden(
            f"server.host {host!r} is refused: without API keys anyone who reaches the gateway "
            "could read and change everything. Use 127.0.0.1 and a proxy that authenticates."
        )


def main() -> None:
    """Serve until told to end."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    settings = load_settings()
    require_loopback(settings.server.host)
    ports = settings.paths.read_ports()
    if ports is None:
        raise InvalidSettings(f"{settings.paths.ports_file} is missing; start by `fingerpost up`.")
    serve(settings, create_app(settings, ports), ports.gateway)


def serve(settings: Settings, app: object, port: int) -> None:
    """Run `app` on the configured address."""
    uvicorn.run(
        app,  # type: ignore[arg-type]  # any ASGI application
        host=settings.server.host,
        port=port,
        log_level="info",
        access_log=False,
        timeout_graceful_shutdown=SHUTDOWN_S,
        server_header=False,
    )


if __name__ == "__main__":
    main()
