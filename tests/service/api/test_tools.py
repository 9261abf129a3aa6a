"""Tools, refusals and links as the openai client meets them."""

import json
from collections.abc import Iterator
from typing import Any, Literal

import openai
import pydantic
import pytest

from service.settings import Settings
from tests.service.conftest import Running
from tests.service.waiting import eventually

ORDER: dict[str, Any] = {
    "type": "function",
    "function": {
        "name": "get_order",
        "description": "Look an order up.",
        "parameters": {"type": "object", "properties": {"number": {"type": "integer"}}},
    },
}
SWITCH = {"type": "function", "function": {"name": "switch", "parameters": {"type": "object"}}}
NAMED = {"type": "function", "function": {"name": "get_order"}}
USER = [{"role": "user", "content": "Where is order 7?"}]
REFUSAL = "Sorry, I found nothing about this in the documents, so I cannot answer it."


@pytest.fixture
def client(running: Running) -> Iterator[openai.OpenAI]:
    base_url = f"{running.client.base_url}/v1"
    with openai.OpenAI(base_url=base_url, api_key="none", max_retries=0) as made:
        yield made


def post(running: Running, **body: Any) -> Any:
    return running.client.post(
        "/v1/chat/completions", json={"model": "prompt_only", "messages": USER, **body}
    )


@pytest.mark.parametrize("choice", ["required", NAMED])
def test_a_function_that_must_be_called_is_called(
    running: Running, client: openai.OpenAI, choice: Any
) -> None:
    running.engine.switches.pieces = ('{"num', 'ber": 7}')
    asked: Any = {"model": "prompt_only", "messages": USER, "tools": [ORDER], "tool_choice": choice}
    (plain,) = client.chat.completions.create(**asked).choices
    assert (plain.message.content, plain.finish_reason) == (None, "tool_calls")
    (call,) = plain.message.tool_calls or []
    assert call.type == "function"
    assert (call.function.name, json.loads(call.function.arguments)) == ("get_order", {"number": 7})
    sent = running.engine.requests[-1]
    assert sent["response_format"]["json_schema"]["schema"] == ORDER["function"]["parameters"]
    assert "get_order" in sent["messages"][0]["content"]
    chunks = list(client.chat.completions.create(**asked, stream=True))
    deltas = [chunk.choices[0].delta for chunk in chunks]
    assert "".join(delta.content or "" for delta in deltas) == ""
    (streamed,) = [call for delta in deltas for call in delta.tool_calls or ()]
    assert streamed.index == 0
    assert streamed.function is not None
    assert json.loads(streamed.function.arguments or "") == {"number": 7}
    assert chunks[-1].choices[0].finish_reason == "tool_calls"


def test_one_of_several_functions_is_chosen_by_the_model(
    running: Running, client: openai.OpenAI
) -> None:
    running.engine.switches.pieces = ('{"name": "switch", "arguments": {"on": true}}',)
    asked: Any = {"messages": USER, "tools": [ORDER, SWITCH], "tool_choice": "required"}
    message = client.chat.completions.create(model="prompt_only", **asked).choices[0].message
    assert [call.function.name for call in message.tool_calls or ()] == ["switch"]


def test_passages_are_found_before_a_function_is_called(running: Running) -> None:
    running.prepare()
    running.engine.switches.pieces = ('{"days": 30}',)
    question = [{"role": "user", "content": "Within how many days can a lamp be returned?"}]
    done = post(
        running, model="rag", messages=question, use_case="demo", tools=[ORDER], tool_choice=NAMED
    ).json()
    assert done["choices"][0]["message"]["tool_calls"][0]["function"]["arguments"] == '{"days": 30}'
    assert "within 30 days" in running.engine.requests[-1]["messages"][-1]["content"]


@pytest.mark.parametrize("choice", [None, "auto"])
def test_a_choice_the_model_cannot_make_is_refused(running: Running, choice: Any) -> None:
    reply = post(running, tools=[ORDER], tool_choice=choice)
    assert reply.status_code == 400
    error = reply.json()["error"]
    assert (error["code"], error["param"]) == ("tools_unsupported", "tool_choice")
    assert "engine.tool_call_parser" in error["message"]


class TestWithAParser:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        engine = settings.engine.model_copy(update={"tool_call_parser": "hermes"})
        return settings.model_copy(update={"engine": engine})

    def test_the_model_server_is_given_the_tools_and_its_calls_are_told(
        self, running: Running, client: openai.OpenAI
    ) -> None:
        running.engine.switches.pieces = ("One moment. ",)
        running.engine.switches.calls = (
            {"index": 0, "id": "call_9", "function": {"name": "get_order", "arguments": '{"n'}},
            {"index": 0, "function": {"arguments": 'umber": 7}'}},
        )
        asked: Any = {"model": "prompt_only", "messages": USER, "tools": [ORDER, SWITCH]}
        message = client.chat.completions.create(**asked).choices[0].message
        assert message.content == "One moment. "
        (call,) = message.tool_calls or []
        assert (call.id, call.function.arguments) == ("call_9", '{"number": 7}')
        sent = running.engine.requests[-1]
        assert [tool["function"]["name"] for tool in sent["tools"]] == ["get_order", "switch"]
        assert sent["tool_choice"] == "auto"


@pytest.mark.parametrize("body", [{"tools": []}, {"tools": [ORDER], "tool_choice": "none"}, {}])
def test_without_a_wish_for_functions_a_text_is_answered(
    running: Running, body: dict[str, Any]
) -> None:
    message = post(running, **body).json()["choices"][0]["message"]
    assert message["content"].startswith("I am ")
    assert "tool_calls" not in message
    assert "tools" not in running.engine.requests[-1]


NOT_DONE: tuple[tuple[dict[str, Any], str], ...] = (
    ({"tools": "x"}, "tools"),
    ({"tools": [1], "tool_choice": "required"}, "tools"),
    ({"tools": [{"type": "web_search"}], "tool_choice": "required"}, "tools"),
    ({"tools": [{"type": "function", "function": {"name": "a b"}}]}, "tools"),
    ({"tools": [{"type": "function", "function": {"name": "a", "parameters": 1}}]}, "tools"),
    ({"tools": [ORDER, ORDER], "tool_choice": "required"}, "tools"),
    ({"tools": [ORDER] * 129}, "tools"),
    ({"tools": [ORDER], "tool_choice": "always"}, "tool_choice"),
    ({"tools": [SWITCH], "tool_choice": NAMED}, "tool_choice"),
    ({"tool_choice": "required"}, "tool_choice"),
    ({"n": 2}, "n"),
    ({"logprobs": True}, "logprobs"),
    ({"top_logprobs": 3}, "logprobs"),
    ({"functions": [{"name": "a"}]}, "functions"),
)


def test_what_is_not_done_is_refused_and_not_dropped(running: Running) -> None:
    for body, param in NOT_DONE:
        for stream in (False, True):
            reply = post(running, **body, stream=stream)
            assert (reply.status_code, reply.json()["error"]["param"]) == (400, param), body
    assert running.engine.requests == []


class Answer(pydantic.BaseModel):
    days: int


def nothing_found(running: Running) -> dict[str, Any]:
    running.prepare()
    question = [{"role": "user", "content": "Who painted the ceiling of the Sistine Chapel?"}]
    return {"model": "rag", "messages": question, "extra_body": {"use_case": "demo"}}


def test_an_abstention_where_json_is_asked_for_is_a_refusal(
    running: Running, client: openai.OpenAI
) -> None:
    asked: Any = nothing_found(running)
    parsed = client.chat.completions.parse(**asked, response_format=Answer).choices[0].message
    assert (parsed.content, parsed.refusal, parsed.parsed) == (None, REFUSAL, None)
    for chunk in client.chat.completions.create(
        **asked, response_format={"type": "json_object"}, stream=True
    ):
        assert chunk.choices[0].delta.content is None  # not even an empty text
    with client.chat.completions.stream(**asked, response_format=Answer) as stream:
        for _event in stream:
            pass
        final = stream.get_final_completion().choices[0].message
    assert (final.content or None, final.refusal, final.parsed) == (None, REFUSAL, None)


@pytest.mark.parametrize("stream", [False, True])
def test_an_abstention_where_a_call_is_asked_for_is_a_refusal(
    running: Running, client: openai.OpenAI, stream: bool
) -> None:
    asked: Any = {**nothing_found(running), "tools": [ORDER], "tool_choice": "required"}
    if stream:
        deltas = [c.choices[0].delta for c in client.chat.completions.create(**asked, stream=True)]
        assert "".join(delta.refusal or "" for delta in deltas) == REFUSAL
        assert not any(delta.content or delta.tool_calls for delta in deltas)
        return
    message = client.chat.completions.create(**asked).choices[0].message
    assert (message.content, message.refusal, message.tool_calls) == (None, REFUSAL, None)


RESULT_SENT_BACK: list[dict[str, Any]] = [
    {"role": "user", "content": "Who painted the ceiling of the Sistine Chapel?"},
    {
        "role": "assistant",
        "content": None,
        "tool_calls": [
            {"id": "a", "type": "function", "function": {"name": "look_up", "arguments": "{}"}}
        ],
    },
    {"role": "tool", "tool_call_id": "a", "content": "Michelangelo"},
]


def test_the_result_of_a_tool_is_answered_from_where_the_documents_say_nothing(
    running: Running,
) -> None:
    running.prepare()
    asked = {"model": "auto", "use_case": "demo"}
    done = post(running, **asked, messages=RESULT_SENT_BACK).json()
    assert done["route"]["outcome"] == "answered"
    assert done["route"]["needs_no_sources"] == "given_text"
    sent = [turn["content"] for turn in running.engine.requests[-1]["messages"]]
    assert any("Result of look_up: Michelangelo" in content for content in sent)
    without = [*RESULT_SENT_BACK[:1], {"role": "assistant", "content": ""}, RESULT_SENT_BACK[0]]
    assert post(running, **asked, messages=without).json()["route"]["outcome"] == "abstained"
    empty = [*RESULT_SENT_BACK[:2], {**RESULT_SENT_BACK[2], "content": " "}]
    assert post(running, **asked, messages=empty).json()["route"]["outcome"] == "abstained"


@pytest.mark.parametrize("kind", ["text", None])
def test_an_abstention_in_words_is_the_answers_text(
    running: Running, client: openai.OpenAI, kind: Literal["text"] | None
) -> None:
    asked: Any = nothing_found(running)
    if kind is not None:
        asked["response_format"] = {"type": kind}
    done = client.chat.completions.create(**asked)
    assert (done.choices[0].message.content, done.choices[0].message.refusal) == (REFUSAL, None)
    assert done.model_extra
    assert done.model_extra["route"]["reason"] == "nothing_relevant"


def test_json_that_is_answered_is_content(running: Running, client: openai.OpenAI) -> None:
    running.engine.switches.pieces = ('{"days": 30}',)
    asked: Any = {"model": "prompt_only", "messages": USER}
    message = client.chat.completions.parse(**asked, response_format=Answer).choices[0].message
    assert (message.parsed, message.refusal) == (Answer(days=30), None)


@pytest.mark.parametrize("stream", [False, True])
def test_a_schema_the_model_server_refuses_is_400_before_anything_is_told(
    running: Running, stream: bool
) -> None:
    running.engine.switches.error_after, running.engine.switches.error_code = 0, 400
    schema = {"type": "json_schema", "json_schema": {"name": "x", "schema": {"type": "odd"}}}
    reply = post(running, response_format=schema, stream=stream)
    assert reply.status_code == 400
    assert reply.json()["error"]["code"] == "invalid_request"
    assert "cannot use a field" in reply.json()["error"]["message"]
    assert "engine died" not in reply.text


def test_a_call_needs_no_source_where_answers_do(running: Running) -> None:
    running.prepare()
    running.put_use_case(facts={"need": "knowledge", "citations_required": True})
    running.engine.switches.pieces = ('{"number": 7}',)
    question = [{"role": "user", "content": "Within how many days can a lamp be returned?"}]
    asked: dict[str, Any] = {"tools": [ORDER], "tool_choice": NAMED, "use_case": "demo"}
    done = post(running, model="rag", messages=question, **asked).json()
    assert done["route"]["outcome"] == "answered"
    assert done["choices"][0]["message"]["tool_calls"]


def test_an_errand_is_not_declined_where_tools_may_run_it(running: Running) -> None:
    running.prepare()
    running.put_use_case(facts={"need": "knowledge", "domain": "retail"})
    errand = [{"role": "user", "content": "Order me a pizza for seven tonight"}]
    running.engine.switches.pieces = ('{"number": 7}',)
    asked: dict[str, Any] = {"model": "auto", "messages": errand, "use_case": "demo"}
    declined = post(running, **asked).json()["route"]
    assert (declined["outcome"], declined["reason"]) == ("abstained", "out_of_scope")
    body = {"messages": errand, "use_case": "demo"}
    asked_facts = running.client.post("/route", params={"explain": True}, json=body).json()
    assert asked_facts["decision"]["declined_by"] == "errand_outside_the_use_case"
    done = post(running, **asked, tools=[ORDER], tool_choice=NAMED).json()
    place = f"/decisions/{done['id'].removeprefix('chatcmpl-')}"
    eventually(lambda: running.client.get(place).status_code == 200)
    assert "declined_by" not in running.client.get(place).json()["decision"]
