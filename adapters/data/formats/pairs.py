"""Turns one object into a preference pair: a prompt, the answer people prefer, and another one.

Understood: prompt, chosen, rejected with everything that may stand beside a question; turns under
prompt, conversations or messages in place of the prompt (TRL's, LLaMA-Factory's, axolotl's forms);
chosen and rejected as whole conversations (ultrafeedback's form), whose common turns are the
prompt; OpenAI's input and preferred output. Knows nothing of files, tokens or training.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

from adapters.data.formats.keys import CHOSEN, OPENAI_PAIR, QUESTIONS, REJECTED, TURNS
from adapters.data.formats.refusals import BadRow
from adapters.data.formats.rows import (
    Fields,
    Turns,
    apply_mark,
    is_pair,
    read_before,
    read_meta,
    read_question,
    read_row,
    refuse_lost_texts,
    refuse_unusable,
)
from adapters.data.formats.turns import check_turns, is_empty, read_turns
from adapters.data.rows import Message, Pair, Row


def read_pair(fields: dict[str, Any], file: Path, line: int) -> Pair:
    """Return the pair that an object describes; raises `BadRow`."""
    if not is_pair(fields):
        raise BadRow("not a preference pair; stage dpo needs prompt, chosen and rejected")
    if OPENAI_PAIR[0] in fields:
        fields = _from_openai(fields)
    refuse_unusable(fields)
    chosen, rejected = (_read_answer(fields[key], key) for key in (CHOSEN, REJECTED))
    if len(chosen) == 1 and len(rejected) == 1:
        prompt, keys = _read_prompt(fields)
        prompt = (*read_before(fields, prompt, keys), *prompt)
    else:
        prompt, keys = _common_turns(chosen, rejected), set()
        prompt = (*read_before(fields, prompt, keys, has_history=True), *prompt)
    keys |= {CHOSEN, REJECTED}
    one, other = chosen[-1], rejected[-1]
    refuse_lost_texts(fields, keys, [turn.content for turn in (*prompt, one, other)])
    for answer in (one, other):
        if answer.role != "assistant":
            raise BadRow("chosen and rejected must end with an assistant message")
        check_turns((*prompt, answer))
    if one.content.strip() == other.content.strip():
        raise BadRow("chosen and rejected are the same answer")
    (one, other), meta = apply_mark((one, other), read_meta(fields, keys))
    return Pair(
        prompt, replace(one, learned=one.learned and other.learned), other, meta, file, line
    )


def read_any(fields: dict[str, Any], file: Path, line: int) -> Row:
    """Return a row of any format, of a preference pair with the preferred answer.

    The other answer stands in its metadata under `rejected`. Raises `BadRow`.
    """
    if not is_pair(fields):
        return read_row(fields, file, line)
    pair = read_pair(fields, file, line)
    meta = {**pair.meta, REJECTED: pair.rejected.content}
    return Row((*pair.prompt, pair.chosen), meta, file, line)


def _from_openai(fields: Fields) -> dict[str, Any]:
    given = fields.get("input")
    if not isinstance(given, dict) or OPENAI_PAIR[1] not in fields:
        raise BadRow(f"`{OPENAI_PAIR[0]}` needs `{OPENAI_PAIR[1]}` and `input` with messages")
    others = {k: v for k, v in fields.items() if k not in ("input", *OPENAI_PAIR)}
    chosen, rejected = (fields[key] for key in OPENAI_PAIR)
    return {**others, **given, CHOSEN: chosen, REJECTED: rejected}


def _read_answer(value: object, key: str) -> Turns:
    if isinstance(value, str):
        return (Message("assistant", value),)
    return read_turns([value] if isinstance(value, dict) else value, key)


def _common_turns(chosen: Turns, rejected: Turns) -> Turns:
    """Return the turns before the last of two whole conversations, which must be the same."""
    if chosen[:-1] != rejected[:-1]:
        raise BadRow("chosen and rejected may differ in their last turn only")
    return chosen[:-1]


def _read_prompt(fields: Fields) -> tuple[Turns, set[str]]:
    for key in TURNS:
        if not is_empty(fields.get(key)):
            return read_turns(fields[key], key), {key}
    if all(is_empty(fields.get(key)) for key in (*QUESTIONS, "input")):
        raise BadRow("a preference pair needs a prompt (text or turns)")
    return read_question(fields)
