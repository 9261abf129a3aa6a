"""Turns one object into a row: which format it has is found by its keys, row by row.

Understood: messages (ChatML, OpenAI), conversations (ShareGPT with from/value or role/content),
and texts under the names of Alpaca, Dolly, prompt/completion and their neighbours, with `system`
and `history` beside any of them. Knows nothing of files, tokens or training.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from adapters.data.formats.keys import (
    ANSWERS,
    CHOSEN,
    MARKS,
    MATERIALS,
    MEANINGFUL,
    OPENAI_PAIR,
    QUESTIONS,
    REJECTED,
    SYSTEMS,
    TEXTS,
    TURNS,
    UNUSABLE_IN_ROWS,
    known_name,
)
from adapters.data.formats.refusals import BadRow
from adapters.data.formats.turns import (
    check_turns,
    is_empty,
    read_history,
    read_mark,
    read_turns,
)
from adapters.data.rows import Message, Row

Fields = Mapping[str, Any]
Turns = tuple[Message, ...]

MAX_DEPTH = 64  # of metadata; nothing that rows say needs ten

_NEEDED = "messages; conversations; prompt, completion; instruction, output; instruction, response"


def read_row(fields: Fields, file: Path, line: int) -> Row:
    """Return the row that an object describes; raises `BadRow`."""
    if is_pair(fields):
        raise BadRow(
            "a preference pair (chosen, rejected) is for stage: dpo; stage sft needs one answer"
        )
    used = _turns_key(fields)
    if used is None:
        fields, turns, keys = _read_texts(fields)
    else:
        turns, keys = read_turns(fields[used], used), {used}
    if not MEANINGFUL.isdisjoint(fields.keys() - keys):
        refuse_unusable(fields)
        turns = (*read_before(fields, turns, keys), *turns)
        refuse_lost_texts(fields, keys, [turn.content for turn in turns])
    check_turns(turns)
    meta = read_meta(fields, keys)
    if not MEANINGFUL.isdisjoint(meta):
        turns, meta = apply_mark(turns, meta)
    return Row(turns, meta, file, line)


def is_pair(fields: Fields) -> bool:
    """Whether an object is a preference pair."""
    return (CHOSEN in fields and REJECTED in fields) or OPENAI_PAIR[0] in fields


def _turns_key(fields: Fields) -> str | None:
    found = [key for key in TURNS if not is_empty(fields.get(key))]
    if len(found) > 1 and fields[found[0]] != fields[found[1]]:
        raise BadRow(f"`{found[0]}` and `{found[1]}` differ; one of them must go")
    if found:
        return found[0]
    given = [key for key in TURNS if key in fields]
    return given[0] if given and not _text_keys(fields, ANSWERS) else None


def _read_texts(fields: Fields) -> tuple[Fields, Turns, set[str]]:
    """Return the object under known names, its question and answer, and the keys they are of."""
    if not (_has_question(fields) and any(key in fields for key in ANSWERS)):
        fields = _rename(fields)
    if not (_has_question(fields) and any(key in fields for key in ANSWERS)):
        raise BadRow(f"no known format; a row needs one of these sets of keys: {_NEEDED}")
    question, keys = read_question(fields)
    answers = _text_keys(fields, ANSWERS)
    if not answers:
        raise BadRow("an empty question or answer")
    key = answers[0]
    answer = fields[key]
    turns = (Message("assistant", answer),) if isinstance(answer, str) else None
    if turns is None and key != "completion":
        raise BadRow(f"{key} must be text")
    return fields, (*question, *(turns or read_turns(answer, key))), {*keys, key}


def _has_question(fields: Fields) -> bool:
    return any(key in fields for key in QUESTIONS) or "input" in fields


def _rename(fields: Fields) -> Fields:
    """Return an object under the names that its keys stand for, as columns are named by people."""
    renamed = {known_name(key): value for key, value in fields.items()}
    if len(renamed) < len(fields):
        raise BadRow(f"several keys mean the same: {', '.join(fields)}")
    return renamed


def _text_keys(fields: Fields, names: Sequence[str]) -> list[str]:
    """Return those of `names` that hold something; `context: true` and the like are metadata."""
    return [
        key
        for key in names
        if not is_empty(fields.get(key)) and not (key == "context" and not _is_text(fields[key]))
    ]


def _is_text(value: object) -> bool:
    return isinstance(value, str | list | dict)


def read_question(fields: Fields) -> tuple[Turns, set[str]]:
    """Return the question of texts with its material, and the keys they are of; raises `BadRow`.

    Of an empty question its material is the question.
    """
    questions, materials = _text_keys(fields, QUESTIONS), _text_keys(fields, MATERIALS)
    asked = fields[questions[0]] if questions else ""
    if isinstance(asked, list) and questions[0] == "prompt":
        return read_turns(asked, "prompt"), {"prompt"}
    if len(materials) > 1 and fields["input"] != fields["context"]:
        raise BadRow("`input` and `context` both hold a text; join them under one key")
    material = fields[materials[0]] if materials else ""
    keys = {*questions[:1], *materials[:1]}
    for key in keys:
        if not isinstance(fields[key], str):
            raise BadRow(f"{key} must be text")
    text = f"{asked}\n\n{material}" if asked and material else asked or material
    return (Message("user", text),), keys


def read_before(
    fields: Fields, turns: Turns, keys: set[str], *, has_history: bool = False
) -> Turns:
    """Return the system turn and the history that stand beside other turns; raises `BadRow`.

    Adds the keys they are of to `keys`. Turns that have their history already take no other.
    """
    systems = {str(fields[key]): key for key in SYSTEMS if not is_empty(fields.get(key))}
    history = () if has_history else read_history(fields.get("history"))
    keys |= {*systems.values(), *([] if has_history else ["history"])}
    if not systems:
        return history
    if len(systems) > 1:
        raise BadRow(f"{' and '.join(systems.values())} differ")
    ((text, key),) = systems.items()
    if not isinstance(fields[key], str):
        raise BadRow(f"{key} must be text")
    for turn in (*history, *turns):
        if turn.role == "system":
            if turn.content != text:
                raise BadRow(f"`{key}` and the system turn differ; one of them must go")
            return history
    return (Message("system", text), *history)


def refuse_unusable(fields: Fields) -> None:
    """Refuse (`BadRow`) what a row has that cannot be trained on."""
    for key in sorted(UNUSABLE_IN_ROWS & fields.keys()):
        if not is_empty(fields[key]):
            raise BadRow(f"`{key}` cannot be trained on; take it or the row out")
    for key in ("label", "kto_tag"):
        if fields.get(key) is False:
            raise BadRow(f"`{key}: false` marks an answer that is not wanted; take the row out")


def refuse_lost_texts(fields: Fields, used: set[str], texts: Sequence[str]) -> None:
    """Refuse (`BadRow`) texts of the conversation under keys that were not `used`.

    A text that stands in the conversation already, as the `prompt` beside `messages` of many
    datasets does, is not lost.
    """
    for key in sorted((TEXTS | {CHOSEN, REJECTED, *OPENAI_PAIR, *TURNS}) & fields.keys() - used):
        value = fields[key]
        if is_empty(value) or not _is_text(value):
            continue
        said = [value] if isinstance(value, str) else _texts_of(value)
        if not all(any(one.strip() in text for text in texts) for one in said):
            raise BadRow(f"there is no place for the text under `{key}`; take it out or move it")


def _texts_of(value: object) -> list[str]:
    """Return the texts of a list, of turns or of [question, answer] pairs."""
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return value
    return [turn.content for turn in read_history(value)]


def read_meta(fields: Fields, used: set[str]) -> dict[str, object]:
    """Return what a row says beside its conversation; raises `BadRow`."""
    meta = {
        key: value
        for key, value in fields.items()
        if key not in used and not (key in MEANINGFUL and is_empty(value))
    }
    for key, value in meta.items():
        if isinstance(value, list | dict) and _depth(value) > MAX_DEPTH:
            raise BadRow(f"{key}: lists and objects nested more than {MAX_DEPTH} deep")
    nested = meta.pop("meta", None)
    if nested is None:
        return meta
    if not isinstance(nested, dict):
        raise BadRow("meta must be an object")
    return {**meta, **nested}


def _depth(value: Any) -> int:
    """Return how deep lists and objects are nested; counting ends where it is too deep."""
    level, depth = [value], 0
    while level and depth <= MAX_DEPTH:
        inner = [one.values() if isinstance(one, dict) else one for one in level]
        level = [one for each in inner for one in each if isinstance(one, list | dict)]
        depth += 1
    return depth


def apply_mark(turns: Turns, meta: dict[str, object]) -> tuple[Turns, dict[str, object]]:
    """Return a row's turns and metadata, after a mark that its answers are not learned.

    A weight other than 0 and 1 is metadata: how much a row counts among others.
    """
    marks = {key: meta[key] for key in MARKS if key in meta}
    weight = marks.get("weight")
    if isinstance(weight, int | float) and not isinstance(weight, bool) and weight > 0:
        del marks["weight"]
    if not marks:
        return turns, meta
    learned = read_mark(marks)
    meta = {key: value for key, value in meta.items() if key not in marks}
    if learned is not False:
        return turns, meta
    return tuple(replace(turn, learned=turn.role != "assistant") for turn in turns), meta
