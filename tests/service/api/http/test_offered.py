"""What is not offered under `/v1/` is answered with the list of what is."""

import openai
import pytest

from service.api.docs.document import operations
from tests.service.conftest import Running


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/v1/audio/speech", 404),
        ("GET", "/v1/responses/resp_1", 404),
        ("POST", "/v1/vector_stores/handbook/none", 404),
        ("DELETE", "/v1/embeddings", 405),
    ],
)
def test_what_is_not_offered_names_every_endpoint(
    running: Running, method: str, path: str, status: int
) -> None:
    reply = running.client.request(method, path)
    document = running.client.get("/openapi.json").json()
    offered = [
        f"{verb.upper()} {at}" for at, verb, _ in operations(document) if at.startswith("/v1/")
    ]
    assert reply.status_code == status
    assert sorted(reply.json()["endpoints"]) == sorted(offered)
    assert "POST /v1/responses" in offered


def test_the_openai_client_is_told_what_there_is(running: Running) -> None:
    base_url = f"{running.client.base_url}/v1"
    with (
        openai.OpenAI(base_url=base_url, api_key="none", max_retries=0) as client,
        pytest.raises(openai.NotFoundError) as refused,
    ):
        client.moderations.create(input="Hi")
    assert refused.value.code == "not_found"
    assert refused.value.message.endswith(
        "POST is not offered at this path. Under /v1/ there are /v1/chat/completions, "
        "/v1/embeddings, /v1/files, /v1/fine_tuning/jobs, /v1/models, /v1/responses, "
        "/v1/vector_stores."
    )


def test_elsewhere_the_list_is_left_out(running: Running) -> None:
    assert "endpoints" not in running.client.get("/nowhere").json()
