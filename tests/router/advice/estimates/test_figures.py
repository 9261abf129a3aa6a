"""Whole estimates against sums done by hand."""

from typing import Any

import pytest

from router import FACTS, Strategy, advise, build_case, default_policy
from router.advice.catalogue import text
from router.advice.estimates import DEFAULTS, POSITIVE, Estimates
from router.advice.wording import Mark


def estimates_of(**content: Any) -> Estimates:
    return advise(build_case(content), default_policy()).estimates


def test_training_by_hand() -> None:
    training = estimates_of(
        model_parameters_billion=4,
        row_tokens=500,
        passage_tokens=1_000,
        training_epochs=2,
        training_tokens_per_second=2_000,
        gpu_usd_per_hour=2,
        gpu_memory_gb=12,
        labelled_examples=3_600,
        knowledge_changes_per_week=0.5,
    ).training
    alone, both = training[Strategy.FINE_TUNED], training[Strategy.HYBRID]
    # 3,600 rows × 500 tokens × 2 epochs ÷ 2,000 tokens/s ÷ 3,600 s = 0.5 h, at 2 USD an hour.
    assert (alone.rows, alone.hours, alone.usd) == (3_600, 0.5, 1.0)
    # 2.25 × 4 + 2.1 × 0.5 + 2 = 12.05 GB: more than 12.
    assert alone.memory_gb == pytest.approx(12.05)
    assert alone.fits is False
    # 0.88 × 4 + 1.3 × 0.5 + 4 and 18 × 4 + 1.5 × 0.5.
    assert alone.qlora_memory_gb == pytest.approx(8.17)
    assert alone.full_memory_gb == pytest.approx(72.75)
    # Half a change a week: trained anew as often, 52 / 12 weeks a month.
    assert alone.runs_per_month == pytest.approx(0.5 * 52 / 12)
    # With passages a row has 1,500 tokens, so three times the time; facts come from passages.
    assert (both.hours, both.usd, both.runs_per_month) == (1.5, 3.0, 0.0)


def test_rows_below_the_minimum_are_counted_up_to_it() -> None:
    training = estimates_of(labelled_examples=100, domain="legal").training
    assert training[Strategy.FINE_TUNED].rows == 2_600


def test_an_adapter_is_trained_anew_at_most_weekly() -> None:
    training = estimates_of(knowledge_changes_per_week=40).training
    assert training[Strategy.FINE_TUNED].runs_per_month == pytest.approx(52 / 12)
    assert (
        estimates_of(need="style", knowledge_changes_per_week=40)
        .training[Strategy.FINE_TUNED]
        .runs_per_month
        == 0
    )
    assert estimates_of().training[Strategy.FINE_TUNED].runs_per_month is None


def test_cost_by_token_prices_by_hand() -> None:
    serving = estimates_of(
        usd_per_million_prompt_tokens=0.5,
        usd_per_million_completion_tokens=1.5,
        question_tokens=300,
        passage_tokens=700,
        answer_tokens=200,
        answers_per_month=50_000,
    ).serving
    # (300 × 0.5 + 200 × 1.5) ÷ 1,000 = 0.45 USD; with passages (1,000 × 0.5 + 300) ÷ 1,000 = 0.80.
    assert serving[Strategy.PROMPT_ONLY].usd_per_1000 == pytest.approx(0.45)
    assert serving[Strategy.RAG].usd_per_1000 == pytest.approx(0.80)
    assert serving[Strategy.RAG].usd_per_month == pytest.approx(40)
    assert serving[Strategy.RAG].gpu_seconds is None


def test_cost_by_gpu_hours_by_hand() -> None:
    serving = estimates_of(
        model_parameters_billion=5,
        question_tokens=1_000,
        passage_tokens=1_000,
        answer_tokens=100,
        gpu_tflops=100,
        gpu_bandwidth_gb_per_second=1_000,
        gpu_usd_per_hour=3.6,
    ).serving
    # 1,000 × 10 GFLOP ÷ 50 TFLOPS = 0.2 s; 100 × 10 GB ÷ 1,000 GB/s ÷ 8 = 0.125 s; 0.001 USD/s.
    assert serving[Strategy.PROMPT_ONLY].gpu_seconds == pytest.approx(0.325)
    assert serving[Strategy.PROMPT_ONLY].usd_per_1000 == pytest.approx(0.325)
    assert serving[Strategy.HYBRID].usd_per_1000 == pytest.approx(0.525)


def test_repeated_training_is_part_of_the_monthly_cost() -> None:
    content = {
        "usd_per_million_prompt_tokens": 1,
        "usd_per_million_completion_tokens": 1,
        "question_tokens": 500,
        "answer_tokens": 500,
        "answers_per_month": 1_000,
        "row_tokens": 500,
        "training_epochs": 1,
        "training_tokens_per_second": 1_000,
        "gpu_usd_per_hour": 3.6,
        "knowledge_changes_per_week": 1,
    }
    serving = estimates_of(**content).serving
    # 2,000 rows × 500 tokens ÷ 1,000 tokens/s = 1,000 s = 1 USD, 52 / 12 times; answers 1 USD.
    assert serving[Strategy.FINE_TUNED].usd_per_month == pytest.approx(1 + 52 / 12)
    assert serving[Strategy.PROMPT_ONLY].usd_per_month == pytest.approx(1)


def test_tokens_that_a_compare_counted_outrank_the_estimate() -> None:
    serving = estimates_of(
        answer_tokens=100,
        usd_per_million_prompt_tokens=1,
        usd_per_million_completion_tokens=2,
        measured={"rag_tokens": 1_100, "fine_tuned_tokens": 60},
    ).serving
    assert serving[Strategy.RAG].tokens_mark is Mark.MEASURED
    assert serving[Strategy.RAG].usd_per_1000 == pytest.approx((1_000 + 200) / 1000)
    assert (serving[Strategy.RAG].prompt_tokens, serving[Strategy.RAG].answer_tokens) == (
        1_000,
        100,
    )
    # 60 tokens in all, fewer than the 100 stated for an answer: only their sum is known.
    assert serving[Strategy.FINE_TUNED].tokens == 60
    assert serving[Strategy.FINE_TUNED].prompt_tokens is None
    assert serving[Strategy.FINE_TUNED].answer_tokens is None
    assert serving[Strategy.PROMPT_ONLY].tokens_mark is Mark.ESTIMATED


def test_the_speed_of_an_own_machine_has_no_price_of_a_rented_one() -> None:
    measured = {"training_tokens_per_second": 155}
    unpriced = estimates_of(measured=measured).training[Strategy.FINE_TUNED]
    assert unpriced.hours is not None
    assert unpriced.usd is None
    assert estimates_of(measured=measured, gpu_usd_per_hour=1).training[Strategy.FINE_TUNED].usd


def test_beyond_all_numbers_is_unknown_not_an_error() -> None:
    huge = 10**400
    estimates = estimates_of(answers_per_month=10**300, gpu_usd_per_hour=10**300)
    assert estimates.serving[Strategy.RAG].usd_per_month is None
    assert "answers_per_month" not in estimates_of(answers_per_month=huge).inputs


def test_every_default_has_a_source_and_yields_to_a_declaration() -> None:
    inputs = estimates_of().inputs
    for name, (value, source) in DEFAULTS.items():
        assert FACTS[name]
        assert text(f"estimates.sources.{source}").zh
        assert text(f"estimates.sources.{source}").en
        assert (inputs[name].value, inputs[name].mark) == (value, Mark.ASSUMED)
    stated = estimates_of(**dict.fromkeys(DEFAULTS, 3)).inputs
    assert {stated[name].mark for name in DEFAULTS} == {Mark.DECLARED}
    assert FACTS.keys() >= POSITIVE


def test_an_own_base_model_outranks_the_default() -> None:
    inputs = estimates_of(measured={"model_parameters_billion": 0.134}).inputs
    assert inputs["model_parameters_billion"].value == 0.134
    assert inputs["model_parameters_billion"].mark is Mark.MEASURED


def test_a_measured_speed_stands_beside_what_the_formula_says() -> None:
    measured = {"training_tokens_per_second": 155, "model_parameters_billion": 0.135}
    speed = estimates_of(measured=measured, gpu_tflops=0.3).inputs["training_tokens_per_second"]
    assert (speed.value, speed.mark) == (155, Mark.MEASURED)
    assert speed.source is not None
    # 0.43 × 0.3e12 ÷ (6 × 0.135e9) tokens a second.
    assert "the formula gives 159 tokens/s" in speed.source.en


def test_a_gpu_kept_on_costs_the_whole_month() -> None:
    assert estimates_of(gpu_usd_per_hour=2).always_on_usd_per_month == pytest.approx(1_460)
    hosted = {"usd_per_million_prompt_tokens": 1, "usd_per_million_completion_tokens": 1}
    assert estimates_of(**hosted).always_on_usd_per_month is None


def test_a_counted_sum_is_not_divided_by_a_default_and_priced_in_the_estimated_proportion() -> None:
    estimates = estimates_of(
        question_tokens=600,
        passage_tokens=168,
        usd_per_million_prompt_tokens=1,
        usd_per_million_completion_tokens=2,
        measured={"rag_tokens": 166},
    )
    rag = estimates.serving[Strategy.RAG]
    assert (rag.tokens, rag.prompt_tokens, rag.answer_tokens) == (166, None, None)
    # 600 + 168 of prompt to 256 of answer, 3 to 1: 124.5 + 41.5 tokens.
    assert rag.usd_per_1000 == pytest.approx((124.5 + 2 * 41.5) / 1000)
    assert any("not separate prompt and answer" in note.en for note in estimates.notes)
    # The same prompt with passages: hybrid is taken to need as many tokens.
    hybrid = estimates.serving[Strategy.HYBRID]
    assert (hybrid.tokens, hybrid.tokens_mark) == (166, Mark.ESTIMATED)
    assert estimates.serving[Strategy.PROMPT_ONLY].tokens == 600 + 256
    assert estimates_of().notes == ()


def test_more_tokens_counted_never_cost_less() -> None:
    serving = estimates_of(measured={"rag_tokens": 166, "prompt_only_tokens": 95}).serving
    rag, prompt_only = (
        serving[Strategy.RAG].usd_per_1000,
        serving[Strategy.PROMPT_ONLY].usd_per_1000,
    )
    assert rag is not None
    assert prompt_only is not None
    assert rag > prompt_only


@pytest.mark.parametrize("parameters", [0.135, 1.5])
def test_a_model_below_the_fitted_sizes_has_no_memory_and_a_note(parameters: float) -> None:
    estimates = estimates_of(need="style", model_parameters_billion=parameters)
    for training in estimates.training.values():
        assert training.memory_gb is training.qlora_memory_gb is training.full_memory_gb is None
        assert training.fits is True
    memory, time = estimates.notes
    # 2.25 × 1.8 + 2.1 × 1.859 + 2, a row with passages.
    assert (
        f"none is given for {parameters} billion: LoRA needs no more than the 9.95 GB" in memory.en
    )
    assert "may take longer" in time.en
    measured = {"training_tokens_per_second": 155}
    stated = estimates_of(model_parameters_billion=parameters, measured=measured)
    assert len(stated.notes) == 1


def test_no_prompt_is_priced_below_nothing() -> None:
    serving = estimates_of(
        usd_per_million_prompt_tokens=1,
        usd_per_million_completion_tokens=0,
        measured={"rag_tokens": 2_000, "prompt_only_tokens": 20},
    ).serving
    price = serving[Strategy.PROMPT_ONLY].usd_per_1000
    assert price is not None
    assert 0 < price < 0.02


def test_a_small_model_with_endless_rows_has_no_bound_either() -> None:
    estimates = estimates_of(model_parameters_billion=0.5, row_tokens=1e308, passage_tokens=1e308)
    assert not any("none is given" in note.en for note in estimates.notes)
    assert estimates.training[Strategy.HYBRID].fits is None
