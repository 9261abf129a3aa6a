"""What an evaluation found: scores with intervals, guards, latency, and the verdict.

Knows answers and how to score them; knows neither processes nor models.
"""

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pydantic

from adapters.evaluation.gate import GatePolicy, GuardScore, Verdict, judge
from adapters.evaluation.guards import GuardItem, is_refusal
from adapters.evaluation.metrics import Metric, MetricName, Values, get_metric, read_pairs
from adapters.evaluation.samples import Sample, Samples
from adapters.evaluation.statistics import McNemar, Resamples, Score, compare_rows

MIN_KIND_ROWS = 5  # a score over fewer rows of a kind says nothing

# What is told beside the main metric, where it is another.
_BESIDE: Mapping[MetricName, tuple[MetricName, ...]] = {
    "slot_f1": ("json_validity",),
    "json_validity": ("exact_match",),
    "accuracy": ("macro_f1",),
    "macro_f1": ("accuracy",),
    "token_f1": ("exact_match", "contained"),
    "exact_match": ("contained",),
    "contained": ("token_f1",),
    "chrf": ("token_f1",),
}


class _Part(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)


class Latency(_Part):
    """Time of one arm when answering in batches on this machine; no serving latency."""

    s_per_answer: float
    tokens_per_s: float


class Kind(_Part):
    """The rows of one kind, or of one language where rows name no kind."""

    rows: int
    base: float
    adapter: float


class SlotValues(_Part):
    """Pairs of slot and value that were wanted, and the share of them that was right, by arm."""

    pairs: int
    base: float
    adapter: float


class Refusals(_Part):
    """Shares of refused rows: of those whose right answer is a refusal, and of the others."""

    rightly: float
    wrongly: float


class Examples(_Part):
    """What the few-shot prompts showed."""

    count: int
    taken_from: str


class Evaluation(_Part):
    """The whole of `evaluation.json`.

    Attributes:
        adapter_id: Which adapter.
        task: As the rows name it, else the adapter's.
        metric: Of all scores that name no other.
        rows: How many were asked.
        base: The base model alone.
        few_shot: The base model with examples in the prompt; none without examples.
        adapter: The adapter.
        live: The adapter that served the task at the time; none if there was none.
        verdict: Of the gate.
        reasons: Of the verdict.
        gain: Adapter less base.
        gain_over_few_shot: Adapter less few-shot.
        mcnemar: Adapter against base, row by row.
        guards: By category.
        beside: By arm, scores by other metrics.
        kinds: By kind of row, if there are several.
        seen_answers: Rows with new questions whose answers were trained on; not in any other score.
        slot_values: Of JSON answers, by `seen` (the slot was trained with this value) and `unseen`;
            the rows of `seen_answers` are counted too.
        refusals: By arm, where rows say which answers are refusals.
        latency: By arm.
        examples: Of the few-shot prompts.
        left_out: Rows that were not asked, by reason.
        cut_prompts: Prompts longer than the model reads, whose beginning was cut, by arm.
        thresholds: Of the policy in force.
        rows_sha256: Of the rows asked.
        base_model: Id of the base model.
        dtype: Of the weights.
        took_s: Seconds for all of it.
        created_at: Unix seconds.
    """

    adapter_id: str
    task: str
    metric: MetricName
    rows: int
    base: Score
    few_shot: Score | None
    adapter: Score
    live: Score | None
    verdict: Verdict
    reasons: tuple[str, ...]
    gain: Score
    gain_over_few_shot: Score | None
    mcnemar: McNemar
    guards: Mapping[str, GuardScore]
    beside: Mapping[str, Mapping[str, float]]
    kinds: Mapping[str, Kind]
    seen_answers: Kind | None = None
    slot_values: Mapping[str, SlotValues] = {}
    refusals: Mapping[str, Refusals]
    latency: Mapping[str, Latency]
    examples: Examples
    left_out: Mapping[str, int]
    cut_prompts: Mapping[str, int]
    thresholds: Mapping[str, float]
    rows_sha256: str
    base_model: str
    dtype: str
    took_s: float
    created_at: float

    def as_dict(self) -> dict[str, Any]:
        """Return plain content, as `evaluation.json` and the command line have it."""
        return self.model_dump(mode="json")


@dataclass(frozen=True, slots=True)
class Subject:
    """What is evaluated, and on which machine's terms."""

    adapter_id: str
    task: str
    base_model: str
    policy: GatePolicy


@dataclass(frozen=True, slots=True)
class Answers:
    """What the generating process wrote.

    Attributes:
        arms: `base`, `adapter`, `guards_base`, `guards_adapter`, and where asked `few_shot`,
            `live`, `seen_base` and `seen_adapter`: each with `answers`, `tokens`, `took_s`, `cut`.
        dtype: Of the weights.
        took_s: Of the whole process.
    """

    arms: Mapping[str, Mapping[str, Any]]
    dtype: str
    took_s: float

    def of(self, arm: str) -> list[str]:
        """Return the answers of an arm in the order of its prompts."""
        return list(self.arms[arm]["answers"])


def score_answers(
    subject: Subject, samples: Samples, guards: Sequence[GuardItem], answers: Answers
) -> Evaluation:
    """Return everything that the answers show."""
    metric = get_metric(samples.metric, [sample.wanted for sample in samples.rows])
    arms = [arm for arm in ("base", "few_shot", "adapter", "live") if arm in answers.arms]
    counts = {arm: _count(metric, samples.rows, answers.of(arm)) for arm in arms}
    draws = Resamples.draw(len(samples.rows))
    scores = {arm: draws.score(counts[arm], metric.score) for arm in arms}
    gain = draws.difference(counts["adapter"], counts["base"], metric.score)
    over_few_shot = (
        draws.difference(counts["adapter"], counts["few_shot"], metric.score)
        if "few_shot" in counts
        else None
    )
    mcnemar = compare_rows(
        _row_values(metric, samples.rows, answers.of("adapter"), counts["adapter"]),
        _row_values(metric, samples.rows, answers.of("base"), counts["base"]),
        is_graded=metric.is_right is None,
    )
    guarded = _score_guards(guards, answers)
    judgement = judge(gain, mcnemar, guarded, subject.policy)
    limits = subject.policy.thresholds
    return Evaluation(
        adapter_id=subject.adapter_id,
        task=samples.task or subject.task,
        metric=metric.name,
        rows=len(samples.rows),
        base=scores["base"],
        few_shot=scores.get("few_shot"),
        adapter=scores["adapter"],
        live=scores.get("live"),
        verdict=judgement.verdict,
        reasons=judgement.reasons,
        gain=gain,
        gain_over_few_shot=over_few_shot,
        mcnemar=mcnemar,
        guards=guarded,
        beside={arm: _beside(metric.name, samples.rows, answers.of(arm)) for arm in arms},
        kinds=_kinds(metric, samples.rows, counts),
        seen_answers=_score_seen(samples, answers),
        slot_values=_score_values(samples, answers) if metric.name == "slot_f1" else {},
        refusals=_refusals(samples.rows, {arm: answers.of(arm) for arm in arms}),
        latency={arm: _latency(answers.arms[arm]) for arm in arms},
        examples=Examples(count=samples.examples, taken_from=samples.examples_from),
        left_out=samples.left_out,
        cut_prompts={name: arm["cut"] for name, arm in answers.arms.items() if arm["cut"]},
        thresholds={name: getattr(limits, name).value for name in type(limits).model_fields},
        rows_sha256=samples.sha256,
        base_model=subject.base_model,
        dtype=answers.dtype,
        took_s=answers.took_s,
        created_at=time.time(),
    )


def _count(metric: Metric, rows: Sequence[Sample], answers: Sequence[str]) -> Values:
    """Return (rows, d) float64."""
    pairs = zip(answers, rows, strict=True)
    return np.stack([metric.count(answer, row.wanted) for answer, row in pairs])


def _row_values(
    metric: Metric, rows: Sequence[Sample], answers: Sequence[str], counts: Values
) -> list[float]:
    """Return right or wrong for each row, or its score where the metric has only degrees."""
    if metric.is_right is None:
        return [float(value) for value in metric.score(counts)]
    pairs = zip(answers, rows, strict=True)
    return [float(metric.is_right(answer, row.wanted)) for answer, row in pairs]


def _beside(main: MetricName, rows: Sequence[Sample], answers: Sequence[str]) -> dict[str, float]:
    wanted = [row.wanted for row in rows]
    found: dict[str, float] = {}
    for name in _BESIDE[main]:
        metric = get_metric(name, wanted)
        found[name] = float(metric.score(_count(metric, rows, answers).sum(axis=0)))
    return found


def _score_guards(guards: Sequence[GuardItem], answers: Answers) -> dict[str, GuardScore]:
    base = _met(guards, answers.of("guards_base"))
    adapter = _met(guards, answers.of("guards_adapter"))
    categories = dict.fromkeys(item.category for item in guards)
    scores = {}
    for category in categories:
        chosen = [i for i, item in enumerate(guards) if item.category == category]
        scores[str(category)] = GuardScore(
            items=len(chosen),
            base=sum(base[i] for i in chosen),
            adapter=sum(adapter[i] for i in chosen),
        )
    return scores


def _met(guards: Sequence[GuardItem], answers: Sequence[str]) -> list[bool]:
    return [item.is_met(answer) for item, answer in zip(guards, answers, strict=True)]


def _kinds(metric: Metric, rows: Sequence[Sample], counts: Mapping[str, Values]) -> dict[str, Kind]:
    names = sorted({row.kind for row in rows if row.kind is not None})
    if len(names) < 2:
        return {}
    kinds = {}
    for name in names:
        chosen = [i for i, row in enumerate(rows) if row.kind == name]
        if len(chosen) < MIN_KIND_ROWS:
            continue
        kinds[name] = Kind(
            rows=len(chosen),
            base=float(metric.score(counts["base"][chosen].sum(axis=0))),
            adapter=float(metric.score(counts["adapter"][chosen].sum(axis=0))),
        )
    return kinds


def _score_seen(samples: Samples, answers: Answers) -> Kind | None:
    """Return the scores of the rows whose answers were trained on."""
    rows = samples.seen_answers
    if not rows:
        return None
    metric = get_metric(samples.metric, [row.wanted for row in rows])
    base, adapter = (
        float(metric.score(_count(metric, rows, answers.of(f"seen_{arm}")).sum(axis=0)))
        for arm in ("base", "adapter")
    )
    return Kind(rows=len(rows), base=base, adapter=adapter)


def _all_of(answers: Answers, arm: str) -> list[str]:
    seen = f"seen_{arm}"
    return answers.of(arm) + (answers.of(seen) if seen in answers.arms else [])


def _score_values(samples: Samples, answers: Answers) -> dict[str, SlotValues]:
    """Return how many wanted pairs each arm found, those trained on apart from the others."""
    rows = (*samples.rows, *samples.seen_answers)
    said = {
        arm: [read_pairs(text) or Counter[tuple[str, str]]() for text in _all_of(answers, arm)]
        for arm in ("base", "adapter")
    }
    wanted: Counter[str] = Counter()
    found: Counter[tuple[str, str]] = Counter()
    for i, row in enumerate(rows):
        for pair, count in (read_pairs(row.wanted.text) or Counter()).items():
            kind = "seen" if pair in row.seen_values else "unseen"
            wanted[kind] += count
            for arm, texts in said.items():
                found[kind, arm] += min(count, texts[i][pair])
    return {
        kind: SlotValues(
            pairs=pairs, base=found[kind, "base"] / pairs, adapter=found[kind, "adapter"] / pairs
        )
        for kind, pairs in sorted(wanted.items())
    }


def _refusals(rows: Sequence[Sample], answers: Mapping[str, Sequence[str]]) -> dict[str, Refusals]:
    """Return how often each arm refused what it should and what it should not."""
    should = [i for i, row in enumerate(rows) if row.refusal is True]
    should_not = [i for i, row in enumerate(rows) if row.refusal is False]
    if not should or not should_not:
        return {}
    found = {}
    for arm, said in answers.items():
        refused = [_refuses(answer, rows[i]) for i, answer in enumerate(said)]
        found[arm] = Refusals(
            rightly=sum(refused[i] for i in should) / len(should),
            wrongly=sum(refused[i] for i in should_not) / len(should_not),
        )
    return found


def _refuses(answer: str, row: Sample) -> bool:
    """Say whether an answer refuses: by its words, or in the words that the row wants."""
    is_wanted = row.refusal is True and answer.strip() == row.wanted.text.strip()
    return is_wanted or is_refusal(answer)


def _latency(arm: Mapping[str, Any]) -> Latency:
    took_s = max(float(arm["took_s"]), 1e-9)
    return Latency(
        s_per_answer=took_s / len(arm["answers"]), tokens_per_s=int(arm["tokens"]) / took_s
    )
