"""`GET /audit` shows a tenant its own changes, page by page."""

from dataclasses import replace

from service.stores.requests.chain import Change
from tests.service.conftest import Running

PUT = Change("default", "key_1", "http", "PUT /use_cases/{use_case_id}", "use_cases", "demo")


def test_changes_come_newest_first_and_by_pages(running: Running) -> None:
    for number in range(5):
        running.context.audit.append(replace(PUT, object_id=f"case-{number}"))
    page = running.client.get("/audit", params={"limit": 2}).json()
    assert [row["object_id"] for row in page["data"]] == ["case-4", "case-3"]
    assert page["has_more"] is True
    after = page["data"][-1]["id"]
    rest = running.client.get("/audit", params={"limit": 10, "after": after}).json()
    assert [row["object_id"] for row in rest["data"]] == ["case-2", "case-1", "case-0"]
    assert rest["has_more"] is False


def test_changes_of_another_tenant_are_not_shown(running: Running) -> None:
    running.context.audit.append(replace(PUT, tenant="acme"))
    assert running.client.get("/audit").json()["data"] == []


def test_changes_are_chosen_by_time(running: Running) -> None:
    row = running.context.audit.append(PUT)
    assert len(running.client.get("/audit", params={"since": row.created_at}).json()["data"]) == 1
    later = {"since": row.created_at + 1}
    assert running.client.get("/audit", params=later).json()["data"] == []


def test_a_malformed_page_is_refused(running: Running) -> None:
    assert running.client.get("/audit", params={"after": "x"}).status_code == 422
    assert running.client.get("/audit", params={"since": "nan"}).status_code == 422
    assert running.client.get("/audit", params={"after": 2**70}).status_code == 422
