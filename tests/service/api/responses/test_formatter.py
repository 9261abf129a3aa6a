"""The reply of `/v1/responses` has every field that OpenAI's own client requires."""

from openai.types.responses import Response

from tests.service.conftest import Running


def test_a_response_is_valid_by_openais_own_model(running: Running) -> None:
    body = {"model": "prompt_only", "input": "Hi"}
    reply = running.client.post("/v1/responses", json=body)
    Response.model_validate(reply.json())


def test_ids_name_the_request(running: Running) -> None:
    reply = running.client.post("/v1/responses", json={"model": "prompt_only", "input": "Hi"})
    request_id = reply.headers["x-request-id"]
    said = reply.json()
    assert (said["id"], said["output"][0]["id"]) == (f"resp_{request_id}", f"msg_{request_id}")
