"""Reads the turns of a conversation, in the forms that formats give them.

Knows turns as objects (role and content, from and value) and as pairs of question and answer;
does not know which format they stand in.
"""

from collections.abc import Mapping
from typing import Any

from adapters.data.formats.keys import (
    CONTENT_KEYS,
    IDLE_IN_TURNS,
    MARKS,
    ROLE_KEYS,
    ROLES,
    UNUSABLE_IN_TURNS,
)
from adapters.data.formats.refusals import BadRow
from adapters.data.rows import Message

MOST_NAMED_ROLES = 8

_OWN_KEYS = frozenset({*ROLE_KEYS, *CONTENT_KEYS})
_YES, _NO = ("1", "true", "yes", "是"), ("0", "false", "no", "否")
_INVISIBLE = " \t\r\n\u3000\u00a0\u200b\u200c\u200d\u2060\ufeff"
_SHORT = 8  # letters; a longer text of such letters alone is not written by accident
# Marks that only chat templates write. A row that holds them has been through one, and the base
# model would read turns inside its turns.
TEMPLATE_MARKS = (
    *("<|im_start|>", "<|im_end|>", "<|start_header_id|>", "<|eot_id|>", "<|endoftext|>"),
    *(
        "<start_of_turn>",
        "<end_of_turn>",
        "[/INST]",
        "<｜User｜>",
        "<｜Assistant｜>",
        "<|assistant|>",
    ),
)


def read_turns(value: object, key: str) -> tuple[Message, ...]:
    """Return the turns of a list under `key`; raises `BadRow`."""
    if not isinstance(value, list) or not value:
        raise BadRow(f"{key} must be a list with at least one turn")
    return tuple([_read_turn(turn, key) for turn in value])


def read_history(history: object) -> tuple[Message, ...]:
    """Return earlier turns, as turns or as [question, answer] pairs; raises `BadRow`."""
    if not history:
        return ()
    if isinstance(history, list) and all(isinstance(turn, dict) for turn in history):
        return read_turns(history, "history")
    turns: list[Message] = []
    for pair in history if isinstance(history, list) else [None]:
        if not (
            isinstance(pair, list) and len(pair) == 2 and all(isinstance(t, str) for t in pair)
        ):
            raise BadRow("history must be a list of turns or of [question, answer] pairs")
        turns += [Message("user", pair[0]), Message("assistant", pair[1])]
    return tuple(turns)


def _read_turn(turn: object, key: str) -> Message:
    if not isinstance(turn, dict):
        raise BadRow(f"{key}: a turn must be an object")
    if len(turn) == 2 and "role" in turn and "content" in turn:  # nearly every turn
        name, content, mark = turn["role"], turn["content"], None
    else:
        _refuse_unusable(turn, key)
        name, content = _one_of(turn, ROLE_KEYS, key), _one_of(turn, CONTENT_KEYS, key)
        mark = read_mark(turn)
    role = ROLES.get(name) if isinstance(name, str) else None
    if role is None:
        raise BadRow(f"{key}: role {name!r} is none of {', '.join(ROLES)}")
    if mark and role != "assistant":
        raise BadRow(f"{key}: only answers of the assistant are learned, not turns of {name}")
    if not isinstance(content, str):
        content = _join_parts(content, key)
    return Message(role, content, mark is not False or role != "assistant")


def _refuse_unusable(turn: Mapping[str, Any], key: str) -> None:
    for name in turn.keys() - _OWN_KEYS - IDLE_IN_TURNS:
        if name in MARKS or is_empty(turn[name]):
            continue
        if name in UNUSABLE_IN_TURNS:
            raise BadRow(f"{key}: `{name}` of a turn cannot be trained on; take it or the row out")
        raise BadRow(f"{key}: there is no place for the key `{name}` of a turn; take it out")


def _one_of(turn: Mapping[str, Any], names: tuple[str, str], key: str) -> object:
    given = [turn[name] for name in names if turn.get(name) is not None]
    if len(given) > 1 and given[0] != given[1]:
        raise BadRow(f"{key}: `{names[0]}` and `{names[1]}` of a turn differ")
    return given[0] if given else None


def _join_parts(content: object, key: str) -> str:
    """Return the text of content in parts, as OpenAI writes it."""
    if isinstance(content, list) and content:
        for part in content:
            if not isinstance(part, dict) or not isinstance(part.get("text"), str):
                kind = part.get("type") if isinstance(part, dict) else None
                raise BadRow(f"{key}: the content of a turn must be text, not `{kind or part!r}`")
        return "".join(part["text"] for part in content)
    raise BadRow(f"{key}: the content of a turn must be text")


def is_empty(value: object) -> bool:
    """Whether a value says nothing: null, blank or without members."""
    if isinstance(value, str):
        return not value or value.isspace()
    return value is None or value == [] or value == {}


def read_mark(fields: Mapping[str, Any]) -> bool | None:
    """Return whether a turn is marked as learned; None where it has no mark; raises `BadRow`."""
    marks = {read_flag(fields[key], key) for key in MARKS if fields.get(key) is not None}
    if len(marks) > 1:
        raise BadRow(f"{', '.join(key for key in MARKS if key in fields)} contradict each other")
    return marks.pop() if marks else None


def read_flag(value: object, key: str) -> bool:
    """Return a mark that may be a number or a word; raises `BadRow`."""
    said = str(value).strip().casefold().removesuffix(".0")
    if said in _YES:
        return True
    if said in _NO:
        return False
    raise BadRow(f"{key} must be 0 or 1, false or true; it is {value!r}")


def check_turns(messages: tuple[Message, ...]) -> None:
    """Refuse (`BadRow`) a conversation whose turns are out of order, empty or rendered already."""
    first = 1 if messages and messages[0].role == "system" else 0
    turns = len(messages) - first
    wanted = "user"
    for message in messages[first:]:
        if message.role != wanted:
            break
        wanted = "assistant" if wanted == "user" else "user"
    else:
        if turns and wanted == "user":
            for at, message in enumerate(messages):
                _check_text(message.content, may_be_empty=at < first)
            return
    roles = [message.role for message in messages]
    more = ", …" if len(roles) > MOST_NAMED_ROLES else ""
    raise BadRow(
        "user and assistant turns must alternate, from a user's turn to an assistant's (one system "
        f"turn may come first); found {', '.join(roles[:MOST_NAMED_ROLES])}{more}"
    )


def _check_text(text: str, *, may_be_empty: bool) -> None:
    if not may_be_empty and (
        not text or text.isspace() or (len(text) < _SHORT and not text.strip(_INVISIBLE))
    ):
        raise BadRow("an empty question or answer")
    if "\0" in text:
        raise BadRow("a null byte in a text; take it out")
    if "<" in text or "[" in text:
        for mark in TEMPLATE_MARKS:
            if mark in text:
                raise BadRow(
                    f"`{mark}` in a text: it went through a chat template already; "
                    "give the turns without its marks"
                )
