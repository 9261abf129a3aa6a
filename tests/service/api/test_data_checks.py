"""Checks of training rows over HTTP: from the rows to the facts of the next decision and advice."""

import json
import time
from datetime import date
from typing import Any

import pytest

from service.cache import STALE_S
from tests.service.conftest import Running
from tests.service.waiting import eventually

Row = dict[str, Any]


def rows_of(count: int, **fields: object) -> list[Row]:
    """Distinct rows on lamps, of two kinds, written today's way."""
    return [
        {
            "prompt": f"lamp question {n}",
            "completion": f"Lamp number {n} can be returned within thirty days of its delivery.",
            "scenario": ["billing", "after-sales"][n % 2],
            **fields,
        }
        for n in range(count)
    ]


def check(running: Running, **body: Any) -> dict[str, Any]:
    reply = running.client.post("/use_cases/demo/data_checks", json=body)
    if reply.status_code == 202:  # a busy machine; the job goes on
        place = reply.headers["location"]
        eventually(lambda: running.client.get(place).json()["status"] == "succeeded")
        check_id = running.client.get(place).json()["result"]["data_check"]
        time.sleep(STALE_S)  # measured facts are remembered so long
        reply = running.client.get(f"/use_cases/demo/data_checks/{check_id}")
    assert reply.status_code == 200, reply.text
    done: dict[str, Any] = reply.json()
    return done


def statuses(done: dict[str, Any]) -> dict[str, str]:
    return {one["name"]: one["status"] for one in done["checks"]}


def facts(running: Running) -> dict[str, Any]:
    routed = running.client.post(
        "/route",
        json={"messages": [{"role": "user", "content": "Hello?"}], "use_case": "demo"},
    )
    assert routed.status_code == 200, routed.text
    return dict(routed.json()["decision"]["facts"])


def test_rows_are_checked_with_what_the_use_case_says(running: Running) -> None:
    running.put_use_case(
        domain_description="lamp question", scenarios=["billing", "after-sales"], knowledge_bases=[]
    )
    done = check(running, rows=rows_of(20), min_similarity=0.1)
    assert (done["object"], done["use_case"], done["rows"]) == ("data_check", "demo", 20)
    assert statuses(done) == {
        "relevance": "pass",
        "scenarios": "pass",
        "agreement": "unknown",
        "recency": "unknown",
        "personal_data": "pass",
    }
    assert done["verdict"] == "unknown"
    assert done["scenarios"] == {"billing": 10, "after-sales": 10}


def test_the_request_outranks_the_use_case(running: Running) -> None:
    running.put_use_case(
        domain_description="lamp question", scenarios=["billing"], knowledge_bases=[]
    )
    done = check(
        running, rows=rows_of(20), domain="zebras", scenarios=["refunds"], min_similarity=0.9
    )
    assert statuses(done)["relevance"] == "fail"
    assert done["scenarios"]["refunds"] == 0


def test_an_uploaded_file_is_checked_and_kept(running: Running) -> None:
    running.put_use_case(knowledge_bases=[])
    lines = "\n".join(json.dumps(row) for row in rows_of(3, note="call 13812345678"))
    lines += '\n{"prompt": "mail a.b@example.com", "completion": "done"}'
    upload = {"file": ("train.jsonl", lines.encode(), "application/jsonl")}
    file = running.client.post("/v1/files", data={"purpose": "fine-tune"}, files=upload).json()
    done = check(running, file_id=file["id"])
    personal = done["checks"][-1]
    assert (done["verdict"], personal["value"]) == ("fail", 1.0)  # notes are not trained on
    assert [(one["file"], one["line"]) for one in personal["evidence"]] == [("train.jsonl", 4)]
    place = f"/use_cases/demo/data_checks/{done['id']}"
    assert running.client.get(place).json() == done
    listed = running.client.get("/use_cases/demo/data_checks").json()["data"]
    assert [one["id"] for one in listed] == [done["id"]]


def test_what_was_checked_is_measured_and_beats_what_was_declared(running: Running) -> None:
    running.put_use_case(
        knowledge_bases=[], facts={"labelled_examples": 9000, "data_quality": "pass"}
    )
    assert facts(running)["labelled_examples"] == {
        "value": 9000,
        "provenance": "declared",
        "unit": "rows",
    }
    done = check(running, rows=rows_of(10) + [{"prompt": "a@b.cn", "completion": "x"}] * 2)
    assert done["distinct_rows"] == 11
    now = facts(running)
    assert now["labelled_examples"] == {"value": 11, "provenance": "measured", "unit": "rows"}
    assert now["data_quality"] == {"value": "fail", "provenance": "measured"}
    assert now["personal_data_rows"]["value"] == 2


def test_a_later_check_replaces_the_earlier_one(running: Running) -> None:
    running.put_use_case(knowledge_bases=[], facts={"data_quality": "pass"})
    check(running, rows=[{"prompt": "a@b.cn", "completion": "x"}])
    assert facts(running)["data_quality"]["value"] == "fail"
    check(running, rows=[*rows_of(2), *rows_of(2, date=date.today().isoformat())])
    now = facts(running)
    assert now["labelled_examples"]["value"] == 2
    assert "recent_rows_percent" not in now  # two rows in four say no date
    # not enough is known to measure the verdict, so what is declared stands again
    assert now["data_quality"] == {"value": "pass", "provenance": "declared"}
    assert now["personal_data_rows"]["value"] == 0


def test_without_a_check_nothing_is_measured(running: Running) -> None:
    running.put_use_case(knowledge_bases=[], facts={"labelled_examples": 7})
    assert running.client.get("/use_cases/demo/data_checks").json()["data"] == []
    now = facts(running)
    assert now["labelled_examples"]["provenance"] == "declared"
    assert "data_quality" not in now


def test_the_advice_names_the_missing_rows_and_the_disagreement(running: Running) -> None:
    running.put_use_case(
        knowledge_bases=[],
        facts={"need": "style", "task_type": "classification"},
        scenarios=["billing", "after-sales"],
    )
    labels = [
        {
            "prompt": f"Is {n // 2} a complaint?",
            "completion": "no" if n in (1, 3, 5) else "yes" if n % 4 < 2 else "no",
            "scenario": "after-sales" if n < 8 else "billing",
        }
        for n in range(80)
    ]
    done = check(running, rows=labels)
    agreement = next(one for one in done["checks"] if one["name"] == "agreement")
    assert (agreement["status"], agreement["found"]) == (
        "fail",
        2 * agreement["details"]["questions_disputed"],
    )
    advice = running.client.post("/advise", json={"use_case": "demo", "lang": "en"}).json()
    gaps = {gap["about"]: gap for gap in advice["missing"]}
    assert gaps["after-sales"]["missing"] == 1000 - 8
    assert gaps["label_disagreement_percent"]["have"] == agreement["value"]
    assert "label disagreement" in json.dumps(gaps["label_disagreement_percent"])


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, 400, "invalid_request"),
        ({"rows": [], "file_id": "file-1"}, 400, "invalid_request"),
        ({"rows": []}, 400, "invalid_training_data"),
        ({"rows": [{"question": "a"}]}, 400, "invalid_training_data"),
        ({"file_id": "file-none"}, 404, "file_not_found"),
        ({"rows": [{"prompt": "a", "completion": "b"}], "min_similarity": 2}, 422, None),
        ({"rows": [{"prompt": "a", "completion": "b"}], "domian": "x"}, 422, None),
    ],
)
def test_what_cannot_be_checked_is_refused_and_nothing_is_kept(
    running: Running, body: dict[str, Any], status: int, code: str | None
) -> None:
    running.put_use_case(knowledge_bases=[])
    reply = running.client.post("/use_cases/demo/data_checks", json=body)
    assert reply.status_code == status, reply.text
    assert code is None or reply.json()["error"]["code"] == code
    assert running.client.get("/use_cases/demo/data_checks").json()["data"] == []


def test_a_file_that_is_no_utf8_is_refused(running: Running) -> None:
    running.put_use_case(knowledge_bases=[])
    upload = {
        "file": ("rows.jsonl", '{"prompt": "請問在哪裡", "completion": "這裡"}'.encode("big5"))
    }
    file = running.client.post("/v1/files", files=upload).json()
    reply = running.client.post("/use_cases/demo/data_checks", json={"file_id": file["id"]})
    assert reply.status_code == 400
    assert "rows.jsonl: is not UTF-8" in reply.json()["detail"]


@pytest.mark.parametrize("method", ["post", "get"])
def test_an_unknown_use_case_has_no_checks(running: Running, method: str) -> None:
    options = {"json": {"rows": rows_of(1)}} if method == "post" else {}
    reply = getattr(running.client, method)("/use_cases/none/data_checks", **options)
    assert (reply.status_code, reply.json()["error"]["code"]) == (404, "use_case_not_found")


def test_a_check_of_another_use_case_is_not_found(running: Running) -> None:
    running.put_use_case(knowledge_bases=[])
    done = check(running, rows=rows_of(2))
    reply = running.client.get(f"/use_cases/other/data_checks/{done['id']}")
    assert (reply.status_code, reply.json()["error"]["code"]) == (404, "data_check_not_found")


def test_a_check_is_told_whole(running: Running) -> None:
    running.put_use_case(knowledge_bases=[])
    done = check(running, rows=[*rows_of(2), {"prompt": "a@b.cn", "completion": "x"}])
    assert set(done) == {
        *("id", "object", "use_case", "created_at", "verdict", "rows", "distinct_rows"),
        *("human_rows", "synthetic_rows", "unreviewed_rows"),
        *("context_rows", "scenarios", "checks"),
    }
    for one in done["checks"]:
        assert set(one) == {
            *("name", "status", "value", "unit", "needed", "missing", "found", "evidence"),
            "details",
        }
    personal = done["checks"][-1]
    assert personal["evidence"] == [{**personal["evidence"][0], "file": "rows.jsonl", "line": 3}]
    assert set(personal["evidence"][0]) == {"file", "line", "reason", "text"}
    assert personal["details"]["kinds"] == {"email": 1}
    page = running.client.get("/use_cases/demo/data_checks").json()
    assert page == {"object": "list", "data": [done], "has_more": False}


def test_a_check_that_takes_long_is_a_job(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    running.put_use_case(knowledge_bases=[])
    object.__setattr__(running.settings.server, "put_wait_s", 0.0)
    monkeypatch.setattr(
        "service.stores.leases.Leases.claim", lambda *_: None
    )  # no worker takes it up
    reply = running.client.post("/use_cases/demo/data_checks", json={"rows": rows_of(2)})
    job = reply.json()["job"]
    assert (reply.status_code, reply.headers["location"]) == (202, f"/jobs/{job['id']}")
    assert reply.json() == {"job": running.client.get(f"/jobs/{job['id']}").json()}
    assert (job["kind"], job["status"]) == ("data_check", "queued")


def test_a_sample_that_the_use_case_demands_is_read_in_the_review_queue(running: Running) -> None:
    running.put_use_case(knowledge_bases=[], manual_sample_share=0.2)
    rows = rows_of(10)
    asked = check(running, rows=rows)["checks"][-1]
    assert (asked["status"], asked["details"]["sampled_by_hand"]) == ("unknown", 0)
    assert asked["missing"] == "review 2 more rows by hand (`fingerpost data sample`)"
    turns = [
        [
            {"role": "user", "content": row["prompt"]},
            {"role": "assistant", "content": row["completion"]},
        ]
        for row in rows
    ]
    sent = [{"messages": each, "file": "rows.jsonl", "line": n + 1} for n, each in enumerate(turns)]
    added = running.client.post("/review_items", json={"batch": "rows", "rows": sent[:2]})
    assert added.json()["added"] == 2
    for item in running.client.get("/review_items").json()["data"]:
        reply = running.client.post(f"/review_items/{item['id']}/accept", json={})
        assert reply.json()["status"] == "accepted"
    read = check(running, rows=rows)["checks"][-1]
    assert (read["status"], read["missing"]) == ("pass", None)
    assert "sampled by hand: 2 of 2" in read["needed"]


def test_rows_that_a_model_made_are_no_labelled_examples_until_they_are_accepted(
    running: Running,
) -> None:
    running.put_use_case(knowledge_bases=[])
    made = check(running, rows=[*rows_of(3), *rows_of(5, synthetic=True, reviewed=False)[3:]])
    assert (made["rows"], made["unreviewed_rows"], made["synthetic_rows"]) == (5, 2, 2)
    assert facts(running)["labelled_examples"]["value"] == 3
