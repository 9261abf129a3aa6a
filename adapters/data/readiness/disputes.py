"""Where labels disagree: which pairs of labels, and what has to be agreed on before they can.

A person who labels again without a definition disagrees again. It is told which two labels are
confused, how often, and by which rows. It knows groups of rows with one question; which label is
right it does not know.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from adapters.data.findings import show
from adapters.data.personal import mask_personal_data
from adapters.data.rows import Row

MAX_PAIRS = 20  # enough to see which labels are confused
MAX_EXAMPLES = 3  # rows that show a pair
MAX_LABEL_CHARS = 80

Labelled = tuple[Row, str]
"""A row and its label, as labels are compared."""


@dataclass(frozen=True, slots=True)
class _Pair:
    """Two labels of one question; of JSON answers, of one key of it."""

    key: str
    labels: tuple[str, str]


def describe_disputes(groups: Sequence[Sequence[Labelled]]) -> list[dict[str, Any]]:
    """Return the pairs of labels that one question was given, the most frequent first.

    Args:
        groups: The rows of each question that has more than one label.

    Returns:
        Up to `MAX_PAIRS`: the two `labels`, the `key` where the answers are JSON objects, the
        number of `questions`, what to `agree_on` in words, and up to `MAX_EXAMPLES` rows.
    """
    questions: Counter[_Pair] = Counter()
    rows: defaultdict[_Pair, list[Row]] = defaultdict(list)
    for group in groups:
        by_label = {label: row for row, label in reversed(group)}
        for one, other in combinations(sorted(by_label), 2):
            for pair in _pairs(one, other):
                questions[pair] += 1
                rows[pair] += [by_label[one], by_label[other]]
    return [
        {
            "labels": list(pair.labels),
            "key": pair.key or None,
            "questions": count,
            "agree_on": _agree_on(pair),
            "rows": [
                {"file": seen.file, "line": seen.line, "text": seen.text}
                for row in rows[pair][:MAX_EXAMPLES]
                for seen in (show(row, ""),)
            ],
        }
        for pair, count in questions.most_common(MAX_PAIRS)
    ]


def _pairs(one: str, other: str) -> list[_Pair]:
    """Return what two labels differ in: the values of each key of two objects, or they as such."""
    first, second = _read_object(one), _read_object(other)
    if first is None or second is None:
        return [_Pair("", (_short(one), _short(other)))]
    return [
        _Pair(key, (_value(first, key), _value(second, key)))
        for key in sorted({*first, *second})
        if first.get(key) != second.get(key)
    ]


def _read_object(label: str) -> Mapping[str, object] | None:
    if not label.startswith("{"):
        return None
    try:
        value = json.loads(label)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _value(fields: Mapping[str, object], key: str) -> str:
    if key not in fields:
        return "(left out)"
    return _short(json.dumps(fields[key], ensure_ascii=False).strip('"'))


def _short(label: str) -> str:
    return mask_personal_data(label)[:MAX_LABEL_CHARS]


def _agree_on(pair: _Pair) -> str:
    one, other = pair.labels
    of_key = f" of “{pair.key}”" if pair.key else ""
    return f"define when the answer{of_key} is “{one}” and when it is “{other}”"
