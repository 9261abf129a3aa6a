"""Ids that no path can hold: each is refused, and nothing is lost by it."""

import http.client
import re
from collections.abc import Iterator

import pytest

from service.api.docs.document import operations
from service.api.http.paths import fault_of_path
from tests.repetition import is_long
from tests.service.api.test_conformance import known_ids
from tests.service.conftest import Running
from tests.service.waiting import eventually

ODD_IDS = (
    *("..", ".", "%2e%2e", "%2E%2E%2F%2e%2e%2fetc%2fpasswd", "..%2f..%2fetc%2fpasswd", "../.."),
    *("..%5c..%5cwindows", "%00", "returns.md%00", "%0d%0aX-Injected:%201", "%7f", "%ff"),
    *("%c0%ae%c0%ae", "%c0%af", "%e0%80%af", "%f0%80%80%af", "%ed%a0%80", "%f8%80%80%80%af"),
)
HIDDEN_SLASHES = ("demo%2fx", "%2f", "handbook%2Fdocuments%2Freturns.md")


def odd_paths(template: str, known: dict[str, str], number: int) -> Iterator[str]:
    """Yield the paths of an endpoint in which one id is odd: a quarter of them, all with `--long`.

    The others are of what there is.
    """
    for name in re.findall(r"\{(\w+)\}", template):
        slashes = () if name in ("external_id", "model") else HIDDEN_SLASHES
        odd_ids = (*ODD_IDS, *slashes)
        for odd in odd_ids if is_long() else odd_ids[number % 4 :: 4]:
            path = template.replace(f"{{{name}}}", odd)
            yield path.format_map({"sync_id": "any", **known})


@pytest.mark.timeout(120, func_only=True)
def test_no_id_of_a_path_leads_elsewhere_and_nothing_is_lost(running: Running) -> None:
    known = known_ids(running)
    batch = f"/v1/vector_stores/handbook/file_batches/{known['batch_id']}"
    eventually(lambda: running.client.get(batch).json()["status"] == "completed")
    lists = ("/use_cases", "/v1/vector_stores", "/v1/vector_stores/handbook/documents", "/adapters")
    before = [running.client.get(path).json()["data"] for path in lists]
    document = running.client.get("/openapi.json").json()
    link = http.client.HTTPConnection("127.0.0.1", int(running.client.base_url.port or 0))
    wrong = {}
    for number, (template, method, _) in enumerate(operations(document)):
        for path in odd_paths(template, known, number):
            link.request(method.upper(), path, b"{}", {"content-type": "application/json"})
            reply = link.getresponse()
            reply.read()
            if reply.status not in (400, 404) or reply.headers["x-injected"]:
                wrong[f"{method} {path}"] = reply.status
    assert wrong == {}
    assert [running.client.get(path).json()["data"] for path in lists] == before
    link.close()


@pytest.mark.parametrize(
    "path",
    [
        *("/v1/vector_stores/a/documents/en/b.md", "/v1/vector_stores/a/documents/en%2Fb.md"),
        *("/v1/vector_stores/a/documents/%E9%80%80%E8%B4%A7.md", "/v1/models/org%2Fname"),
        *("/sources/a/en%2fb...md", "/v1/vector_stores/a/documents/..a/.b/c..", "/", "/health"),
        *("/v1/vector_stores/a/documents/100%25%20off%3f.md",),
    ],
)
def test_ids_of_real_documents_and_models_are_let_through(path: str) -> None:
    assert fault_of_path(path.encode()) is None
