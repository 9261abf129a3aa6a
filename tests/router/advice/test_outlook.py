"""Risks and next steps say what this case needs, and nothing that contradicts what is known."""

from typing import Any

import pytest

from router import Language, advice_content, advise, build_case, default_policy
from router.advice.gaps import CHECK, CONTEXT_ROWS
from tests.router.advice.cases import STABLE_AND_GOOD


def content_of(language: Language = Language.EN, **case: Any) -> dict[str, Any]:
    return advice_content(advise(build_case(case), default_policy()), language)


def risks_of(**case: Any) -> str:
    return " ".join(content_of(**case)["risks"])


def steps_of(language: Language = Language.EN, **case: Any) -> dict[str | None, str]:
    """Return what each command of the next steps is for."""
    return {step["command"]: step["text"] for step in content_of(language, **case)["next_steps"]}


FAILED: dict[str, Any] = {"need": "style", "labelled_examples": 9_000, "data_quality": "fail"}


def test_rows_that_failed_the_checks_are_to_be_mended_and_checked_again() -> None:
    assert steps_of(**FAILED)[CHECK].startswith("Mend the rows and check them again until they")
    assert steps_of(Language.ZH, **FAILED)[CHECK].startswith("修正训练数据，再检查一遍")
    gaps = {gap["about"]: gap for gap in content_of(**FAILED)["missing"]}
    assert gaps["data_quality"]["command"] == CHECK
    named = steps_of(need="style", labelled_examples=9_000, label_disagreement_percent=9)[CHECK]
    assert "label disagreement is 9%, must be below 5%" in named
    assert "which of them is not stated" not in named


def test_rows_that_failed_are_not_called_enough_or_too_few() -> None:
    content = content_of(**{**FAILED, "need": "both", "citations_required": True})
    cells = {row["id"]: row["cells"] for row in content["comparison"]}
    assert cells["data"]["fine_tuned"]["text"].endswith("but they failed the checks")
    assert "labelled data that failed the checks" in content["conclusion"]["text"]
    assert "too little labelled data" not in content["conclusion"]["text"]


@pytest.mark.parametrize(
    ("rows", "verdict", "gap"),
    [
        (0, "not_yet", "100 more rows with passages (0 of the 100 that hybrid needs)"),
        (60, "not_yet", "40 more rows with passages (60 of the 100 that hybrid needs)"),
        (None, "yes", "unknown: how many rows carry passages (hybrid needs at least 100)"),
    ],
)
def test_hybrid_without_rows_with_passages_says_so(
    rows: int | None, verdict: str, gap: str
) -> None:
    case: dict[str, Any] = {"need": "both", **STABLE_AND_GOOD, "context_bearing_examples": rows}
    content = content_of(**case)
    assert content["recommended"] == "hybrid"
    assert content["fine_tuning"]["verdict"] == verdict
    assert gap in [one["text"] for one in content["missing"]]
    assert CONTEXT_ROWS in steps_of(**case)
    assert "prepare rows with passages before training" in " ".join(content["risks"])
    assert "passages" in content["steps"][0]["finding"]
    assert content["steps"][0]["verdict"] == ("yes" if rows is None else "no")


def test_enough_rows_with_passages_are_not_asked_for() -> None:
    case: dict[str, Any] = {"need": "both", **STABLE_AND_GOOD, "context_bearing_examples": 100}
    assert CONTEXT_ROWS not in steps_of(**case)
    assert content_of(**case)["fine_tuning"]["verdict"] == "yes"
    alone = {"need": "style", **STABLE_AND_GOOD, "context_bearing_examples": 0}
    assert CONTEXT_ROWS not in steps_of(**alone)


def test_an_adapter_that_cannot_read_passages_is_not_kept_for_hybrid() -> None:
    measured = {"adapter_present": True, "adapter_servable": True, "adapter_context_trained": False}
    content = content_of(need="both", **STABLE_AND_GOOD, measured=measured)
    assert content["recommended"] == "hybrid"
    assert content["fine_tuning"]["statement"] == "Fine-tune."
    assert any("train run" in (step["command"] or "") for step in content["next_steps"])


LATE: dict[str, Any] = {"need": "knowledge", "citations_required": True, "latency_budget_ms": 200}


def test_a_missed_latency_budget_is_a_risk_and_a_step() -> None:
    case: dict[str, Any] = {**LATE, "measured": {"rag_p95_ms": 900}}
    assert "is 900 ms, and 200 ms is wanted: no strategy is known to meet that" in risks_of(**case)
    assert "Relax the latency budget, or make answers faster (fewer passages" in " ".join(
        step["text"] for step in content_of(**case)["next_steps"]
    )
    latency = next(s for s in content_of(**case)["also_asked"] if s["id"] == "latency")
    assert latency["verdict"] == "no"
    assert "misses it" in latency["finding"]


def test_a_faster_strategy_that_is_ruled_out_does_not_meet_the_budget() -> None:
    case: dict[str, Any] = {**LATE, "measured": {"rag_p95_ms": 900, "prompt_only_p95_ms": 100}}
    assert "prompting only meets that but was not chosen: sources must be shown" in risks_of(**case)
    latency = next(s for s in content_of(**case)["also_asked"] if s["id"] == "latency")
    assert latency["verdict"] == "no"


@pytest.mark.parametrize(("p95", "verdict"), [({"rag": 150}, "yes"), ({"hybrid": 150}, "unknown")])
def test_the_budget_is_judged_by_the_recommended_strategy(
    p95: dict[str, int], verdict: str
) -> None:
    measured = {f"{strategy}_p95_ms": value for strategy, value in p95.items()}
    content = content_of(**LATE, measured=measured)
    assert content["recommended"] == "rag"
    latency = next(s for s in content["also_asked"] if s["id"] == "latency")
    assert latency["verdict"] == verdict
    assert "is wanted" not in " ".join(content["risks"])


@pytest.mark.parametrize(
    ("measured", "words"),
    [
        ({}, "No strategy was measured"),
        ({"knowledge_present": True}, "No strategy was measured"),
        ({"rag_p95_ms": 900}, "The quality of retrieval (RAG) was not measured"),
        ({"prompt_only_score": 0.4}, "The quality of retrieval (RAG) was not measured"),
        ({"rag_score": 0.4}, "Only retrieval (RAG) has a score"),
    ],
)
def test_only_what_was_not_measured_is_said_not_to_be(measured: dict[str, Any], words: str) -> None:
    risks = risks_of(need="knowledge", measured=measured)
    assert words in risks
    assert ("No strategy was measured" in risks) is words.startswith("No strategy")
    has_figures = set(measured) - {"knowledge_present"} != set()
    assert ("supplied by the caller" in risks) is has_figures


def test_two_scores_leave_nothing_to_warn_of() -> None:
    risks = risks_of(need="knowledge", measured={"rag_score": 0.4, "prompt_only_score": 0.3})
    assert "measured" not in risks.replace("The measured figures were supplied", "")


def test_a_step_of_the_flow_names_what_was_measured_beside_the_scores() -> None:
    content = content_of(need="knowledge", measured={"rag_p95_ms": 900})
    step = next(s for s in content["also_asked"] if s["id"] == "measured")
    assert step["finding"] == "No scores yet; measured so far: p95 latency of retrieval (RAG)."


def test_facts_that_come_from_weights_are_a_risk() -> None:
    measured = {"prompt_only_score_low": 0.7, "prompt_only_score": 0.8, "rag_score_high": 0.5,
                "prompt_only_score_high": 0.9, "rag_score": 0.4, "rag_score_low": 0.3,
                "adapter_present": False, "knowledge_present": True}  # fmt: skip
    content = content_of(need="knowledge", budget="limited", measured=measured)
    assert content["rule"] == "measured_best_prompt_only"
    assert "Facts are needed, and prompting only does not retrieve" in " ".join(content["risks"])
    assert "does not retrieve" not in risks_of(need="knowledge")


def test_a_failed_gate_has_a_step() -> None:
    case: dict[str, Any] = {
        "need": "style",
        **STABLE_AND_GOOD,
        "measured": {"adapter_gate_passed": False},
    }
    assert "did not pass the gate" in steps_of(**case)["fingerpost adapters show ADAPTER_ID"]


def test_what_was_trained_on_secret_data_is_a_risk_of_its_own() -> None:
    case: dict[str, Any] = {
        "need": "style",
        **STABLE_AND_GOOD,
        "privacy": "secret",
        "data_deletable": False,
    }
    assert "can be extracted from the weights" in risks_of(**case)
    assert "make sure that none of it must stay deletable" not in risks_of(**case)


LIMITED = "The budget is limited"


@pytest.mark.parametrize(
    ("case", "words"),
    [
        (
            {"need": "style", **STABLE_AND_GOOD},
            "does not decide here: a fixed style or format is what fine-tuning teaches.",
        ),
        ({"need": "style", "labelled_examples": 10}, "prompting alone costs least"),
        ({"need": "knowledge"}, "a small model with retrieval costs least"),
        (
            {"need": "style", "measured": {"adapter_servable": True, "adapter_present": True}},
            "the adapter is trained already",
        ),
    ],
)
def test_the_step_of_the_budget_never_contradicts_the_advice(
    case: dict[str, Any], words: str
) -> None:
    finding = content_of(budget="limited", **case)["steps"][3]["finding"]
    assert finding.startswith(LIMITED)
    assert words in finding
    assert ("a small model with retrieval" in finding) is (case["need"] == "knowledge")


def test_what_was_measured_to_be_worse_is_not_recommended() -> None:
    def measured(rag_high: float) -> dict[str, Any]:
        return {
            "adapter_present": False,
            "knowledge_present": True,
            "prompt_only_score_low": 0.78,
            "prompt_only_score_high": 0.86,
            "rag_score_low": 0.5,
            "rag_score_high": rag_high,
        }

    case: dict[str, Any] = {"need": "knowledge", "budget": "limited"}
    content = content_of(**case, measured=measured(0.66))
    assert content["recommended"] == "prompt_only"
    assert not any("was not trained" in reason for reason in content["reasons"])
    assert content_of(**case, measured=measured(0.8))["recommended"] == "rag"


def test_missing_rows_of_a_kind_are_needed_only_where_training_is_advised() -> None:
    categories = {"a": {"rows": 2_000, "share": 0.5}, "b": {"rows": 100, "share": 0.5}}
    for budget, idle in (("limited", True), ("ample", False)):
        content = content_of(task_type="classification", budget=budget, categories=categories)
        (gap,) = [one["text"] for one in content["missing"] if one["about"] == "b"]
        assert ("needed only for fine-tuning" in gap) is idle


def test_a_strategy_that_an_older_comparison_did_not_show_to_be_worse_is_still_planned() -> None:
    measured = {"adapter_servable": False, "knowledge_present": True, "prompt_only_score_high": 0.2,
                "rag_score_low": 0.6, "rag_score_high": 0.7, "hybrid_score_high": 0.9}  # fmt: skip
    content = content_of(need="both", **STABLE_AND_GOOD, measured=measured)
    assert content["today"]["rule"] == "measured_best_rag"
    assert content["recommended"] == "hybrid"


def test_no_training_is_warned_of_where_the_adapter_serves() -> None:
    measured = {"adapter_present": True, "adapter_servable": True, "adapter_context_trained": True}
    assert "cutoff_len" in risks_of(need="both", **STABLE_AND_GOOD)
    assert "cutoff_len" not in risks_of(need="both", **STABLE_AND_GOOD, measured=measured)
