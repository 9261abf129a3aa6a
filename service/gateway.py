"""`python -m service.gateway`: the gateway as a process."""

import logging
import sys
from contextlib import suppress
from typing import TypedDict

import uvicorn
from uvicorn.config import STARTUP_FAILURE

from service.access import require_keys_or_loopback
from service.api.http.connection import Connection, Server, connection_class
from service.app import create_app
from service.errors import InvalidSettings
from service.network.tls import require_key_pair
from service.settings import Settings, load_settings
from service.stores.access.api_keys import keys_exist
from service.stores.database import open_database

SHUTDOWN_S = 10  # uvicorn waits forever for open streams otherwise


class HttpOptions(TypedDict):
    """How uvicorn speaks HTTP, under its own names."""

    http: type[Connection]
    ws: str
    proxy_headers: bool
    server_header: bool
    access_log: bool
    ssl_certfile: str | None
    ssl_keyfile: str | None


def main() -> None:
    """Serve until told to end."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    settings = load_settings()
    database = open_database(settings.database_url)
    require_keys_or_loopback(settings.server.host, has_keys=keys_exist(database))
    database.dispose()
    ports = settings.paths.read_ports()
    if ports is None:
        raise InvalidSettings(f"{settings.paths.ports_file} is missing; start by `fingerpost up`.")
    serve(settings, create_app(settings, ports), ports.gateway)


def serve(settings: Settings, app: object, port: int) -> None:
    """Run `app` on the configured address."""
    config = uvicorn.Config(
        app,  # type: ignore[arg-type]  # any ASGI application
        host=settings.server.host,
        port=port,
        log_level="info",
        timeout_graceful_shutdown=SHUTDOWN_S,
        **http_options(settings),
    )
    server = Server(config)
    with suppress(KeyboardInterrupt):
        server.run()
    if not server.started:
        sys.exit(STARTUP_FAILURE)


def http_options(settings: Settings) -> HttpOptions:
    """Return how HTTP is spoken.

    Raises:
        InvalidSettings: `server.tls_cert` and `server.tls_key` cannot be used together.
    """
    pair = settings.tls_files
    if pair is not None:
        require_key_pair(*pair)
    return HttpOptions(
        http=connection_class(settings.server.receive_timeout_s),
        ws="none",  # there is no such endpoint: an upgrade is answered as the request that it is
        proxy_headers=False,  # uvicorn believes any program of this machine; the guard, those named
        server_header=False,
        access_log=False,
        ssl_certfile=None if pair is None else str(pair[0]),
        ssl_keyfile=None if pair is None else str(pair[1]),
    )


if __name__ == "__main__":
    main()
