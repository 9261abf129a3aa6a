"""Chat logs and other JSON: conversations as `role: words`, anything else as `key: value`.

It knows the shapes that chat exports have (OpenAI, ShareGPT, Alpaca, Slack, plain rows of question
and answer); it does not judge whether they are good training data (that is the adapters' room).
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from knowledge.errors import DamagedFile
from knowledge.parsing.blocks import Block, Paragraph, Table
from knowledge.parsing.writer import too_much_text

ROLES = ("role", "from", "speaker", "author", "user", "sender")
WORDS = ("content", "value", "text", "message", "body", "parts")
SPEAKERS = frozenset(
    ("user assistant system developer human gpt bot bing chatgpt claude model agent tool function "
     "observation function_call customer prompter").split()
)  # fmt: skip
"""What a role is called in exports; elsewhere `user` may be a column."""
TURNS = ("messages", "conversations", "conversation", "dialogue", "dialog", "turns", "history")
MAX_DEPTH = 32
TABLE_KEYS = 12  # of rows that become a table; more are easier to read as `key: value`
TABLE_CHARS = 60  # … in each cell of it
NAME_CHARS = 80  # of the value that tells which row a list inside it belongs to
PATH = " > "

Path = tuple[str, ...]


def read_json(filename: str, text: str, chars: int, *, lines: bool) -> Sequence[Block]:
    """Return conversations and values as blocks: one for each row or turn.

    Args:
        filename: For messages.
        text: One JSON document, or one a line.
        chars: Most characters to return.
        lines: One document a line (JSONL).

    Raises:
        DamagedFile: Malformed, or nested too deeply.
        ParseLimitExceeded: It has more than `chars` characters.
    """
    value = list(_rows(filename, text)) if lines else _load(filename, text, 1)
    blocks: list[Block] = []
    left = chars
    try:
        for block in _blocks(value, ()):
            left -= len(block.text) + 2 if isinstance(block, Paragraph) else _chars(block)
            if left < 0:
                raise too_much_text(chars)
            blocks.append(block)
    except RecursionError as exc:
        raise DamagedFile(f"{filename!r} is nested deeper than {MAX_DEPTH} levels") from exc
    return blocks


def _rows(filename: str, text: str) -> Iterator[Any]:
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            yield _load(filename, line, number)


def _load(filename: str, text: str, number: int) -> Any:
    try:
        # numbers stay as they are written: 1.10 is no 1.1
        return json.loads(text, parse_float=str, parse_int=str)
    except json.JSONDecodeError as exc:
        place = f"line {number + exc.lineno - 1}, column {exc.colno}"
        raise DamagedFile(f"{filename!r}, {place}: {exc.msg}") from exc
    except (RecursionError, ValueError) as exc:
        raise DamagedFile(f"{filename!r}, line {number}: nested too deeply or too long") from exc


def _chars(block: Table) -> int:
    return sum(len(cell) + 3 for row in block.rows for cell in row)


def _blocks(value: Any, path: Path, depth: int = 0) -> Iterator[Paragraph | Table]:
    """Yield the blocks of one value; `path` leads to it."""
    if depth > MAX_DEPTH:
        raise RecursionError
    if isinstance(value, list) and not (depth and _plain(value)):
        yield from _list_blocks(value, path, depth)
    elif not isinstance(value, dict):
        if words := _plain(value):
            yield Paragraph(_labelled(path, [words], " "))
    elif turn := _turn(value, is_expected=bool(path) and path[-1] in TURNS):
        yield turn
    else:
        yield from _row_blocks(value, path, depth)


def _list_blocks(items: list[Any], path: Path, depth: int) -> Iterator[Paragraph | Table]:
    is_chat = bool(path) and path[-1] in TURNS
    if not is_chat and (names := _table_keys(items)):
        rows = tuple(tuple(_cell(row[name]) for name in names) for row in items)
        yield Table((names, *rows), 1, PATH.join(path))
        return
    for item in items:
        yield from _blocks(item, path, depth + 1)


def _table_keys(items: Sequence[Any]) -> tuple[str, ...]:
    """Return the keys that all rows have, where rows are small enough to be a table's."""
    if len(items) < 2 or not isinstance(items[0], dict) or not 2 <= len(items[0]) <= TABLE_KEYS:
        return ()
    names = items[0].keys()
    for item in items:
        if not isinstance(item, dict) or item.keys() != names or _turn(item, is_expected=False):
            return ()
        for value in item.values():
            words = _plain(value)
            if words is None or len(words) > TABLE_CHARS:
                return ()
    return tuple(names)


def _row_blocks(row: Mapping[str, Any], path: Path, depth: int) -> Iterator[Paragraph | Table]:
    """Yield a row: its values as one block, then the lists inside it."""
    lines: list[str] = []
    inside: list[tuple[Path, Any]] = []
    _gather(row, lines, inside, names=(), depth=depth)
    if lines:
        yield Paragraph(_labelled(path, lines))
    named = (*path, lines[0]) if lines and len(lines[0]) <= NAME_CHARS else path
    for names, value in inside:
        yield from _blocks(value, (*named, *names), depth + 1)


def _gather(
    row: Mapping[str, Any],
    lines: list[str],
    inside: list[tuple[Path, Any]],
    *,
    names: Path,
    depth: int,
) -> None:
    """Collect the values of a row as lines, and what needs blocks of its own."""
    if depth > MAX_DEPTH:
        raise RecursionError
    has_values = any(not isinstance(item, dict | list) for item in row.values())
    for key, item in row.items():
        place = (*names, str(key))
        words = _plain(item)
        if words is not None:
            lines.append(f"{PATH.join(place)}: {words}".rstrip())
        elif isinstance(item, dict) and has_values and not _turn(item, is_expected=False):
            _gather(item, lines, inside, names=place, depth=depth + 1)
        else:
            inside.append((place, item))


def _labelled(path: Path, lines: Sequence[str], separator: str = "\n") -> str:
    label = [f"{PATH.join(path)}:"] if path and path[-1] not in TURNS else []
    return separator.join([*label, *lines])


def _turn(value: Mapping[str, Any], *, is_expected: bool) -> Paragraph | None:
    """Return one message of a conversation, or None where it is no message.

    Args:
        value: What may be one.
        is_expected: It stands in a list of turns: anybody may speak.
    """
    speaker = next((key for key in ROLES if key in value), "")
    role, role_rest = _role(value.get(speaker))
    if not role or not (is_expected or role.lower() in SPEAKERS):
        return None
    said = next((key for key in WORDS if _words(value.get(key))), "")
    if not said:
        return None
    words = _words(value[said])
    rest = {key: item for key, item in value.items() if key not in (speaker, said)}
    rest |= {speaker: role_rest, said: _unsaid(value[said])}
    lines: list[str] = []
    inside: list[tuple[Path, Any]] = []
    _gather({key: item for key, item in rest.items() if item}, lines, inside, names=(), depth=0)
    lines += [f"{PATH.join(place)}: {json.dumps(item)}" for place, item in inside]
    return Paragraph("\n".join([f"{role}: {words}", *lines]))


def _role(value: Any) -> tuple[str, Any]:
    """Return who speaks, and what else is told of them."""
    if isinstance(value, dict):  # OpenAI's export: {"author": {"role": …}}
        key = "role" if value.get("role") else "name"
        rest = {name: item for name, item in value.items() if name != key and item}
        return (value[key], rest) if isinstance(value.get(key), str) else ("", None)
    return (value, None) if isinstance(value, str) else ("", None)


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


def _unsaid(value: Any) -> Any:
    """Return what a message holds besides its words: pictures, calls."""
    if isinstance(value, list):
        return [item for item in value if not _words(item)]
    if isinstance(value, dict):
        return {key: item for key, item in value.items() if key not in ("parts", "text")}
    return None


def _plain(value: Any) -> str | None:
    """Return a value that needs no block of its own, a scalar or a list of them; else None."""
    if isinstance(value, str):
        return value.strip()
    if value is None or isinstance(value, bool):
        return "null" if value is None else str(value).lower()
    if isinstance(value, list) and not any(isinstance(item, dict | list) for item in value):
        return ", ".join(words for item in value if (words := _plain(item)))
    return None if value else ""


def _cell(value: Any) -> str:
    return " ".join((_plain(value) or "").split())
