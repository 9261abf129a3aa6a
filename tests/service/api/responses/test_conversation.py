"""What `/v1/responses` does not offer is refused in words that say what to do instead."""

from typing import Any

from tests.service.conftest import Running

PATH = "/v1/responses"
ASKED = {"model": "prompt_only", "input": "Hi"}
IMAGE = {"type": "input_image", "image_url": "data:image/png;base64,AAAA", "detail": "auto"}
FUNCTION = {"type": "function", "name": "find", "parameters": {}, "strict": True}


def said_by(part: dict[str, Any]) -> dict[str, Any]:
    return {"role": "user", "content": [part]}


NOT_OFFERED: tuple[tuple[dict[str, Any], str, str], ...] = (
    ({"previous_response_id": "resp_1"}, "previous_response_id", "the whole conversation"),
    ({"conversation": {"id": "conv_1"}}, "conversation", "the whole conversation"),
    ({"store": True}, "store", "leave `store` out"),
    ({"background": True}, "background", "`stream: true`"),
    ({"prompt": {"id": "pmpt_1"}}, "prompt", "`instructions`"),
    ({"top_logprobs": 3}, "top_logprobs", "not offered"),
    ({"include": ["message.output_text.logprobs"]}, "include", "not offered"),
    ({"text": {"format": {"type": "grammar"}}}, "text.format", "json_schema"),
    ({"text": {"format": {"type": "json_schema", "name": "a"}}}, "text.format", "`schema`"),
    ({"input": []}, "input", "a list of messages"),
    ({"input": None}, "input", "a list of messages"),
    ({"input": " "}, "input", "contain text"),
    ({"input": [{"role": "assistant", "content": "Hi"}]}, "input", "from the user"),
    ({"input": ["Hi"]}, "input[0]", "not a message"),
    ({"input": [{"role": "critic", "content": "Hi"}]}, "input[0]", "one of user, assistant"),
    ({"input": [{"role": "user", "content": 7}]}, "input[0]", "neither text nor a list"),
    ({"input": [{"type": "item_reference", "id": "msg_1"}]}, "input[0]", "a stored item"),
    ({"input": [{"type": "compaction", "id": "c"}]}, "input[0]", "only messages are read"),
    ({"input": [said_by(IMAGE)]}, "input[0]", "send text parts only"),
    ({"input": [said_by({"type": "input_file", "file_id": "f"})]}, "input[0]", "Files cannot"),
    ({"input": [said_by({"type": "input_audio"})]}, "input[0]", "its transcript"),
    ({"input": [said_by({"type": "input_text"})]}, "input[0]", "holds no text"),
    ({"input": [said_by({"type": ["input_text"]})]}, "input[0]", "holds no text"),
)
NO_TOOLS: tuple[tuple[dict[str, Any], str, str], ...] = (
    ({"tools": [FUNCTION]}, "tools", "leave `tools` out"),
    ({"tools": [{"type": "file_search"}]}, "tools", "choose the model auto or rag"),
    ({"tools": {"type": "web_search"}}, "tools", "'web_search' is not offered"),
    ({"tool_choice": "required"}, "tool_choice", "leave `tool_choice` out"),
    (
        {"input": [{"type": "function_call_output", "call_id": "c", "output": "7"}]},
        "input[0]",
        "send its result as the text of a message",
    ),
)


def test_what_is_not_offered_is_refused_in_words(running: Running) -> None:
    for wish, param, said in NOT_OFFERED:
        reply = running.client.post(PATH, json={**ASKED, **wish})
        error = reply.json()["error"]
        told = (reply.status_code, error["param"], error["code"])
        assert told == (400, param, "invalid_request"), wish
        assert said in error["message"]
    assert running.engine.requests == []


def test_tools_are_refused_by_a_code_of_their_own(running: Running) -> None:
    for wish, param, said in NO_TOOLS:
        reply = running.client.post(PATH, json={**ASKED, **wish})
        error = reply.json()["error"]
        told = (reply.status_code, error["param"], error["code"])
        assert told == (400, param, "tools_unsupported"), wish
        assert said in error["message"]
        assert "leave tools out" in reply.json()["hint"]


def test_null_for_an_optional_field_is_as_without_it(running: Running) -> None:
    schema = running.client.get("/openapi.json").json()["components"]["schemas"]["ResponseRequest"]
    optional = set(schema["properties"]) - set(schema["required"])
    body = {**ASKED, **dict.fromkeys(optional), "include": None, "reasoning": None, "user": None}
    reply = running.client.post(PATH, json=body)
    assert reply.status_code == 200, reply.text
    assert reply.json()["object"] == "response"


def test_what_asks_for_nothing_is_taken(running: Running) -> None:
    idle = {"store": False, "background": False, "tools": [], "tool_choice": "auto", "include": []}
    more = {"parallel_tool_calls": True, "truncation": "disabled", "text": {"verbosity": "low"}}
    reply = running.client.post(PATH, json={**ASKED, **idle, **more})
    assert reply.status_code == 200, reply.text
    assert "response_format" not in running.engine.requests[-1]


def test_a_part_that_refused_is_given_back_as_text(running: Running) -> None:
    refused = {"role": "assistant", "content": [{"type": "refusal", "refusal": "I cannot say."}]}
    asked = [{"role": "user", "content": "Hi"}, refused, {"role": "user", "content": "Why?"}]
    assert running.client.post(PATH, json={**ASKED, "input": asked}).status_code == 200
    assert running.engine.requests[-1]["messages"][-2]["content"] == "I cannot say."


def test_a_malformed_field_is_named_as_it_was_sent(running: Running) -> None:
    many = [{"role": "user", "content": "Hi"}] * 1001
    reply = running.client.post(PATH, json={**ASKED, "input": many})
    assert reply.status_code == 422
    assert reply.json()["error"]["param"].removeprefix("body.") == "input"
