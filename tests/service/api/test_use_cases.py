"""What a team declares: kept whole, refused by name, and completed by defaults."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from sqlalchemy import Engine

from service.chat.question import Question
from service.engine.client import Message
from service.errors import UseCaseNotFound
from service.stores.database import create_tables, open_database
from service.stores.tables import metadata
from service.stores.use_cases import DEFAULT_SAMPLING, Refusal, Sampling, UseCase, UseCases
from tests.service.conftest import Running

TENANT = "default"


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Engine]:
    opened = open_database(f"sqlite:///{tmp_path}/state.db")
    create_tables(opened, metadata)
    yield opened
    opened.dispose()


@pytest.fixture
def use_cases(database: Engine) -> UseCases:
    return UseCases(database)


def test_a_use_case_is_read_back_as_it_was_written(use_cases: UseCases) -> None:
    written = UseCase(
        id="demo",
        role="你是客服。",
        facts={"need": "both", "labelled_examples": 5000, "citations_required": None},
        knowledge_bases=("handbook", "faq"),
        adapter="helpdesk",
        output_schema={"type": "object"},
        sampling=Sampling(temperature=0.2, stop=("END",)),
    )
    use_cases.put(written, tenant=TENANT)
    assert use_cases.get("demo", tenant=TENANT) == written


def test_the_second_of_one_id_replaces_the_first(use_cases: UseCases) -> None:
    use_cases.put(UseCase(id="demo", role="first"), tenant=TENANT)
    use_cases.put(UseCase(id="demo", role="second"), tenant=TENANT)
    assert [found.role for found in use_cases.list(tenant=TENANT)] == ["second"]


def test_tenants_do_not_see_each_others_use_cases(use_cases: UseCases) -> None:
    use_cases.put(UseCase(id="demo", role="ours"), tenant="a")
    use_cases.put(UseCase(id="demo", role="theirs"), tenant="b")
    use_cases.delete("demo", tenant="b")
    assert use_cases.get("demo", tenant="a").role == "ours"
    with pytest.raises(UseCaseNotFound):
        use_cases.get("demo", tenant="b")


def test_use_cases_are_listed_by_id(use_cases: UseCases) -> None:
    for name in ("b", "a", "c"):
        use_cases.put(UseCase(id=name), tenant=TENANT)
    assert [found.id for found in use_cases.list(tenant=TENANT)] == ["a", "b", "c"]


@pytest.mark.parametrize("act", ["get", "delete"])
def test_an_unknown_use_case_is_named_with_the_way_to_make_it(
    use_cases: UseCases, act: str
) -> None:
    with pytest.raises(UseCaseNotFound, match="PUT /use_cases/nobody") as missing:
        getattr(use_cases, act)("nobody", tenant=TENANT)
    assert missing.value.param == "use_case"


@pytest.mark.parametrize(
    ("facts", "named"),
    [
        ({"labeled_examples": 5}, "labeled_examples"),
        ({"labelled_examples": "many"}, "labelled_examples"),
        ({"labelled_examples": -1}, "labelled_examples"),
        ({"need": "fame"}, "need"),
        ({"citations_required": 1}, "citations_required"),
        ({"adapter_present": True}, "adapter_present"),  # measured, not declared
        ({"chitchat": True}, "chitchat"),  # of the request
    ],
)
def test_a_fact_that_cannot_be_declared_is_refused_by_name(
    facts: dict[str, Any], named: str
) -> None:
    with pytest.raises(ValidationError, match=f"'{named}'"):
        UseCase(id="demo", facts=facts)


@pytest.mark.parametrize("name", ["", "-x", "a/b", "a b", "x" * 65, "..", "名"])
def test_an_id_that_does_not_fit_an_address_is_refused(name: str) -> None:
    with pytest.raises(ValidationError, match="id"):
        UseCase(id=name)


def test_an_unknown_key_is_refused_by_name() -> None:
    with pytest.raises(ValidationError, match="knowlege_bases"):
        UseCase.model_validate({"id": "demo", "knowlege_bases": ["x"]})


@pytest.mark.parametrize(
    ("question", "language", "said"),
    [
        ("可以退货吗？", "zh", "没有资料"),
        ("可否分期", "zh", "没有资料"),
        ("可以退貨嗎？", "zh", "沒有資料"),
        ("Can I?", "en", "None"),
        ("返品", "ja", "None"),
    ],
)
def test_a_refusal_is_in_the_language_and_the_script_of_the_question(
    question: str, language: str, said: str
) -> None:
    assert Refusal(zh="没有资料", en="None").in_reply_to(question, language) == said


def test_a_refusal_in_traditional_letters_that_is_declared_comes_before_the_converted_one() -> None:
    body = {"id": "demo", "refusal": {"zh": "没有资料", "zh-Hant": "查無資料"}}
    refusal = UseCase.model_validate(UseCase.model_validate(body).model_dump(mode="json")).refusal
    assert refusal.in_reply_to("可以退貨嗎？", "zh") == "查無資料"
    assert refusal.in_reply_to("可以退货吗？", "zh") == "没有资料"
    assert refusal.matches(" 查無資料\n")


def test_a_refusal_is_never_empty() -> None:
    with pytest.raises(ValidationError):
        Refusal(en="")
    assert Refusal().zh
    assert Refusal().en


def test_the_callers_options_come_before_the_use_cases_and_those_before_the_default() -> None:
    use_case = UseCase(id="demo", sampling=Sampling(temperature=0.5, top_p=0.9, max_tokens=40))
    question = Question(
        "r", TENANT, (Message("user", "Hi"),), sampling=Sampling(max_tokens=9, seed=3)
    )
    used = question.sampling_for(use_case)
    assert (used.max_tokens, used.seed) == (9, 3)
    assert (used.temperature, used.top_p) == (0.5, 0.9)
    bare = Question("r", TENANT, question.turns).sampling_for(UseCase(id="bare"))
    assert bare == DEFAULT_SAMPLING
    assert (bare.temperature, bare.max_tokens) == (0.0, 256)


def test_zero_is_an_option_and_not_the_lack_of_one() -> None:
    assert Sampling(temperature=0.0).over(Sampling(temperature=0.7)).temperature == 0.0


def test_an_unknown_fact_is_refused_over_http_by_name(running: Running) -> None:
    body = {"id": "demo", "facts": {"labeled_examples": 5}}
    reply = running.client.put("/use_cases/demo", json=body)
    assert reply.status_code == 422
    assert "labeled_examples" in reply.json()["detail"]


def test_the_id_of_the_body_is_the_id_of_the_path(running: Running) -> None:
    reply = running.client.put("/use_cases/one", json={"id": "two"})
    assert reply.status_code == 400
    assert reply.json()["error"]["param"] == "id"


def test_a_changed_use_case_is_in_force_at_once(running: Running) -> None:
    for role in ("You are A.", "You are B.", "You are C."):
        running.put_use_case(role=role)
        running.ask(use_case="demo", strategy="prompt_only")
        assert running.engine.requests[-1]["messages"][0]["content"] == role
    assert running.client.delete("/use_cases/demo").status_code == 200
    assert running.ask(use_case="demo").status_code == 404


def test_a_knowledge_base_named_by_the_caller_is_a_fact(running: Running) -> None:
    running.prepare()
    named = running.ask(use_case="demo", knowledge_bases=["handbook"], explain=True).json()
    named = named["decision"]
    assert named["facts"]["knowledge_bases_named"] == {
        "value": 1,
        "provenance": "request",
        "unit": "bases",
    }
    bare = running.ask(use_case="demo", explain=True).json()
    assert "knowledge_bases_named" not in bare["decision"]["facts"]


def test_a_use_case_is_told_whole_alone_and_in_the_list(running: Running) -> None:
    running.put_use_case(facts={"need": "both"}, sampling={"stop": ["END"]})
    told = running.client.get("/use_cases/demo").json()
    assert told == UseCase.model_validate(told).model_dump(mode="json")
    assert (told["facts"], told["sampling"]["stop"]) == ({"need": "both"}, ["END"])
    page = running.client.get("/use_cases").json()
    assert page == {"object": "list", "data": [told], "has_more": False}
    gone = running.client.delete("/use_cases/demo").json()
    assert gone == {"id": "demo", "object": "use_case", "deleted": True}
