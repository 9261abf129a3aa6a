"""The facts a decision may rest on: one table of names, and frozen values with their provenance.

It does not know how a fact is measured (service gathers them) nor what follows from it (the policy
says that). A fact that nobody states is *unknown*, which is not the same as false or zero.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from router.classes import ErrandKind, NoSource, QuestionClass
from router.errors import FactProvenanceMismatch, FactTypeMismatch, UnknownFact
from router.strategy import Strategy

FactValue = bool | int | float | str


class Provenance(StrEnum):
    """Who states a fact. Where two state the same one, the later in this list is believed."""

    DECLARED = "declared"
    MEASURED = "measured"
    REQUEST = "request"


class FactType(StrEnum):
    """The three types a fact can have."""

    TRUTH = "bool"
    NUMBER = "number"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class FactSpec:
    """One row of the table of facts.

    Attributes:
        name: As policies and use cases write it.
        type: What values it takes.
        provenances: Who may state it.
        doc: What it claims, in one sentence.
        unit: Unit of a number, empty where there is none.
        choices: The allowed texts; empty where any text is allowed.
        minimum: Smallest allowed number; None where there is none.
        maximum: Largest allowed number; None where there is none.
    """

    name: str
    type: FactType
    provenances: frozenset[Provenance]
    doc: str
    unit: str = ""
    choices: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None


_D = frozenset({Provenance.DECLARED})
_M = frozenset({Provenance.MEASURED})
_R = frozenset({Provenance.REQUEST})


def _truth(name: str, provenances: frozenset[Provenance], doc: str) -> FactSpec:
    return FactSpec(name, FactType.TRUTH, provenances, doc)


def _count(name: str, provenances: frozenset[Provenance], unit: str, doc: str) -> FactSpec:
    return FactSpec(name, FactType.NUMBER, provenances, doc, unit=unit, minimum=0)


def _text(name: str, provenances: frozenset[Provenance], doc: str, *choices: str) -> FactSpec:
    return FactSpec(name, FactType.TEXT, provenances, doc, choices=choices)


def _outcome_specs(strategy: Strategy) -> Iterator[FactSpec]:
    """Yield what the last compare says of one strategy."""
    score = "score of the last compare on this use case"
    for suffix, doc, minimum, maximum in (  # the ends of mean ± half a width may lie outside
        ("score", f"Mean {score}, 0 to 1.", 0, 1),
        ("score_low", f"Low end of the 95 % interval of the {score}.", None, 1),
        ("score_high", f"High end of the 95 % interval of the {score}.", 0, 2),
    ):
        name = f"{strategy}_{suffix}"
        yield FactSpec(name, FactType.NUMBER, _M, doc, minimum=minimum, maximum=maximum)
    yield _count(f"{strategy}_p50_ms", _M, "ms", "Median time to the whole answer.")
    yield _count(f"{strategy}_p95_ms", _M, "ms", "95th percentile of the time to the whole answer.")
    yield _count(f"{strategy}_tokens", _M, "tokens", "Mean prompt and completion tokens an answer.")


def _data_check_specs() -> Iterator[FactSpec]:
    """Yield what the five checks of the training rows count; the advice names each in numbers."""
    for name, doc in (
        ("relevant_rows_percent", "Share of the training rows that belong to the use case."),
        ("scenario_coverage_percent", "Share of the use case's scenarios that the rows cover."),
        ("label_disagreement_percent", "Share of rows on which two labels of a question differ."),
        ("recent_rows_percent", "Share of the training rows from the last year."),
    ):
        yield _count(name, _D | _M, "percent", doc)
    yield _count("personal_data_rows", _D | _M, "rows", "Rows in which personal data is left.")


def _cost_specs() -> Iterator[FactSpec]:
    """Yield what memory, time and cost are estimated from."""
    yield _count("model_parameters_billion", _D | _M, "billion", "Parameters of the base model.")
    yield _count("question_tokens", _D, "tokens", "Prompt without passages, with instructions.")
    yield _count("passage_tokens", _D, "tokens", "All passages that go into one prompt.")
    yield _count("answer_tokens", _D, "tokens", "Mean length of an answer.")
    yield _count("row_tokens", _D, "tokens", "Mean length of a training row without passages.")
    yield _count("training_epochs", _D, "epochs", "How often training goes through the rows.")
    yield _count(
        "training_tokens_per_second", _D | _M, "tokens_per_second", "Speed of LoRA training."
    )
    yield _count("gpu_memory_gb", _D, "GB", "Memory of one GPU.")
    yield _count("gpu_tflops", _D, "TFLOPS", "16-bit peak of one GPU, without sparsity.")
    yield _count("gpu_bandwidth_gb_per_second", _D, "GB_per_second", "Memory bandwidth of one GPU.")
    yield _count("gpu_usd_per_hour", _D, "usd_per_hour", "Price of one GPU.")
    yield _count("usd_per_million_prompt_tokens", _D, "usd", "Price of a hosted model's input.")
    yield _count(
        "usd_per_million_completion_tokens", _D, "usd", "Price of a hosted model's output."
    )
    yield _count(
        "answers_per_month", _D, "answers_per_month", "Answers the use case gives a month."
    )


def _specs() -> Iterator[FactSpec]:
    """Yield the whole table, in the order a person would ask."""
    yield _text(
        "need",
        _D,
        "What the use case lacks: facts, a way of answering, or both.",
        "knowledge",
        "style",
        "both",
    )
    yield _count("labelled_examples", _D | _M, "rows", "Rows fit for training on this use case.")
    yield _count(
        "context_bearing_examples",
        _D | _M,
        "rows",
        "Those labelled rows that carry passages to read (gold, distractors, refusals).",
    )
    yield _text(
        "data_quality", _D | _M, "Verdict of the five checks on the training rows.", "pass", "fail"
    )
    yield _count(
        "knowledge_changes_per_week",
        _D | _M,
        "per_week",
        "Documents replaced or deleted a week; the document history outranks a declaration.",
    )
    yield _count(
        "knowledge_chunk_changes_per_week",
        _M,
        "per_week",
        "Chunks that those changes ended: a large document with one new line counts little.",
    )
    yield _count("knowledge_age_days", _M, "days", "Days since the first document came in.")
    yield _count(
        "knowledge_unchanged_days",
        _M,
        "days",
        "Days since a document was added, replaced or deleted.",
    )
    yield _count(
        "knowledge_tokens",
        _M,
        "tokens",
        "Size of the whole live text as the embedder counts; a small one fits into a prompt.",
    )
    yield _truth("citations_required", _D, "Every answer of the use case must show its sources.")
    yield _count("latency_budget_ms", _D, "ms", "Time within which the use case wants an answer.")
    yield _text("budget", _D, "Money and time there is for training.", "limited", "ample")
    yield _text("privacy", _D, "How closely the data is held.", "public", "internal", "secret")
    yield _text("domain", _D, "Field of the use case, e.g. retail, finance, legal.")
    yield _text("task_type", _D, "Kind of task, e.g. qa, dialogue, classification, code.")
    yield _truth("data_deletable", _D, "Single records of the data must stay deletable on demand.")
    yield from _data_check_specs()
    yield from _cost_specs()

    yield _truth("adapter_present", _M, "The use case names an adapter and the registry knows it.")
    yield _truth(
        "adapter_gate_passed",
        _M,
        "The gate's verdict was IMPROVED, or an operator's recorded override stands in for it.",
    )
    yield _truth(
        "adapter_context_trained", _M, "The adapter was trained on rows with passages to read."
    )
    yield _truth(
        "adapter_older_than_knowledge", _M, "A document changed after the adapter was trained."
    )
    yield _truth("adapter_servable", _M, "The adapter is published, loaded and checked there.")
    yield _truth("knowledge_present", _M, "There are searchable passages for this request.")
    yield _truth(
        "base_gains_from_context",
        _M,
        "Retrieval helps the base model; false only where a compare showed that it does not.",
    )
    yield _truth("engine_local", _M, "The engine runs on machines of the operator.")
    for strategy in Strategy:
        yield from _outcome_specs(strategy)

    yield _text(
        "question_class",
        _R,
        "What kind of question it is; unknown where the classifier is not sure.",
        *QuestionClass,
    )
    yield FactSpec(
        "question_class_confidence",
        FactType.NUMBER,
        _R,
        "How likely the likeliest class is, 0 to 1, also where it is not sure.",
        minimum=0,
    )
    yield _truth("chitchat", _R, "A greeting, thanks, goodbye or small talk, and nothing else.")
    yield _text(
        "needs_no_sources",
        _R,
        "Why it is answered without sources, whatever must be shown; unknown where it is not.",
        *NoSource,
    )
    yield _truth("context_given", _R, "The asker brought a text to work on or to answer from.")
    yield _truth("helper_prompt", _R, "A chat front-end asks for titles or tags for its own use.")
    yield _truth("asks_fact", _R, "The question asks for a fact.")
    yield _truth("action_asked", _R, "Something is to be done, beside answering and writing.")
    yield _text(
        "errand",
        _R,
        "What is to be done that no assistant of text can do; none where nothing of that kind is.",
        *ErrandKind,
    )
    yield _truth("wording_asked", _R, "A text is to be written, or a feeling is voiced; no fact.")
    yield _truth("tools_offered", _R, "The caller offers tools that the answer may call.")
    yield _truth("follow_up", _R, "The question only makes sense after the turn before it.")
    yield _truth("format_asked", _R, "An output format, a translation or a rewriting is asked for.")
    yield _text("language", _R, "Language of the question, e.g. zh, en; und where there is none.")
    yield _truth("citations_requested", _R, "The caller requires sources for this answer.")
    yield _count("max_latency_ms", _R, "ms", "The caller's own limit for this answer.")
    yield _count("knowledge_bases_named", _R, "bases", "Knowledge bases the caller named.")
    yield _count("question_chars", _R, "chars", "Length of the question.")


FACTS: Final[Mapping[str, FactSpec]] = {spec.name: spec for spec in _specs()}


@dataclass(frozen=True, slots=True)
class Fact:
    """One stated fact.

    Attributes:
        name: Its name in the table.
        value: What is stated.
        provenance: Who states it.
        unit: Unit of a number, empty where there is none.
    """

    name: str
    value: FactValue
    provenance: Provenance
    unit: str


@dataclass(frozen=True, slots=True)
class Facts:
    """Every fact known for one decision. Make it with `Facts.build`.

    Attributes:
        values: Name to value, for the policy's leaves. A name that is missing is unknown.
        provenances: Name to who stated it; the same names as `values`.
    """

    values: Mapping[str, FactValue]
    provenances: Mapping[str, Provenance]

    @classmethod
    def build(
        cls,
        declared: Mapping[str, object] | None = None,
        measured: Mapping[str, object] | None = None,
        request: Mapping[str, object] | None = None,
    ) -> Facts:
        """Check and join what the three sources state.

        Args:
            declared: What the use case declares. A value of None means unknown and is left out.
            measured: What Fingerpost measured; outranks a declaration of the same name.
            request: What the request itself says.

        Returns:
            The joined facts; empty where nothing is known.

        Raises:
            UnknownFact: A name is not in `FACTS`.
            FactTypeMismatch: A value has another type, or is outside the allowed values.
            FactProvenanceMismatch: A source states a fact that is not its to state.
        """
        values: dict[str, FactValue] = {}
        provenances: dict[str, Provenance] = {}
        for provenance, stated in (
            (Provenance.DECLARED, declared),
            (Provenance.MEASURED, measured),
            (Provenance.REQUEST, request),
        ):
            for name, value in (stated or {}).items():
                spec = _find_spec(name, provenance)
                if value is not None:
                    values[name] = _check_value(spec, value)
                    provenances[name] = provenance
        return cls(values, provenances)

    def __contains__(self, name: object) -> bool:
        return name in self.values

    def __iter__(self) -> Iterator[Fact]:
        for name, value in self.values.items():
            yield Fact(name, value, self.provenances[name], FACTS[name].unit)

    def __len__(self) -> int:
        return len(self.values)

    def get(self, name: str) -> FactValue | None:
        """Return the value of a fact, or None where it is unknown."""
        return self.values.get(name)

    def as_dict(self) -> dict[str, dict[str, FactValue]]:
        """Return name to `{value, provenance}` and, for a number with one, `unit`."""
        plain: dict[str, dict[str, FactValue]] = {}
        for fact in self:
            plain[fact.name] = {"value": fact.value, "provenance": fact.provenance.value}
            if fact.unit:
                plain[fact.name]["unit"] = fact.unit
        return plain


def _find_spec(name: str, provenance: Provenance) -> FactSpec:
    spec = FACTS.get(name)
    if spec is None:
        raise UnknownFact(f"there is no fact named {name!r}")
    if provenance not in spec.provenances:
        allowed = _join(sorted(spec.provenances))
        raise FactProvenanceMismatch(f"fact {name!r} may be {allowed}, not {provenance}")
    return spec


def _check_value(spec: FactSpec, value: object) -> FactValue:
    """Return `value` as a plain Python value of the fact's type."""
    if spec.type is FactType.TRUTH and isinstance(value, bool):
        return value
    if spec.type is FactType.NUMBER and isinstance(value, int | float):
        number = _plain_number(value)
        least = -math.inf if spec.minimum is None else spec.minimum
        most = math.inf if spec.maximum is None else spec.maximum
        if number is not None and least <= number <= most:
            return number
    if spec.type is FactType.TEXT and isinstance(value, str):
        text = str(value)
        if not spec.choices or text in spec.choices:
            return text
    raise FactTypeMismatch(f"fact {spec.name!r} must be {_expectation(spec)}, not {value!r:.80}")


def _plain_number(value: float) -> float | None:
    """Return a finite number as int or float, and None for a truth value, infinity or NaN."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return int(value)
    return float(value) if math.isfinite(value) else None


def _expectation(spec: FactSpec) -> str:
    if spec.type is FactType.TRUTH:
        return "true or false"
    if spec.type is FactType.NUMBER:
        least = "a finite number" if spec.minimum is None else f"a number from {spec.minimum:g}"
        if spec.maximum is None:
            return least if spec.minimum is None else f"{least} up"
        return f"{least} {'up to' if spec.minimum is None else 'to'} {spec.maximum:g}"
    return f"one of {_join(spec.choices)}" if spec.choices else "a text"


def _join(names: Iterable[str]) -> str:
    return " | ".join(names)
