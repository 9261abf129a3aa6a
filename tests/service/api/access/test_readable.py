"""Who reads the texts of a record, and what its trace says to other keys of the tenant."""

import json
from functools import partial
from typing import Any

import httpx
import pytest

from service.access import LOOPBACK_CALLER, Caller
from service.api.access.readable import may_read_texts
from service.stores.access.api_keys import ApiKeys, NewKey
from service.stores.records import Record
from tests.service.api.access.conftest import MakeKey, bearer
from tests.service.api.access.test_bound_keys import ask, label
from tests.service.conftest import Running
from tests.service.stores.test_records import observation, record
from tests.service.waiting import eventually

ANSWER = ("Within 30 days, says the handbook [1].",)


def decision(client: httpx.Client, request_id: str) -> dict[str, Any]:
    """Return a record once it is written."""
    eventually(lambda: client.get(f"/decisions/{request_id}").status_code == 200)
    found: dict[str, Any] = client.get(f"/decisions/{request_id}").json()
    return found


def has_texts(client: httpx.Client, request_id: str) -> bool:
    found = decision(client, request_id)
    assert (found["question"] is None) == (found["answer"] is None)
    return found["answer"] is not None


@pytest.fixture
def stored(keyed: Running) -> Running:
    """Store the texts of questions and answers; its document has the label `staff`."""
    label(keyed, "staff")
    records = keyed.context.records
    records._settings = records._settings.model_copy(update={"store_text": True})
    keyed.engine.switches.pieces = ANSWER
    return keyed


def test_texts_are_read_by_the_key_that_asked_also_once_it_is_rotated(
    stored: Running, keys: ApiKeys
) -> None:
    new = NewKey(name="n", scopes=("chat",), access_labels=("staff",))
    (made, key), (_, twin) = keys.create(new), keys.create(new)
    with httpx.Client(base_url=stored.client.base_url, timeout=15) as client:
        client.headers.update(bearer(key))
        asked = ask(client, use_case="demo", strategy="rag").json()["id"]
        assert decision(client, asked)["answer"] == ANSWER[0]
        _, rotated = keys.rotate(made.key_id, grace_s=0)
        client.headers.update(bearer(rotated))
        assert has_texts(client, asked)
        client.headers.update(bearer(twin))
        assert not has_texts(client, asked)


def test_an_admin_key_reads_what_it_could_have_asked(stored: Running, client_with: MakeKey) -> None:
    with client_with("chat", access_labels=("staff",)) as asker:
        asked = ask(asker, use_case="demo", strategy="rag").json()["id"]
    assert has_texts(stored.client, asked)  # its key may name any label
    for allowed, reads in (
        ({}, False),
        ({"access_labels": ("board",)}, False),
        ({"access_labels": ("staff", "board")}, True),
        ({"access_labels": ("staff",), "knowledge_bases": ("handbook",)}, False),
    ):
        with client_with("chat", "admin", **allowed) as admin:
            assert has_texts(admin, asked) is reads, allowed


def test_the_trace_names_no_document_to_a_key_without_its_label(
    stored: Running, client_with: MakeKey
) -> None:
    with client_with("chat", access_labels=("staff",)) as asker:
        told = ask(asker, use_case="demo", strategy="rag").json()
        mine = decision(asker, told["id"])
    (citation,) = told["citations"]
    names = {citation[name] for name in ("document_id", "chunk_id", "filename")}
    with client_with("chat") as other:
        trace = decision(other, told["id"])
    assert trace == {**mine, "question": None, "answer": None}
    assert trace["decision"]["settlement"]["evidence"]["passages"] == 1
    written = json.dumps(trace)
    assert not [name for name in (*names, "30 days", "handbook") if name in written]


def test_observations_of_a_bound_key_count_its_use_cases_alone(
    keyed: Running, client_with: MakeKey
) -> None:
    for number, use_case in enumerate(("hr", "hr", "demo")):
        seen = partial(observation, "hybrid", "a@1", differs=True)
        keyed.context.records.save(record(f"r{number}", use_case=use_case), seen)
    decision(keyed.client, "r2")

    def counted(client: httpx.Client) -> list[int]:
        return [row["requests"] for row in client.get("/observations").json()["data"]]

    assert counted(keyed.client) == [3]
    for use_cases, expected in ((("hr",), [2]), (("hr", "demo"), [3]), (("it",), [])):
        with client_with("experiments", use_cases=use_cases) as client:
            assert counted(client) == expected


ADMIN = Caller("t", frozenset({"admin"}), "key_a", None)


@pytest.mark.parametrize(
    ("caller", "of", "reads"),
    [
        (LOOPBACK_CALLER, {}, True),
        (LOOPBACK_CALLER, {"key_id": "key_b", "access_labels": ["x"]}, True),
        (Caller("t", frozenset({"chat"}), None, frozenset()), {"access_labels": []}, False),
        (ADMIN, {}, True),
        (Caller("t", ADMIN.scopes, "key_a", frozenset()), {"access_labels": []}, True),
        (Caller("t", ADMIN.scopes, "key_a", frozenset({"x"})), {}, False),  # not recorded by what
    ],
)
def test_records_without_a_key_are_read_by_whoever_owns_the_machine_and_admins(
    caller: Caller, of: dict[str, Any], reads: bool
) -> None:
    kept: Record = record("r1", **of)
    assert may_read_texts(caller, kept) is reads
