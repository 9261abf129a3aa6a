"""`fingerpost users erase USER`: what this home keeps about one person, erased."""

from dataclasses import asdict
from typing import Annotated

import typer

from service.cli.local import TENANT, open_local_database
from service.cli.output import JsonOption, command_output
from service.messages.spoken import say
from service.tenants.users import erase_user

app = typer.Typer(
    help="Users: the people for whom callers ask, named by `user` in a request.",
    no_args_is_help=True,
)


@app.callback()
def _group() -> None:
    """Keep `erase` a command of its own: a group of one command would lose its name."""


@app.command("erase")
def erase(
    user: Annotated[str, typer.Argument(metavar="USER", help="As requests name the person.")],
    tenant: Annotated[str, typer.Option("--tenant", help="Whose user it is.")] = TENANT,
    as_json: JsonOption = False,
) -> None:
    """Erase the records, stored texts and log lines of one user; the service may run."""
    with command_output(as_json) as output, open_local_database() as (settings, database):
        done = erase_user(settings, database, user, tenant=tenant)
        output.result(
            {"object": "user_erased", **asdict(done)},
            f"{done.rows} rows and {done.log_lines} log lines of {user} are erased",
        )
        for what in done.left:
            output.info(say("tenants.left", what=what))
        for what in done.not_reached:
            output.info(say("tenants.not_reached", what=what))
