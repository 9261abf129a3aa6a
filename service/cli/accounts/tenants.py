"""`fingerpost tenants create|ls|export|delete`: the teams that share this machine's home."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from service.cli.local import open_local_database
from service.cli.output import JsonOption, command_output
from service.messages.spoken import say
from service.stores.migrations import METADATAS
from service.stores.tenancy.rows import count_rows, owned_tables
from service.stores.tenancy.tenants import Tenant, Tenants
from service.tenants.deletion import Deleted, delete_whole_tenant
from service.tenants.erasing import vector_index
from service.tenants.export import export_tenant

app = typer.Typer(
    help="Tenants: teams that share this home and see nothing of each other.",
    no_args_is_help=True,
)

NameArgument = Annotated[str, typer.Argument(metavar="TENANT", help="Name of the tenant.")]
FileArgument = Annotated[
    Path, typer.Argument(metavar="FILE.zip", help="The file to write.", dir_okay=False)
]


@app.command("create")
def create(tenant: NameArgument, as_json: JsonOption = False) -> None:
    """Create a tenant; its keys are made by `keys create`."""
    with command_output(as_json) as output, open_local_database() as (_, database):
        made = Tenants(database).create(tenant)
        output.result({"object": "tenant", **asdict(made)}, f"tenant {made.tenant} is created")


@app.command("ls")
def list_all(as_json: JsonOption = False) -> None:
    """List the tenants and how many rows each has."""
    with command_output(as_json) as output, open_local_database() as (_, database):
        owned = owned_tables(METADATAS)
        found = Tenants(database).list()
        with database.connect() as connection:
            counted = [(each, count_rows(connection, owned, each.tenant)) for each in found]
        data = [{"object": "tenant", **asdict(each), "rows": rows} for each, rows in counted]
        human = "\n".join(_line(each, sum(rows.values())) for each, rows in counted)
        output.result({"object": "list", "data": data}, human)


@app.command("export")
def export(
    tenant: NameArgument,
    file: FileArgument,
    force: Annotated[bool, typer.Option("--force", help="Overwrite an existing file.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Write all rows, files and adapters of a tenant to one ZIP file; the service may run."""
    with command_output(as_json) as output, open_local_database() as (settings, database):
        done = export_tenant(settings, database, tenant, file, overwrite=force)
        output.result(
            {"object": "tenant_export", "file": str(file), **asdict(done)},
            f"{file}: {sum(done.rows.values())} rows, {done.uploads} uploaded files, "
            f"{done.files} files of adapters and training runs",
        )


@app.command("delete")
def delete(
    tenant: NameArgument,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Delete a tenant and all that it has: knowledge, files, adapters, records, log lines.

    Its running jobs are cancelled first and waited for. The service may run.
    """
    with command_output(as_json) as output, open_local_database() as (settings, database):
        Tenants(database).get(tenant)
        if not yes:
            typer.confirm(say("tenants.confirm_delete", tenant=tenant), abort=True, err=True)
        with vector_index(settings) as index:
            done = delete_whole_tenant(settings, database, tenant, index=index)
        output.result({"object": "tenant_deleted", **asdict(done)}, _summary(done))
        for what in done.left:
            output.info(say("tenants.left", what=what))
        for what in done.not_reached:
            output.info(say("tenants.not_reached", what=what))


def _line(tenant: Tenant, rows: int) -> str:
    state = "" if tenant.deleting_since is None else ", being deleted"
    return f"{tenant.tenant}  {rows} rows{state}"


def _summary(done: Deleted) -> str:
    return (
        f"tenant {done.tenant} is deleted: {done.rows} rows, {done.bases} knowledge bases, "
        f"{done.folders} folders, {done.log_lines} log lines"
    )
