"""Requests made up from the OpenAPI document: no reply breaks it, none is a server error.

Hypothesis derives them from the schemas, valid ones and others, always the same ones. They are sent
to a gateway without API keys and to one that has some, there with a key that may do all, with one
that may do little and is bound, with one that is none, and with none.
"""

import json
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from service.access import Scope
from service.api.docs.document import operations
from service.stores.access.api_keys import ApiKeys, NewKey
from service.stores.leases import Leases
from tests.service.conftest import Running
from tests.service.waiting import eventually

CASES, LONG_CASES = 250, 2_500  # each without and with keys
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


@pytest.mark.parametrize("with_keys", [False, True], ids=["without keys", "with keys"])
@pytest.mark.timeout(600, func_only=True)
def test_no_request_is_answered_otherwise_than_the_document_says(
    running: Running,
    pytestconfig: pytest.Config,
    monkeypatch: pytest.MonkeyPatch,
    *,
    with_keys: bool,
) -> None:
    document = running.client.get("/openapi.json").json()
    schema = schemathesis.openapi.from_dict(document)
    found = [found.ok() for found in schema.get_all_operations() if isinstance(found, Ok)]
    assert len(found) == len(list(operations(document)))
    asked = sorted(found, key=lambda one: (one.method == "delete", one.label))
    varied = sum(_varies(operation) for operation in asked)
    wanted = LONG_CASES if pytestconfig.getoption("--long") else CASES
    known = known_ids(running)
    monkeypatch.setattr(Leases, "claim", lambda *_: None)
    object.__setattr__(running.settings.server, "put_wait_s", 0.0)  # what is queued now stays so
    sent = make_keys(running) if with_keys else ({},)
    run = Run(str(running.client.base_url), known, sent)
    for operation in asked:
        run.try_out(operation, -(-wanted // varied) if _varies(operation) else 1)
    assert run.broken == {}
    assert run.cases >= wanted


def known_ids(running: Running) -> dict[str, str]:
    """Make one of everything, so that made-up requests reach more than 404; return the ids."""
    adapter = running.prepare()
    client = running.client
    rows = [{"instruction": f"Question {n}?", "output": f"Answer {n}."} for n in range(4)]
    lines = "\n".join(json.dumps(row) for row in rows)
    file = client.post("/v1/files", files={"file": ("rows.jsonl", lines)}).json()
    batches = "/v1/vector_stores/handbook/file_batches"
    batch = client.post(batches, json={"file_ids": [file["id"]]}).json()
    check = client.post("/use_cases/demo/data_checks", json={"rows": rows}).json()
    turns = [{"role": "user", "content": "Hello!"}, {"role": "assistant", "content": "Hello."}]
    queued = {"batch": "rows", "rows": [{"messages": turns, "file": "rows.jsonl", "line": 1}]}
    client.post("/review_items", json=queued)
    answer = running.ask(use_case="demo").json()
    return {
        "base_id": "handbook",
        "external_id": "returns.md",
        "batch_id": batch["id"],
        "use_case_id": "demo",
        "check_id": check["id"],
        "file_id": file["id"],
        "item_id": client.get("/review_items").json()["data"][0]["id"],
        "batch": "rows",
        "job_id": client.get("/jobs").json()["data"][0]["id"],
        "request_id": answer["id"],
        "model": "auto",
        "name": adapter,
        "adapter_id": adapter,
        "task": "helpdesk",
    }


def make_keys(running: Running) -> tuple[dict[str, str], ...]:
    """Return the headers of requests with different keys and without; half may do all."""
    keys = ApiKeys(running.context.database)
    _, every = keys.create(NewKey(name="every", scopes=tuple(Scope)))
    bound = NewKey(
        name="little",
        scopes=("chat", "kb:read"),
        use_cases=("demo",),
        knowledge_bases=("handbook",),
        access_labels=("staff",),
    )
    _, little = keys.create(bound)
    eventually(lambda: running.client.get("/v1/models").status_code == 401)
    whole = {"authorization": f"Bearer {every}"}
    return (
        whole,
        {"x-api-key": little},
        whole,
        {"authorization": f"Bearer {little}"},
        whole,
        {"authorization": "Bearer fp_none"},
        whole,
        {},
    )


class Run:
    """Sends made-up requests and keeps what breaks the document."""

    def __init__(self, url: str, known: dict[str, str], sent: tuple[dict[str, str], ...]) -> None:
        self._url = url
        self._known = known
        self._sent = sent
        self.cases = 0
        self.broken: dict[str, str] = {}

    def try_out(self, operation: Any, cases: int) -> None:
        """Send so many requests to one endpoint."""

        @given(case=self._cases(operation))
        @settings(
            max_examples=cases,
            derandomize=True,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        def send(case: Any) -> None:
            self.cases += 1
            try:
                self._make_meant(case)
                headers = self._sent[self.cases % len(self._sent)]
                case.call_and_validate(
                    base_url=self._url, checks=CHECKS, timeout=30, headers=headers
                )
            except FailureGroup as exc:
                titles = ", ".join(type(failure).__name__ for failure in exc.exceptions)
                self.broken.setdefault(
                    f"{operation.label}: {titles}",
                    str(exc.exceptions[0])[:2000] + case.as_curl_command(),
                )

        send()

    def _make_meant(self, case: Any) -> None:
        """Let every second body name what there is, so that it gets beyond the first check."""
        if not isinstance(case.body, dict) or self.cases // len(self._sent) % 2:
            return
        meant = {
            "use_case": "demo",
            "knowledge_bases": ["handbook"],
            "model": "fake-words" if case.path.endswith("/embeddings") else "auto",
            "input": "Within how many days can it be returned?",
            "strategy": "auto",
            "training_file": self._known["file_id"],
            "file_id": self._known["file_id"],
            "file_ids": [self._known["file_id"]],
        }
        case.body.update({key: meant[key] for key in meant.keys() & case.body.keys()})
        messages = case.body.get("messages")
        if isinstance(messages, list) and messages and isinstance(messages[-1], dict):
            messages[-1].update(role="user", content="Within how many days can it be returned?")

    def _cases(self, operation: Any) -> st.SearchStrategy[Any]:
        """Return valid requests, to anything and to what there is, and others."""
        strategies = [operation.as_strategy()]
        names = {parameter.name for parameter in operation.path_parameters}
        if names & self._known.keys():
            ids = {name: self._known[name] for name in names & self._known.keys()}
            strategies.append(operation.as_strategy(path_parameters=ids))
        if _varies(operation):
            strategies.append(operation.as_strategy(GenerationMode.NEGATIVE))
        return st.one_of(strategies)


def _varies(operation: Any) -> bool:
    """Whether an endpoint takes anything that could be made up."""
    return bool(list(operation.iter_parameters()) or list(operation.body))
