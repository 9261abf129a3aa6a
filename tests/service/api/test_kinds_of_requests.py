"""What is answered without sources and what is declined, as a back end meets it."""

import json
from typing import Any

import pytest

from tests.service.conftest import Running

RETURNS = ["How long may I return a lamp?", "Within 30 days of delivery."]


def messages(*said: str) -> list[dict[str, str]]:
    roles = ("user", "assistant")
    return [{"role": roles[number % 2], "content": text} for number, text in enumerate(said)]


def prepare(running: Running, **facts: Any) -> None:
    running.prepare()
    running.put_use_case(facts={"need": "knowledge", "citations_required": True, **facts})
    running.engine.switches.pieces = ("Fine, ", "thank you.")


def chat(running: Running, *said: str) -> dict[str, Any]:
    body = {"messages": messages(*said), "use_case": "demo"}
    reply: dict[str, Any] = running.client.post("/chat", json=body).json()
    return reply


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        (["Hello there!"], "small_talk"),
        (["你是真人还是机器人？"], "about_assistant"),
        ([*RETURNS, "Please repeat that"], "last_answer"),
        (["Translate into German: Our lamps come back within 30 days."], "given_text"),
    ],
)
def test_the_four_kinds_are_answered_where_sources_are_required(
    running: Running, said: list[str], kind: str
) -> None:
    prepare(running)
    answer = chat(running, *said)
    assert (answer["outcome"], answer["answer"]) == ("answered", "Fine, thank you.")
    assert (answer["citations"], answer["needs_no_sources"]) == ([], kind)
    assert answer["strategy"] == "prompt_only"
    body = {"model": "auto", "messages": messages(*said), "use_case": "demo"}
    done = running.client.post("/v1/chat/completions", json=body).json()
    assert done["route"]["needs_no_sources"] == kind


def test_a_question_of_fact_is_none_of_them(running: Running) -> None:
    prepare(running)
    answer = chat(running, "Thanks! And within how many days can a lamp be returned?")
    assert answer["strategy"] == "rag"
    assert answer["reason"] == "uncited"  # "Fine, thank you." rests on no passage
    assert "needs_no_sources" not in answer


def test_a_front_ends_helper_prompt_goes_to_the_base_model_and_is_labelled(
    running: Running,
) -> None:
    prepare(running)
    frame = (
        "### Task:\nGenerate a concise, 3-5 word title with an emoji summarizing the chat history."
        "\n### Guidelines:\n- The title should clearly represent the main theme.\n### Output:\n"
        'JSON format: { "title": "your concise title here" }\n### Chat History:\n<chat_history>\n'
        "USER: How long may I return a lamp?\nASSISTANT: Within 30 days.\n</chat_history>"
    )
    answer = chat(running, frame)
    assert (answer["outcome"], answer["strategy"]) == ("answered", "prompt_only")
    assert answer["helper_prompt"] is True
    body = {"messages": messages(frame), "use_case": "demo", "strategy": "rag"}
    assert running.client.post("/chat", json=body).json()["strategy"] == "prompt_only"
    assert chat(running, "Give my essay on lamps a title").get("helper_prompt") is None


@pytest.mark.parametrize("said", ["Book me a table for two at eight", "帮我订一张去上海的机票"])
def test_an_errand_outside_the_use_case_is_declined_and_nothing_is_asked(
    running: Running, said: str
) -> None:
    prepare(running, domain="retail")
    asked = len(running.engine.requests)
    answer = chat(running, said)
    assert (answer["outcome"], answer["reason"]) == ("abstained", "out_of_scope")
    assert answer["answer"]
    assert "retrieval" not in answer  # nothing is searched either
    assert len(running.engine.requests) == asked
    with running.client.stream(
        "POST", "/chat", json={"messages": messages(said), "use_case": "demo", "stream": True}
    ) as stream:
        lines = [line for line in stream.iter_lines() if line.startswith("data: ")]
    assert json.loads(lines[-1].removeprefix("data: "))["reason"] == "out_of_scope"


@pytest.mark.parametrize("bases", [["handbok"], []])
@pytest.mark.parametrize("need", ["knowledge", "both"])
def test_a_need_for_knowledge_that_is_not_there_is_not_answered_from_memory(
    running: Running, bases: list[str], need: str
) -> None:
    adapter = running.prepare()
    assert adapter
    running.put_use_case(facts={"need": need}, knowledge_bases=bases, adapter="helpdesk")
    asked = len(running.engine.requests)
    answer = chat(running, "Within how many days can a lamp be returned?")
    assert (answer["outcome"], answer["reason"]) == ("abstained", "nothing_relevant")
    assert len(running.engine.requests) == asked
    assert chat(running, "Hello!")["outcome"] == "answered"
    running.put_use_case(
        facts={"need": need}, knowledge_bases=bases, allow_prompt_only_when_nothing_found=True
    )
    allowed = chat(running, "Within how many days can a lamp be returned?")
    assert (allowed["outcome"], allowed["strategy"]) == ("answered", "prompt_only")


def test_a_named_strategy_is_run_where_knowledge_is_missing(running: Running) -> None:
    running.prepare()
    running.put_use_case(facts={"need": "knowledge"}, knowledge_bases=[])
    body = {"messages": messages("How long?"), "use_case": "demo", "strategy": "prompt_only"}
    assert running.client.post("/chat", json=body).json()["outcome"] == "answered"


def test_a_greeting_sent_to_a_strategy_that_retrieves_is_told_as_what_it_was(
    running: Running,
) -> None:
    running.prepare()
    running.put_use_case(facts={"need": "knowledge"}, allow_prompt_only_when_nothing_found=False)
    body = {"messages": messages("Hello there!"), "use_case": "demo", "strategy": "rag"}
    answer = running.client.post("/chat", json=body).json()
    assert answer["strategy"] == "rag"
    assert "needs_no_sources" not in answer
