"""`POST /advise` on a whole gateway: a use case with what was measured, or facts as they come."""

from pathlib import Path

import pytest

from service.api.schemas.advice import AdviceReply
from service.routing.advice import count_parameters_billion
from tests.service.conftest import Running

FACTS = {"need": "style", "labelled_examples": 600, "label_disagreement_percent": 9}


def test_facts_give_advice_as_json(running: Running) -> None:
    reply = running.client.post("/advise", json={"facts": FACTS})
    assert reply.status_code == 200
    assert reply.headers["content-type"] == "application/json"
    body = reply.json()
    assert body["object"] == "advice"
    assert body["recommended"] == "prompt_only"
    assert body["fine_tuning"] == {"verdict": "not_yet", "statement": "Do not fine-tune yet."}
    assert body["missing"][0]["missing"] == 1_400
    assert body["measured_by"] == "caller"


@pytest.mark.parametrize(
    ("form", "media_type", "start"),
    [("md", "text/markdown", "# 策略建议书"), ("html", "text/html", "<!doctype html>")],
)
def test_facts_give_a_page(running: Running, form: str, media_type: str, start: str) -> None:
    body = {"facts": FACTS, "lang": "zh", "format": form}
    reply = running.client.post("/advise", json=body)
    assert reply.headers["content-type"] == f"{media_type}; charset=utf-8"
    assert reply.text.lstrip().startswith(start)
    assert "现在不要微调" in reply.text


def test_a_use_case_is_judged_by_what_was_declared_and_measured(running: Running) -> None:
    running.prepare()
    body = running.client.post("/advise", json={"use_case": "demo"}).json()
    facts = {fact["fact"]: fact for fact in body["facts"]}
    assert facts["need"]["provenance"] == "declared"
    assert facts["adapter_context_trained"]["provenance"] == "measured"
    assert facts["engine_local"]["value"] is True
    assert body["measured_by"] == "house"
    assert "chitchat" not in facts
    assert body["recommended"] == "hybrid"
    assert body["to_build"] == []


def test_advice_and_route_are_of_one_policy(running: Running) -> None:
    running.prepare()
    question = [{"role": "user", "content": "How long can a lamp be returned?"}]
    ask = {"messages": question, "use_case": "demo"}
    routed = running.client.post("/route", json=ask).json()["decision"]
    advice = running.client.post("/advise", json={"use_case": "demo"}).json()
    assert advice["recommended"] == advice["today"]["strategy"] == routed["strategy"]
    assert advice["rule"] == routed["rule"]
    assert advice["policy_version"] == routed["policy_version"]


def test_a_use_case_without_anything_is_told_what_to_build(running: Running) -> None:
    running.put_use_case(facts={"need": "knowledge", "citations_required": True})
    body = running.client.post("/advise", json={"use_case": "demo"}).json()
    assert body["today"]["strategy"] is None
    assert body["recommended"] == "rag"
    assert body["to_build"] == ["a knowledge base with documents"]


def test_an_unknown_use_case_is_404(running: Running) -> None:
    reply = running.client.post("/advise", json={"use_case": "nobody"})
    assert reply.status_code == 404
    assert reply.json()["error"]["code"] == "use_case_not_found"


@pytest.mark.parametrize("body", [{}, {"use_case": "demo", "facts": {}}])
def test_neither_or_both_are_refused(running: Running, body: dict[str, object]) -> None:
    reply = running.client.post("/advise", json=body)
    assert reply.status_code == 400
    assert "either `use_case`" in reply.json()["detail"]


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"lable_examples": 1}, "did you mean 'labelled_examples'?"),
        ({"need": "fun"}, "knowledge | style | both"),
        ({"rag_score": 1}, "put it below `measured:`"),
        ({"categories": {"a": -1}}, "categories.a: must be a whole number"),
    ],
)
def test_facts_that_cannot_be_meant_are_422(
    running: Running, facts: dict[str, object], words: str
) -> None:
    reply = running.client.post("/advise", json={"facts": facts})
    assert reply.status_code == 422
    assert reply.json()["error"]["code"] == "invalid_facts"
    assert words in reply.json()["detail"]


@pytest.mark.parametrize("body", [{"facts": {}, "lang": "fr"}, {"facts": {}, "fromat": "md"}])
def test_an_unknown_language_or_key_is_422(running: Running, body: dict[str, object]) -> None:
    assert running.client.post("/advise", json=body).status_code == 422


def test_no_facts_at_all_is_still_advice(running: Running) -> None:
    body = running.client.post("/advise", json={"facts": {}}).json()
    assert body["headline"].startswith("Too little is known")


def test_a_base_model_is_measured_by_its_weights(tmp_path: Path) -> None:
    assert count_parameters_billion(tmp_path) is None
    assert count_parameters_billion(tmp_path / "nowhere") is None
    (tmp_path / "model.safetensors").write_bytes(b"0" * 2_680_000)
    assert count_parameters_billion(tmp_path) == 0.00134


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_document_is_as_the_interface_description_says(running: Running, lang: str) -> None:
    running.prepare()
    bodies: list[dict[str, object]] = [{"use_case": "demo"}, {"facts": FACTS}, {"facts": {}}]
    for asked in bodies:
        body = running.client.post("/advise", json={**asked, "lang": lang}).json()
        told = AdviceReply.model_validate(body)
        assert told.model_dump(mode="json", by_alias=True) == body


@pytest.mark.parametrize(
    ("header", "lang", "said"),
    [
        ("zh-CN,zh;q=0.9", {}, "现在不要微调。"),
        ("zh-TW", {}, "現在不要微調。"),
        ("zh-CN", {"lang": "en"}, "Do not fine-tune yet."),
        ("fr", {}, "Do not fine-tune yet."),
        ("fr", {"lang": "zh-Hant"}, "現在不要微調。"),
    ],
)
def test_the_header_names_the_language_where_the_body_does_not(
    running: Running, header: str, lang: dict[str, str], said: str
) -> None:
    body = {"facts": FACTS, **lang}
    reply = running.client.post("/advise", json=body, headers={"accept-language": header})
    assert reply.json()["fine_tuning"]["statement"] == said
    named = {"现": "zh-Hans", "現": "zh-Hant", "D": "en"}[said[0]]
    assert (reply.headers["content-language"], reply.headers["vary"]) == (named, "accept-language")
    AdviceReply.model_validate_json(reply.content)
