"""`fingerpost keys` on a home that does not run, and what commands send to a gateway."""

import json
import re
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from service.access import Scope
from service.cli import app
from service.cli.client import Gateway
from service.cli.output import CommandFailed
from service.errors import HostForbidden
from service.settings import Settings, child_environment, load_settings
from service.stores.access.api_keys import KEY, ApiKeys, keys_exist
from service.stores.database import open_database
from service.stores.requests.audit_log import AuditLog
from service.stores.tenancy.tenants import Tenants
from service.supervision import processes


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FINGERPOST_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def run(*arguments: str, code: int = 0) -> Any:
    result = CliRunner().invoke(app, ["keys", *arguments, "--json"])
    assert result.exit_code == code, result.output
    return json.loads(result.stdout)


def test_a_key_is_made_before_anything_runs_and_shown_once(home: Path) -> None:
    made = run("create", "--name", "admin", "--scopes", "all")
    assert KEY.fullmatch(made["key"])
    assert made["scopes"] == sorted(made["scopes"], key=[*Scope].index)
    (listed,) = run("ls")["data"]
    assert "key" not in listed
    assert listed == {key: value for key, value in made.items() if key != "key"} | {
        "scopes": sorted(made["scopes"])
    }
    stored = b"".join(file.read_bytes() for file in home.rglob("*") if file.is_file())
    assert made["key"].encode() not in stored


def test_a_key_is_bound_to_what_is_named() -> None:
    options = ["--use-case", "a", "--use-case", "b", "--knowledge-base", "k", "--labels", "x, y"]
    assert CliRunner().invoke(app, ["tenants", "create", "acme"]).exit_code == 0
    made = run("create", "--name", "n", "--scopes", "chat,kb:read", "--tenant", "acme", *options)
    assert made["tenant"] == "acme"
    assert made["scopes"] == ["chat", "kb:read"]
    assert (made["use_cases"], made["knowledge_bases"]) == (["a", "b"], ["k"])
    assert made["access_labels"] == ["x", "y"]
    assert run("ls", "--tenant", "other")["data"] == []


def test_without_json_the_key_stands_alone_on_stdout() -> None:
    result = CliRunner().invoke(app, ["keys", "create", "--name", "n", "--scopes", ""])
    assert KEY.fullmatch(result.stdout.strip())
    assert "cannot be shown again" in result.stderr
    assert "no scopes" in CliRunner().invoke(app, ["keys", "ls"]).stdout


def test_rotate_and_revoke_take_id_or_prefix() -> None:
    made = run("create", "--name", "n", "--scopes", "chat", "--expires", "90d")
    assert made["expires_at"] == pytest.approx(time.time() + 90 * 86_400, abs=60)
    rotated = run("rotate", made["prefix"], "--grace", "30m", "--expires", "2099-01-01")
    assert rotated["id"] == made["id"]
    assert rotated["key"] != made["key"]
    assert rotated["previous_until"] == pytest.approx(time.time() + 1800, abs=60)
    assert rotated["expires_at"] == 4_070_908_800
    assert run("revoke", made["id"])["status"] == "revoked"
    assert run("rotate", made["id"], code=1)["error"]["code"] == "key_revoked"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("create", "--name", "n", "--scopes", "root"), "unknown_scope"),
        (("create", "--name", "n", "--scopes", "chat", "--expires", "soon"), "invalid_request"),
        (
            ("create", "--name", "n", "--scopes", "chat", "--expires", "2001-01-01"),
            "invalid_request",
        ),
        (("create", "--name", "n", "--scopes", "chat", "--tenant", "../x"), "tenant_not_found"),
        (("revoke", "key_0"), "key_not_found"),
        (("rotate", "key_0", "--grace", "-1s"), "invalid_request"),
    ],
)
def test_what_cannot_be_is_refused(arguments: tuple[str, ...], code: str) -> None:
    assert run(*arguments, code=1)["error"]["code"] == code
    assert run("ls")["data"] == []


def on_network() -> Settings:
    settings = load_settings()
    server = settings.server.model_copy(update={"host": "0.0.0.0"})
    return settings.model_copy(update={"server": server})


def test_up_on_a_network_address_is_refused_until_there_is_a_key(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Started(Exception):
        """The address was allowed."""

    def start(*_: object) -> None:
        raise Started

    monkeypatch.setattr(processes, "_start", start)
    with pytest.raises(HostForbidden) as refused:
        processes.up(on_network())
    (command,) = re.findall(r"fingerpost keys (.*)", str(refused.value))
    run(*command.split())
    with pytest.raises(Started):
        processes.up(on_network())


def test_the_command_of_the_refusal_makes_a_key_with_every_scope() -> None:
    run("create", "--name", "admin", "--scopes", "all")
    database = open_database(load_settings().database_url)
    assert keys_exist(database)
    (key,) = ApiKeys(database).list()
    assert set(key.allowed.scopes) == set(Scope)
    database.dispose()


def test_commands_send_the_key_of_the_environment_and_children_do_not_get_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sent: list[dict[str, str]] = []

    def request(*_arguments: object, headers: dict[str, str], **_options: object) -> None:
        sent.append(headers)
        raise httpx.ConnectError("nobody is there")

    monkeypatch.setattr("service.cli.client.httpx.Client.request", request)
    for key in ("fp_x", ""):
        monkeypatch.setenv("FINGERPOST_API_KEY", key)
        load_settings()  # it is no section of the configuration
        assert "FINGERPOST_API_KEY" not in child_environment()
        with pytest.raises(CommandFailed):
            Gateway("http://127.0.0.1:1").text("GET", "/health")
    assert sent[0]["authorization"] == "Bearer fp_x"
    assert "authorization" not in sent[1]


def test_a_key_is_made_for_no_tenant_that_is_being_deleted() -> None:
    assert CliRunner().invoke(app, ["tenants", "create", "acme"]).exit_code == 0
    Tenants(open_database(load_settings().database_url)).begin_deletion("acme")
    refused = run("create", "--name", "n", "--scopes", "chat", "--tenant", "acme", code=1)
    assert refused["error"]["code"] == "tenant_not_found"
    assert "being deleted" in refused["detail"]


def test_what_is_done_with_keys_stands_in_the_audit_log() -> None:
    key_id = run("create", "--name", "n", "--scopes", "chat")["id"]
    run("rotate", key_id)
    run("revoke", key_id)
    found = AuditLog(open_database(load_settings().database_url)).list()
    noted = [(row.action, row.object_id) for row in found]
    assert noted == [(f"keys {what}", key_id) for what in ("revoke", "rotate", "create")]
