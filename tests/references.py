"""Makes `service/api/README.md` and `service/cli/README.md` anew: `python -m tests.references`.

Tests compare both with the endpoints and the commands.
"""

from pathlib import Path

import typer

from service.api.docs import reference as endpoints
from service.app import create_app
from service.cli import reference as commands
from service.home import Ports
from service.settings import Settings


def main() -> None:
    """Write both lists."""
    document = create_app(Settings(home=Path()), Ports(1, 1, 1)).openapi()
    endpoints.README.write_text(endpoints.reference(document), encoding="utf-8")
    commands.README.write_text(commands.build_reference(), encoding="utf-8")
    typer.echo(f"{endpoints.README}\n{commands.README}")


if __name__ == "__main__":
    main()
