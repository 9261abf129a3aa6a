"""The openai client against `/v1/responses`."""

import contextlib
import json
from collections.abc import Iterator
from itertools import groupby
from typing import Any

import httpx
import openai
import pytest
from openai.types.responses import ResponseOutputMessage, ResponseOutputText, ResponseStreamEvent
from pydantic import BaseModel

from tests.service.conftest import RETURNS, Running
from tests.service.waiting import eventually

QUESTION = "Within how many days of delivery can a lamp be returned?"
UNKNOWN = "What does the warranty of the submarine cover?"
SCHEMA: dict[str, object] = {
    "type": "object",
    "properties": {"days": {"type": "integer"}},
    "required": ["days"],
}
FORMAT: Any = {"type": "json_schema", "name": "days", "schema": SCHEMA, "strict": True}
USE_CASE = {"use_case": "demo"}


class Days(BaseModel):
    """What the tests ask for as JSON."""

    days: int


@pytest.fixture
def client(running: Running) -> Iterator[openai.OpenAI]:
    running.prepare()
    base_url = f"{running.client.base_url}/v1"
    with openai.OpenAI(base_url=base_url, api_key="none", max_retries=0) as made:
        yield made


def streamed(client: openai.OpenAI, **fields: Any) -> list[ResponseStreamEvent]:
    asked: Any = {"model": "rag", "input": QUESTION, "extra_body": USE_CASE, **fields}
    return list(client.responses.create(**asked, stream=True))


def message_of(response: openai.types.responses.Response) -> ResponseOutputMessage:
    (message,) = response.output
    assert isinstance(message, ResponseOutputMessage)
    return message


@pytest.mark.parametrize("model", ["auto", "prompt_only", "rag", "fine_tuned", "hybrid"])
def test_it_answers_as_a_chat_completion_does(
    running: Running, client: openai.OpenAI, model: str
) -> None:
    done = client.responses.create(model=model, input=QUESTION, extra_body=USE_CASE)
    asked = running.engine.requests[-1]
    chat = client.chat.completions.create(
        model=model, messages=[{"role": "user", "content": QUESTION}], extra_body=USE_CASE
    )
    assert running.engine.requests[-1] == asked
    assert (done.output_text, done.model) == (chat.choices[0].message.content, chat.model)
    assert (done.status, done.error, done.incomplete_details) == ("completed", None, None)
    assert done.model_extra is not None
    assert chat.model_extra is not None
    told = {key: value for key, value in done.model_extra["route"].items() if value is not None}
    assert told == chat.model_extra["route"]
    assert done.usage is not None
    assert chat.usage is not None
    counted = (done.usage.input_tokens, done.usage.output_tokens, done.usage.total_tokens)
    usage = chat.usage
    assert counted == (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens)


def test_a_conversation_reaches_the_model_turn_by_turn(
    running: Running, client: openai.OpenAI
) -> None:
    first = client.responses.create(model="prompt_only", input="Hi")
    client.responses.create(
        model="prompt_only",
        instructions="Be short.",
        input=[
            {"role": "developer", "content": "In English."},
            {"role": "user", "content": "Hi"},
            *first.output,  # type: ignore[list-item]  # as the client's own documents do it
            {"type": "reasoning", "id": "rs_1", "summary": []},
            {
                "role": "user",
                "content": [
                    {"type": "input_text", "text": "How many"},
                    {"type": "input_text", "text": "days?"},
                ],
            },
        ],
    )
    turns = [(turn["role"], turn["content"]) for turn in running.engine.requests[-1]["messages"]]
    assert turns == [
        ("system", "Be short.\nIn English."),
        ("user", "Hi"),
        ("assistant", first.output_text),
        ("user", "How many\ndays?"),
    ]


def test_generation_options_reach_the_model_server(running: Running, client: openai.OpenAI) -> None:
    done = client.responses.create(
        model="prompt_only",
        input="Hi",
        temperature=0.5,
        top_p=0.25,
        max_output_tokens=7,
        text={"format": FORMAT},
        metadata={"ticket": "42"},
    )
    asked = running.engine.requests[-1]
    assert (asked["temperature"], asked["top_p"], asked["max_tokens"]) == (0.5, 0.25, 7)
    wanted = {"name": "days", "schema": SCHEMA, "strict": True}
    assert asked["response_format"] == {"type": "json_schema", "json_schema": wanted}
    assert (done.temperature, done.top_p, done.max_output_tokens) == (0.5, 0.25, 7)
    assert done.metadata == {"ticket": "42"}
    assert done.text is not None
    assert done.text.format is not None
    assert done.text.format.type == "json_schema"


@pytest.mark.parametrize("stream", [False, True])
def test_a_citation_is_an_annotation_of_the_text(
    running: Running, client: openai.OpenAI, stream: bool
) -> None:
    said = "Within 30 days [1]."
    running.engine.switches.pieces = ("Within 30 ", "days [1].")
    if stream:
        done = next(one.response for one in streamed(client) if one.type == "response.completed")
    else:
        done = client.responses.create(model="rag", input=QUESTION, extra_body=USE_CASE)
    (part,) = message_of(done).content
    assert isinstance(part, ResponseOutputText)
    (cited,) = part.annotations
    assert cited.type == "url_citation"
    assert "/sources/handbook/returns.md?" in cited.url
    assert (part.text, said[cited.start_index : cited.end_index]) == (said, "[1]")


def test_events_come_in_openais_order_and_are_numbered(
    running: Running, client: openai.OpenAI
) -> None:
    running.engine.switches.pieces = ("Within 30 ", "days [1].")
    events = streamed(client)
    assert [name for name, _ in groupby(event.type for event in events)] == [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.content_part.added",
        "response.output_text.delta",
        "response.output_text.done",
        "response.output_text.annotation.added",
        "response.content_part.done",
        "response.output_item.done",
        "response.completed",
    ]
    assert [event.sequence_number for event in events] == list(range(len(events)))
    created, completed = events[0], events[-1]
    assert created.type == "response.created"
    assert completed.type == "response.completed"
    assert (created.response.status, created.response.output) == ("in_progress", [])
    assert created.response.id == completed.response.id
    assert completed.response.output_text == "Within 30 days [1]."
    assert completed.response.usage is not None


def test_the_clients_own_stream_gathers_the_text(client: openai.OpenAI) -> None:
    with client.responses.stream(model="rag", input=QUESTION, extra_body=USE_CASE) as stream:
        said = "".join(one.delta for one in stream if one.type == "response.output_text.delta")
        done = stream.get_final_response()
    assert done.output_text == said
    assert said.startswith("I am ")


@pytest.mark.parametrize("stream", [False, True])
def test_the_client_parses_json(running: Running, client: openai.OpenAI, stream: bool) -> None:
    running.engine.switches.pieces = ('{"days"', ": 30", "}")
    asked: Any = {"model": "prompt_only", "input": "How many days?", "text_format": Days}
    if stream:
        with client.responses.stream(**asked) as events:
            done = events.get_final_response()
    else:
        done = client.responses.parse(**asked)
    assert done.output_parsed == Days(days=30)


@pytest.mark.parametrize("stream", [False, True])
def test_an_abstention_from_json_is_a_refusal(client: openai.OpenAI, stream: bool) -> None:
    asked: Any = {
        "model": "rag",
        "input": UNKNOWN,
        "text_format": Days,
        "extra_body": USE_CASE,
    }
    if stream:
        with client.responses.stream(**asked) as events:
            kinds = [event.type for event in events]
            done = events.get_final_response()
        assert "response.output_text.delta" not in kinds
        assert kinds.count("response.refusal.delta") == kinds.count("response.refusal.done") == 1
    else:
        done = client.responses.parse(**asked)
    (part,) = message_of(done).content
    assert part.type == "refusal"
    assert "found nothing" in part.refusal
    assert (done.output_text, done.output_parsed) == ("", None)


@pytest.mark.parametrize("stream", [False, True])
def test_an_abstention_from_text_is_text(client: openai.OpenAI, stream: bool) -> None:
    if stream:
        events = streamed(client, input=UNKNOWN)
        done = next(one.response for one in events if one.type == "response.completed")
    else:
        done = client.responses.create(model="rag", input=UNKNOWN, extra_body=USE_CASE)
    assert "found nothing" in done.output_text
    assert done.model_extra is not None
    assert done.model_extra["route"]["outcome"] == "abstained"


@pytest.mark.parametrize("stream", [False, True])
def test_an_answer_cut_off_is_incomplete(
    running: Running, client: openai.OpenAI, stream: bool
) -> None:
    running.engine.switches.finish = "length"
    if stream:
        end = streamed(client, model="prompt_only", max_output_tokens=3)[-1]
        assert end.type == "response.incomplete"
        done = end.response
    else:
        done = client.responses.create(model="prompt_only", input="Hi", max_output_tokens=3)
    assert done.incomplete_details is not None
    assert (done.status, done.incomplete_details.reason) == ("incomplete", "max_output_tokens")


def test_a_stream_that_breaks_raises(running: Running, client: openai.OpenAI) -> None:
    running.engine.switches.break_after = 2
    with pytest.raises(openai.APIError) as broken:
        streamed(client, model="prompt_only")
    assert broken.value.code == "stream_broken"


def test_the_last_event_of_a_broken_stream_is_openais_error(
    running: Running, client: openai.OpenAI
) -> None:
    running.engine.switches.break_after = 2
    body = {"model": "prompt_only", "input": "Hi", "stream": True}
    last = running.client.post("/v1/responses", json=body).text.strip().split("\n\n")[-1]
    name, _, data = last.partition("\ndata: ")
    told = json.loads(data)
    assert (name, told["type"], told["code"]) == ("event: error", "error", "stream_broken")
    assert told["sequence_number"] > 0


def test_a_guarded_document_answers_only_who_holds_its_label(
    running: Running, client: openai.OpenAI
) -> None:
    labels = {"filename": "returns.md", "content": RETURNS, "access_labels": ["staff"]}
    place = "/v1/vector_stores/handbook/documents/returns.md"
    assert running.client.put(place, json=labels).status_code == 200
    for held, outcome in (("guests", "abstained"), ("staff", "answered")):
        fields = {**USE_CASE, "access_labels": [held]}
        done = client.responses.create(model="rag", input=QUESTION, extra_body=fields)
        assert done.model_extra is not None
        assert done.model_extra["route"]["outcome"] == outcome


@pytest.mark.parametrize("model", ["gpt-5", "smollm2-135m-instruct:nobody", ""])
def test_an_unknown_model_is_404(client: openai.OpenAI, model: str) -> None:
    with pytest.raises(openai.NotFoundError) as refused:
        client.responses.create(model=model, input="Hi")
    assert refused.value.code == "model_not_found"


@pytest.mark.parametrize("stream", [False, True])
def test_a_client_that_leaves_frees_the_engine(running: Running, stream: bool) -> None:
    running.engine.switches.pause_s = 0.05
    running.engine.switches.pieces = ("slow ",) * 200
    body = {"model": "prompt_only", "input": "Hi", "stream": stream}
    with (
        contextlib.suppress(httpx.ReadTimeout),
        httpx.Client(base_url=running.client.base_url, timeout=0.5) as impatient,
        impatient.stream("POST", "/v1/responses", json=body) as reply,
    ):
        for number, _ in enumerate(reply.iter_lines()):
            if number > 20:
                break
    eventually(lambda: running.engine.aborted == 1, within_s=2.0)


def test_an_abstention_in_words_is_streamed_as_text(client: openai.OpenAI) -> None:
    with client.responses.stream(model="rag", input=UNKNOWN, extra_body=USE_CASE) as events:
        kinds = [event.type for event in events]
        done = events.get_final_response()
    assert "response.output_text.delta" in kinds
    assert not [kind for kind in kinds if "refusal" in kind]
    assert "found nothing" in done.output_text
