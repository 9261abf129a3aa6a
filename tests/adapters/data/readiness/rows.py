"""Rows as the tests of this folder write them."""

from pathlib import Path

from adapters.data import Message, Row


def row(question: str, answer: str, *, line: int = 1, **meta: object) -> Row:
    turns = (Message("user", question), Message("assistant", answer))
    return Row(turns, meta, Path("rows.jsonl"), line)


def lines_of(**counts: int) -> list[Row]:
    """So many rows of each line of business; `none` says none."""
    return [
        row(f"{name} {n}?", "答", line=n + 1, **({} if name == "none" else {"business_line": name}))
        for name, count in counts.items()
        for n in range(count)
    ]
