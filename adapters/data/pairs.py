"""Reads preference pairs: a prompt, the answer people prefer, and another one.

Understood: prompt, chosen, rejected with an optional `history` of earlier turns; Alpaca's
instruction and input, or ShareGPT's conversations, in place of the prompt (LLaMA-Factory's forms).
An answer is a text, one turn, or a list of one turn. Knows nothing of tokens or training.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from adapters.data.formats import BadRow, check_turns, read_files, read_meta, read_turns
from adapters.data.rows import Message, Pair

_KEYS = frozenset(
    {
        *("prompt", "history", "system", "instruction", "input", "conversations"),
        *("chosen", "rejected"),
    }
)


def load_pairs(files: Sequence[Path]) -> list[Pair]:
    """Read every preference pair of `files`, in order.

    Args:
        files: `.jsonl` (one pair a line) or `.json` (a list of pairs), UTF-8.

    Returns:
        At least one pair.

    Raises:
        InvalidTrainingData: A file cannot be read, holds nothing, or holds bad rows.
    """
    return read_files(files, read_pair)


def read_pair(fields: dict[str, Any], file: Path, line: int) -> Pair:
    """Return the pair that an object describes; raises `BadRow`."""
    if not {"chosen", "rejected"} <= fields.keys():
        raise BadRow("not a preference pair; stage dpo needs prompt, chosen and rejected")
    prompt = _read_prompt(fields)
    chosen, rejected = (_read_answer(fields[key], key) for key in ("chosen", "rejected"))
    for answer in (chosen, rejected):
        check_turns((*prompt, answer))
    if chosen.content.strip() == rejected.content.strip():
        raise BadRow("chosen and rejected are the same answer")
    return Pair(prompt, chosen, rejected, read_meta(fields, _KEYS), file, line)


def _read_prompt(fields: dict[str, Any]) -> tuple[Message, ...]:
    if "conversations" in fields:
        turns = read_turns(fields["conversations"], "conversations")
    elif isinstance(fields.get("prompt"), list):
        turns = read_turns(fields["prompt"], "prompt")
    else:
        turns = (*_read_history(fields.get("history")), Message("user", _read_question(fields)))
    system = fields.get("system")
    return (Message("system", system), *turns) if isinstance(system, str) and system else turns


def _read_question(fields: dict[str, Any]) -> str:
    question = fields.get("prompt", fields.get("instruction"))
    if not isinstance(question, str):
        raise BadRow("a preference pair needs a prompt (text or turns)")
    material = fields.get("input")
    return f"{question}\n\n{material}" if isinstance(material, str) and material else question


def _read_history(history: object) -> tuple[Message, ...]:
    """Return earlier turns, written as turns or as Alpaca's [question, answer] pairs."""
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


def _read_answer(value: object, key: str) -> Message:
    if isinstance(value, str):
        return Message("assistant", value)
    turns = read_turns([value] if isinstance(value, dict) else value, key)
    if len(turns) != 1 or turns[0].role != "assistant":
        raise BadRow(f"{key} must be a single assistant message")
    return turns[0]
