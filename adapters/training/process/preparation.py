"""From files of rows to what a trainer is given, and the count of what was cut on the way.

Everything here happens before the base model is loaded: it needs the tokenizer alone, so rows
that teach nothing are refused within seconds. Knows tokens and rows; knows neither models nor
trainers.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from transformers import AutoTokenizer

from adapters.children import Emit
from adapters.config import TrainingConfig
from adapters.data import (
    Message,
    Pair,
    Refusal,
    Row,
    count_distinct,
    fit_prompt,
    hold_out,
    refuse,
    repeat_by_weight,
)
from adapters.errors import BaseModelNotFound, InvalidTrainingData
from adapters.methods import Method

_COUNTS = (
    *(
        "rows",
        "copies",
        "trained_rows",
        "held_out_rows",
        "answers",
        "tokens",
        "rows_shortened",
    ),
    *("tokens_cut", "windows", "answers_cut", "answers_left_out"),
)


@dataclass(frozen=True, slots=True)
class Material:
    """What one run learns from; rows and examples are those of its method.

    Attributes:
        trained_rows: Rows trained on.
        held_out_rows: Rows held out.
        examples: What the loss is computed on.
        held_out_examples: The same of the held-out rows.
        lengths: Tokens of each of `examples`, as the model sees them.
        counts: Rows, answers and tokens, and what was cut; goes into run.json.
    """

    trained_rows: Sequence[Any]
    held_out_rows: Sequence[Any]
    examples: Sequence[Any]
    held_out_examples: Sequence[Any]
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
        raise BaseModelNotFound(f"{base_id} has no chat template, which training needs")
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def prepare(config: TrainingConfig, tokenizer: Any) -> Material:
    """Read the rows of a run; held-out ones are separated before they become examples.

    Raises:
        InvalidTrainingData: Nothing is left to learn, or one row only.
    """
    method, tokens = config.method, ModelTokens(tokenizer)
    rows: Sequence[Any] = config.load_rows()
    refuse_control_tokens(rows, control_tokens(tokenizer))
    trained, held_out = hold_out(rows, config.val_size, seed=config.seed)
    counts = dict.fromkeys(_COUNTS, 0)
    counts["rows"], counts["copies"] = len(rows), len(rows) - count_distinct(rows)
    counts["trained_rows"], counts["held_out_rows"] = len(trained), len(held_out)

    def fit(some: Sequence[Any]) -> list[Any]:
        fitted: list[Any] = []
        for example in method.to_examples(some, config.mask_history):
            answers = _answers_of(example, method)
            prompts = _fit_prompt(example.prompt, answers, config, tokens, counts)
            fitted += [replace(example, prompt=prompt) for prompt in prompts]
        return fitted

    candidates = fit(repeat_by_weight(trained))
    if not candidates:
        raise InvalidTrainingData(
            f"all answers of the {len(trained)} rows to train on are marked as not to be learned"
        )
    examples, lengths = _leave_out_masked(candidates, config, tokens, counts)
    before = dict(counts)
    held_out_examples = fit(held_out)
    if method.compares_answers:  # each is scored by itself, and must have something to score
        held_out_examples = [
            one for one in held_out_examples if _has_room(one.prompt, config, tokens)
        ]
    counts.update(before)  # what was cut is told of the rows trained on
    return Material(trained, held_out, examples, held_out_examples, lengths, counts)


def control_tokens(tokenizer: Any) -> frozenset[str]:
    """Return the tokens that part turns for a base model: in a text they would part it too."""
    ends = {tokenizer.bos_token, tokenizer.eos_token} - {None}
    special = {str(token) for token in tokenizer.added_tokens_decoder.values() if token.special}
    return frozenset(ends | {token for token in special if token in str(tokenizer.chat_template)})


def refuse_control_tokens(rows: Sequence[Row] | Sequence[Pair], tokens: frozenset[str]) -> None:
    """Refuse (InvalidTrainingData) rows whose texts hold control tokens of the base model."""
    refused = []
    for row in rows:
        turns = row.messages if isinstance(row, Row) else (*row.prompt, row.chosen, row.rejected)
        found = {token for token in tokens for turn in turns if token in turn.content}
        if found:
            why = "in a text: the base model reads it as the end of a turn or of a text"
            refused.append(Refusal(row.file, row.line, f"{', '.join(sorted(found))} {why}"))
    refuse(refused, len(rows))


def count_material(job: Mapping[str, Any], _emit: Emit) -> dict[str, int]:
    """Return the counts of what a job would learn from; see `prepare`."""
    config = TrainingConfig.model_validate(job["config"])
    tokenizer = load_tokenizer(job["base"]["folder"], job["base"]["id"])
    return prepare(config, tokenizer).counts


def _answers_of(example: Any, method: Method) -> list[Message]:
    return [getattr(example, name) for name in method.answers]


def _fit_prompt(
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
    candidates: Sequence[Any],
    config: TrainingConfig,
    tokens: ModelTokens,
    counts: dict[str, int],
) -> tuple[list[Any], list[int]]:
    """Leave out what has no token of an answer within the limit; its loss would be empty."""
    examples: list[Any] = []
    lengths: list[int] = []
    for one in candidates:
        if not _has_room(one.prompt, config, tokens):
            counts["answers_left_out"] += 1
            continue
        answers = _answers_of(one, config.method)
        length = max(tokens.count((*one.prompt, answer)) for answer in answers)
        counts["answers_cut"] += length > config.cutoff_len
        examples.append(one)
        lengths.append(min(length, config.cutoff_len))
    counts["answers"] = len(examples)
    counts["tokens"] = sum(lengths)
    if not examples:
        raise InvalidTrainingData(
            f"all {len(candidates)} rows have prompts of cutoff_len ({config.cutoff_len}) tokens "
            "or more; no answer is left to learn"
        )
    return examples, lengths
