"""Jobs, comparisons and decisions of work that a key could not have started."""

from service.api.access.bound_jobs import SCOPES
from service.stores import job_kinds
from service.stores.job_kinds import JobKind
from tests.service.api.access.conftest import EVERY, MakeKey
from tests.service.api.access.test_bound_keys import ROWS, ask
from tests.service.conftest import Running
from tests.service.waiting import eventually


def test_every_kind_of_job_has_the_scope_that_starts_it() -> None:
    kinds = {kind.name for kind in vars(job_kinds).values() if isinstance(kind, JobKind)}
    assert set(SCOPES) == kinds


def test_a_key_sees_and_ends_only_jobs_of_its_own_scopes(
    keyed: Running, client_with: MakeKey
) -> None:
    body = {"use_case": "demo", "rows": ROWS, "strategies": ["prompt_only"]}
    compared = keyed.client.post("/compare", json=body).json()["id"]
    every = [row["id"] for row in keyed.client.get("/jobs").json()["data"]]
    ingested = [each for each in every if each != compared]
    assert ingested
    with client_with("kb:write") as writer, client_with("experiments") as experimenter:
        assert [row["id"] for row in writer.get("/jobs").json()["data"]] == ingested
        assert [row["id"] for row in experimenter.get("/jobs").json()["data"]] == [compared]
        for path in (f"/jobs/{compared}", f"/jobs/{compared}/cancel"):
            method = "POST" if path.endswith("cancel") else "GET"
            reply = writer.request(method, path)
            assert reply.status_code == 404
            missing = writer.request(method, path.replace(compared, "job_0"))
            assert reply.json()["detail"].replace(compared, "job_0") == missing.json()["detail"]


def test_a_page_of_jobs_is_filled_with_jobs_that_are_seen(
    keyed: Running, client_with: MakeKey
) -> None:
    body = {"use_case": "demo", "rows": ROWS, "strategies": ["prompt_only"]}
    for _ in range(3):  # newer than the ingest jobs
        keyed.client.post("/compare", json=body)
    with client_with("kb:write") as writer:
        page = writer.get("/jobs", params={"limit": 1}).json()
    assert len(page["data"]) == 1


def test_a_key_bound_to_a_use_case_or_base_sees_no_work_of_another(
    keyed: Running, client_with: MakeKey
) -> None:
    body = {"use_case": "demo", "rows": ROWS, "strategies": ["prompt_only"]}
    compared = keyed.client.post("/compare", json=body).json()["id"]
    finished = f"/compare/{compared}"
    eventually(lambda: keyed.client.get(finished).json()["status"] == "succeeded")
    saved = keyed.client.get("/compare").json()["data"][0]["id"]
    asked = ask(keyed.client, use_case="demo").json()["id"]
    eventually(lambda: keyed.client.get(f"/decisions/{asked}").status_code == 200)
    with client_with(*EVERY, use_cases=("hr",), knowledge_bases=("hr",)) as client:
        assert client.get("/jobs").json()["data"] == []
        assert client.get("/compare").json()["data"] == []
        for path in (finished, f"{finished}/outcomes", f"/compare/{saved}"):
            assert client.get(path).status_code == 404
        assert client.get(f"/compare/{saved}/regret").status_code == 404
        assert client.get(f"/decisions/{asked}").status_code == 404


def test_a_comparison_is_bound_as_the_key_that_started_it(
    keyed: Running, client_with: MakeKey
) -> None:
    body = {"use_case": "demo", "rows": ROWS, "strategies": ["rag"]}
    with client_with(*EVERY, knowledge_bases=("hr",)) as client:
        started = client.post("/compare", json=body).json()["id"]
        eventually(lambda: keyed.client.get(f"/compare/{started}").json()["status"] == "succeeded")
    outcomes = keyed.client.get(f"/compare/{started}/outcomes")
    assert outcomes.status_code == 200
    assert outcomes.json()["outcome"] == "error"


def test_a_page_of_comparisons_is_filled_with_those_of_the_key_s_use_cases(
    keyed: Running, client_with: MakeKey
) -> None:
    body = {"use_case": "demo", "rows": ROWS, "strategies": ["prompt_only"]}
    started = keyed.client.post("/compare", json=body).json()["id"]
    eventually(lambda: keyed.client.get(f"/compare/{started}").json()["status"] == "succeeded")
    (saved,) = keyed.context.comparisons.list(tenant="default")
    keyed.context.comparisons.save("hr", saved.summary, [], tenant="default")
    with client_with(*EVERY, use_cases=("demo",)) as client:
        page = client.get("/compare", params={"limit": 1}).json()
    assert ([row["id"] for row in page["data"]], page["has_more"]) == ([saved.comparison_id], False)
