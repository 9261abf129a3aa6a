"""`/chat` and `/route` over HTTP: what is answered, by what, and why."""

import json
from typing import Any

import pytest

from knowledge import Retrieval
from tests.service.conftest import Running


def events_of(running: Running, **body: Any) -> list[tuple[str, dict[str, Any]]]:
    question = {
        "messages": [
            {"role": "user", "content": "Within how many days of delivery can a lamp be returned?"}
        ]
    }
    events = []
    with running.client.stream("POST", "/chat", json={**question, **body, "stream": True}) as reply:
        assert reply.status_code == 200
        assert reply.headers["content-type"].startswith("text/event-stream")
        name = ""
        for line in reply.iter_lines():
            if line.startswith("event: "):
                name = line.removeprefix("event: ")
            elif line.startswith("data: "):
                events.append((name, json.loads(line.removeprefix("data: "))))
    return events


@pytest.mark.parametrize("strategy", ["prompt_only", "rag", "fine_tuned", "hybrid"])
def test_each_strategy_answers_by_its_own_model_and_passages(
    running: Running, strategy: str
) -> None:
    adapter_id = running.prepare()
    body = running.ask(use_case="demo", strategy=strategy).json()
    assert body["strategy"] == strategy
    adapted = strategy in ("fine_tuned", "hybrid")
    assert body["model"] == (adapter_id if adapted else running.engine.base)
    assert body["model"] in body["answer"]  # the engine was really asked for this model
    prompt = running.engine.requests[-1]["messages"][-1]["content"]
    assert ("within 30 days" in prompt) == (strategy in ("rag", "hybrid"))
    assert prompt.endswith("Within how many days of delivery can a lamp be returned?")


def test_the_decision_keeps_every_finding_and_every_rejection(running: Running) -> None:
    running.prepare()
    decision = running.ask(use_case="demo", explain=True).json()["decision"]
    assert decision["strategy"] == "hybrid"
    assert len(decision["findings"]) > 10
    assert {r["strategy"] for r in decision["rejected"]} == {"prompt_only", "rag", "fine_tuned"}
    assert decision["facts"]["adapter_context_trained"]["provenance"] == "measured"
    assert decision["policy_version"]


def test_route_decides_and_generates_nothing(running: Running) -> None:
    running.prepare()
    asked = len(running.engine.requests)
    messages = [
        {"role": "user", "content": "Within how many days of delivery can a lamp be returned?"}
    ]
    body = running.client.post("/route", json={"messages": messages, "use_case": "demo"}).json()
    assert body["strategy"] == "hybrid"
    assert len(running.engine.requests) == asked


def test_a_stream_has_decision_passages_deltas_and_one_done(running: Running) -> None:
    running.prepare()
    events = events_of(running, use_case="demo", strategy="rag")
    names = [name for name, _ in events]
    assert names[:2] == ["decision", "passages"]
    assert names[-1] == "done"
    assert set(names[2:-1]) == {"delta"}
    said = "".join(data["text"] for name, data in events if name == "delta")
    assert events[-1][1]["answer"] == said
    assert events[1][1]["passages"][0]["marker"] == 1


@pytest.mark.parametrize("said", ["Hello!", "Thanks, bye", "谢谢！", "你好"])
def test_chitchat_searches_nothing(
    running: Running, monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    running.prepare()
    searched: list[str] = []
    retrieve = running.context.knowledge.retrieve

    def spy(question: str, **options: Any) -> Retrieval:
        searched.append(question)
        return retrieve(question, **options)

    monkeypatch.setattr(running.context.knowledge, "retrieve", spy)
    body = running.ask(said, use_case="demo", explain=True).json()
    assert (body["outcome"], body["citations"], searched) == ("answered", [], [])
    assert "Passages" not in running.engine.requests[-1]["messages"][-1]["content"]
    assert body["decision"]["facts"]["chitchat"]["value"] is True
    running.ask("How many days?", use_case="demo")  # and a question does
    assert searched == ["How many days?"]


def test_nothing_relevant_abstains_with_the_use_cases_sentence(running: Running) -> None:
    running.prepare()
    body = running.ask("Who painted zebra quartz?", use_case="demo", strategy="rag").json()
    assert body["outcome"] == "abstained"
    assert body["answer"].startswith("Sorry, I found nothing")
    assert body["finish_reason"] == "stop"
    assert body["usage"]["prompt_tokens"] == 0


@pytest.mark.parametrize(
    ("question", "refusal"),
    [
        ("誰畫了斑馬石英？", "抱歉，資料中沒有找到相關內容，我無法回答這個問題。"),
        ("谁画了斑马石英？", "抱歉，资料中没有找到相关内容，我无法回答这个问题。"),
    ],
)
def test_a_question_is_refused_in_its_script(running: Running, question: str, refusal: str) -> None:
    running.prepare()
    body = running.ask(question, use_case="demo", strategy="rag").json()
    assert (body["outcome"], body["answer"]) == ("abstained", refusal)


@pytest.mark.parametrize(
    ("said", "outcome"),
    [
        (("Sorry, I found nothing about this in ", "the documents, so I cannot answer it."), 1),
        (("抱歉，资料中没有找到相关内容，", "我无法回答这个问题。"), 1),
        (("抱歉，資料中沒有找到相關內容，", "我無法回答這個問題。"), 1),
        (("Sorry, I found nothing about this in the documents, so", " call us."), 0),
    ],
)
def test_a_model_that_says_the_refusal_abstains(
    running: Running, said: tuple[str, ...], outcome: int
) -> None:
    running.prepare()
    running.engine.switches.pieces = said
    body = running.ask(use_case="demo", strategy="hybrid").json()
    assert body["answer"] == "".join(said)
    assert body["outcome"] == ["answered", "abstained"][outcome]
    assert body["usage"]["prompt_tokens"] > 0


def test_the_use_cases_token_budget_bounds_what_the_model_is_given(running: Running) -> None:
    running.prepare()
    for name in ("toys", "rugs"):  # 140 tokens each, beside 12 of returns.md
        within = "A lamp can be returned within 30 days of delivery. " * 13
        running.put_document(f"{within} So it is for {name} and all else.", f"{name}.md")

    def given() -> tuple[int, int]:
        body = running.ask(use_case="demo", strategy="rag").json()
        prompt = running.engine.requests[-1]["messages"][-1]["content"]
        return prompt.count(".md"), body["retrieval"]["passages_over_budget"]

    assert given() == (3, 0)
    running.put_use_case(context_tokens=256)
    assert given() == (1, 2)  # the second does not fit, and nothing smaller slips in


def test_nothing_relevant_falls_back_where_the_use_case_allows_it(running: Running) -> None:
    running.prepare()
    running.put_use_case(allow_prompt_only_when_nothing_found=True)
    body = running.ask("Who painted zebra quartz?", use_case="demo", strategy="rag").json()
    assert body["strategy"] == "prompt_only"
    assert body["decision"]["fallback_from"] == "rag"


def test_a_strategy_without_its_adapter_is_refused_naming_what_is_missing(
    running: Running,
) -> None:
    running.put_use_case(adapter="helpdesk")
    reply = running.ask(use_case="demo", strategy="fine_tuned")
    assert reply.status_code == 409
    assert reply.json()["error"]["code"] == "strategy_forbidden"
    assert "helpdesk" in reply.json()["detail"]
    assert reply.json()["rule"] == "no_adapter"


def test_an_empty_knowledge_base_is_refused_naming_it(running: Running) -> None:
    running.client.post("/v1/vector_stores", json={"name": "handbook", "id": "handbook"})
    running.put_use_case()
    reply = running.ask(use_case="demo", strategy="rag")
    assert reply.status_code == 409
    assert "handbook" in reply.json()["detail"]


def test_required_citations_refuse_a_strategy_that_cannot_cite(running: Running) -> None:
    running.prepare()
    asked = {"citations": True}
    reply = running.ask(use_case="demo", strategy="prompt_only", requirements=asked)
    assert reply.status_code == 409
    body = running.ask(use_case="demo", strategy="rag", requirements=asked).json()
    assert "Cite the passages" in running.engine.requests[-1]["messages"][-1]["content"]
    assert body["strategy"] == "rag"


def test_the_callers_sampling_wins_over_the_use_cases(running: Running) -> None:
    running.put_use_case(sampling={"temperature": 0.5, "max_tokens": 40})
    running.ask(use_case="demo", strategy="prompt_only", sampling={"max_tokens": 9})
    asked = running.engine.requests[-1]
    assert (asked["temperature"], asked["max_tokens"]) == (0.5, 9)


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"use_case": "nobody"}, 404, "use_case_not_found"),
        ({"strategy": "magic"}, 422, "malformed_request"),
        ({"unknown_key": 1}, 422, "malformed_request"),
        ({"messages": []}, 422, "malformed_request"),
        ({"messages": [{"role": "assistant", "content": "x"}]}, 400, "invalid_request"),
        (
            {"messages": [{"role": "user", "content": "word " * 9000}]},
            400,
            "context_length_exceeded",
        ),
        ({"knowledge_bases": ["nowhere"]}, 404, "knowledge_base_not_found"),
    ],
)
def test_bad_input_gets_its_status_and_one_error_shape(
    running: Running, body: dict[str, Any], status: int, code: str
) -> None:
    whole = {"messages": [{"role": "user", "content": "Hi"}], **body}
    reply = running.client.post("/chat", json=whole)
    assert reply.status_code == status
    problem = reply.json()
    assert problem["error"]["code"] == code
    assert problem["status"] == status
    assert reply.headers["x-request-id"] == problem["request_id"]
    assert "Traceback" not in reply.text


FACES = {
    "/chat": {"strategy": "prompt_only"},
    "/v1/chat/completions": {"model": "prompt_only"},
}


@pytest.mark.parametrize("path", FACES)
@pytest.mark.parametrize(
    ("message", "param"),
    [
        (
            {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:,"}}]},
            "messages[1].content[0]",
        ),
        ({"role": "robot", "content": "Hi"}, "messages[1].role"),
        ({"role": "user", "content": None}, "messages"),
    ],
)
def test_a_message_that_cannot_be_read_is_400_and_named(
    running: Running, path: str, message: dict[str, Any], param: str
) -> None:
    messages = [{"role": "system", "content": "You help."}, message]
    reply = running.client.post(path, json={**FACES[path], "messages": messages})
    assert (reply.status_code, reply.json()["error"]["code"]) == (400, "invalid_request")
    assert reply.json()["error"]["param"] == param
    assert running.engine.requests == []


@pytest.mark.parametrize("path", FACES)
def test_the_result_of_a_tool_reaches_the_model_as_text(running: Running, path: str) -> None:
    called = {"id": "a1", "type": "function", "function": {"name": "get_order"}}
    messages = [
        {"role": "user", "content": "Where is order 4711?"},
        {"role": "assistant", "content": None, "tool_calls": [called]},
        {"role": "tool", "tool_call_id": "a1", "content": "on its way"},
    ]
    reply = running.client.post(path, json={**FACES[path], "messages": messages, "stream": None})
    assert reply.status_code == 200, reply.text
    sent = running.engine.requests[-1]["messages"]
    assert [turn["role"] for turn in sent[-3:]] == ["user", "assistant", "user"]
    assert sent[-2]["content"] == "Result of get_order: on its way"
    assert sent[-1]["content"] == "Where is order 4711?"


@pytest.mark.parametrize("path", FACES)
@pytest.mark.parametrize("tokens", [0, -1, 2**63, 4096, 65_536, 2**63 - 1])
def test_no_number_of_tokens_is_a_failure_inside(running: Running, path: str, tokens: int) -> None:
    options = {"max_tokens": tokens}
    asked = {"sampling": options} if path == "/chat" else options
    messages = [{"role": "user", "content": "Hi"}]
    reply = running.client.post(path, json={**FACES[path], **asked, "messages": messages})
    refused = 1 > tokens or tokens >= 2**63
    assert reply.status_code in ((422,) if refused else (200, 400)), reply.text
    assert not refused or "max_tokens` must be" in reply.json()["detail"]


def test_a_question_longer_than_is_searched_is_searched_by_its_end(running: Running) -> None:
    running.prepare()
    question = "Within how many days of delivery can a lamp be returned?"
    long = f"{'I write about my kitchen. ' * 330}{question}"
    assert len(long) > running.settings.knowledge.max_question_chars
    body = running.ask(long, use_case="demo", strategy="rag").json()
    assert body["outcome"] == "answered"
    assert "within 30 days" in running.engine.requests[-1]["messages"][-1]["content"]
    assert running.engine.requests[-1]["messages"][-1]["content"].count("kitchen") == 330


def test_a_body_that_is_not_json_typed_is_refused(running: Running) -> None:
    body = json.dumps({"messages": [{"role": "user", "content": "Hi"}]})
    reply = running.client.post("/chat", content=body, headers={"content-type": "text/plain"})
    assert reply.status_code == 422


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8080", "127.0.0.1.evil.example", ""]
)
def test_other_hosts_are_refused(running: Running, host: str) -> None:
    reply = running.client.get("/health", headers={"host": host})
    assert reply.status_code in (400, 403)  # an empty host is not even HTTP


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:8080", "[::1]", "[::1]:8080"])
def test_loopback_hosts_are_served(running: Running, host: str) -> None:
    assert running.client.get("/health", headers={"host": host}).status_code == 200


def test_a_too_large_body_is_refused(running: Running) -> None:
    body = {"messages": [{"role": "user", "content": "x" * 200_000}]}
    reply = running.client.post("/chat", json=body)
    assert reply.status_code == 413
    assert reply.json()["error"]["code"] == "body_too_large"


def test_a_too_large_body_without_a_length_is_refused(running: Running) -> None:
    reply = running.client.post(
        "/chat",
        content=(b'{"messages": ["' + b"x" * 50_000 for _ in range(5)),
        headers={"content-type": "application/json"},
    )
    assert reply.status_code == 413
    assert reply.json()["error"]["code"] == "body_too_large"


def test_keys_of_an_earlier_json_answer_are_not_searched_for(running: Running) -> None:
    running.prepare()
    house = json.dumps({"warranty_note": "A lamp comes back within 30 days.", "sure": True})
    messages = [
        {"role": "user", "content": "How long may I return a lamp?"},
        {"role": "assistant", "content": house},
        {"role": "user", "content": "And a used one?"},
    ]
    body = {"messages": messages, "use_case": "demo", "strategy": "rag"}
    searched = running.client.post("/chat", json=body).json()["retrieval"]["query"]
    assert "A lamp comes back within 30 days." in searched
    assert "warranty_note" not in searched
