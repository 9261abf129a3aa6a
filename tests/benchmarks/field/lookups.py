"""Tables and lists of short facts, made here, in which single facts are looked up.

A table has 120 rows and is written in every format that holds tables, a list has 20 entries and is
written as Markdown and as plain text; English and Chinese, words from `lookups.yaml`. Of each, 15
facts are asked for. It knows the questions and what has to be shown; it does not know how a
question is asked.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.fakes.grids import OF_TABLE, Grid

WORDS = Path(__file__).with_suffix(".yaml")
QUESTIONS = 15
ROWS = 120
SEED = 13  # any: the same tables in every run
LEAST, MOST = 1_000, 9_999  # cells of a table: each is there once, so that a wrong row shows


@dataclass(frozen=True, slots=True)
class Lookup:
    """A question, the words that one line of a passage must hold, and those of the passage."""

    question: str
    line: tuple[str, ...]
    passage: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LookupFile:
    """A file and what is looked up in it."""

    name: str
    filename: str
    content: bytes
    lookups: tuple[Lookup, ...]


def table_files() -> Iterator[LookupFile]:
    """Yield a table of each language in each format."""
    for language, words in _words("tables").items():
        grid = _grid(words)
        lookups = tuple(_table_lookup(words, grid, number) for number in range(QUESTIONS))
        for filename, write in OF_TABLE.items():
            name = f"{filename}-{language}".replace(".", "-")
            yield LookupFile(name, filename, write(grid), lookups)


def list_files() -> Iterator[LookupFile]:
    """Yield each list as Markdown and as plain text."""
    for words in _words("lists"):
        entries = [_entry(words, number) for number in range(len(words["parts"]))]
        asked = tuple(_list_lookup(words, number) for number in range(QUESTIONS))
        bullets = "\n".join(f"- {entry}" for entry in entries)
        written = {
            "md": f"# {words['title']}\n\n{bullets}\n",
            "txt": "\n".join([words["title"], "", *entries]),
        }
        for suffix, text in written.items():
            name = f"{words['name']}-{suffix}"
            yield LookupFile(name, f"{words['name']}.{suffix}", text.encode(), asked)


def _words(part: str) -> Any:
    return yaml.safe_load(WORDS.read_text(encoding="utf-8"))[part]


def _grid(words: dict[str, Any]) -> Grid:
    columns = len(words["header"]) - 1
    numbers = random.Random(SEED).sample(range(LEAST, MOST), ROWS * columns)
    rows = tuple(
        (
            words["key"].format(n + 1),
            *(str(cell) for cell in numbers[n * columns : (n + 1) * columns]),
        )
        for n in range(ROWS)
    )
    return Grid(words["title"], tuple(words["header"]), rows)


def _table_lookup(words: dict[str, Any], grid: Grid, number: int) -> Lookup:
    """Return a question for a row: from the first to the last, for each column in turn."""
    row = grid.rows[number * (ROWS - 1) // (QUESTIONS - 1)]
    column = 1 + number % (len(row) - 1)
    asked = words["asked"][number % len(words["asked"])]
    question = asked.format(row[0], words["names"][column])
    return Lookup(question, (row[0], row[column]), (grid.header[0], grid.header[column]))


def _list_lookup(words: dict[str, Any], number: int) -> Lookup:
    asked = words["asked"][number % len(words["asked"])]
    shown = tuple(_filled(words, number, word) for word in words["shown"])
    return Lookup(_filled(words, number, asked), shown)


def _entry(words: dict[str, Any], number: int) -> str:
    return _filled(words, number, words["entry"])


def _filled(words: dict[str, Any], number: int, text: str) -> str:
    """Return a text with an entry's parts, and its numbers: a version, a code, an extension."""
    counted = {"n": number + 1, "code": 100 + 7 * number, "number": 4200 + 13 * number}
    return text.format(*words["parts"][number], **counted)
