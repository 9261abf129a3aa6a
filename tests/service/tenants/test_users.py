"""One user is erased: records and log lines of that user, of that tenant, and nothing else."""

import json

import pytest
from typer.testing import CliRunner

from service.access_errors import TenantNotFound
from service.cli import app
from service.settings import Settings
from service.tenants.users import erase_user
from tests.fakes.two_tenants import ACME, BOLT, TwoTenants, files_with, two_tenants
from tests.service.tenants.test_deletion import rows_of
from tests.service.waiting import eventually

SAID = {(ACME, "jo.doe"): "quixlmb", (ACME, "sam"): "quixlmd", (BOLT, "jo.doe"): "quixlmf"}


def ask_all(running: TwoTenants) -> dict[tuple[str, str], str]:
    """Have each user of each tenant ask, by each protocol that names the user; return ids."""
    asked = {}
    for (tenant, user), word in SAID.items():
        client, text = running.clients[tenant], f"Please say {word}!"
        turns = [{"role": "user", "content": text}]
        model = {"model": "prompt_only", "user": user}
        replies = (
            client.post("/chat", json={"messages": turns, "user": user}),
            client.post("/v1/chat/completions", json={"messages": turns, **model}),
            client.post("/v1/responses", json={"input": text, **model}),
        )
        assert [reply.status_code for reply in replies] == [200, 200, 200], replies[1].text
        asked[tenant, user] = replies[0].headers["x-request-id"]
    database = running.context.database
    eventually(lambda: rows_of(database, ACME).get("records") == 6)
    eventually(lambda: rows_of(database, BOLT).get("records") == 3)
    return asked


def test_a_user_is_erased_and_others_stay(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with two_tenants(settings, works=False) as running:
        asked = ask_all(running)
        lines = [f"2026-11-30 10:00:00 ERROR request {name} failed\n" for name in asked.values()]
        (settings.paths.logs / "gateway.log").write_text("".join(lines))
    monkeypatch.setenv("FINGERPOST_HOME", str(settings.home))
    done = CliRunner().invoke(app, ["users", "erase", "jo.doe", "--tenant", ACME, "--json"])
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert (told["rows"], told["log_lines"], told["left"]) == (3, 1, [])
    assert set(files_with(settings.home, *SAID.values())) == {"quixlmd", "quixlmf"}
    gone = asked[ACME, "jo.doe"]
    assert set(files_with(settings.home, *asked.values())) == set(asked.values()) - {gone}


def test_a_tenant_must_exist_and_a_user_need_not(settings: Settings) -> None:
    with two_tenants(settings, works=False) as running:
        database = running.context.database
        with pytest.raises(TenantNotFound):
            erase_user(settings, database, "jo", tenant="nobody")
        assert erase_user(settings, database, "nobody", tenant=ACME).rows == 0
