"""Why nothing may run, why another strategy runs today, and what to run in the meantime."""

from typing import Any

import pytest

from router import Language, advice_content, advise, build_case, default_policy
from tests.router.advice.cases import STABLE_AND_GOOD


def content_of(case: dict[str, Any], language: Language = Language.EN) -> dict[str, Any]:
    return advice_content(advise(build_case(case), default_policy()), language)


SERVED = {"adapter_present": True, "adapter_servable": True, "adapter_context_trained": True}


@pytest.mark.parametrize("engine", [None, False])
@pytest.mark.parametrize("knowledge", [None, False, True])
def test_what_stands_in_the_way_of_everything_is_why_nothing_may_run(
    engine: bool | None, knowledge: bool | None
) -> None:
    measured = {"engine_local": engine, "knowledge_present": knowledge}
    today = content_of({"need": "knowledge", "privacy": "secret", "measured": measured})["today"]
    assert today == {
        "strategy": None,
        "rule": "secret_data_stays_local",
        "because": "secret data may only be processed by an engine on your own machines",
    }


def test_where_no_rule_forbids_everything_each_is_named_for_its_strategies() -> None:
    case = {"citations_required": True, "measured": {"knowledge_present": False}}
    because = content_of(case)["today"]["because"]
    assert because == (
        "retrieval (RAG), hybrid (fine-tuning and retrieval): the knowledge bases have no "
        "searchable content; prompting only, fine-tuning: sources must be shown, and a strategy "
        "that does not retrieve cannot cite"
    )
    unknown = content_of({"citations_required": True}, Language.ZH)["today"]["because"]
    assert "据目前所知，知识库里没有可检索的内容" in unknown


def test_the_reason_of_today_says_why_the_first_choice_does_not_run() -> None:
    today = content_of({"need": "style", **STABLE_AND_GOOD})["today"]
    assert today["strategy"] == "prompt_only"
    assert today["because"] == (
        "fine-tuning would come first, but as far as is known, the use case has no adapter"
    )
    served = content_of({"need": "style", "measured": {**SERVED}})["today"]
    assert served["because"] == "a fixed style or format is what fine-tuning teaches"


def test_a_reason_that_lasts_is_told_before_one_that_building_ends() -> None:
    measured = {"adapter_present": True, "adapter_servable": False, "adapter_gate_passed": False}
    today = content_of({"need": "style", **STABLE_AND_GOOD, "measured": measured})["today"]
    assert today["because"].endswith("but the adapter did not pass the evaluation gate")


@pytest.mark.parametrize(
    ("case", "strategy", "words"),
    [
        ({"need": "style", **STABLE_AND_GOOD}, "prompt_only", "until an adapter serves: prompt"),
        (
            {"need": "both", **STABLE_AND_GOOD},
            "rag",
            "until the knowledge base has documents: prompting only; then, until an adapter "
            "serves: retrieval (RAG)",
        ),
        (
            {"need": "both", **STABLE_AND_GOOD, "measured": {"knowledge_present": True}},
            "rag",
            "until an adapter serves: retrieval (RAG)",
        ),
        (
            {"need": "knowledge", "citations_required": True},
            None,
            "until the knowledge base has documents: no strategy can run",
        ),
        (
            {"need": "knowledge", "privacy": "secret"},
            "prompt_only",
            "until the engine runs on your own machines: no strategy can run; then, until the "
            "knowledge base has documents: prompting only",
        ),
        (
            {"need": "knowledge", "privacy": "secret", "citations_required": True},
            None,
            "until the engine runs on your own machines and the knowledge base has documents: no",
        ),
        (
            {"need": "both", "labelled_examples": 300},
            "rag",
            "prompting only; then, until there are enough good rows: retrieval (RAG)",
        ),
    ],
)
def test_what_to_run_until_the_recommended_strategy_is_possible(
    case: dict[str, Any], strategy: str | None, words: str
) -> None:
    content = content_of(case)
    assert content["interim"]["strategy"] == strategy
    assert words in content["interim"]["text"]
    assert f"In the meantime, {content['interim']['text']}" in [
        step["text"] for step in content["next_steps"]
    ]


def test_the_meantime_is_said_in_chinese_too() -> None:
    text = content_of({"need": "both", **STABLE_AND_GOOD}, Language.ZH)["interim"]["text"]
    assert text == "知识库有文档之前：仅提示词；之后在适配器上线之前：检索增强（RAG）"


def test_what_is_possible_already_has_no_meantime() -> None:
    measured = {**SERVED, "adapter_gate_passed": True, "knowledge_present": True}
    assert content_of({"need": "both", "measured": measured})["interim"] is None
    assert content_of({"need": "knowledge", "measured": measured})["interim"] is None
