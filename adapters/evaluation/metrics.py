"""How well does an answer meet the answer wanted? Counts for each row, scores from their sums.

Every metric turns a row into a few numbers that add up over rows, and a sum of them into a score
from 0 to 1. So one bootstrap serves micro-averages, macro-averages and plain means alike. Knows
texts; knows neither models nor which metric a task needs.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import jsonschema
import numpy as np
import numpy.typing as npt

from adapters.data.answers import normalise

Values = npt.NDArray[np.float64]
MetricName = Literal[
    "exact_match",
    "token_f1",
    "slot_f1",
    "accuracy",
    "macro_f1",
    "json_validity",
    "chrf",
    "contained",
]
METRICS: tuple[MetricName, ...] = get_args(MetricName)

CHRF_ORDER = 6  # Popović 2015: character n-grams of length 1 to 6 …
CHRF_BETA = 2.0  # … with recall weighing twice as much as precision

_HAN = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_TOKEN = re.compile(rf"[{_HAN}]|[^\W{_HAN}]+")
_ARTICLES = frozenset({"a", "an", "the"})  # left out as in SQuAD's own scoring
_LABEL_EDGES = " \t\r\n.。!！\"'“”‘’"


@dataclass(frozen=True, slots=True)
class Wanted:
    """The right answer of one row.

    Attributes:
        text: The answer as the row has it.
        schema: JSON schema that an answer must meet; none asks for the shape of `text`.
    """

    text: str
    schema: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Metric:
    """One way of scoring.

    Attributes:
        name: As printed.
        count: (answer, wanted) → (d,) float64; the counts of several rows add up.
        score: (..., d) float64 → (...) in 0..1, higher is better.
        is_right: Whether an answer is right as a whole; none for metrics of degree, where no
            threshold would mean the same for two tasks.
    """

    name: MetricName
    count: Callable[[str, Wanted], Values]
    score: Callable[[Values], Values]
    is_right: Callable[[str, Wanted], bool] | None


def get_metric(name: MetricName, wanted: Sequence[Wanted]) -> Metric:
    """Return a metric; the macro-F1 knows the labels that stand in `wanted`."""
    if name == "macro_f1":
        labels = sorted({_label(row.text) for row in wanted})
        return Metric(name, lambda a, w: _count_labels(a, w, labels), _macro_f1, _is_label)
    return _METRICS[name]


def read_pairs(text: str) -> Counter[tuple[str, str]] | None:
    """Return the (key, value) pairs of a JSON object, or the items of a list of objects.

    Returns:
        The pairs of an object; for a list one pair for each item, which is right as a whole or
        not at all, so that values cannot be taken from another item. None if `text` is not JSON
        or neither of these shapes.
    """
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if isinstance(value, dict):
        return Counter((str(key), _canonical(item)) for key, item in value.items())
    if isinstance(value, list) and all(isinstance(item, dict) for item in value):
        return Counter(("", _canonical(item)) for item in value)
    return None


def read_tokens(text: str) -> list[str]:
    """Return words without articles and punctuation; every Han character is a token."""
    return [word for word in _TOKEN.findall(normalise(text)) if word not in _ARTICLES]


def _canonical(value: object) -> str:
    """Return a JSON value as text: keys sorted, blanks around texts taken away."""
    return json.dumps(_strip(value), ensure_ascii=False, sort_keys=True)


def _strip(value: object) -> object:
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, list):
        return [_strip(item) for item in value]
    if isinstance(value, dict):
        return {key: _strip(item) for key, item in value.items()}
    return value


def _label(text: str) -> str:
    return normalise(text).strip(_LABEL_EDGES)


def _is_exact(answer: str, wanted: Wanted) -> bool:
    return normalise(answer) == normalise(wanted.text)


def _is_label(answer: str, wanted: Wanted) -> bool:
    return _label(answer) == _label(wanted.text)


def _is_contained(answer: str, wanted: Wanted) -> bool:
    return normalise(wanted.text) in normalise(answer)


def _has_all_pairs(answer: str, wanted: Wanted) -> bool:
    pairs = read_pairs(answer)
    return pairs is not None and pairs == read_pairs(wanted.text)


def _is_valid(answer: str, wanted: Wanted) -> bool:
    """Say whether `answer` is JSON that meets the schema, or has the wanted answer's shape."""
    try:
        value = json.loads(answer)
    except (ValueError, RecursionError):
        return False
    if wanted.schema is not None:
        return bool(jsonschema.Draft202012Validator(wanted.schema).is_valid(value))
    try:
        return type(value) is type(json.loads(wanted.text))
    except ValueError:
        return True  # the row itself wants no JSON; any is valid


def _mean(is_right: Callable[[str, Wanted], bool]) -> Callable[[str, Wanted], Values]:
    return lambda answer, wanted: np.array([is_right(answer, wanted), 1.0])


def _share(sums: Values) -> Values:
    return np.asarray(sums[..., 0] / np.maximum(sums[..., 1], 1.0))


def _count_tokens(answer: str, wanted: Wanted) -> Values:
    said, right = Counter(read_tokens(answer)), Counter(read_tokens(wanted.text))
    both = (said & right).total()
    total = said.total() + right.total()
    return np.array([2 * both / total if total else 1.0, 1.0])


def _count_pairs(answer: str, wanted: Wanted) -> Values:
    said = read_pairs(answer) or Counter()
    right = read_pairs(wanted.text) or Counter()
    return np.array([(said & right).total(), said.total(), right.total()], dtype=np.float64)


def _micro_f1(sums: Values) -> Values:
    total = sums[..., 1] + sums[..., 2]
    return np.asarray(np.where(total > 0, 2 * sums[..., 0] / np.maximum(total, 1.0), 1.0))


def _count_labels(answer: str, wanted: Wanted, labels: Sequence[str]) -> Values:
    """Return (3 × labels,): for each label right, said, wanted."""
    counts = np.zeros((len(labels), 3))
    said, right = _label(answer), _label(wanted.text)
    if right in labels:
        counts[labels.index(right)] += (said == right, 0, 1)
    if said in labels:
        counts[labels.index(said), 1] += 1
    return counts.reshape(-1)


def _macro_f1(sums: Values) -> Values:
    """Return the mean F1 over the labels that were said or wanted."""
    each = sums.reshape(*sums.shape[:-1], -1, 3)
    total = each[..., 1] + each[..., 2]
    f1 = 2 * each[..., 0] / np.maximum(total, 1.0)
    return np.asarray(f1.sum(axis=-1) / np.maximum((total > 0).sum(axis=-1), 1))


def _count_ngrams(answer: str, wanted: Wanted) -> Values:
    """Return (3 × 6,): for each length the n-grams in both, said, wanted; blanks left out."""
    said, right = "".join(answer.split()), "".join(wanted.text.split())
    counts = []
    for n in range(1, CHRF_ORDER + 1):
        a, b = _ngrams(said, n), _ngrams(right, n)
        counts += [(a & b).total(), a.total(), b.total()]
    return np.array(counts, dtype=np.float64)


def _ngrams(text: str, n: int) -> Counter[str]:
    return Counter(text[i : i + n] for i in range(len(text) - n + 1))


def _chrf(sums: Values) -> Values:
    """Return chrF of summed counts.

    Precision and recall are means over the lengths that both sides have n-grams of.

    Source: Popović 2015, "chrF: character n-gram F-score for automatic MT evaluation".
    """
    each = sums.reshape(*sums.shape[:-1], CHRF_ORDER, 3)
    both, said, wanted = each[..., 0], each[..., 1], each[..., 2]
    counted = (said > 0) & (wanted > 0)
    lengths = np.maximum(counted.sum(axis=-1), 1)
    precision = np.where(counted, both / np.maximum(said, 1.0), 0).sum(axis=-1) / lengths
    recall = np.where(counted, both / np.maximum(wanted, 1.0), 0).sum(axis=-1) / lengths
    weighed = CHRF_BETA**2 * precision + recall
    f = (1 + CHRF_BETA**2) * precision * recall / np.where(weighed > 0, weighed, 1.0)
    return np.asarray(f)


_METRICS: Mapping[MetricName, Metric] = {
    metric.name: metric
    for metric in (
        Metric("exact_match", _mean(_is_exact), _share, _is_exact),
        Metric("accuracy", _mean(_is_label), _share, _is_label),
        Metric("contained", _mean(_is_contained), _share, _is_contained),
        Metric("json_validity", _mean(_is_valid), _share, _is_valid),
        Metric("slot_f1", _count_pairs, _micro_f1, _has_all_pairs),
        Metric("token_f1", _count_tokens, _share, None),
        Metric("chrf", _count_ngrams, _chrf, None),
    )
}
