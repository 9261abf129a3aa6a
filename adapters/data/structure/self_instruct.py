"""New question-answer pairs from seeds (Self-Instruct), without those that repeat a known one.

The model is passed in as a function. Every new row is marked as synthetic and not reviewed. It
knows no engine.
"""

import json
import random
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from adapters.data.context import count_context
from adapters.data.folding import fold
from adapters.data.rows import Message, Row
from adapters.data.steps import Result, keep
from adapters.data.structure.in_order import map_in_order
from adapters.data.structure.overlap import KnownTexts
from adapters.data.structure.replies import Generate, UnusableReply, read_reply
from adapters.data.structure.texts import inherited, is_chinese, is_document

MAX_EXAMPLE_CHARS: Final = 600  # of a question or an answer in the prompt

_ASK_ZH = (
    "下面是一些问答示例。请按同样的主题、语气和格式，写出 {count} 个新的问答对："
    "问题不能与示例重复，也不要只换几个词；"
    "答案必须正确、完整，不编造示例中没有依据的数字和承诺。以 JSON 返回。"
)
_ASK_EN = (
    "Here are question-answer pairs. Write {count} new pairs on the same subject, in the same tone "
    "and format. Do not repeat or merely reword a question; answers must be right and complete, "
    "without figures or promises that the examples do not support. Reply with JSON."
)


class SelfInstructSettings(BaseModel):
    """How many pairs are made, and which are left out.

    Attributes:
        per_seed: Pairs asked for with each seed.
        examples: Pairs shown with each request, the seed among them. Self-Instruct shows eight;
            small models read four better than they follow eight.
        max_similarity: A question nearer than this to a known one is left out. 0.7 is the source's
            number (Wang et al. 2022, for ROUGE-L); ours is Dice of pairs of letters, an F-measure
            too, which needs no words and so fits Chinese.
        min_question_chars: Of a question without spaces and punctuation.
        min_answer_chars: Of an answer, likewise.
        parallel: Requests at once.
        seed: Of the choice of examples.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    per_seed: Annotated[int, Field(ge=1, le=10)] = 2
    examples: Annotated[int, Field(ge=1, le=16)] = 4
    max_similarity: Annotated[float, Field(gt=0, le=1)] = 0.7
    min_question_chars: Annotated[int, Field(ge=1)] = 4
    min_answer_chars: Annotated[int, Field(ge=1)] = 2
    parallel: Annotated[int, Field(ge=1, le=64)] = 8
    seed: int = 0


@dataclass(frozen=True, slots=True)
class _Pair:
    question: str
    answer: str


@dataclass(frozen=True, slots=True)
class _Written:
    """What the model wrote for one seed; `failure` where nothing can be read of it."""

    pairs: tuple[_Pair, ...] = ()
    failure: str = ""


class SelfInstruct:
    """The step `self_instruct`; it remembers every question, old and new."""

    name = "self_instruct"

    def __init__(self, settings: SelfInstructSettings, generate: Generate) -> None:
        self._settings = settings
        self._generate = generate
        pair: dict[str, JsonValue] = {
            "question": {"type": "string"},
            "answer": {"type": "string"},
        }
        self._schema: dict[str, JsonValue] = {
            "type": "object",
            "properties": {
                "pairs": {
                    "type": "array",
                    "minItems": 1,
                    "maxItems": settings.per_seed,
                    "items": {
                        "type": "object",
                        "properties": pair,
                        "required": [*pair],
                        "additionalProperties": False,
                    },
                }
            },
            "required": ["pairs"],
            "additionalProperties": False,
        }

    @property
    def settings(self) -> Mapping[str, object]:
        """Its settings; which model writes is not known here."""
        return self._settings.model_dump(mode="json")

    def run(self, rows: Iterable[Row]) -> Iterator[Result]:
        """Yield each row with the new ones made from it, in their order.

        All rows are read first and kept in memory: no new question may repeat any of them.
        Conversations of several turns and rows with passages give no new ones. Errors of the
        model's server pass.
        """
        all_rows = list(rows)
        seeds = [row for row in all_rows if _is_seed(row)]
        known = KnownTexts()
        for seed in seeds:
            known.add(_question(seed))
        written = map_in_order(
            partial(self._write, seeds=seeds), all_rows, parallel=self._settings.parallel
        )
        for row, one in zip(all_rows, written, strict=True):
            yield keep(row) if one is None else self._choose(row, one, known)

    def _write(self, row: Row, *, seeds: Sequence[Row]) -> _Written | None:
        """Ask for new pairs; None for a row that is no seed."""
        if not _is_seed(row):
            return None
        chosen = random.Random(f"{self._settings.seed} {row.file.name} {row.line}").sample(
            seeds, min(len(seeds), self._settings.examples)
        )
        examples = [row, *(one for one in chosen if one is not row)][: self._settings.examples]
        try:
            reply = read_reply(self._generate(self._prompt(examples), self._schema), self._schema)
        except UnusableReply as exc:
            return _Written(failure=exc.reason)
        pairs = (_Pair(one["question"].strip(), one["answer"].strip()) for one in reply["pairs"])
        return _Written(tuple(pairs))

    def _prompt(self, examples: Sequence[Row]) -> str:
        ask = _ASK_ZH if is_chinese(_question(examples[0])) else _ASK_EN
        shown = [
            json.dumps(
                {
                    "question": _question(row)[:MAX_EXAMPLE_CHARS],
                    "answer": row.messages[-1].content[:MAX_EXAMPLE_CHARS],
                },
                ensure_ascii=False,
            )
            for row in examples
        ]
        return "\n".join([ask.format(count=self._settings.per_seed), "", *shown])

    def _choose(self, row: Row, written: _Written, known: KnownTexts) -> Result:
        """Return the seed with those new rows that are good enough."""
        if written.failure:
            return Result(row, (row,), written.failure, "the model's reply gives no new pairs")
        made, left_out = [], Counter[str]()
        for pair in written.pairs:
            if why := self._why_not(row, pair, known):
                left_out[why] += 1
                continue
            known.add(pair.question)
            made.append(_synthetic(row, pair))
        told = ", ".join([f"{len(made)} new rows", *(f"{n} {why}" for why, n in left_out.items())])
        return Result(row, (row, *made), "new_rows" if made else "no_new_rows", told)

    def _why_not(self, row: Row, pair: _Pair, known: KnownTexts) -> str:
        """Return why a pair is left out, as a short code; empty where it is good."""
        question, answer = fold(pair.question), fold(pair.answer)
        if len(question) < self._settings.min_question_chars:
            return "question_too_short"
        if len(answer) < self._settings.min_answer_chars:
            return "answer_too_short"
        if question == answer:
            return "answer_repeats_question"
        if is_chinese(pair.question) != is_chinese(_question(row)):
            return "other_language"
        if known.nearest(pair.question) >= self._settings.max_similarity:
            return "too_similar"
        return ""


def _is_seed(row: Row) -> bool:
    turns = [turn for turn in row.messages if turn.role != "system"]
    return len(turns) == 2 and not is_document(row) and not count_context([row]).with_context


def _question(row: Row) -> str:
    return row.messages[-2].content


def _synthetic(seed: Row, pair: _Pair) -> Row:
    """Return a new row, with the seed's system turn, source and place."""
    system = [turn for turn in seed.messages if turn.role == "system"]
    messages = (*system, Message("user", pair.question), Message("assistant", pair.answer))
    marks = {"made_by": SelfInstruct.name, "synthetic": True, "reviewed": False}
    return replace(seed, messages=messages, meta={**inherited(seed), **marks})
