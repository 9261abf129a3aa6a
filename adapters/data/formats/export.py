"""Writes a row in each of the formats, so that reading it again gives the same row.

What a format has no place for is refused, not left out. Knows rows and formats; knows no files.
"""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any

from adapters.data.formats.keys import CHOSEN, MEANINGFUL, REJECTED
from adapters.data.formats.refusals import BadRow
from adapters.data.rows import Message, Row

Fields = dict[str, Any]


class RowFormat(StrEnum):
    """A format of training rows."""

    MESSAGES = "messages"
    CONVERSATIONS = "conversations"
    ALPACA = "alpaca"
    DOLLY = "dolly"
    PROMPT_COMPLETION = "prompt_completion"
    PREFERENCE = "preference"


def to_fields(row: Row, form: RowFormat) -> Fields:
    """Return a row as an object of a format; raises `BadRow`."""
    fields, rest = to_columns(row, form)
    if MEANINGFUL.isdisjoint(rest):
        return {**fields, **rest}
    # What a reader would take for a part of the conversation stands apart.
    nested = {key: value for key, value in rest.items() if not _is_plain(key, value)}
    if not nested:
        return {**fields, **rest}
    plain = {key: value for key, value in rest.items() if key not in nested}
    return {**fields, **plain, "meta": nested}


def _is_plain(key: str, value: object) -> bool:
    return key not in MEANINGFUL or (
        key in ("weight", "context") and isinstance(value, int | float)
    )


def to_columns(row: Row, form: RowFormat) -> tuple[Fields, Fields]:
    """Return a row's conversation as an object of a format, and its metadata; raises `BadRow`.

    Of a row with no answer to be learned the metadata says `weight: 0` where turns cannot.
    """
    if form is RowFormat.MESSAGES:
        return {"messages": _turns(row.messages, "role", "content")}, dict(row.meta)
    if form is RowFormat.CONVERSATIONS:
        return _conversations(row), dict(row.meta)
    return _WRITERS[form](row)


COLUMNS: Mapping[RowFormat, tuple[str, ...]] = {
    RowFormat.MESSAGES: ("messages",),
    RowFormat.CONVERSATIONS: ("system", "conversations"),
    RowFormat.ALPACA: ("system", "instruction", "input", "output", "history"),
    RowFormat.DOLLY: ("instruction", "context", "response"),
    RowFormat.PROMPT_COMPLETION: ("prompt", "completion"),
    RowFormat.PREFERENCE: ("prompt", CHOSEN, REJECTED),
}
"""Keys of each format's conversation, in their order."""


def _turns(messages: tuple[Message, ...], role: str, content: str) -> list[Fields]:
    """Return turns; an answer that is not learned is marked as OpenAI does."""
    return [
        {role: turn.role, content: turn.content}
        if turn.learned
        else {role: turn.role, content: turn.content, "weight": 0}
        for turn in messages
    ]


def _conversations(row: Row) -> Fields:
    names = {"user": "human", "assistant": "gpt", "system": "system"}
    turns = row.messages
    system = turns[0].content if turns[0].role == "system" else ""
    if system.strip():
        turns = turns[1:]
    written = [{**turn, "from": names[turn["from"]]} for turn in _turns(turns, "from", "value")]
    return {**({"system": system} if system.strip() else {}), "conversations": written}


def _alpaca(row: Row) -> tuple[Fields, Fields]:
    rest = _with_mark(row, RowFormat.ALPACA)
    turns = row.messages
    fields: Fields = {}
    if turns[0].role == "system":
        if not turns[0].content.strip():
            raise BadRow("alpaca has no place for an empty system turn")
        fields["system"], turns = turns[0].content, turns[1:]
    fields |= {"instruction": turns[-2].content, "input": "", "output": turns[-1].content}
    earlier = [turn.content for turn in turns[:-2]]
    if earlier:
        fields["history"] = [list(pair) for pair in zip(earlier[::2], earlier[1::2], strict=True)]
    return fields, rest


def _dolly(row: Row) -> tuple[Fields, Fields]:
    if len(row.messages) != 2:
        raise BadRow("dolly has no place for a system turn or earlier turns")
    question, answer = (turn.content for turn in row.messages)
    fields = {"instruction": question, "context": "", "response": answer}
    return fields, _with_mark(row, RowFormat.DOLLY)


def _prompt_completion(row: Row) -> tuple[Fields, Fields]:
    *_, answer = row.messages
    prompt = _prompt(row)
    if isinstance(prompt, str) and answer.learned:
        return {"prompt": prompt, "completion": answer.content}, dict(row.meta)
    if isinstance(prompt, str):
        return {"prompt": prompt, "completion": answer.content}, _with_mark(
            row, RowFormat.PROMPT_COMPLETION
        )
    completion = _turns((answer,), "role", "content")
    return {"prompt": prompt, "completion": completion}, dict(row.meta)


def _preference(row: Row) -> tuple[Fields, Fields]:
    rejected = row.meta.get(REJECTED)
    if not isinstance(rejected, str):
        raise BadRow("preference needs a rejected answer; the row has none")
    rest = {key: value for key, value in row.meta.items() if key != REJECTED}
    answer = row.messages[-1]
    chosen = answer.content if answer.learned else _turns((answer,), "role", "content")
    return {"prompt": _prompt(row), CHOSEN: chosen, REJECTED: rejected}, rest


def _prompt(row: Row) -> str | list[Fields]:
    """Return what comes before the answer: a text where that is one question."""
    if len(row.messages) == 2:
        return row.messages[0].content
    return _turns(row.messages[:-1], "role", "content")


def _with_mark(row: Row, form: RowFormat) -> Fields:
    """Return the metadata, with the mark of a row of which no answer is learned."""
    learned = {turn.learned for turn in row.messages if turn.role == "assistant"}
    if learned == {True}:
        return dict(row.meta)
    if learned == {False} and "weight" not in row.meta:
        return {**row.meta, "weight": 0}
    raise BadRow(f"{form} has no place for a mark that only some answers are learned")


_WRITERS: Mapping[RowFormat, Callable[[Row], tuple[Fields, Fields]]] = {
    RowFormat.ALPACA: _alpaca,
    RowFormat.DOLLY: _dolly,
    RowFormat.PROMPT_COMPLETION: _prompt_completion,
    RowFormat.PREFERENCE: _preference,
}
