"""Chat logs and other JSON: conversations as `role: words`, anything else as `key: value`.

It knows the shapes that chat exports have (OpenAI, ShareGPT, Alpaca, Slack, plain rows of question
and answer); it does not judge whether they are good training data (that is the adapters' room).
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from knowledge.errors import DamagedFile
from knowledge.parsing.writer import too_much_text

ROLES = ("role", "from", "speaker", "author", "user", "sender", "name", "type")
WORDS = ("content", "value", "text", "message", "body", "parts")
TURNS = ("messages", "conversations", "conversation", "dialogue", "dialog", "turns", "history")
MAX_DEPTH = 32


def read_json(filename: str, text: str, chars: int, *, lines: bool) -> str:
    """Return conversations and values as text, one paragraph for each row or turn.

    Args:
        filename: For messages.
        text: One JSON document, or one a line.
        chars: Most characters to return.
        lines: One document a line (JSONL).

    Raises:
        DamagedFile: Malformed, or nested too deeply.
        ParseLimitExceeded: It has more than `chars` characters.
    """
    paragraphs: list[str] = []
    left = chars
    for row in _rows(filename, text) if lines else [_load(filename, text, 1)]:
        for paragraph in _render(filename, row, 0):
            left -= len(paragraph) + 2
            if left < 0:
                raise too_much_text(chars)
            paragraphs.append(paragraph)
    return "\n\n".join(paragraphs)


def _rows(filename: str, text: str) -> Iterator[Any]:
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            yield _load(filename, line, number)


def _load(filename: str, text: str, number: int) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as exc:
        place = f"line {number + exc.lineno - 1}, column {exc.colno}"
        raise DamagedFile(f"{filename!r}, {place}: {exc.msg}") from exc
    except (RecursionError, ValueError) as exc:
        raise DamagedFile(f"{filename!r}, line {number}: nested too deeply or too long") from exc


def _render(filename: str, value: Any, depth: int) -> Iterator[str]:
    """Yield the paragraphs of one value."""
    if depth > MAX_DEPTH:
        raise DamagedFile(f"{filename!r} is nested deeper than {MAX_DEPTH} levels")
    if isinstance(value, list):
        for item in value:
            yield from _render(filename, item, depth + 1)
    elif not isinstance(value, dict):
        if words := _plain(value):
            yield words
    elif turn := _turn(value):
        yield turn
    else:
        fields = [f"{key}: {words}" for key, item in value.items() if (words := _plain(item))]
        if fields:
            yield "\n".join(fields)
        for key, item in value.items():
            if isinstance(item, dict | list) and not _plain(item):
                inside = _render(filename, item, depth + 1)
                yield from inside if key in TURNS else _named(str(key), inside)


def _named(key: str, paragraphs: Iterator[str]) -> Iterator[str]:
    for number, paragraph in enumerate(paragraphs):
        yield paragraph if number else f"{key}:\n{paragraph}"


def _turn(value: Mapping[str, Any]) -> str:
    """Return one message of a conversation, or nothing where it is no message."""
    words = next((text for key in WORDS if (text := _words(value.get(key)))), "")
    role = next((value[key] for key in ROLES if key in value), None)
    if isinstance(role, dict):  # OpenAI's export: {"author": {"role": …}}
        role = role.get("role") or role.get("name")
    return f"{role}: {words}" if words and isinstance(role, str) else ""


def _words(value: Any) -> str:
    """Return what a message says: text, or the text parts of it."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, dict):
        return _words(value.get("parts") or value.get("text"))
    if isinstance(value, list):
        parts = [_words(item) for item in value if isinstance(item, str | dict)]
        return "\n".join(part for part in parts if part)
    return ""


def _plain(value: Any) -> str:
    """Return a value that needs no paragraph of its own: a scalar or a list of scalars."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, bool) or value is None:
        return "" if value is None else str(value).lower()
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, list) and not any(isinstance(item, dict | list) for item in value):
        return ", ".join(words for item in value if (words := _plain(item)))
    return ""
