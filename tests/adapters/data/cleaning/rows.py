"""Rows for the tests of cleaning."""

from pathlib import Path

from adapters.data.rows import Message, Role, Row

_ROLES: tuple[Role, Role] = ("user", "assistant")


def row(*turns: str, line: int = 1, system: str = "", **meta: object) -> Row:
    """Return a row of these turns, the user's first."""
    messages = [Message(_ROLES[at % 2], text) for at, text in enumerate(turns)]
    if system:
        messages.insert(0, Message("system", system))
    return Row(tuple(messages), meta, Path("rows.jsonl"), line)


def rows(*texts: tuple[str, str]) -> list[Row]:
    """Return rows of one question and one answer, numbered by line."""
    return [row(*pair, line=line) for line, pair in enumerate(texts, start=1)]
