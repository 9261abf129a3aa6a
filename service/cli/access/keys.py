"""`fingerpost keys create|ls|rotate|revoke`: the API keys of this home.

It works on the database itself, so that the first key can be made before anything listens.
"""

import re
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated

import typer
from pydantic import JsonValue

from service.access import LOOPBACK_CALLER, Scope
from service.api.schemas.shapes import JsonObject
from service.cli.local import open_local
from service.cli.output import JsonOption, command_output
from service.errors import InvalidRequest
from service.stores.access.api_keys import CREATION, GRACE_S, ApiKey, ApiKeys, NewKey
from service.stores.tenancy.tenants import Tenants

app = typer.Typer(help="API keys: who may use the gateway, and for what.", no_args_is_help=True)

ALL = "all"
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_SHOWN_ONCE = "Keep it now: it is not stored and cannot be shown again."

IdArgument = Annotated[
    str, typer.Argument(metavar="ID", help="Id of the key, or the prefix it begins with.")
]
ExpiresOption = Annotated[
    str | None,
    typer.Option("--expires", help="When it ends: a time such as 90d or 12h, or a date."),
]


@app.command("create")
def create(
    name: Annotated[str, typer.Option("--name", help="What people call it.")],
    scopes: Annotated[
        str, typer.Option("--scopes", help=f"With commas: {', '.join(Scope)}; or {ALL}.")
    ],
    tenant: Annotated[
        str, typer.Option("--tenant", help="Whose data it reads and writes.")
    ] = LOOPBACK_CALLER.tenant,
    expires: ExpiresOption = None,
    *,
    use_case: Annotated[
        list[str] | None, typer.Option("--use-case", help="Only this one; repeatable.")
    ] = None,
    knowledge_base: Annotated[
        list[str] | None, typer.Option("--knowledge-base", help="Only this one; repeatable.")
    ] = None,
    labels: Annotated[
        str | None, typer.Option("--labels", help="Access labels that its callers hold: a,b.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Make a key and show it, once."""
    with command_output(as_json) as output:
        new = NewKey(
            name=name,
            tenant=tenant,
            scopes=tuple(Scope) if scopes == ALL else _split(scopes),
            use_cases=tuple(use_case) if use_case else None,
            knowledge_bases=tuple(knowledge_base) if knowledge_base else None,
            access_labels=None if labels is None else _split(labels),
            expires_at=_end(expires),
        )
        with open_local() as local:
            Tenants(local.database).require_open(new.tenant)
            made, key = ApiKeys(local.database).create(new)
            local.note_change(CREATION, "keys", made.key_id, tenant=made.allowed.tenant)
        output.result({**document(made), "key": key}, key)
        output.info(f"{made.key_id} for tenant {new.tenant}: {_scopes(made)}. {_SHOWN_ONCE}")


@app.command("ls")
def list_all(
    tenant: Annotated[
        str | None, typer.Option("--tenant", help="Only the keys of this tenant.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """List the keys, without their secrets."""
    with command_output(as_json) as output:
        with open_local() as local:
            found = ApiKeys(local.database).list(tenant=tenant)
        rows = [document(key) for key in found]
        output.result({"object": "list", "data": rows, "has_more": False}, _table(found))


@app.command("rotate")
def rotate(
    key_id: IdArgument,
    grace: Annotated[
        str, typer.Option("--grace", help="How long the old one stays valid; 0s ends it at once.")
    ] = f"{int(GRACE_S // 3600)}h",
    expires: ExpiresOption = None,
    as_json: JsonOption = False,
) -> None:
    """Exchange a key for a new one of the same id and rights, and show it, once."""
    with command_output(as_json) as output:
        grace_s = _seconds(grace, "grace")
        with open_local() as local:
            keys = ApiKeys(local.database)
            made, key = keys.rotate(key_id, grace_s=grace_s, expires_at=_end(expires))
            local.note_change("keys rotate", "keys", made.key_id, tenant=made.allowed.tenant)
        output.result({**document(made), "key": key}, key)
        until = _told(made.previous_until)
        output.info(f"The old key of {made.key_id} is valid until {until}. {_SHOWN_ONCE}")


@app.command("revoke")
def revoke(key_id: IdArgument, as_json: JsonOption = False) -> None:
    """End a key for good; every gateway refuses it within half a second."""
    with command_output(as_json) as output:
        with open_local() as local:
            ended = ApiKeys(local.database).revoke(key_id)
            local.note_change("keys revoke", "keys", ended.key_id, tenant=ended.allowed.tenant)
        output.result(document(ended), f"{ended.key_id} is revoked")


def document(key: ApiKey) -> JsonObject:
    """Return a key as `--json` prints it; the key itself is not in it."""
    allowed = key.allowed
    return {
        "object": "api_key",
        "id": key.key_id,
        "prefix": key.prefix,
        "name": allowed.name,
        "tenant": allowed.tenant,
        "scopes": list(allowed.scopes),
        "use_cases": _list(allowed.use_cases),
        "knowledge_bases": _list(allowed.knowledge_bases),
        "access_labels": _list(allowed.access_labels),
        "status": key.status,
        "created_at": key.created_at,
        "rotated_at": key.rotated_at,
        "previous_until": key.previous_until,
        "expires_at": allowed.expires_at,
        "revoked_at": key.revoked_at,
    }


def _table(keys: Sequence[ApiKey]) -> str:
    if not keys:
        return "no keys yet: the gateway serves this machine only, without a key"
    return "\n".join(
        f"{key.key_id}  {key.status:<8}{key.allowed.tenant:<12}{key.allowed.name}  {_scopes(key)}"
        f"  expires {_told(key.allowed.expires_at)}"
        for key in keys
    )


def _scopes(key: ApiKey) -> str:
    return ", ".join(key.allowed.scopes) or "no scopes"


def _told(at: float | None) -> str:
    return "never" if at is None else f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M} UTC"


def _list(values: Sequence[str] | None) -> list[JsonValue] | None:
    return None if values is None else list(values)


def _split(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _end(told: str | None) -> float | None:
    """Return when a key ends, in seconds since 1970.

    Raises:
        InvalidRequest: It is neither a duration nor a date.
    """
    if told is None:
        return None
    try:
        at = datetime.fromisoformat(told)
    except ValueError:
        return time.time() + _seconds(told, "expires")
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()


def _seconds(told: str, param: str) -> float:
    found = re.fullmatch(r"(\d{1,6})([smhd])", told)
    if found is None:
        raise InvalidRequest(
            f"{told!r} is no time: write 90d, 12h, 30m, 45s, or for --expires a date such as "
            "2027-06-30.",
            param=param,
        )
    return float(int(found[1]) * _UNITS[found[2]])
