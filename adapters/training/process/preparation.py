"""From files of rows to what a trainer is given, and the count of what was cut on the way.

Everything here happens before the base model is loaded: it needs the tokenizer alone, so rows
that teach nothing are refused within seconds. Knows tokens and rows; knows neither models nor
trainers.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from transformers import AutoTokenizer

from adapters.config import TrainingConfig
from adapters.data import (
    Example,
    Message,
    Pair,
    Row,
    fit_prompt,
    hold_out,
    load_pairs,
    load_rows,
    to_examples,
)
from adapters.errors import BaseModelNotFound, InvalidTrainingData

_Learned = TypeVar("_Learned", bound=Example | Pair)
_Read = TypeVar("_Read", bound=Row | Pair)


@dataclass(frozen=True, slots=True)
class Material(Generic[_Read, _Learned]):
    """What one run learns from.

    Attributes:
        kept: Rows trained on.
        held: Rows held out.
        learned: What the loss is computed on.
        held_out: The same of the held-out rows.
        lengths: Tokens of each of `learned`, as the model sees them.
        counts: Rows, answers and tokens, and what was cut; goes into run.json.
    """

    kept: list[_Read]
    held: list[_Read]
    learned: list[_Learned]
    held_out: list[_Learned]
    lengths: list[int]
    counts: dict[str, int]

    def describe(self) -> str:
        """Return the counts as a sentence."""
        c = self.counts
        return (
            f"{c['trained_rows']} rows, {c['answers']} answers, {c['tokens']} tokens"
            + (
                f", {c['tokens_cut']} cut from {c['rows_shortened']} prompts"
                * bool(c["tokens_cut"])
            )
            + (f", {c['windows']} windows" * bool(c["windows"]))
            + (f", {c['answers_cut']} answers cut" * bool(c["answers_cut"]))
            + (f", {c['answers_left_out']} left out: no answer after cutting")
            * bool(c["answers_left_out"])
        )


class ModelTokens:
    """Counts tokens with the base model's tokenizer and chat template."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer

    def count(self, turns: Sequence[Message]) -> int:
        """Return the tokens of a whole conversation, template included."""
        return len(self.ids(turns))

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Return start and end (characters) of each token of a text."""
        encoded = self._tokenizer(text, return_offsets_mapping=True, add_special_tokens=False)
        return [(int(start), int(end)) for start, end in encoded["offset_mapping"]]

    def ids(self, turns: Sequence[Message], *, answers_next: bool = False) -> list[int]:
        """Return the token ids of a conversation, up to where the answer begins if asked."""
        return list(
            self._tokenizer.apply_chat_template(
                [turn.as_dict() for turn in turns],
                add_generation_prompt=answers_next,
                return_dict=False,
            )
        )


def load_tokenizer(folder: str, base_id: str) -> Any:
    """Return the tokenizer of a base model.

    Raises:
        BaseModelNotFound: It has no chat template.
    """
    tokenizer = AutoTokenizer.from_pretrained(folder)
    if not tokenizer.chat_template:
        raise BaseModelNotFound(f"{base_id} has no chat template, so it cannot be taught chats")
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def prepare_answers(config: TrainingConfig, tokenizer: Any) -> Material[Row, Example]:
    """Read the rows of an `sft` run; held-out ones are set apart before they become examples.

    Raises:
        InvalidTrainingData: Nothing is left to learn, or one row only.
    """
    tokens = ModelTokens(tokenizer)
    rows = load_rows(config.dataset)
    kept, held = hold_out(rows, config.val_size, seed=config.seed)
    counts = _no_counts(rows, kept, held)

    def fit(examples: Sequence[Example]) -> list[Example]:
        fitted = []
        for example in examples:
            prompts = _fit(example.prompt, [example.completion], config, tokens, counts)
            fitted += [Example(prompt, example.completion) for prompt in prompts]
        return fitted

    learned = fit(to_examples(kept, mask_history=config.mask_history))
    learned, lengths = _leave_out_masked(
        learned, lambda one: [one.completion], config, tokens, counts
    )
    before = dict(counts)
    held_out = fit(to_examples(held, mask_history=config.mask_history))
    counts.update(before)  # what was cut is told of the rows trained on
    return Material(kept, held, learned, held_out, lengths, counts)


def prepare_pairs(config: TrainingConfig, tokenizer: Any) -> Material[Pair, Pair]:
    """Read the preference pairs of a `dpo` run; see `prepare_answers`."""
    tokens = ModelTokens(tokenizer)
    pairs = load_pairs(config.dataset)
    kept, held = hold_out(pairs, config.val_size, seed=config.seed)
    counts = _no_counts(pairs, kept, held)

    def fit(some: Sequence[Pair]) -> list[Pair]:
        fitted: list[Pair] = []
        for pair in some:
            prompts = _fit(pair.prompt, [pair.chosen, pair.rejected], config, tokens, counts)
            fitted += [replace(pair, prompt=shortened) for shortened in prompts]
        return fitted

    learned, lengths = _leave_out_masked(
        fit(kept), lambda pair: [pair.chosen, pair.rejected], config, tokens, counts
    )
    before = dict(counts)
    held_out = [pair for pair in fit(held) if _has_room(pair.prompt, config, tokens)]
    counts.update(before)
    return Material(kept, held, learned, held_out, lengths, counts)


def count_material(job: dict[str, Any]) -> dict[str, int]:
    """Return the counts of what a job would learn from; see `prepare_answers`."""
    config = TrainingConfig.model_validate(job["config"])
    tokenizer = load_tokenizer(job["base"]["folder"], job["base"]["id"])
    prepare = prepare_pairs if config.stage == "dpo" else prepare_answers
    return prepare(config, tokenizer).counts


def _no_counts(rows: Sequence[object], kept: Sequence[object], held: Sequence[object]) -> Any:
    if len(kept) < 2:
        raise InvalidTrainingData(
            f"{len(kept)} row to train on ({len(held)} held out): one row teaches one answer, "
            "not a task; add rows or lower val_size"
        )
    return {
        "rows": len(rows),
        "trained_rows": len(kept),
        "held_out_rows": len(held),
        "answers": 0,
        "tokens": 0,
        "rows_shortened": 0,
        "tokens_cut": 0,
        "windows": 0,
        "answers_cut": 0,
        "answers_left_out": 0,
    }


def _fit(
    prompt: tuple[Message, ...],
    answers: Sequence[Message],
    config: TrainingConfig,
    tokens: ModelTokens,
    counts: dict[str, int],
) -> tuple[tuple[Message, ...], ...]:
    fitted = fit_prompt(
        prompt, answers, counter=tokens, limit=config.cutoff_len, keep=config.long_text
    )
    counts["rows_shortened"] += fitted.prompts != (prompt,)
    counts["tokens_cut"] += fitted.tokens_cut
    counts["windows"] += len(fitted.prompts) if len(fitted.prompts) > 1 else 0
    return fitted.prompts


def _has_room(prompt: Sequence[Message], config: TrainingConfig, tokens: ModelTokens) -> bool:
    """Say whether a token of an answer fits behind a prompt."""
    return len(tokens.ids(prompt, answers_next=True)) < config.cutoff_len


def _leave_out_masked(
    candidates: Sequence[_Learned],
    answers: Callable[[_Learned], Sequence[Message]],
    config: TrainingConfig,
    tokens: ModelTokens,
    counts: dict[str, int],
) -> tuple[list[_Learned], list[int]]:
    """Leave out what has no token of an answer within the limit; its loss would be empty."""
    learned: list[_Learned] = []
    lengths: list[int] = []
    for one in candidates:
        if not _has_room(one.prompt, config, tokens):
            counts["answers_left_out"] += 1
            continue
        length = max(tokens.count((*one.prompt, answer)) for answer in answers(one))
        counts["answers_cut"] += length > config.cutoff_len
        learned.append(one)
        lengths.append(min(length, config.cutoff_len))
    counts["answers"] = len(learned)
    counts["tokens"] = sum(lengths)
    if not learned:
        raise InvalidTrainingData(
            f"all {len(candidates)} rows have prompts of cutoff_len ({config.cutoff_len}) tokens "
            "or more; no answer is left to learn"
        )
    return learned, lengths
