"""`python -m service.gateway`: the gateway as a process."""

import logging

import uvicorn

from service.access import require_keys_or_loopback
from service.app import create_app
from service.errors import InvalidSettings
from service.settings import Settings, load_settings
from service.stores.access.api_keys import keys_exist
from service.stores.database import open_database

SHUTDOWN_S = 10  # uvicorn waits forever for open streams otherwise


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
