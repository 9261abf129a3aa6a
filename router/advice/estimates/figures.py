"""Memory, time and cost of one case before anything is built, and where each input comes from.

Every input is a declared or measured fact, or a default with a source. What cannot be estimated is
None and said to be unknown. An estimate of time or cost is right within a factor of two.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from router.advice.catalogue import text
from router.advice.estimates.formulas import (
    FITTED_FROM,
    finite,
    fits_one_gpu,
    gpu_seconds_per_answer,
    memory_of_training,
    training_memory_gb,
    training_tokens_per_second,
)
from router.advice.requirements import RowRequirement
from router.advice.wording import Mark, quantity
from router.decision import Strategy
from router.facts import Facts, Provenance
from router.text import Text

# What is taken where a fact is neither declared nor measured, and its `estimates.sources` text.
DEFAULTS: Final[Mapping[str, tuple[float, str]]] = {
    "model_parameters_billion": (7, "model"),
    "question_tokens": (486, "lengths"),
    "passage_tokens": (1_117, "lengths"),
    "answer_tokens": (256, "answer"),
    "training_epochs": (3, "epochs"),
    "gpu_memory_gb": (80, "gpu"),
    "gpu_tflops": (312, "gpu"),
    "gpu_bandwidth_gb_per_second": (2_039, "gpu"),
    "gpu_usd_per_hour": (2.79, "price"),
}

# Nothing can be computed with 0 of these: it is as good as unknown.
POSITIVE: Final = frozenset(
    {
        "model_parameters_billion",
        "question_tokens",
        "passage_tokens",
        "answer_tokens",
        "row_tokens",
        "training_epochs",
        "training_tokens_per_second",
        "gpu_memory_gb",
        "gpu_tflops",
        "gpu_bandwidth_gb_per_second",
    }
)

FORMULAS: Final = ("training_memory", "training_time", "serving_cost")

_WEEKS_A_MONTH: Final = 52 / 12
_HOURS_A_MONTH: Final = 365 * 24 / 12
_TOKEN_PRICES: Final = ("usd_per_million_prompt_tokens", "usd_per_million_completion_tokens")


@dataclass(frozen=True, slots=True)
class Input:
    """One input of the estimates.

    Attributes:
        fact: The fact it stands for.
        value: What was taken.
        mark: Declared, measured, assumed (a default) or estimated (made from other inputs).
        source: Where a default comes from; None for a fact.
    """

    fact: str
    value: float
    mark: Mark
    source: Text | None = None


@dataclass(frozen=True, slots=True)
class Training:
    """What making the adapter of one strategy takes. None means that it cannot be estimated.

    Attributes:
        rows: Rows trained on: those there are, at least the minimum.
        row_tokens: Tokens of one row, with passages where the strategy retrieves.
        memory_gb: LoRA, one row at a time; None also for models below `FITTED_FROM`.
        qlora_memory_gb: The same with 4-bit weights.
        full_memory_gb: All weights trained, over all GPUs; never below LoRA.
        fits: Whether LoRA fits into one GPU.
        hours: GPU hours of one training run.
        usd: Cost of one training run.
        runs_per_month: How often it must be repeated to keep up with the knowledge.
    """

    rows: int
    row_tokens: float
    memory_gb: float | None
    qlora_memory_gb: float | None
    full_memory_gb: float | None
    fits: bool | None
    hours: float | None
    usd: float | None
    runs_per_month: float | None


@dataclass(frozen=True, slots=True)
class Serving:
    """What answering by one strategy costs. None means that it cannot be estimated.

    Attributes:
        tokens: Of prompt and answer together.
        prompt_tokens: Of one prompt, with passages where the strategy retrieves; None where only
            the sum is known, as a compare counts it.
        answer_tokens: Of one answer; None likewise.
        tokens_mark: Measured where a compare counted them.
        gpu_seconds: Of one answer; None where prices a token were given.
        usd_per_1000: Cost of a thousand answers.
        usd_per_month: Answers and repeated training; None while the number of answers is unknown.
    """

    tokens: float
    prompt_tokens: float | None
    answer_tokens: float | None
    tokens_mark: Mark
    gpu_seconds: float | None
    usd_per_1000: float | None
    usd_per_month: float | None


@dataclass(frozen=True, slots=True)
class Estimates:
    """Everything estimated for one case.

    Attributes:
        inputs: What went in, by name.
        training: For the strategies that need an adapter.
        serving: For all four.
        always_on_usd_per_month: One GPU kept running, busy or not; None with prices a token.
        notes: What the reader must know of these figures.
    """

    inputs: Mapping[str, Input]
    training: Mapping[Strategy, Training]
    serving: Mapping[Strategy, Serving]
    always_on_usd_per_month: float | None
    notes: tuple[Text, ...] = ()


def estimate(facts: Facts, required: RowRequirement, max_changes_per_week: float) -> Estimates:
    """Estimate training and serving for all strategies.

    Args:
        facts: What is known.
        required: How many rows training needs.
        max_changes_per_week: Up to so many changes an adapter can be trained anew each week; an
            adapter that must know the facts is trained at most so often.

    Returns:
        The estimates; nothing raises, what cannot be computed is None.
    """
    inputs = _inputs(facts)
    training = {
        strategy: _train(
            strategy,
            facts,
            inputs,
            required=required,
            max_changes_per_week=max_changes_per_week,
        )
        for strategy in Strategy
        if strategy.uses_adapter
    }
    serving = {s: _serve(s, facts, inputs, training.get(s)) for s in Strategy}
    by_token = _has_token_prices(inputs)
    month = None if by_token else finite(inputs["gpu_usd_per_hour"].value * _HOURS_A_MONTH)
    return Estimates(inputs, training, serving, month, tuple(_notes(inputs, training, serving)))


def _inputs(facts: Facts) -> dict[str, Input]:
    inputs = {}
    for name, (default, source) in DEFAULTS.items():
        inputs[name] = _stated(name, facts) or Input(
            name, default, Mark.ASSUMED, text(f"estimates.sources.{source}")
        )
    row = inputs["question_tokens"].value + inputs["answer_tokens"].value
    inputs["row_tokens"] = _stated("row_tokens", facts) or Input(
        "row_tokens", row, Mark.ESTIMATED, text("estimates.sources.row")
    )
    speed = _speed(facts, inputs)
    optional = (*_TOKEN_PRICES, "answers_per_month")
    for found in (speed, *(_stated(name, facts) for name in optional)):
        if found is not None:
            inputs[found.fact] = found
    return inputs


def _speed(facts: Facts, inputs: Mapping[str, Input]) -> Input | None:
    """Return the speed of training; a measured one has the formula's figure beside it."""
    name = "training_tokens_per_second"
    parameters, peak = inputs["model_parameters_billion"].value, inputs["gpu_tflops"].value
    rate = finite(training_tokens_per_second(parameters, peak))
    stated = _stated(name, facts)
    if stated is None:
        source = text("estimates.formulas.training_time.source")
        return Input(name, rate, Mark.ESTIMATED, source) if rate else None
    if stated.mark is Mark.MEASURED and rate:
        own = quantity(rate, "tokens_per_second")
        return replace(stated, source=text("estimates.sources.measured_speed", estimate=own))
    return stated


def _stated(name: str, facts: Facts) -> Input | None:
    """Return a fact as an input; None where it is unknown or beyond what can be computed with."""
    value = facts.get(name)
    number = finite(value) if isinstance(value, int | float) else None
    if number is None or (number == 0 and name in POSITIVE):
        return None
    measured = facts.provenances[name] is Provenance.MEASURED
    return Input(name, number, Mark.MEASURED if measured else Mark.DECLARED)


def _train(
    strategy: Strategy,
    facts: Facts,
    inputs: Mapping[str, Input],
    *,
    required: RowRequirement,
    max_changes_per_week: float,
) -> Training:
    have = _stated("labelled_examples", facts)
    rows = required.minimum if have is None else max(required.minimum, math.ceil(have.value))
    row_tokens = inputs["row_tokens"].value
    if strategy.retrieves:
        row_tokens += inputs["passage_tokens"].value
    parameters = inputs["model_parameters_billion"].value
    lora, qlora, full = memory_of_training(parameters, row_tokens)
    least = finite(training_memory_gb(max(parameters, FITTED_FROM), row_tokens))
    hours = None
    if "training_tokens_per_second" in inputs:
        tokens = rows * row_tokens * inputs["training_epochs"].value
        hours = finite(tokens / inputs["training_tokens_per_second"].value / 3600)
    return Training(
        rows=rows,
        row_tokens=row_tokens,
        memory_gb=lora,
        qlora_memory_gb=qlora,
        full_memory_gb=full,
        fits=fits_one_gpu(least, parameters, inputs["gpu_memory_gb"].value),
        hours=hours,
        usd=_training_usd(hours, inputs),
        runs_per_month=_runs_per_month(strategy, facts, max_changes_per_week),
    )


def _training_usd(hours: float | None, inputs: Mapping[str, Input]) -> float | None:
    """Return the cost of a run; None for a stated speed without a stated price."""
    price, speed = inputs["gpu_usd_per_hour"], inputs.get("training_tokens_per_second")
    own_speed = speed is not None and speed.mark is not Mark.ESTIMATED
    if hours is None or (own_speed and price.mark is Mark.ASSUMED):
        return None
    return finite(hours * price.value)


def _runs_per_month(strategy: Strategy, facts: Facts, most_per_week: float) -> float | None:
    """Return how often training is repeated: not for style, and not where passages bring facts."""
    if strategy.retrieves or facts.get("need") == "style":
        return 0.0
    changes = _stated("knowledge_changes_per_week", facts)
    return None if changes is None else min(changes.value, most_per_week) * _WEEKS_A_MONTH


def _serve(
    strategy: Strategy, facts: Facts, inputs: Mapping[str, Input], training: Training | None
) -> Serving:
    prompt, answer = _estimated_lengths(strategy, inputs)
    counted = _counted(strategy, facts)
    if counted is None:
        seconds, usd = _cost_of_1000(prompt, answer, inputs)
        month = _per_month(usd, inputs, training)
        return Serving(prompt + answer, prompt, answer, Mark.ESTIMATED, seconds, usd, month)
    # A stated length of an answer divides the sum; else it is divided only to be priced.
    divides = inputs["answer_tokens"].mark is not Mark.ASSUMED and answer < counted.value
    written = answer if divides else _likely_answer(facts, inputs)
    read = counted.value - written
    seconds, usd = _cost_of_1000(read, written, inputs)
    is_own = counted.fact == f"{strategy}_tokens"
    return Serving(
        tokens=counted.value,
        prompt_tokens=read if divides else None,
        answer_tokens=written if divides else None,
        tokens_mark=Mark.MEASURED if is_own else Mark.ESTIMATED,
        gpu_seconds=seconds,
        usd_per_1000=usd,
        usd_per_month=_per_month(usd, inputs, training),
    )


def _estimated_lengths(strategy: Strategy, inputs: Mapping[str, Input]) -> tuple[float, float]:
    """Return the tokens of a prompt and of an answer, by what was stated or is taken for it."""
    prompt = inputs["question_tokens"].value
    prompt += inputs["passage_tokens"].value if strategy.retrieves else 0
    return prompt, inputs["answer_tokens"].value


def _counted(strategy: Strategy, facts: Facts) -> Input | None:
    """Return the tokens counted for a strategy, or for another one with the same prompt."""
    alike = (s for s in Strategy if s is not strategy and s.retrieves == strategy.retrieves)
    found = (_stated(f"{s}_tokens", facts) for s in (strategy, *alike))
    return next((one for one in found if one is not None and one.value), None)


def _likely_answer(facts: Facts, inputs: Mapping[str, Input]) -> float:
    """Return the tokens of an answer, the same for all strategies: a part of the smallest sum."""
    parts = []
    for strategy in Strategy:
        counted = _counted(strategy, facts)
        if counted is not None:
            prompt, answer = _estimated_lengths(strategy, inputs)
            parts.append(counted.value * answer / (prompt + answer))
    return min(parts)


def _notes(
    inputs: Mapping[str, Input],
    training: Mapping[Strategy, Training],
    serving: Mapping[Strategy, Serving],
) -> Iterator[Text]:
    """Yield what limits the figures of memory, time and cost."""
    if any(one.prompt_tokens is None for one in serving.values()):
        yield text("estimates.notes.sum_of_tokens")
    parameters = inputs["model_parameters_billion"].value
    if parameters >= FITTED_FROM:
        return
    tokens = max(one.row_tokens for one in training.values())
    least = finite(training_memory_gb(FITTED_FROM, tokens))
    if least is not None:
        yield text(
            "estimates.notes.small_model",
            parameters=quantity(parameters, "billion"),
            fitted=quantity(FITTED_FROM, "billion"),
            least=quantity(least, "GB"),
        )
    speed = inputs.get("training_tokens_per_second")
    if speed is not None and speed.mark is Mark.ESTIMATED:
        yield text("estimates.notes.small_model_time")


def _cost_of_1000(
    prompt: float, answer: float, inputs: Mapping[str, Input]
) -> tuple[float | None, float | None]:
    """Return GPU seconds of one answer and USD of a thousand."""
    if _has_token_prices(inputs):
        for_prompt, for_answer = (inputs[name].value for name in _TOKEN_PRICES)
        return None, finite((prompt * for_prompt + answer * for_answer) / 1000)
    seconds = finite(
        gpu_seconds_per_answer(
            prompt,
            answer,
            parameters_billion=inputs["model_parameters_billion"].value,
            tflops=inputs["gpu_tflops"].value,
            bandwidth_gb_per_second=inputs["gpu_bandwidth_gb_per_second"].value,
        )
    )
    if seconds is None:
        return None, None
    return seconds, finite(1000 * seconds * inputs["gpu_usd_per_hour"].value / 3600)


def _has_token_prices(inputs: Mapping[str, Input]) -> bool:
    return all(name in inputs for name in _TOKEN_PRICES)


def _per_month(
    usd_per_1000: float | None, inputs: Mapping[str, Input], training: Training | None
) -> float | None:
    answers = inputs.get("answers_per_month")
    if answers is None or usd_per_1000 is None:
        return None
    repeated: float | None = 0.0
    if training is not None:
        runs, usd = training.runs_per_month, training.usd
        repeated = 0.0 if runs == 0 else None if runs is None or usd is None else runs * usd
    return None if repeated is None else finite(answers.value / 1000 * usd_per_1000 + repeated)
