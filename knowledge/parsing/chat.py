"""Chat logs and other JSON: conversations as `role: words`, anything else as `key: value`.

It knows the shapes that chat exports have (OpenAI, ShareGPT, Alpaca, Slack, plain rows of question
and answer) and those that tables have; it does not judge whether they are good training data (that
is the adapters' room). An object is a turn only in a list of turns: elsewhere `role` is a key.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from knowledge.errors import DamagedFile
from knowledge.parsing.blocks import Block, Paragraph, Table
from knowledge.parsing.grid import guess_header_rows
from knowledge.parsing.writer import too_much_text

ROLES = ("role", "from", "speaker", "author", "user", "sender")
WORDS = ("content", "value", "text", "message", "body", "parts")
SPEAKERS = frozenset(
    ("user assistant system developer human gpt bot bing chatgpt claude model agent tool function "
     "observation function_call customer prompter").split()
)  # fmt: skip
"""What a role is called in exports; elsewhere `user` may be a column."""
TURNS = ("messages", "conversations", "conversation", "dialogue", "dialog", "turns")
"""Keys of lists in which anybody may speak."""
TURN_KEYS = (("role", "content"), ("role", "parts"), ("from", "value"))
"""What the turns of any other list are made of: OpenAI's, Google's and ShareGPT's way."""
NAMES = frozenset("name title id label code number sku subject 名称 标题 姓名 编号".split())
"""Keys that tell which row it is."""
NAMELESS = (": null", ": true", ": false")  # values that many rows have
COLUMNS = ("columns", "header", "headers", "fields")  # … of rows that are lists, beside them
MAX_DEPTH = 32
TABLE_KEYS = 12  # of rows that become a table; more are easier to read as `key: value`
TABLE_CHARS = 60  # … in each cell of it
NAME_CHARS = 80  # of the value that tells which row a list inside it belongs to
LEAST_COLUMN = 5  # values of lists that are a table's columns; fewer are as many by chance
PATH = " > "
_BETWEEN = re.compile(r"[\s\x1e]*+")  # of the values of a file; RFC 7464 has the sign

_PARTED = re.compile(r"[,，、;；\n]")

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
    values = _values(filename, text)
    value = (
        values[0] if len(values) == 1 and not (lines and isinstance(values[0], dict)) else values
    )
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


def _values(filename: str, text: str) -> list[Any]:
    """Return the values of a file: one, one a line, or one after the other."""
    # numbers stay as they are written: 1.10 is no 1.1
    decoder = json.JSONDecoder(
        parse_float=str, parse_int=str, parse_constant=str, object_pairs_hook=_object
    )
    values: list[Any] = []
    at = _end_of_space(text, 0)
    try:
        while at < len(text) or not values:
            value, at = decoder.raw_decode(text, at)
            values.append(value)
            at = _end_of_space(text, at)
    except json.JSONDecodeError as exc:
        place = f"line {exc.lineno}, column {exc.colno}"
        raise DamagedFile(f"{filename!r}, {place}: {exc.msg}") from exc
    except (RecursionError, ValueError) as exc:
        line = text.count("\n", 0, at) + 1
        raise DamagedFile(f"{filename!r}, line {line}: nested too deeply or too long") from exc
    return values


def _end_of_space(text: str, at: int) -> int:
    found = _BETWEEN.match(text, at)
    return found.end() if found else at


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object; of a key that comes twice a list of what it says."""
    row = dict(pairs)
    if len(row) < len(pairs):
        said: dict[str, list[Any]] = {}
        for key, value in pairs:
            said.setdefault(key, []).append(value)
        row = {key: items if len(items) > 1 else items[0] for key, items in said.items()}
    return row


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
            yield Paragraph(_labelled(path, [words], _space(words)).strip())
    elif path[-1:] == ("message",) and _is_turn(value):
        yield from _turn_blocks(value, path, depth)
    else:
        yield from _row_blocks(value, path, depth)


def _list_blocks(items: list[Any], path: Path, depth: int) -> Iterator[Paragraph | Table]:
    is_chat = _is_chat(items, path)
    if not is_chat and (names := _table_keys(items)):
        rows = tuple(tuple(_cell(row[name]) for name in names) for row in items)
        yield Table((names, *rows), 1, PATH.join(path))
        return
    if grid := _grid(items):
        yield Table(grid, guess_header_rows(grid), PATH.join(path))
        return
    for item in items:
        turn = _turn_blocks(item, path, depth) if is_chat and isinstance(item, dict) else []
        yield from turn or _blocks(item, path, depth + 1)


def _is_chat(items: Sequence[Any], path: Path) -> bool:
    """Say whether a list is a conversation: by its name, or by what all its items are."""
    return (bool(path) and path[-1] in TURNS) or all(map(_is_turn, items))


def _is_turn(item: Any) -> bool:
    """Say whether an object is a turn wherever it stands."""
    if not isinstance(item, dict):
        return False
    author = item.get("author")
    role = author.get("role") if isinstance(author, dict) else item.get("role", item.get("from"))
    is_told = any(speaker in item and said in item for speaker, said in TURN_KEYS)
    return str(role).lower() in SPEAKERS and (is_told or isinstance(author, dict))


def _grid(rows: Sequence[Any]) -> tuple[tuple[str, ...], ...]:
    """Return rows that are lists of as many small values each; none for any other list."""
    if len(rows) < 2 or not isinstance(rows[0], list) or len(rows[0]) < 2:
        return ()
    width = len(rows[0])
    if not all(isinstance(row, list) and len(row) == width for row in rows):
        return ()
    if not all(_is_cell(value) for row in rows for value in row):
        return ()
    return tuple(tuple(map(_cell, row)) for row in rows)


def _columns(row: Mapping[str, Any]) -> tuple[Mapping[str, Any], tuple[tuple[str, ...], ...]]:
    """Return (what else an object says, the table in it): rows beside their names, or columns."""
    names = next((key for key in COLUMNS if isinstance(row.get(key), list)), "")
    for key, rows in row.items() if names else ():
        if key != names and isinstance(rows, list) and (grid := _grid([row[names], *rows])):
            return {other: row[other] for other in row if other not in (key, names)}, grid
    lengths = {len(value) if isinstance(value, list) else 0 for value in row.values()}
    if len(row) < 2 or len(lengths) != 1 or min(lengths) < LEAST_COLUMN:
        return row, ()
    grid = _grid([list(row), *map(list, zip(*row.values(), strict=True))])
    return ({}, grid) if grid else (row, ())


def _table_keys(items: Sequence[Any]) -> tuple[str, ...]:
    """Return the keys that all rows have, where rows are small enough to be a table's."""
    if len(items) < 2 or not isinstance(items[0], dict) or not 2 <= len(items[0]) <= TABLE_KEYS:
        return ()
    names = items[0].keys()
    for item in items:
        if not isinstance(item, dict) or item.keys() != names:
            return ()
        if not all(map(_is_cell, item.values())):
            return ()
    return tuple(names)


def _is_cell(value: Any) -> bool:
    words = _plain(value)
    return words is not None and len(words) <= TABLE_CHARS


def _row_blocks(row: Mapping[str, Any], path: Path, depth: int) -> Iterator[Paragraph | Table]:
    """Yield a row: its values as one block, then the table and the lists inside it."""
    lines: list[str] = []
    inside: list[tuple[Path, Any]] = []
    rest, grid = _columns(row)
    _gather(rest, lines, inside, names=(), depth=depth)
    if lines:
        yield Paragraph(_labelled(path, lines))
    named = (*path, *_name(lines))
    if grid:
        yield Table(grid, 1, PATH.join(named))
    for names, value in inside:
        is_empty = True
        for block in _blocks(value, (*named, *names), depth + 1):
            is_empty = False
            yield block
        if is_empty:
            yield Paragraph(f"{PATH.join((*named, *names))}:")


def _name(lines: Sequence[str]) -> Path:
    """Return the line that tells which row it is: a name or number, or else the first value."""
    told = [line for line in lines if len(line) <= NAME_CHARS and line[-1] != ":"]
    told = [line for line in told if "\n" not in line and not line.endswith(NAMELESS)]
    keys = (line.partition(": ")[0].rpartition(PATH)[2].lower() for line in told)
    named = [line for line, key in zip(told, keys, strict=True) if key in NAMES]
    return (*named, *told)[:1]


def _gather(
    row: Mapping[str, Any],
    lines: list[str],
    inside: list[tuple[Path, Any]],
    *,
    names: Path,
    depth: int,
    has_values: bool = False,
) -> None:
    """Collect the values of a row as lines, and what needs blocks of its own.

    Objects inside are part of it where it has values; `has_values`: it has, whatever it looks like.
    """
    if depth > MAX_DEPTH:
        raise RecursionError
    has_values |= any(not isinstance(item, dict | list) for item in row.values())
    for key, item in row.items():
        place = (*names, str(key))
        words = _plain(item)
        if words is not None:
            lines.append(f"{PATH.join(place)}:{_space(words)}{words}".rstrip())
        elif isinstance(item, dict) and has_values and key != "message":
            _gather(item, lines, inside, names=place, depth=depth + 1)
        else:
            inside.append((place, item))


def _labelled(path: Path, lines: Sequence[str], separator: str = "\n") -> str:
    label = [f"{PATH.join(path)}:"] if path and path[-1] not in TURNS else []
    return separator.join([*label, *lines])


def _turn_blocks(value: Mapping[str, Any], path: Path, depth: int) -> Sequence[Paragraph | Table]:
    """Return a message of a conversation, and the lists inside it; nothing where it is none."""
    speaker = next((key for key in ROLES if key in value), "")
    role, role_rest = _role(value.get(speaker))
    said = next((key for key in WORDS if _words(value.get(key))), "")
    if not role or not said:
        return []
    rest = {key: item for key, item in value.items() if key not in (speaker, said)}
    unsaid = {speaker: role_rest, said: _unsaid(value[said])}
    rest |= {key: item for key, item in unsaid.items() if item}
    lines: list[str] = []
    inside: list[tuple[Path, Any]] = []
    _gather(rest, lines, inside, names=(), depth=depth, has_values=True)
    said_first = f"{role}: {_words(value[said])}"
    label = () if path[-1:] == ("message",) else path
    blocks: list[Paragraph | Table] = [Paragraph(_labelled(label, [said_first, *lines]))]
    for names, item in inside:
        blocks += _blocks(item, (*path, role, *names), depth + 1)
    return blocks


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
        items = [words for item in value if (words := _plain(item))]
        is_long = any(len(words) > TABLE_CHARS or _PARTED.search(words) for words in items)
        return "".join(f"\n- {words}" for words in items) if is_long else ", ".join(items)
    return None if value else ""


def _space(words: str) -> str:
    """Return what stands between a key and its value: nothing before a list below it."""
    return "" if words.startswith("\n") else " "


def _cell(value: Any) -> str:
    return " ".join((_plain(value) or "").split())
