"""The step `speakers`: texts whose lines name who speaks become conversations.

`客户：…` and `客服：…`, `问：…` and `答：…`, `Customer: …` and `Agent: …`. A text without such
lines stays a text, for the steps after it. It knows labels before a colon, not what is said.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from pydantic import BaseModel, ConfigDict

from adapters.data.recency import find_date
from adapters.data.rows import Message, Role, Row
from adapters.data.steps import Result, keep
from adapters.data.structure import is_document

NAME = "speakers"
_ASKING = ("客户", "用户", "顾客", "买家", "会员", "访客", "提问", "customer", "user", "client",
           "visitor", "guest", "buyer")  # fmt: skip
_ANSWERING = ("客服", "坐席", "座席", "专员", "卖家", "商家", "助手", "机器人", "回复", "agent",
              "assistant", "support", "bot", "seller", "operator")  # fmt: skip
_QUESTION = ("问", "问题", "q", "question")
_ANSWER = ("答", "回答", "答案", "a", "answer")
_MOST_AFTER = 8  # letters of a name or a number after a label: 客服小王, Agent 3
_LINE = re.compile(  # possessive where two parts could share a long run of spaces
    r"[\s#>*]*(?:\d{1,3}[.、)）]\s*)?(?:[\[(（【]?(?P<before>\d[\d\s:./年月日T-]{3,20})[\])）】]?\s*)?"
    r"(?P<label>[^\W\d_][^:：()（）\[\]【】]{0,24}?)\s*+(?:\d{1,4}\s*+)?"
    r"(?:[\[(（【](?P<after>[^\])）】]{1,30})[\])）】]\s*)?[:：][\s*]*(?P<said>.*)"
)
_RULE = re.compile(r"\s*[-=*_—─]{3,}\s*")  # a line between two conversations


class SpeakersSettings(BaseModel):
    """Settings of `speakers`.

    Attributes:
        asking: Further labels of the side that asks.
        answering: Further labels of the side that answers.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    asking: tuple[str, ...] = ()
    answering: tuple[str, ...] = ()


@dataclass(slots=True)
class _Turn:
    role: Role
    lines: list[str]
    dated: str
    starts_pair: bool  # labelled as a question: a row of its own with its answer


@dataclass(slots=True)
class _Talk:
    turns: list[_Turn] = field(default_factory=list)


class Speakers:
    """Makes conversations of texts by the labels before their lines.

    Questions and answers (`问`, `答`) are one row for each pair; other conversations are one row
    up to a line of dashes. What an answering side says first, and a last question without an
    answer, are left out.
    """

    name = NAME

    def __init__(self, settings: SpeakersSettings) -> None:
        self._settings = settings
        self._roles: Sequence[tuple[str, Role]] = (
            *((label.casefold(), "user") for label in (*settings.asking, *_ASKING)),
            *((label.casefold(), "assistant") for label in (*settings.answering, *_ANSWERING)),
        )

    @property
    def settings(self) -> Mapping[str, object]:
        """The further labels."""
        return self._settings.model_dump()

    def run(self, rows: Iterable[Row]) -> Iterator[Result]:
        """Yield one result for each row, with the conversations made of it."""
        for row in rows:
            made = tuple(self._conversations(row)) if is_document(row) else ()
            detail = f"{len(made)} conversations found"
            yield Result(row, made, "speakers", detail) if made else keep(row)

    def _conversations(self, row: Row) -> Iterator[Row]:
        meta = {key: value for key, value in row.meta.items() if key != "kind"}
        for talk in self._read(row.messages[0].content):
            turns = _in_order(talk.turns)
            if not turns:
                continue
            dated = next((turn.dated for turn in talk.turns if turn.dated), "")
            own = {"made_by": NAME, **({"date": dated} if dated else {})}
            yield replace(row, messages=turns, meta={**meta, **own})

    def _read(self, text: str) -> list[_Talk]:
        talks = [_Talk()]
        for line in text.splitlines():
            if _RULE.fullmatch(line):
                talks.append(_Talk())
                continue
            turn = self._read_turn(line)
            turns = talks[-1].turns
            if turn is None:
                if turns and line.strip():
                    turns[-1].lines.append(line.strip())
            elif turn.starts_pair and turns:
                talks.append(_Talk([turn]))
            elif turns and turns[-1].role == turn.role:
                turns[-1].lines += turn.lines
            else:
                turns.append(turn)
        return talks

    def _read_turn(self, line: str) -> _Turn | None:
        match = _LINE.fullmatch(line)
        if match is None:
            return None
        label = match["label"].strip().casefold()
        role, is_question = self._role_of(label)
        if role is None:
            return None
        when = find_date(" ".join(filter(None, (match["before"], match["after"]))))
        dated = "" if when is None else when.isoformat()
        return _Turn(role, [match["said"].strip()], dated, is_question)

    def _role_of(self, label: str) -> tuple[Role | None, bool]:
        if label in _QUESTION:
            return "user", True
        if label in _ANSWER:
            return "assistant", False
        for known, role in self._roles:
            if label.startswith(known) and len(label) - len(known) <= _MOST_AFTER:
                return role, False
        return None, False


def _in_order(turns: Sequence[_Turn]) -> tuple[Message, ...]:
    """Return the turns from the first question to the last answer; none without both."""
    first: Literal[0, 1] = 1 if turns and turns[0].role == "assistant" else 0
    kept = list(turns[first:])
    if kept and kept[-1].role == "user":
        kept.pop()
    said = tuple(Message(turn.role, "\n".join(turn.lines).strip()) for turn in kept)
    return said if all(message.content for message in said) else ()
