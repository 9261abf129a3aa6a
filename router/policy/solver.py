"""Can a condition hold at all? A bounded search over what the leaves of a policy can tell apart.

A fact's values fall into cells that no leaf tells apart: for a number the constants it is compared
with and the gaps between them, for a text the texts named and one other, and *unknown*. Conditions
become formulas over cells and over the order of two facts; the search looks for cells that make a
formula true. Where it says *never*, that is proven. Where it says *possible* it may be wrong: it
takes facts to be independent (a low end may lie above its high end), numbers to be dense (there is
a count between 0 and 1), and a leaf without a predicate (arithmetic, regular expressions) to be
either true or false. It does not know what a policy is; `checks.py` asks the questions.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise, product
from typing import Final, NamedTuple

from router.facts import FactSpec, FactType, FactValue
from router.policy.leaves import Leaf
from router.policy.predicates import (
    COMPARE,
    MIRRORED,
    OPPOSITE,
    Comparison,
    FactComparison,
    Membership,
    Negation,
    Predicate,
)
from router.trace import Tree

# The search stops at this depth; a policy's rules branch a few dozen times at most.
_DEEPEST: Final = 300
# One question may take this share of the work: a hard one must not use it all.
_QUESTIONS: Final = 20
_LARGEST: Final = 1e300


class In(NamedTuple):
    """A fact's value lies in one of the cells of `mask`, one bit a cell."""

    name: str
    mask: int


class Before(NamedTuple):
    """A known fact is less than another known one, or at most as large."""

    less: str
    more: str
    strict: bool


class And(NamedTuple):
    """All parts hold; true without parts."""

    parts: tuple[Formula, ...]


class Or(NamedTuple):
    """At least one part holds; false without parts."""

    parts: tuple[Formula, ...]


Formula = In | Before | And | Or
TRUE: Final = And(())


def all_of(parts: Iterable[Formula]) -> Formula:
    """Return the conjunction, cells of one fact taken together."""
    flat: list[Formula] = []
    masks: dict[str, int] = {}
    for part in parts:
        for piece in part.parts if isinstance(part, And) else (part,):
            if isinstance(piece, In):
                masks[piece.name] = masks.get(piece.name, -1) & piece.mask
            else:
                flat.append(piece)
    flat[:0] = [In(*item) for item in masks.items()]
    return flat[0] if len(flat) == 1 else And(tuple(flat))


def any_of(parts: Iterable[Formula]) -> Formula:
    """Return the disjunction, cells of one fact taken together."""
    flat: list[Formula] = []
    masks: dict[str, int] = {}
    for part in parts:
        for piece in part.parts if isinstance(part, Or) else (part,):
            if isinstance(piece, In):
                masks[piece.name] = masks.get(piece.name, 0) | piece.mask
            else:
                flat.append(piece)
    flat[:0] = [In(*item) for item in masks.items()]
    return flat[0] if len(flat) == 1 else Or(tuple(flat))


class _Cells(NamedTuple):
    """The cells of one fact; the bit after the last value is *unknown*.

    `values` holds one value of each cell. `bounds` gives each cell of a number as (low, high,
    whether the ends themselves are left out).
    """

    values: tuple[FactValue, ...]
    bounds: tuple[tuple[float, float, bool], ...] = ()

    @property
    def known(self) -> int:
        return (1 << len(self.values)) - 1

    @property
    def unknown(self) -> int:
        return 1 << len(self.values)


class Space:
    """What a set of leaves can tell apart, and their trees as formulas over these cells."""

    def __init__(self, leaves: Sequence[Leaf], specs: Mapping[str, FactSpec]) -> None:
        self._leaves = leaves
        self._opaque = {leaf.expression for leaf in leaves if not _is_readable(leaf, specs)}
        constants: dict[str, set[FactValue]] = {}
        for leaf in leaves:
            for name in leaf.facts:
                constants.setdefault(name, set())
            if leaf.predicate is not None and leaf.expression not in self._opaque:
                _collect_constants(leaf.predicate, constants)
        self.cells = {name: _cells_of(specs[name], found) for name, found in constants.items()}
        for expression in self._opaque:
            self.cells[expression] = _Cells((True, False))

    def formula(self, tree: Tree, *, is_true: bool, negated: bool = False) -> Formula:
        """Return the formula for a tree being true or false, or, `negated`, for its not being so.

        Neither true nor false is unknown, so not being true is more than being false.
        """
        if isinstance(tree, int):
            return self._leaf_formula(self._leaves[tree], is_true=is_true, negated=negated)
        word, branches = tree
        branch_is_true = is_true if word != "none" else not is_true
        wants_every = ((word == "any") is not is_true) is not negated
        join = all_of if wants_every else any_of
        return join(self.formula(b, is_true=branch_is_true, negated=negated) for b in branches)

    def _leaf_formula(self, leaf: Leaf, *, is_true: bool, negated: bool) -> Formula:
        known = [In(name, self.cells[name].known) for name in leaf.facts]
        if leaf.expression in self._opaque:
            wanted = 0b01 if is_true else 0b10
            if negated:
                return In(leaf.expression, 0b111 & ~wanted)
            return all_of([In(leaf.expression, wanted), *known])
        assert leaf.predicate is not None
        if not negated:
            return all_of([*known, self._predicate_formula(leaf.predicate, is_true=is_true)])
        unknown = [In(name, self.cells[name].unknown) for name in leaf.facts]
        return any_of([*unknown, self._predicate_formula(leaf.predicate, is_true=not is_true)])

    def _predicate_formula(self, predicate: Predicate, *, is_true: bool) -> Formula:
        """Return the formula for a predicate over known facts being true or false."""
        if isinstance(predicate, Negation):
            return self._predicate_formula(predicate.predicate, is_true=not is_true)
        if isinstance(predicate, FactComparison):
            op = predicate.op if is_true else OPPOSITE[predicate.op]
            known = [In(name, self.cells[name].known) for name in (predicate.left, predicate.right)]
            return all_of([*known, _order_formula(predicate.left, op, predicate.right)])
        if isinstance(predicate, Comparison | Membership):
            bits = [
                n
                for n, v in enumerate(self.cells[predicate.fact].values)
                if _holds(predicate, v) is is_true
            ]
            return In(predicate.fact, sum(1 << n for n in bits))
        join = all_of if (predicate.word == "and") is is_true else any_of
        return join(
            self._predicate_formula(c, is_true=is_true) for c in (predicate.left, predicate.right)
        )


class _LimitReached(Exception):
    """A question reached its limit of work or depth."""


class Search:
    """Looks for facts under which a formula holds, with a bound on the work.

    Attributes:
        work: What is left for all questions, in pieces of formulas looked at; 10⁶ take about 1 s.
        unanswered: How many questions were not answered for lack of work.
    """

    def __init__(self, space: Space, *, work: int) -> None:
        self._cells = space.cells
        self._full = {name: cells.known | cells.unknown for name, cells in space.cells.items()}
        self.work = work
        self.unanswered = 0
        self._per_question = work // _QUESTIONS
        self._stop_at = 0

    def is_satisfiable(self, *formulas: Formula) -> bool:
        """Return whether some facts may make all formulas true.

        False is proof that none do. True is also returned where the question took too much work.
        """
        self._stop_at = max(self.work - self._per_question, 0)
        if self.work <= 0:
            self.unanswered += 1
            return True
        try:
            return self._extend({}, (), list(formulas), depth=0)
        except _LimitReached:
            self.unanswered += 1
            return True

    def _extend(
        self, masks: dict[str, int], order: tuple[Before, ...], todo: list[Formula], depth: int
    ) -> bool:
        """Add `todo` to what is already required; branch where it leaves a choice."""
        if depth > _DEEPEST:
            raise _LimitReached
        masks = dict(masks)
        choices: list[tuple[Formula, ...]] = []
        while todo:
            self._spend(1)
            part = todo.pop()
            if isinstance(part, In):
                masks[part.name] = masks.get(part.name, self._full[part.name]) & part.mask
                if not masks[part.name]:
                    return False
            elif isinstance(part, And):
                todo.extend(part.parts)
            elif isinstance(part, Before):
                order += (part,)
            else:
                choices.append(part.parts)
            if not todo:
                narrowed = self._narrow(choices, masks)
                if narrowed is None:
                    return False
                choices = [choice for choice in narrowed if len(choice) > 1]
                todo = [choice[0] for choice in narrowed if len(choice) == 1]
        if order and not self._is_consistent(masks, order):
            return False
        return not choices or self._branch(masks, order, choices, depth)

    def _spend(self, work: int) -> None:
        self.work -= work
        if self.work < self._stop_at:
            raise _LimitReached

    def _branch(
        self,
        masks: dict[str, int],
        order: tuple[Before, ...],
        choices: list[tuple[Formula, ...]],
        depth: int,
    ) -> bool:
        choices.sort(key=len)
        rest: list[Formula] = [Or(choice) for choice in choices[1:]]
        for branch in choices[0]:
            if self._extend(masks, order, [branch, *rest], depth + 1):
                return True
            if isinstance(branch, In):  # it failed, so the others are tried outside its cells
                masks[branch.name] = masks.get(branch.name, self._full[branch.name]) & ~branch.mask
        return False

    def _narrow(
        self, choices: list[tuple[Formula, ...]], masks: Mapping[str, int]
    ) -> list[tuple[Formula, ...]] | None:
        """Drop choices that are made already and branches that cannot be; None: one has none."""
        narrowed = []
        for choice in choices:
            self._spend(len(choice))
            if any(self._is_implied(branch, masks) for branch in choice):
                continue
            left = tuple(branch for branch in choice if self._is_open(branch, masks))
            if not left:
                return None
            narrowed.append(left)
        return narrowed

    def _is_open(self, part: Formula, masks: Mapping[str, int]) -> bool:
        if isinstance(part, In):
            return bool(masks.get(part.name, self._full[part.name]) & part.mask)
        if isinstance(part, And):
            return all(self._is_open(piece, masks) for piece in part.parts)
        if isinstance(part, Or):
            return any(self._is_open(piece, masks) for piece in part.parts)
        return True

    def _is_implied(self, part: Formula, masks: Mapping[str, int]) -> bool:
        if isinstance(part, In):
            return not masks.get(part.name, self._full[part.name]) & ~part.mask
        if isinstance(part, And):
            return all(self._is_implied(piece, masks) for piece in part.parts)
        if isinstance(part, Or):
            return any(self._is_implied(piece, masks) for piece in part.parts)
        return False

    def _is_consistent(self, masks: Mapping[str, int], order: Sequence[Before]) -> bool:
        """Return whether values in these cells can stand in this order."""
        names = sorted({name for before in order for name in (before.less, before.more)})
        reach = {(before.less, before.more): False for before in order}
        for before in order:
            reach[before.less, before.more] |= before.strict
        for middle, left, right in product(names, repeat=3):
            if (left, middle) in reach and (middle, right) in reach:
                strict = reach[left, middle] or reach[middle, right]
                reach[left, right] = reach.get((left, right), False) or strict
        for (less, more), strict in reach.items():
            if less == more:
                if strict:
                    return False
                continue
            low, _, low_is_out = self._bounds(less, masks)[0]
            _, high, high_is_out = self._bounds(more, masks)[-1]
            if low > high or (low == high and (strict or low_is_out or high_is_out)):
                return False
        return True

    def _bounds(self, name: str, masks: Mapping[str, int]) -> list[tuple[float, float, bool]]:
        mask = masks.get(name, self._full[name])
        return [bounds for n, bounds in enumerate(self._cells[name].bounds) if mask >> n & 1]


def _holds(predicate: Comparison | Membership, value: FactValue) -> bool:
    if isinstance(predicate, Membership):
        return value in predicate.constants
    return bool(COMPARE[predicate.op](value, predicate.constant))


def _order_formula(left: str, op: str, right: str) -> Formula:
    if op in ("gt", "ge"):
        left, op, right = right, MIRRORED[op], left
    if op == "eq":
        return all_of([Before(left, right, False), Before(right, left, False)])
    return TRUE if op == "ne" else Before(left, right, op == "lt")


def _is_readable(leaf: Leaf, specs: Mapping[str, FactSpec]) -> bool:
    return leaf.predicate is not None and _is_supported(leaf.predicate, specs)


def _is_supported(predicate: Predicate, specs: Mapping[str, FactSpec]) -> bool:
    """Return whether only numbers are put in order; texts and truths are only told apart."""
    if isinstance(predicate, Negation):
        return _is_supported(predicate.predicate, specs)
    if isinstance(predicate, FactComparison):
        return specs[predicate.left].type is FactType.NUMBER
    if isinstance(predicate, Comparison):
        if specs[predicate.fact].type is FactType.TEXT:
            return predicate.op in ("eq", "ne")
        return _is_in_range(predicate.constant)
    if isinstance(predicate, Membership):
        return all(_is_in_range(c) for c in predicate.constants)
    return _is_supported(predicate.left, specs) and _is_supported(predicate.right, specs)


def _is_in_range(constant: FactValue) -> bool:
    """Return whether a constant can be a float with another one between it and infinity."""
    return isinstance(constant, str) or abs(constant) <= _LARGEST


def _collect_constants(predicate: Predicate, found: dict[str, set[FactValue]]) -> None:
    if isinstance(predicate, Negation):
        _collect_constants(predicate.predicate, found)
    elif isinstance(predicate, Comparison):
        found[predicate.fact].add(predicate.constant)
    elif isinstance(predicate, Membership):
        found[predicate.fact] |= predicate.constants
    elif not isinstance(predicate, FactComparison):
        _collect_constants(predicate.left, found)
        _collect_constants(predicate.right, found)


def _cells_of(spec: FactSpec, constants: Iterable[FactValue]) -> _Cells:
    if spec.type is FactType.TRUTH:
        return _Cells((False, True))
    if spec.type is FactType.TEXT:
        named = sorted(str(constant) for constant in constants)
        return _Cells(spec.choices or (*named, "".join(named) + "?"))
    return _cells_of_number(spec.minimum, {float(constant) for constant in constants})


def _cells_of_number(minimum: float | None, marks: set[float]) -> _Cells:
    if minimum is not None:
        marks = {mark for mark in marks if mark > minimum} | {minimum}
    infinity = float("inf")
    if not marks:
        return _Cells((0.0,), ((-infinity, infinity, True),))
    ordered = sorted(marks)
    cells: list[tuple[float, tuple[float, float, bool]]] = []
    if minimum is None:
        cells.append((ordered[0] - 1, (-infinity, ordered[0], True)))
    for mark, following in pairwise([*ordered, infinity]):
        between = mark + 1 if following == infinity else (mark + following) / 2
        cells += [(mark, (mark, mark, False)), (between, (mark, following, True))]
    return _Cells(tuple(value for value, _ in cells), tuple(bounds for _, bounds in cells))
