"""Which rows ask or answer the same, and a split that keeps them together.

Two rows are copies if question and answer are equal once folded; the system turn does not count.
Knows conversations and questions; knows neither files nor models.
"""

import json
import random
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Protocol, TypeVar

from adapters.data.agreement import are_labels
from adapters.data.folding import fold
from adapters.data.rows import Message, Pair, Row

MAX_SOURCE_SHARE = 1 / 3  # of all rows: a source beyond it names a collection, not a document
# An answer to one row in twenty or more is said whatever is asked ("you are welcome", a refusal):
# in the data of this project the most frequent answer that tells a fact is that of 1.5 % of rows.
COMMON_SHARE = 0.05
MIN_COMMON_ROWS = 4  # in small files one copy alone is more than that share


class _HasMeta(Protocol):
    @property
    def meta(self) -> Mapping[str, object]: ...


AnyRow = TypeVar("AnyRow", bound=_HasMeta)


def fold_turns(turns: Sequence[Message]) -> str:
    """Return what a conversation asks, as questions are compared; one folded turn a line."""
    return "\n".join(fold(turn.content) for turn in turns if turn.role != "system")


def question_of(row: object) -> str:
    """Return what a row, a pair or a question asks last, folded."""
    if isinstance(row, Row):
        return fold_turns(row.messages[:-1])
    if isinstance(row, Pair):
        return fold_turns(row.prompt)
    return fold(str(getattr(row, "question", "")))


def answer_of(row: object) -> str:
    """Return the last answer of a row, or the preferred one of a pair, folded; else nothing.

    JSON is compared by its value: the order of its keys does not count.
    """
    if isinstance(row, Row):
        return _fold_answer(row.messages[-1].content)
    return _fold_answer(row.chosen.content) if isinstance(row, Pair) else ""


def count_distinct(rows: Sequence[object]) -> int:
    """Return how many of the rows are left if every copy counts once."""
    return len({_content_of(row) for row in rows})


def common_answers(rows: Sequence[object]) -> frozenset[str]:
    """Return the folded answers that say nothing about a single row: labels, thanks, refusals."""
    answers = [answer_of(row) for row in rows]
    if are_labels(answers):
        return frozenset(answers)
    most = max(MIN_COMMON_ROWS, COMMON_SHARE * len(answers))
    return frozenset(answer for answer, count in Counter(answers).items() if count >= most)


def hold_out(
    rows: Sequence[AnyRow], size: float, *, seed: int
) -> tuple[list[AnyRow], list[AnyRow]]:
    """Split `rows` into those to train on and those held out.

    Rows of one source stay together, and rows with one question. Rows with one answer do so too,
    unless it is a common one, or together they would be more than a third of all rows; an
    evaluation reports the latter apart. A source of more than a third of all rows cannot stay
    together in the held-out part without changing what is learned: it is read as the name of a
    collection, whose rows stand alone.

    Args:
        rows: All rows.
        size: A share below 1, or a number of rows.
        seed: Of the choice.

    Returns:
        The rows to train on and the held-out ones, each in file order. At least one row is left
        to train on; rows that stay together can make the held-out part larger than asked.
    """
    wanted = round(size * len(rows)) if size < 1 else int(size)
    groups: defaultdict[str, list[int]] = defaultdict(list)
    for place, group in enumerate(group_rows(rows) if wanted else ()):
        groups[group].append(place)
    names = sorted(groups)
    random.Random(seed).shuffle(names)
    held_out: set[int] = set()
    for name in names:
        if len(held_out) >= wanted or len(held_out) + len(groups[name]) >= len(rows):
            break
        held_out.update(groups[name])
    return (
        [row for i, row in enumerate(rows) if i not in held_out],
        [row for i, row in enumerate(rows) if i in held_out],
    )


def group_rows(rows: Sequence[_HasMeta]) -> list[str]:
    """Return the name of the group that each row may not be parted from; see `hold_out`.

    Time and memory grow with the number of letters.
    """
    sources = [str(row.meta.get("source") or "") for row in rows]
    sizes, common = Counter(sources), common_answers(rows)
    most = MAX_SOURCE_SHARE * len(rows)
    documents = [source if sizes[source] <= most else "" for source in sources]
    together = _Together(len(rows))
    for places in (*_places([question_of(row) for row in rows]), *_places(documents)):
        together.join(places)
    answers = [answer_of(row) for row in rows]
    for places in _places(["" if answer in common else answer for answer in answers]):
        if together.size_of(places) <= most:
            together.join(places)
    firsts = (together.first_of(place) for place in range(len(rows)))
    return [f"source {documents[i]}" if documents[i] else f"row {i}" for i in firsts]


class _Together:
    """Places joined to groups, each known by its first place."""

    def __init__(self, count: int) -> None:
        self._group_of = list(range(count))
        self._members = {place: [place] for place in range(count)}

    def join(self, places: Sequence[int]) -> None:
        """Make one group of all groups of these places."""
        found = sorted({self._group_of[place] for place in places})
        for other in found[1:]:
            members = self._members.pop(other)
            self._members[found[0]] += members
            for place in members:
                self._group_of[place] = found[0]

    def size_of(self, places: Sequence[int]) -> int:
        """Return how many places the group would have that `join` makes."""
        return sum(len(self._members[group]) for group in {self._group_of[p] for p in places})

    def first_of(self, place: int) -> int:
        """Return the first place of the group of a place."""
        return self._group_of[place]


def _places(keys: Sequence[str]) -> list[list[int]]:
    """Return the places of every key that several rows have."""
    found: defaultdict[str, list[int]] = defaultdict(list)
    for place, key in enumerate(keys):
        if key:
            found[key].append(place)
    return [places for places in found.values() if len(places) > 1]


def _content_of(row: object) -> tuple[str, str, str]:
    rejected = _fold_answer(row.rejected.content) if isinstance(row, Pair) else ""
    return question_of(row), answer_of(row), rejected


def _fold_answer(text: str) -> str:
    if text.lstrip().startswith(("{", "[")):
        try:
            text = json.dumps(json.loads(text), sort_keys=True, ensure_ascii=False)
        except (ValueError, RecursionError):
            pass
    return fold(text)
