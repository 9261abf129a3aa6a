"""`fingerpost data sample` and `fingerpost data review`, against a canned gateway."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

from tests.service.cli.conftest import CannedGateway

Run = Callable[..., Result]


def item(item_id: str = "rev_1", status: str = "pending", **more: object) -> dict[str, Any]:
    row = {
        "messages": [
            {"role": "user", "content": "怎么退货？"},
            {"role": "assistant", "content": "七天内可退。"},
        ],
        "meta": {"made_by": "annotate", "synthetic": True, "reviewed": False},
        "file": "客服.jsonl",
        "line": 3,
    }
    kept = {
        "id": item_id,
        "batch": "客服",
        "status": status,
        "row": row,
        "edited": None,
        "note": "",
    }
    return {**kept, **more}


def test_a_tenth_of_the_rows_is_put_into_the_queue(
    run: Run, gateway: CannedGateway, tmp_path: Path
) -> None:
    file = tmp_path / "rows.jsonl"
    rows = [{"prompt": f"问题{n}", "completion": "好"} for n in range(21)]
    file.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    gateway.answer("POST /review_items", {"batch": "rows.jsonl", "added": 2, "already_there": 1})
    result = run("data", "sample", str(file), "--share", "0.1")
    assert result.stdout == "3 of 21 rows to review in batch 'rows.jsonl', 2 of them new\n"
    sent = gateway.sent("POST /review_items").json
    assert (sent["batch"], len(sent["rows"])) == ("rows.jsonl", 3)
    assert sent["rows"][0]["messages"][0]["content"] == f"问题{sent['rows'][0]['line'] - 1}"


def test_the_queue_is_listed_and_shown(run: Run, gateway: CannedGateway) -> None:
    gateway.answer("GET /review_items", {"data": [item()], "has_more": True})
    gateway.answer("GET /review_items/rev_1", item(note="看看"))
    listed = run("data", "review", "ls", "--batch", "客服")
    assert listed.stdout == "rev_1  pending  怎么退货？\n… and more (--limit)\n"
    assert "status=pending" in gateway.calls[-1].path
    run("data", "review", "ls", "--status", "all")
    assert "status" not in gateway.calls[-1].path
    shown = run("data", "review", "show", "rev_1").stdout
    assert "客服.jsonl, line 3" in shown
    assert "[assistant] 七天内可退。" in shown
    assert "note: 看看" in shown


def test_batches_are_counted_and_removed(run: Run, gateway: CannedGateway) -> None:
    counts = {"pending": 2, "accepted": 1, "edited": 0, "rejected": 4}
    gateway.answer("GET /review_batches", {"data": [{"id": "客服", **counts}]})
    listed = run("data", "review", "batches").stdout
    assert listed == "客服: 2 pending, 1 accepted, 0 edited, 4 rejected\n"
    gateway.answer("DELETE /review_batches/%E5%AE%A2%E6%9C%8D", {"id": "客服", "rows": 7})
    assert run("data", "review", "rm", "客服").stdout == "7 rows deleted\n"


@pytest.mark.parametrize(("verdict", "status"), [("accept", "accepted"), ("reject", "rejected")])
def test_several_rows_are_decided_at_once(
    run: Run, gateway: CannedGateway, verdict: str, status: str
) -> None:
    for item_id in ("rev_1", "rev_2"):
        gateway.answer(f"POST /review_items/{item_id}/{verdict}", item(item_id, status))
    result = run("data", "review", verdict, "rev_1", "rev_2", "--note", "因为")
    assert result.stdout == f"rev_1 is {status}\nrev_2 is {status}\n"
    assert gateway.calls[0].json == {"note": "因为", "again": False}


def test_an_edit_changes_the_answer_and_keeps_the_question(
    run: Run, gateway: CannedGateway
) -> None:
    gateway.answer("GET /review_items/rev_1", item())
    gateway.answer("POST /review_items/rev_1/edit", item(status="edited"))
    result = run("data", "review", "edit", "rev_1", "--answer", "七天内，原包装。")
    assert result.stdout == "rev_1 is edited\n"
    assert gateway.sent("POST /review_items/rev_1/edit").json["messages"] == [
        {"role": "user", "content": "怎么退货？"},
        {"role": "assistant", "content": "七天内，原包装。"},
    ]
    assert run("data", "review", "edit", "rev_1").exit_code == 1


def test_what_people_let_stand_is_written_and_nothing_else(
    run: Run, gateway: CannedGateway, tmp_path: Path
) -> None:
    changed = {**item()["row"], "messages": item()["row"]["messages"][:1] * 1}
    changed["messages"] = [*changed["messages"], {"role": "assistant", "content": "三天。"}]
    data = [
        item("rev_1", "accepted"),
        item("rev_2", "edited", edited=changed),
        item("rev_3", "rejected"),
        item("rev_4"),
    ]
    gateway.answer("GET /review_items", {"data": data, "has_more": False})
    out = tmp_path / "reviewed.jsonl"
    result = run("data", "review", "export", str(out))
    assert result.stdout == f"2 rows: {out}, 1 are still pending\n"
    rows = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert [row["messages"][-1]["content"] for row in rows] == ["七天内可退。", "三天。"]
    assert rows[0]["meta"] == {"made_by": "annotate", "synthetic": False, "reviewed": True}
