"""Keys bound to use cases, knowledge bases and labels; signed links; streams that end."""

import json
import threading
import time
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import anyio
import httpx
import pytest
from sqlalchemy import select

from service.access_errors import KeyRevoked
from service.api.access.authentication import caller_of_key
from service.stores.access.api_keys import CREATION, ApiKeys, NewKey, api_keys
from service.stores.access.worker_requests import worker_key
from service.stores.jobs import jobs
from service.stores.requests.audit_log import AuditLog
from service.stores.requests.chain import Change
from tests.service.api.access.conftest import EVERY, MakeKey, bearer
from tests.service.conftest import Running

QUESTION = "Within how many days of delivery can a lamp be returned?"
ROWS = [{"id": "q1", "kind": "chitchat", "question": "Hello!"}]
SEARCH = "/v1/vector_stores/handbook/search"


def ask(client: httpx.Client, **body: object) -> httpx.Response:
    messages = [{"role": "user", "content": QUESTION}]
    return client.post("/chat", json={"messages": messages, **body})


def label(keyed: Running, *labels: str) -> None:
    body = {"filename": "returns.md", "content": "A lamp can be returned within 30 days."}
    path = "/v1/vector_stores/handbook/documents/returns.md"
    assert keyed.client.put(path, json={**body, "access_labels": labels}).status_code == 200


def test_a_key_bound_to_a_use_case_finds_no_other(keyed: Running, client_with: MakeKey) -> None:
    other = {"id": "hr", "role": "You help."}
    assert keyed.client.put("/use_cases/hr", json=other).status_code == 200
    with client_with(*EVERY, use_cases=("hr",)) as client:
        assert [row["id"] for row in client.get("/use_cases").json()["data"]] == ["hr"]
        for reply in (
            client.get("/use_cases/demo"),
            client.delete("/use_cases/demo"),
            ask(client, use_case="demo"),
            client.post("/advise", json={"use_case": "demo"}),
            client.post("/compare", json={"use_case": "demo", "rows": ROWS}),
        ):
            assert reply.status_code == 404, reply.text
        assert ask(client, use_case="hr").status_code == 200
        body = {"messages": [{"role": "user", "content": QUESTION}]}
        assert client.post("/route", json=body).json()["use_case"] == "hr"  # its only one
    with client_with("chat", use_cases=("hr", "it")) as client:
        reply = ask(client)
        assert (reply.status_code, reply.json()["error"]["code"]) == (400, "use_case_required")


def test_a_key_bound_to_a_base_finds_no_other(keyed: Running, client_with: MakeKey) -> None:
    made = {"name": "hr", "id": "hr"}
    assert keyed.client.post("/v1/vector_stores", json=made).status_code == 200
    with client_with(*EVERY, knowledge_bases=("hr",)) as client:
        assert [row["id"] for row in client.get("/v1/vector_stores").json()["data"]] == ["hr"]
        assert client.get("/v1/vector_stores/handbook").status_code == 404
        assert client.post(SEARCH, json={"query": "lamp"}).status_code == 404
        assert ask(client, knowledge_bases=["handbook"]).status_code == 404
        through_use_case = ask(client, use_case="demo")
        assert "30 days" not in str(keyed.engine.requests)
        assert through_use_case.json().get("citations", []) == []
        assert client.post("/v1/vector_stores", json={"name": "x", "id": "x"}).status_code == 403
    missing = keyed.client.get("/v1/vector_stores/nowhere").json()
    with client_with("kb:read", knowledge_bases=("hr",)) as client:
        bound = client.get("/v1/vector_stores/handbook").json()
    assert bound["detail"].replace("handbook", "nowhere") == missing["detail"]


def test_labels_of_a_body_narrow_those_of_the_key(keyed: Running, client_with: MakeKey) -> None:
    label(keyed, "staff")

    def found(client: httpx.Client, **named: object) -> int:
        reply = client.post(SEARCH, json={"query": "lamp returned", **named})
        assert reply.status_code == 200, reply.text
        return len(reply.json()["data"])

    with (
        client_with("kb:read", access_labels=("staff",)) as held,
        client_with("kb:read") as none,
        client_with("kb:read", "labels") as trusted,
    ):
        assert found(held) == 1
        assert found(held, access_labels=["staff", "board"]) == 1
        assert found(held, access_labels=[]) == 0
        assert found(none) == found(none, access_labels=["staff"]) == 0
        assert found(trusted, access_labels=["staff"]) == 1
        assert found(trusted, access_labels=["board"]) == 0
        path = "/v1/vector_stores/handbook/documents/returns.md"
        assert (held.get(path).status_code, none.get(path).status_code) == (200, 404)


@pytest.mark.parametrize("path", ["/chat", "/v1/chat/completions", "/v1/responses"])
def test_no_answer_rests_on_what_the_key_may_not_read(
    keyed: Running, client_with: MakeKey, path: str
) -> None:
    label(keyed, "staff")
    messages = [{"role": "user", "content": QUESTION}]
    body = {"messages": messages, "model": "rag", "input": QUESTION, "access_labels": ["staff"]}
    bodies: dict[str, dict[str, object]] = {
        "/chat": {"messages": messages, "access_labels": ["staff"]},
        "/v1/chat/completions": {k: v for k, v in body.items() if k != "input"},
        "/v1/responses": {k: v for k, v in body.items() if k != "messages"},
    }
    kept = bodies[path]
    with client_with("chat") as none, client_with("chat", access_labels=("staff",)) as held:
        none.post(path, json={**kept, "use_case": "demo"})
        assert "30 days" not in str(keyed.engine.requests)
        del kept["access_labels"]
        held.post(path, json={**kept, "use_case": "demo"})
        assert "30 days" in str(keyed.engine.requests)


def link_of(client: httpx.Client, keyed: Running) -> str:
    keyed.engine.switches.pieces = ("Within 30 days [1].",)
    messages = [{"role": "user", "content": QUESTION}]
    body = {"model": "rag", "messages": messages, "use_case": "demo"}
    done = client.post("/v1/chat/completions", json=body).json()
    (annotation,) = done["choices"][0]["message"]["annotations"]
    return str(annotation["url_citation"]["url"])


def test_a_cited_page_opens_by_its_signed_link_for_an_hour(
    keyed: Running, client_with: MakeKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    label(keyed, "staff")
    with client_with("chat", access_labels=("staff",)) as client:
        link = link_of(client, keyed)
    assert "30 days" in httpx.get(link).text
    signed = parse_qs(urlsplit(link).query)
    assert (signed["tenant"], signed["label"]) == (["default"], ["staff"])
    plain = link.partition("?")[0]
    assert httpx.get(plain).status_code == 401
    for broken in (
        link.replace("tenant=default", "tenant=other"),
        link.replace("label=staff", "label=board"),
        link.replace("/returns.md", "/other.md"),
        link.replace("expires=", "expires=9"),
        link.replace("signature=", "signature=0"),
    ):
        assert httpx.get(broken).json()["error"]["code"] == "link_refused"
    for jump_s in (3601, -90):  # the clock went on, or was set back
        now = time.time() + jump_s
        monkeypatch.setattr("service.api.access.authentication.time.time", lambda now=now: now)
        assert "one hour" in httpx.get(link).json()["detail"]
        monkeypatch.undo()


def test_a_link_ends_with_the_labels_of_its_document(keyed: Running, client_with: MakeKey) -> None:
    with client_with("chat") as client:
        link = link_of(client, keyed)
    assert httpx.get(link).status_code == 200
    label(keyed, "staff")
    assert httpx.get(link).status_code == 404


@pytest.mark.parametrize("path", ["/chat", "/v1/chat/completions", "/v1/responses"])
def test_a_key_revoked_in_the_middle_of_a_stream_ends_it_with_an_error(
    keyed: Running, keys: ApiKeys, path: str
) -> None:
    made, key = keys.create(NewKey(name="n", scopes=("chat",)))
    keyed.engine.switches.pieces = ("Within 30 days [1]. ",) * 200
    keyed.engine.switches.pause_s = 0.05
    messages = [{"role": "user", "content": QUESTION}]
    asked = {"input": QUESTION} if path == "/v1/responses" else {"messages": messages}
    model = {} if path == "/chat" else {"model": "prompt_only"}
    body = {**asked, **model, "stream": True}
    began = time.monotonic()
    with (
        httpx.Client(base_url=keyed.client.base_url, headers=bearer(key), timeout=15) as client,
        client.stream("POST", path, json=body) as reply,
    ):
        assert reply.status_code == 200
        threading.Timer(0.3, keys.revoke, [made.key_id]).start()
        text = "".join(reply.iter_text())
    assert "key_revoked" in text.strip().split("\n\n")[-1]
    assert time.monotonic() - began < 4  # whole, it would take ten seconds
    deadline = time.monotonic() + 2
    while keyed.engine.running:  # the model server is free again
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_the_worker_asks_its_gateway_although_there_are_keys(keyed: Running) -> None:
    body = {"use_case": "demo", "rows": ROWS, "strategies": ["prompt_only"]}
    started = keyed.client.post("/compare", json=body)
    assert started.status_code == 202, started.text
    deadline = time.monotonic() + 15
    while not (found := keyed.client.get(f"/compare/{started.json()['id']}").json()).get("summary"):
        assert time.monotonic() < deadline, found
        time.sleep(0.05)
    lines = keyed.client.get(f"/compare/{started.json()['id']}/outcomes").text.splitlines()
    assert [json.loads(line).get("error") for line in lines] == [None]


def test_a_file_of_a_document_with_others_labels_cannot_be_added_again(
    keyed: Running, client_with: MakeKey
) -> None:
    put = keyed.client.put(
        "/v1/vector_stores/handbook/documents/pay.md",
        files={"file": ("pay.md", b"# Pay\n\nThe night rate is 31 euros.")},
        data={"access_labels": '["hr"]'},
    )
    assert put.status_code == 200, put.text
    kept = keyed.client.post(
        "/v1/files", files={"file": ("pay.md", b"# Pay\n\nThe night rate is 31 euros.")}
    ).json()["id"]
    asked = {"file_id": kept}
    with client_with("kb:read", "kb:write", access_labels=("it",)) as other:
        refused = other.post("/v1/vector_stores/handbook/files", json=asked)
        assert (refused.status_code, refused.json()["error"]["code"]) == (404, "file_not_found")
    with client_with("kb:read", "kb:write", access_labels=("hr",)) as reader:
        assert reader.post("/v1/vector_stores/handbook/files", json=asked).status_code == 200


def test_keys_that_left_with_their_tenant_open_nothing(keyed: Running, keys: ApiKeys) -> None:
    database = keyed.context.database
    AuditLog(database).append(Change("acme", None, "command", CREATION, "keys"))
    with database.execution_options(write=True).begin() as connection:
        connection.execute(api_keys.delete())
    assert keys.exist()


def test_other_bytes_under_the_name_of_a_guarded_document_are_a_file_of_ones_own(
    keyed: Running, client_with: MakeKey
) -> None:
    label(keyed, "hr")
    keyed.client.post("/v1/vector_stores", json={"name": "own", "id": "own"})
    own = {"file": ("returns.md", b"# Mine\n\nThe cellar is dry.")}
    with client_with("kb:read", "kb:write", access_labels=("it",)) as other:
        kept = other.post("/v1/files", files=own).json()["id"]
        added = other.post("/v1/vector_stores/own/files", json={"file_id": kept})
    assert added.status_code == 200, added.text


@pytest.mark.anyio
async def test_a_job_ends_with_the_key_that_started_it(keyed: Running, keys: ApiKeys) -> None:
    made, _ = keys.create(NewKey(name="n", scopes=("experiments",), use_cases=("demo",)))
    asked = worker_key(keyed.context.worker_requests, "default", made.key_id)
    known = await caller_of_key(asked, keyed.context)
    assert (known.scopes, known.use_cases) == (frozenset({"chat"}), frozenset({"demo"}))
    assert known.key_id == made.key_id  # what it asks counts for the key
    keys.revoke(made.key_id)
    await anyio.sleep(0.7)  # a gateway knows within half a second
    with pytest.raises(KeyRevoked):
        await caller_of_key(asked, keyed.context)


@pytest.mark.parametrize("path", ["/v1/files", "/v1/vector_stores/handbook/documents/slow.md"])
def test_an_upload_whose_key_is_revoked_meanwhile_writes_nothing(
    keyed: Running, keys: ApiKeys, path: str
) -> None:
    made, key = keys.create(NewKey(name="n", scopes=("kb:write",)))
    head, tail = b"x" * 4_000, b"y" * 4_000

    def body() -> Iterator[bytes]:
        yield b'--b\r\ncontent-disposition: form-data; name="file"; filename="slow.md"\r\n\r\n'
        yield head
        keys.revoke(made.key_id)
        time.sleep(0.7)  # a gateway knows within half a second
        yield tail + b"\r\n--b--\r\n"

    kind = {"content-type": "multipart/form-data; boundary=b", **bearer(key)}
    method = "POST" if path == "/v1/files" else "PUT"
    with httpx.Client(base_url=keyed.client.base_url, headers=kind, timeout=15) as client:
        refused = client.request(method, path, content=body())
    assert (refused.status_code, refused.json()["error"]["code"]) == (401, "key_revoked")
    found = keyed.client.get("/v1/vector_stores/handbook/documents/slow.md")
    assert found.status_code == 404


def test_files_added_by_a_key_are_queued_as_its_own(keyed: Running, keys: ApiKeys) -> None:
    made, key = keys.create(NewKey(name="n", scopes=("kb:write",)))
    with httpx.Client(base_url=keyed.client.base_url, headers=bearer(key), timeout=15) as client:
        kept = client.post("/v1/files", files={"file": ("a.md", b"# A\n\nA lamp.")}).json()["id"]
        for path, body in (("files", {"file_id": kept}), ("file_batches", {"file_ids": [kept]})):
            added = client.post(f"/v1/vector_stores/handbook/{path}", json=body)
            assert added.status_code == 200, added.text
    rows = select(jobs.c.key_id).where(jobs.c.key_id.is_not(None))
    with keyed.context.database.connect() as connection:
        assert connection.execute(rows).scalars().all() == [made.key_id, made.key_id]
