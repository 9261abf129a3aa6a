"""Reads training rows from the formats people have, into one internal row.

Understood, row by row and found by the keys: messages (ChatML, OpenAI), conversations (ShareGPT
with from/value or role/content), Alpaca (instruction, input, output), Dolly (instruction,
context, response), prompt/completion (texts or messages). Knows nothing of tokens or training.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from adapters.data.rows import Message, Role, Row
from adapters.errors import InvalidTrainingData

MAX_PROBLEMS = 20  # rows named in one refusal: enough to see a pattern, short enough to read

_ROLES: dict[str, Role] = {
    "system": "system",
    "user": "user",
    "human": "user",
    "assistant": "assistant",
    "gpt": "assistant",
}
_Fields = Mapping[str, Any]
_Read = TypeVar("_Read")


class BadRow(Exception):
    """Why one row cannot be used; becomes a line of InvalidTrainingData, never leaves this room."""


def load_rows(files: Sequence[Path]) -> list[Row]:
    """Read every row of `files`, in order.

    Args:
        files: `.jsonl` (one row a line) or `.json` (a list of rows), UTF-8.

    Returns:
        At least one row.

    Raises:
        InvalidTrainingData: A file cannot be read, holds nothing, or holds bad rows; up to
            `MAX_PROBLEMS` of them are named with file and line.
    """
    return read_files(files, read_row)


def read_files(
    files: Sequence[Path], read: Callable[[dict[str, Any], Path, int], _Read]
) -> list[_Read]:
    """Read every row of `files` by `read`, in order; see `load_rows` for the rest."""
    return _collect(((file, _load(file)) for file in files), read)


def parse_content(
    content: bytes, name: str, read: Callable[[dict[str, Any], Path, int], _Read]
) -> list[_Read]:
    """Read the rows of a file's content by `read`, in order; see `load_rows` for the rest."""
    return _collect([(Path(name), content)], read)


def _collect(
    files: Iterable[tuple[Path, bytes]], read: Callable[[dict[str, Any], Path, int], _Read]
) -> list[_Read]:
    rows: list[_Read] = []
    problems: list[str] = []
    names: list[str] = []
    for file, content in files:
        names.append(str(file))
        for line, value in _read_values(file, content):
            try:
                rows.append(read(_check_object(value), file, line))
            except BadRow as exc:
                problems.append(f"{file}:{line}: {exc}")
    if problems:
        named = problems[:MAX_PROBLEMS]
        more = len(problems) - len(named)
        rest = f"\n… and {more} more" if more else ""
        summary = f"{len(problems)} of {len(problems) + len(rows)} rows cannot be used:\n"
        raise InvalidTrainingData(summary + "\n".join(named) + rest, tuple(named))
    if not rows:
        raise InvalidTrainingData(f"no training rows in {', '.join(names)}")
    return rows


def _load(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as exc:
        raise InvalidTrainingData(f"{file} cannot be read: {exc.strerror}") from exc


def _read_values(file: Path, content: bytes) -> Iterator[tuple[int, object]]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        raise InvalidTrainingData(f"{file} is not UTF-8 text (byte {exc.start})") from exc
    if file.suffix == ".json":
        yield from _read_list(file, text)
        return
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    for line, row in enumerate(text.split("\n"), start=1):
        if row.strip():
            yield line, _parse_line(row)


def _read_list(file: Path, text: str) -> Iterator[tuple[int, object]]:
    try:
        values = json.loads(text)
    except (ValueError, RecursionError) as exc:
        raise InvalidTrainingData(f"{file} is not JSON: {exc}") from exc
    if not isinstance(values, list):
        raise InvalidTrainingData(
            f"{file} must be a JSON list of rows; use .jsonl for one row per line"
        )
    yield from enumerate(values, start=1)


def _parse_line(content: str) -> object:
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as exc:
        return BadRow(f"not JSON: {exc}")


def _check_object(value: object) -> dict[str, Any]:
    if isinstance(value, BadRow):
        raise value
    if not isinstance(value, dict):
        raise BadRow("a row must be an object")
    return value


def read_row(value: dict[str, Any], file: Path, line: int) -> Row:
    """Return the row that an object describes; raises `BadRow`."""
    keys, read = _find_format(value)
    messages = read(value)
    check_turns(messages)
    return Row(messages, read_meta(value, keys), file, line)


def _find_format(
    fields: _Fields,
) -> tuple[frozenset[str], Callable[[_Fields], tuple[Message, ...]]]:
    for needed, optional, read in _FORMATS:
        if needed <= fields.keys():
            return needed | optional, read
    if {"chosen", "rejected"} <= fields.keys():
        raise BadRow(
            "a preference pair (chosen, rejected) is for stage: dpo; stage sft needs one answer"
        )
    known = "; ".join(", ".join(sorted(needed)) for needed, _, _ in _FORMATS)
    raise BadRow(f"no known format; a row needs one of these sets of keys: {known}")


def _from_messages(fields: _Fields) -> tuple[Message, ...]:
    return read_turns(fields["messages"], "messages")


def _from_conversations(fields: _Fields) -> tuple[Message, ...]:
    turns = read_turns(fields["conversations"], "conversations")
    system = _text(fields, "system") if fields.get("system") else ""
    return (Message("system", system), *turns) if system else turns


def _from_alpaca(fields: _Fields) -> tuple[Message, ...]:
    turns: list[Message] = []
    if fields.get("system"):
        turns.append(Message("system", _text(fields, "system")))
    history = fields.get("history") or []
    if not isinstance(history, list):
        raise BadRow("history must be a list of [question, answer] pairs")
    for pair in history:
        if not (
            isinstance(pair, list) and len(pair) == 2 and all(isinstance(t, str) for t in pair)
        ):
            raise BadRow("history must be a list of [question, answer] pairs")
        turns += [Message("user", pair[0]), Message("assistant", pair[1])]
    question = _join(_text(fields, "instruction"), fields.get("input"))
    return (*turns, Message("user", question), Message("assistant", _text(fields, "output")))


def _from_dolly(fields: _Fields) -> tuple[Message, ...]:
    question = _join(_text(fields, "instruction"), fields.get("context"))
    return (Message("user", question), Message("assistant", _text(fields, "response")))


def _from_prompt_completion(fields: _Fields) -> tuple[Message, ...]:
    prompt, completion = fields["prompt"], fields["completion"]
    turns = (Message("user", prompt),) if isinstance(prompt, str) else read_turns(prompt, "prompt")
    if isinstance(completion, str):
        return (*turns, Message("assistant", completion))
    return turns + read_turns(completion, "completion")


_FORMATS: tuple[
    tuple[frozenset[str], frozenset[str], Callable[[_Fields], tuple[Message, ...]]], ...
] = (
    (frozenset({"messages"}), frozenset(), _from_messages),
    (frozenset({"conversations"}), frozenset({"system"}), _from_conversations),
    (frozenset({"prompt", "completion"}), frozenset(), _from_prompt_completion),
    (
        frozenset({"instruction", "output"}),
        frozenset({"input", "system", "history"}),
        _from_alpaca,
    ),
    (frozenset({"instruction", "response"}), frozenset({"context"}), _from_dolly),
)


def read_turns(value: object, key: str) -> tuple[Message, ...]:
    """Return the turns of a list under `key`; raises `BadRow`."""
    if not isinstance(value, list) or not value:
        raise BadRow(f"{key} must be a list with at least one turn")
    return tuple(_read_turn(turn, key) for turn in value)


def _read_turn(turn: object, key: str) -> Message:
    if not isinstance(turn, dict):
        raise BadRow(f"{key}: a turn must be an object")
    name = turn.get("role", turn.get("from"))
    content = turn.get("content", turn.get("value"))
    if not isinstance(name, str) or name not in _ROLES:
        raise BadRow(f"{key}: role {name!r} is none of {', '.join(_ROLES)}")
    if not isinstance(content, str):
        raise BadRow(f"{key}: the content of a turn must be text")
    return Message(_ROLES[name], content)


def check_turns(messages: tuple[Message, ...]) -> None:
    """Refuse (`BadRow`) a conversation whose turns are out of order, or empty."""
    turns = messages[1:] if messages[0].role == "system" else messages
    roles = [message.role for message in turns]
    if len(roles) % 2 or roles != ["user", "assistant"] * (len(roles) // 2) or not roles:
        raise BadRow(
            "user and assistant turns must alternate, from a user's turn to an assistant's "
            f"(one system turn may come first); found {', '.join(m.role for m in messages)}"
        )
    if any(not message.content.strip() for message in turns):
        raise BadRow("an empty question or answer")


def read_meta(fields: _Fields, format_keys: frozenset[str]) -> dict[str, object]:
    """Return what a row says beside its format's own keys; raises `BadRow`."""
    nested = fields.get("meta") or {}
    if not isinstance(nested, dict):
        raise BadRow("meta must be an object")
    own = {k: v for k, v in fields.items() if k not in format_keys and k != "meta"}
    return {**own, **nested}


def _text(fields: _Fields, key: str) -> str:
    value = fields[key]
    if not isinstance(value, str):
        raise BadRow(f"{key} must be text")
    return value


def _join(question: str, material: object) -> str:
    if material in (None, ""):
        return question
    if not isinstance(material, str):
        raise BadRow("input or context must be text")
    return f"{question}\n\n{material}"
