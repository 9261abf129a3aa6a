"""Rows for tests of filters."""

from pathlib import Path

from adapters.data.rows import Message, Row


def row(question: str, answer: str = "好的", line: int = 1, *, system: str = "") -> Row:
    """Return a row of one question and one answer."""
    start = (Message("system", system),) if system else ()
    turns = (*start, Message("user", question), Message("assistant", answer))
    return Row(turns, {}, Path("rows.jsonl"), line)
