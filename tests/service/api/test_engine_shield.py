"""What reaches the model server of a request, and what comes back of its own words."""

import json
from typing import Any

import pytest

from tests.service.conftest import Running
from tests.service.engine.test_refusals import BODIES, PLANTED, SIGNS

FIELDS = {
    "model",
    "messages",
    "temperature",
    "top_p",
    "max_tokens",
    "seed",
    "stop",
    "response_format",
    "stream",
    "stream_options",
    "cache_salt",  # of the service itself
}
# Fields of vLLM's protocol and of none.
FOREIGN = (
    "add_generation_prompt allowed_token_ids audio bad_words best_of cache_salt chat_template "
    "chat_template_kwargs continue_final_message documents echo extra_body frequency_penalty "
    "guided_choice guided_grammar guided_json guided_regex ignore_eos include_reasoning "
    "kv_transfer_params length_penalty logit_bias logits_processors media_io_kwargs metadata min_p "
    "min_tokens mm_processor_kwargs modalities parallel_tool_calls presence_penalty priority "
    "prompt_embeds prompt_logprobs repetition_penalty request_id return_token_ids service_tier "
    "skip_special_tokens spaces_between_special_tokens stop_token_ids store structured_outputs "
    "truncate_prompt_tokens use_beam_search vllm_xargs web_search_options evil"
).split()
USER = {"role": "user", "content": "Hi there, tell me about lamps", "evil": 1, "prefix": True}
FORMAT: dict[str, Any] = {
    "type": "json_schema",
    "json_schema": {"name": "n", "schema": {"type": "object"}, "strict": True, "evil": 1},
    "evil": 1,
}


def sent(running: Running, path: str, body: dict[str, Any]) -> dict[str, Any]:
    asked = len(running.engine.requests)
    reply = running.client.post(path, json=body)
    assert reply.status_code == 200, reply.text
    assert len(running.engine.requests) == asked + 1
    return running.engine.requests[-1]


@pytest.mark.parametrize("value", [1, "x", {"evil": "x"}, ["x"]], ids=["n", "text", "map", "list"])
def test_of_the_fields_of_a_completion_only_named_ones_go_on(running: Running, value: Any) -> None:
    body = {
        **dict.fromkeys(FOREIGN, value),
        "model": "prompt_only",
        "messages": [USER],
        "temperature": 0.5,
        "top_p": 0.9,
        "seed": 3,
        "stop": ["x"],
        "response_format": FORMAT,
        "stream_options": {"include_usage": True, "evil": 1},
    }
    got = sent(running, "/v1/chat/completions", body)
    assert set(got) <= FIELDS
    assert all(set(message) == {"role", "content"} for message in got["messages"])
    assert "evil" not in json.dumps(got)


def test_of_the_fields_of_a_response_only_named_ones_go_on(running: Running) -> None:
    refused = {"store", "metadata"}
    body = {
        **{name: {"evil": "x"} for name in FOREIGN if name not in refused},
        "model": "prompt_only",
        "input": [USER],
        "text": {"format": {"type": "json_schema", "evil": 1, **FORMAT["json_schema"]}},
    }
    got = sent(running, "/v1/responses", body)
    assert set(got) <= FIELDS
    assert "evil" not in json.dumps(got)


def test_chat_refuses_fields_it_does_not_know(running: Running) -> None:
    for name in FOREIGN:
        body = {"messages": [USER], "strategy": "prompt_only", name: 1}
        assert running.client.post("/chat", json=body).status_code == 422, name
        body = {"messages": [USER], "strategy": "prompt_only", "sampling": {name: 1}}
        assert running.client.post("/chat", json=body).status_code == 422, name
    formed = sent(
        running,
        "/chat",
        {"messages": [USER], "strategy": "prompt_only", "response_format": FORMAT},
    )
    assert "evil" not in json.dumps(formed)


PATHS = [
    ("/chat", {"messages": [USER], "strategy": "prompt_only"}),
    ("/v1/chat/completions", {"messages": [USER], "model": "prompt_only"}),
    ("/v1/responses", {"input": "Hi there, lamps", "model": "prompt_only"}),
]


@pytest.mark.parametrize(("path", "body"), PATHS)
@pytest.mark.parametrize("stream", [False, True])
def test_no_word_of_the_model_servers_errors_comes_back(
    running: Running, path: str, body: dict[str, Any], stream: bool
) -> None:
    switches = running.engine.switches
    port = str(running.ports.engine)
    for status in (400, 401, 404, 422, 429, 500, 503):
        for words in BODIES[:4]:
            switches.refuse, switches.refusal = status, words.encode()
            reply = running.client.post(path, json={**body, "stream": stream})
            assert reply.status_code >= 400
            assert not [sign for sign in (*SIGNS, port) if sign in reply.text]
            assert reply.headers["x-request-id"] in reply.text
    switches.refuse = None
    switches.error_after, switches.fault = 1, {"message": PLANTED, "code": 500}
    reply = running.client.post(path, json={**body, "stream": stream})
    assert not [sign for sign in (*SIGNS, port) if sign in reply.text]
    assert "failed during the answer" in reply.text


@pytest.mark.parametrize(("path", "body"), PATHS)
def test_a_model_server_that_is_away_is_told_without_its_address(
    running: Running, path: str, body: dict[str, Any]
) -> None:
    running.engine_server.__exit__()
    reply = running.client.post(path, json=body)
    assert reply.status_code == 503
    assert str(running.ports.engine) not in reply.text
    assert "127.0.0.1" not in reply.text
