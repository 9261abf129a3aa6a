"""The turns of a conversation, in every form in which clients write them."""

from typing import Any

import pytest

from service.api.schemas.chat import ChatMessage, ChatRequest, turns_of
from service.api.schemas.openai import CompletionRequest
from service.engine.client import Message
from service.errors import InvalidRequest

QUESTION = {"role": "user", "content": "When are you open?"}
CALLS: dict[str, Any] = {
    "role": "assistant",
    "content": None,
    "tool_calls": [
        {"id": "a1", "type": "function", "function": {"name": "get_order", "arguments": "{}"}}
    ],
}
RESULT = {"role": "tool", "tool_call_id": "a1", "content": "on its way"}
ASKED = {"role": "user", "content": "Where is order 4711?"}


def turns(*messages: dict[str, Any]) -> list[tuple[str, str]]:
    read = tuple(ChatMessage.model_validate(message) for message in messages)
    return [(turn.role, turn.content) for turn in turns_of(read)]


def refusal(*messages: dict[str, Any]) -> InvalidRequest:
    with pytest.raises(InvalidRequest) as refused:
        turns(*messages)
    return refused.value


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("a", "a"),
        ("", ""),
        (None, ""),
        ([], ""),
        (["a", "b"], "a\nb"),
        ([{"type": "text", "text": "a"}, {"type": "input_text", "text": "b"}], "a\nb"),
        ([{"type": "output_text", "text": "a", "annotations": []}], "a"),
        ([{"type": "refusal", "refusal": "I cannot."}], "I cannot."),
    ],
)
def test_an_earlier_message_is_read_in_every_form_of_text(content: Any, text: str) -> None:
    read = turns({"role": "assistant", "content": content}, QUESTION)
    assert read == [("assistant", text), ("user", "When are you open?")]


def test_a_message_without_content_is_empty_and_a_refusal_is_what_it_said() -> None:
    assert turns({"role": "assistant"}, QUESTION)[0] == ("assistant", "")
    refused = {"role": "assistant", "content": None, "refusal": "I found nothing."}
    assert turns(refused, QUESTION)[0] == ("assistant", "I found nothing.")


def test_developers_are_system_turns_of_which_there_may_be_several() -> None:
    written = [{"role": role, "content": role} for role in ("system", "developer", "system")]
    assert [role for role, _ in turns(*written, QUESTION)] == ["system"] * 3 + ["user"]


@pytest.mark.parametrize(
    ("kind", "named"),
    [
        ("image_url", "images"),
        ("input_image", "images"),
        ("input_audio", "audio"),
        ("file", "files"),
        ("input_file", "files"),
        ("video_url", "videos"),
        ("hologram", "parts of type 'hologram'"),
    ],
)
def test_a_part_that_is_no_text_is_refused_by_what_it_is(kind: str, named: str) -> None:
    parts = [{"type": "text", "text": "What is this?"}, {"type": kind, kind: {"url": "data:,"}}]
    refused = refusal({"role": "user", "content": parts})
    assert str(refused) == (f"`messages[0].content[1]`: {named} cannot be read; send text parts.")
    assert refused.param == "messages[0].content[1]"


@pytest.mark.parametrize(("kind", "key"), [("text", "text"), ("refusal", "refusal")])
def test_a_part_without_its_text_is_refused(kind: str, key: str) -> None:
    refused = refusal({"role": "user", "content": [{"type": kind, "text": None}]})
    assert str(refused) == f"`messages[0].content[0]` has no `{key}`."


def test_an_unknown_role_is_refused_with_those_that_there_are() -> None:
    refused = refusal({"role": "robot", "content": "a"}, QUESTION)
    assert str(refused) == (
        "`messages[0].role` is 'robot': it must be system, developer, user, assistant, tool or "
        "function."
    )
    assert refused.param == "messages[0].role"


def test_the_result_of_a_tool_is_text_of_the_assistant_before_it() -> None:
    assert turns(ASKED, CALLS, RESULT, QUESTION) == [
        ("user", "Where is order 4711?"),
        ("assistant", "Result of get_order: on its way"),
        ("user", "When are you open?"),
    ]
    said = {**CALLS, "content": "I look it up."}
    again = {"role": "tool", "tool_call_id": "a2", "content": [{"type": "text", "text": "late"}]}
    assert turns(ASKED, said, RESULT, again, QUESTION)[1] == (
        "assistant",
        "I look it up.\nResult of get_order: on its way\nResult of the tool: late",
    )


def test_a_result_that_comes_last_is_followed_by_the_question_once_more() -> None:
    assert turns(ASKED, CALLS, RESULT) == [
        ("user", "Where is order 4711?"),
        ("assistant", "Result of get_order: on its way"),
        ("user", "Where is order 4711?"),
    ]


def test_the_result_of_a_function_in_the_older_form_is_named_by_itself() -> None:
    function = {"role": "function", "name": "get_order", "content": None}
    assert turns(ASKED, function, QUESTION)[1] == ("assistant", "Result of get_order:")
    assert turns(function, QUESTION)[0][0] == "assistant"


@pytest.mark.parametrize(
    "last",
    [
        {"role": "assistant", "content": "a"},
        {"role": "user", "content": None},
        {"role": "user", "content": []},
        {"role": "user", "content": " \n"},
        {"role": "tool", "content": "a result without a question"},
    ],
)
def test_what_does_not_end_with_a_question_is_refused(last: dict[str, Any]) -> None:
    assert "The last message is the question" in str(refusal(last))


@pytest.mark.parametrize("body", [ChatRequest, CompletionRequest])
def test_null_for_any_optional_field_is_as_if_it_were_left_out(body: Any) -> None:
    needed = {"messages": [QUESTION], **({} if body is ChatRequest else {"model": "auto"})}
    optional = [name for name, field in body.model_fields.items() if not field.is_required()]
    assert {"stream", "access_labels", "cite", "top_k"} <= {*optional}
    nulls = dict.fromkeys([*optional, *({} if body is ChatRequest else {"n", "tools"})])
    assert body.model_validate({**needed, **nulls}) == body.model_validate(needed)
    for name in optional:
        assert body.model_validate({**needed, name: None}) == body.model_validate(needed)


@pytest.mark.parametrize("body", [ChatRequest, CompletionRequest])
def test_the_schema_says_that_an_optional_field_may_be_null(body: Any) -> None:
    schema = body.model_json_schema()
    for name, field in body.model_fields.items():
        forms = schema["properties"][name].get("anyOf", ())
        assert ({"type": "null"} in forms) != field.is_required(), name
    assert schema["properties"]["stream"]["default"] is False


@pytest.mark.parametrize("tokens", [1, 32_769, 65_536, 2**63 - 1])
def test_any_number_of_tokens_may_be_asked_for(tokens: int) -> None:
    needed: dict[str, Any] = {"messages": [QUESTION]}
    asked = ChatRequest.model_validate({**needed, "sampling": {"max_tokens": tokens}})
    assert asked.sampling.max_tokens == tokens
    for name in ("max_tokens", "max_completion_tokens"):
        completion = CompletionRequest.model_validate({**needed, "model": "auto", name: tokens})
        assert completion.sampling.max_tokens == tokens


def test_the_turns_are_those_of_the_model_server() -> None:
    assert turns_of((ChatMessage.model_validate(QUESTION),)) == (
        Message("user", "When are you open?"),
    )
