"""Memory, time and cost before anything is built: formulas, their inputs and where each comes from.

Every input is a declared or measured fact, or a default with a source. What cannot be estimated is
None and said to be unknown. The constants were fitted to published measurements, which the tests
hold them against; still, an estimate of time or cost is right within a factor of two, not better.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from router.advice.catalogue import text
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

# LoRA in bfloat16 with gradient checkpointing, one row at a time: GB for each billion parameters,
# for each thousand tokens of a row, and fixed. Fitted to the single-GPU table in QwenLM/Qwen's
# README (1.8B, 7B, 14B; 256 to 8,192 tokens): within 10 % of all its LoRA figures.
LORA_GB: Final = (2.25, 2.1, 2.0)
# The same with 4-bit weights (QLoRA), from the same table, 1.8B to 72B: within 12 %.
QLORA_GB: Final = (0.88, 1.3, 4.0)
# Full fine-tuning with Adam in mixed precision: 16 bytes a parameter (ZeRO, arXiv 1910.02054), 18
# in the same table (139 GB for 7.7B), within 25 % of it.
FULL_GB: Final = (18.0, 1.5, 0.0)
# Floating-point operations a token and parameter: 2 forward, 2 forward again for checkpointing, 2
# back through the activations. Frozen weights need no gradient (arXiv 2001.08361 counts 6 N with
# one, and without checkpointing).
TRAIN_FLOPS: Final = 6.0
TRAIN_USE: Final = (
    0.43  # of the peak: 7B, 1,024 tokens, 2.8 s for 8 rows on an A100 (QwenLM/Qwen README)
)
PREFILL_USE: Final = 0.5  # of the peak while a prompt is read: see SERVING_NOTE
TOGETHER: Final = 8  # answers decoded at a time: the knee of the sweep in SERVING_NOTE

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
        memory_gb: LoRA, one row at a time.
        qlora_memory_gb: The same with 4-bit weights.
        full_memory_gb: All weights trained, over all GPUs.
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
        prompt_tokens: Of one prompt, with passages where the strategy retrieves.
        answer_tokens: Of one answer.
        tokens_mark: Measured where a compare counted them.
        gpu_seconds: Of one answer; None where prices a token were given.
        usd_per_1000: Cost of a thousand answers.
        usd_per_month: Answers and repeated training; None while the number of answers is unknown.
    """

    prompt_tokens: float
    answer_tokens: float
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
    """

    inputs: Mapping[str, Input]
    training: Mapping[Strategy, Training]
    serving: Mapping[Strategy, Serving]
    always_on_usd_per_month: float | None


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
        strategy: _train(strategy, facts, inputs, required, max_changes_per_week)
        for strategy in Strategy
        if strategy.uses_adapter
    }
    serving = {s: _serve(s, facts, inputs, training.get(s)) for s in Strategy}
    by_token = _has_token_prices(inputs)
    month = None if by_token else _finite(inputs["gpu_usd_per_hour"].value * _HOURS_A_MONTH)
    return Estimates(inputs, training, serving, month)


def training_memory_gb(
    parameters_billion: float, row_tokens: float, constants: tuple[float, float, float] = LORA_GB
) -> float:
    """Return the GPU memory of training, one row at a time with gradient checkpointing.

    Args:
        parameters_billion: Of the base model.
        row_tokens: Of one row.
        constants: GB a billion parameters, GB a thousand tokens, fixed GB.

    Returns:
        GB.
    """
    for_parameters, for_tokens, fixed = constants
    return for_parameters * parameters_billion + for_tokens * row_tokens / 1000 + fixed


def training_tokens_per_second(parameters_billion: float, tflops: float) -> float:
    """Return how many tokens LoRA training takes in a second on one GPU."""
    return TRAIN_USE * tflops * 1000 / (TRAIN_FLOPS * parameters_billion)


def gpu_seconds_per_answer(
    prompt_tokens: float,
    answer_tokens: float,
    *,
    parameters_billion: float,
    tflops: float,
    bandwidth_gb_per_second: float,
) -> float:
    """Return the GPU time of one answer in 16 bits, `TOGETHER` answered at a time.

    Source: the roofline of reading (compute-bound) and writing (every weight is read once for each
    token of a batch). Checked against johnmusgrave.com/p/vllm-throughput-latency-sweep-on (8B,
    A100 40GB) and mushfiqrahman.dev/?p=1668 (7B, RTX 4090).
    """
    gigaflops = 2 * parameters_billion
    gigabytes = 2 * parameters_billion
    reading = prompt_tokens * gigaflops / (PREFILL_USE * tflops * 1000)
    writing = answer_tokens * gigabytes / bandwidth_gb_per_second / TOGETHER
    return reading + writing


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
    rate = _finite(training_tokens_per_second(parameters, peak))
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
    number = _finite(value) if isinstance(value, int | float) else None
    if number is None or (number == 0 and name in POSITIVE):
        return None
    measured = facts.provenances[name] is Provenance.MEASURED
    return Input(name, number, Mark.MEASURED if measured else Mark.DECLARED)


def _train(
    strategy: Strategy,
    facts: Facts,
    inputs: Mapping[str, Input],
    required: RowRequirement,
    max_changes_per_week: float,
) -> Training:
    have = _stated("labelled_examples", facts)
    rows = required.minimum if have is None else max(required.minimum, math.ceil(have.value))
    row_tokens = inputs["row_tokens"].value
    if strategy.retrieves:
        row_tokens += inputs["passage_tokens"].value
    parameters = inputs["model_parameters_billion"].value
    memory = _finite(training_memory_gb(parameters, row_tokens))
    hours = None
    if "training_tokens_per_second" in inputs:
        tokens = rows * row_tokens * inputs["training_epochs"].value
        hours = _finite(tokens / inputs["training_tokens_per_second"].value / 3600)
    return Training(
        rows=rows,
        row_tokens=row_tokens,
        memory_gb=memory,
        qlora_memory_gb=_finite(training_memory_gb(parameters, row_tokens, QLORA_GB)),
        full_memory_gb=_finite(training_memory_gb(parameters, row_tokens, FULL_GB)),
        fits=None if memory is None else memory <= inputs["gpu_memory_gb"].value,
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
    return _finite(hours * price.value)


def _runs_per_month(strategy: Strategy, facts: Facts, most_per_week: float) -> float | None:
    """Return how often training is repeated: not for style, and not where passages bring facts."""
    if strategy.retrieves or facts.get("need") == "style":
        return 0.0
    changes = _stated("knowledge_changes_per_week", facts)
    return None if changes is None else min(changes.value, most_per_week) * _WEEKS_A_MONTH


def _serve(
    strategy: Strategy, facts: Facts, inputs: Mapping[str, Input], training: Training | None
) -> Serving:
    answer = inputs["answer_tokens"].value
    counted = _stated(f"{strategy}_tokens", facts)
    if counted is not None:
        answer = min(answer, counted.value)
        prompt, mark = counted.value - answer, Mark.MEASURED
    else:
        prompt, mark = inputs["question_tokens"].value, Mark.ESTIMATED
        prompt += inputs["passage_tokens"].value if strategy.retrieves else 0
    seconds, usd = _cost_of_1000(prompt, answer, inputs)
    return Serving(prompt, answer, mark, seconds, usd, _per_month(usd, inputs, training))


def _cost_of_1000(
    prompt: float, answer: float, inputs: Mapping[str, Input]
) -> tuple[float | None, float | None]:
    """Return GPU seconds of one answer and USD of a thousand."""
    if _has_token_prices(inputs):
        for_prompt, for_answer = (inputs[name].value for name in _TOKEN_PRICES)
        return None, _finite((prompt * for_prompt + answer * for_answer) / 1000)
    seconds = _finite(
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
    return seconds, _finite(1000 * seconds * inputs["gpu_usd_per_hour"].value / 3600)


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
    return None if repeated is None else _finite(answers.value / 1000 * usd_per_1000 + repeated)


def _finite(value: float) -> float | None:
    """Return a number that can be computed with further, or None."""
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None
