"""Rows as people review them: taken by sample, written as plain content, marked once accepted.

It knows rows; it does not know where a queue is kept, nor who reviews.
"""

import json
import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from pydantic import JsonValue

from adapters.data.formats import parse_any_rows
from adapters.data.rows import Row
from adapters.data.structure.self_instruct import SelfInstruct

NOBODYS_QUESTIONS: Final = frozenset({SelfInstruct.name})
"""Steps whose rows stay synthetic when a person accepts them: no user has asked the question."""


def choose_sample(rows: Sequence[Row], share: float, *, seed: int) -> list[Row]:
    """Return the given share of `rows`, rounded up, by chance and in their order.

    Args:
        rows: All of them.
        share: Above 0, at most 1.
        seed: Of the choice; the same rows and seed give the same sample.
    """
    count = min(len(rows), math.ceil(round(share * len(rows), 9)))
    return [rows[place] for place in sorted(random.Random(seed).sample(range(len(rows)), count))]


def row_as_dict(row: Row) -> dict[str, JsonValue]:
    """Return a row as plain content that `row_of` reads."""
    return {
        "messages": [
            {**turn.as_dict(), **({} if turn.learned else {"weight": 0})} for turn in row.messages
        ],
        "meta": json.loads(json.dumps(dict(row.meta), ensure_ascii=False, default=str)),
        "file": str(row.file),
        "line": row.line,
    }


def row_of(content: Mapping[str, JsonValue]) -> Row:
    """Return the row that plain content describes.

    Raises:
        InvalidTrainingData: Its turns are none that can be trained on.
    """
    file, line = str(content["file"]), int(str(content["line"]))
    only = {"messages": content["messages"], "meta": content.get("meta") or {}}
    [row] = parse_any_rows(
        json.dumps(only, ensure_ascii=False).encode(), f"{Path(file).name}.jsonl"
    )
    return replace(row, file=Path(file), line=line)


def accept_row(row: Row) -> Row:
    """Return a row that a person has read and let stand.

    What a model wrote about a text of people's own is no longer synthetic then; what it made up
    stays so.
    """
    meta = {**row.meta, "reviewed": True}
    if "synthetic" in meta and meta.get("made_by") not in NOBODYS_QUESTIONS:
        meta["synthetic"] = False
    return replace(row, meta=meta)
