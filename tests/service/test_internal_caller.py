"""The worker asks in the name of the tenant whose comparison it runs, and nobody else can."""

from pathlib import Path

import pytest

from service.home import Home
from service.internal_caller import HEADER, read_signed, sign
from service.settings import JobSettings, ServerSettings, Settings
from tests.fakes.two_tenants import ACME, BOLT, fill, two_tenants
from tests.service.conftest import Running
from tests.service.tenants.test_isolation import SAID
from tests.service.waiting import eventually


def test_a_signed_tenant_may_ask_questions_alone(tmp_path: Path) -> None:
    home = Home(tmp_path)
    caller = read_signed(home, sign(home, "acme"))
    assert caller is not None
    assert (caller.tenant, caller.scopes, caller.access_labels) == (
        "acme",
        frozenset({"chat"}),
        frozenset(),
    )


@pytest.mark.parametrize("change", ["other tenant", "other home", "cut", "none", "empty", "名"])
def test_what_is_not_signed_by_this_home_proves_nothing(tmp_path: Path, change: str) -> None:
    home = Home(tmp_path / "home")
    signed = sign(home, "acme")
    forged = {
        "other tenant": signed.replace("acme", "bolt"),
        "other home": sign(Home(tmp_path / "other"), "acme"),
        "cut": signed[:-1],
        "none": "acme",
        "empty": "",
    }
    assert read_signed(home, forged.get(change, change)) is None


def test_a_forged_header_is_refused(running: Running) -> None:
    body = {"messages": [{"role": "user", "content": "Hello!"}]}
    signed = sign(running.settings.paths, "default")
    assert running.client.post("/chat", json=body, headers={HEADER: signed}).status_code == 200
    forged = {HEADER: signed[:-2] + "xx"}
    assert running.client.post("/chat", json=body, headers=forged).status_code == 403


def test_a_comparison_asks_what_its_own_tenant_has(tmp_path: Path) -> None:
    settings = Settings(
        home=tmp_path / "home",
        server=ServerSettings(put_wait_s=60.0),
        jobs=JobSettings(poll_s=0.02),
    )
    settings.paths.make()
    with two_tenants(settings) as running:
        for number, tenant in enumerate((ACME, BOLT)):
            fill(running, tenant, SAID[tenant][:18], adapter=number)
        client, word = running.clients[BOLT], SAID[BOLT][6]
        case = client.get("/use_cases").json()["data"][0]["id"]
        client.put("/use_cases/same", json={"id": "same", "role": f"You are {word}."})
        running.clients[ACME].put("/use_cases/same", json={"id": "same", "role": "You are us."})
        rows = [{"id": "q", "question": "Hello!", "kind": "chitchat"}]
        for use_case in (case, "same"):
            body = {"use_case": use_case, "rows": rows, "strategies": ["prompt_only"]}
            done = client.post("/compare", json=body)
            assert done.status_code in (200, 202), done.text
        eventually(lambda: len(client.get("/compare").json()["data"]) == 2)
        prompts = [str(request["messages"]) for request in running.engine.requests]
    assert word in prompts[-1]
