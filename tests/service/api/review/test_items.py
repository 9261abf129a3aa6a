"""`/review_items`: rows come in, people decide, and what they decided is told."""

from typing import Any

import httpx
import pytest

from tests.service.conftest import Running


def row(number: int = 1, answer: str = "可以", **meta: object) -> dict[str, Any]:
    turns = [
        {"role": "user", "content": f"问题{number}"},
        {"role": "assistant", "content": answer},
    ]
    return {"messages": turns, "meta": meta, "file": "客服.jsonl", "line": number}


def add(running: Running, *rows: dict[str, Any]) -> dict[str, Any]:
    reply = running.client.post("/review_items", json={"batch": "客服/十月", "rows": rows})
    assert reply.status_code == 200, reply.text
    found: dict[str, Any] = reply.json()
    return found


def decide(running: Running, item: dict[str, Any], verdict: str, **body: Any) -> httpx.Response:
    return running.client.post(f"/review_items/{item['id']}/{verdict}", json=body)


def test_rows_are_added_listed_and_decided(running: Running) -> None:
    assert add(running, row(1), row(2, scenario="退货"), row(3)) == {
        "object": "review_batch",
        "batch": "客服/十月",
        "added": 3,
        "already_there": 0,
    }
    assert add(running, row(1))["already_there"] == 1
    first, second, third = running.client.get("/review_items").json()["data"]
    assert (second["status"], second["row"]) == ("pending", row(2, scenario="退货"))
    assert decide(running, first, "accept").json()["status"] == "accepted"
    turns = row(2, "七天内可以")["messages"]
    edited = decide(running, second, "edit", messages=turns, note="太短").json()
    assert (edited["status"], edited["note"]) == ("edited", "太短")
    assert edited["edited"] == {**row(2, scenario="退货"), "messages": turns}
    assert decide(running, third, "reject", note="错").json()["status"] == "rejected"
    pending = running.client.get("/review_items", params={"status": "pending"}).json()
    assert pending["data"] == []
    assert running.client.get("/review_batches").json()["data"] == [
        {
            "id": "客服/十月",
            "object": "review_batch",
            "pending": 0,
            "accepted": 1,
            "edited": 1,
            "rejected": 1,
        }
    ]


def test_pages_follow_each_other(running: Running) -> None:
    add(running, *(row(n) for n in range(1, 6)))
    page = running.client.get("/review_items", params={"limit": 2}).json()
    assert ([one["row"]["line"] for one in page["data"]], page["has_more"]) == ([1, 2], True)
    after = {"limit": 9, "after": page["data"][-1]["id"], "batch": "客服/十月"}
    rest = running.client.get("/review_items", params=after).json()
    assert ([one["row"]["line"] for one in rest["data"]], rest["has_more"]) == ([3, 4, 5], False)


def test_a_second_decision_is_a_conflict_unless_it_replaces_the_first(running: Running) -> None:
    add(running, row())
    [item] = running.client.get("/review_items").json()["data"]
    decide(running, item, "accept")
    again = decide(running, item, "reject")
    assert (again.status_code, again.json()["error"]["code"]) == (409, "already_reviewed")
    assert decide(running, item, "reject", again=True).json()["status"] == "rejected"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"batch": "b", "rows": [{**row(), "messages": row()["messages"][::-1]}]}, 400),
        ({"batch": "b", "rows": []}, 422),
        ({"batch": "b\n", "rows": [row()]}, 422),
        ({"batch": "b", "rows": [{**row(), "labels": 1}]}, 422),
    ],
)
def test_what_is_no_row_is_refused(running: Running, body: dict[str, Any], status: int) -> None:
    assert running.client.post("/review_items", json=body).status_code == status
    assert running.client.get("/review_batches").json()["data"] == []


def test_an_edit_must_be_a_conversation_to_train_on(running: Running) -> None:
    add(running, row())
    [item] = running.client.get("/review_items").json()["data"]
    refused = decide(running, item, "edit", messages=row(1, " ")["messages"])
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "invalid_training_data")


def test_every_decision_is_in_the_audit_log(running: Running) -> None:
    add(running, row())
    [item] = running.client.get("/review_items").json()["data"]
    decide(running, item, "accept")
    deleted = running.client.delete("/review_batches/客服/十月")
    assert deleted.json() == {
        "id": "客服/十月",
        "object": "review_batch",
        "deleted": True,
        "rows": 1,
    }
    logged = running.client.get("/audit", params={"limit": 3}).json()["data"]
    assert [(one["action"], one["kind"], one["object_id"]) for one in logged] == [
        ("DELETE /review_batches/{batch}", "review_batches", "客服/十月"),
        ("POST /review_items/{item_id}/accept", "review_items", item["id"]),
        ("POST /review_items", "review_items", "客服/十月"),
    ]
