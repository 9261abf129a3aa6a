"""Trees of `all` / `any` / `none` over leaves, evaluated by Kleene's three-valued logic.

It does not know rule-engine: leaves reach it compiled, as numbers in the policy's list of leaves.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from router.decision import LeafFinding, Truth
from router.policy.document import PolicyDocument, Where
from router.trace import Tree

LeafFindings = Sequence[LeafFinding]
Evaluate = Callable[[LeafFindings], Truth]
LeafNumber = Callable[[str, Where], int]


@dataclass(frozen=True, slots=True)
class Condition:
    """A compiled tree.

    Attributes:
        evaluate: The tree's truth over the findings of the policy's leaves.
        leaves: Numbers of the leaves it reads, in the order they are written.
        tree: The tree itself, to explain it and to reason about it.
    """

    evaluate: Evaluate
    leaves: tuple[int, ...]
    tree: Tree


def compile_condition(
    tree: object, where: Where, document: PolicyDocument, leaf_number: LeafNumber
) -> Condition:
    """Compile a tree as the policy file writes it.

    Args:
        tree: A leaf, or a mapping with one key of `all`, `any`, `none` and a list of trees.
        where: The tree's place in the document.
        document: The document, which knows its lines.
        leaf_number: Compiles a leaf and returns its number.

    Returns:
        The compiled condition.

    Raises:
        InvalidPolicy: The tree has another shape, or a leaf does not compile.
    """
    if isinstance(tree, str):
        number = leaf_number(tree, where)
        return Condition(lambda found: found[number].truth, (number,), number)
    if not isinstance(tree, dict) or len(tree) != 1:
        raise document.fault(
            where, "must be an expression, or exactly one of all, any, none with a list"
        )
    word, branches = next(iter(tree.items()))
    if word not in _EVALUATE:
        raise document.fault((*where, word), "is not one of all, any, none")
    if not isinstance(branches, list) or not branches:
        raise document.fault((*where, word), "must be a list of at least one condition")
    parts = [
        compile_condition(branch, (*where, word, i), document, leaf_number)
        for i, branch in enumerate(branches)
    ]
    leaves = tuple(number for part in parts for number in part.leaves)
    evaluate = _EVALUATE[word](tuple(part.evaluate for part in parts))
    return Condition(evaluate, leaves, (word, tuple(part.tree for part in parts)))


def _evaluate_all(parts: Sequence[Evaluate]) -> Evaluate:
    def evaluate(found: LeafFindings) -> Truth:
        truth: Truth = True
        for part in parts:
            verdict = part(found)
            if verdict is False:
                return False
            if verdict is None:
                truth = None
        return truth

    return evaluate


def _evaluate_any(parts: Sequence[Evaluate]) -> Evaluate:
    def evaluate(found: LeafFindings) -> Truth:
        truth: Truth = False
        for part in parts:
            verdict = part(found)
            if verdict is True:
                return True
            if verdict is None:
                truth = None
        return truth

    return evaluate


def _evaluate_none(parts: Sequence[Evaluate]) -> Evaluate:
    evaluate_any = _evaluate_any(parts)

    def evaluate(found: LeafFindings) -> Truth:
        verdict = evaluate_any(found)
        return None if verdict is None else not verdict

    return evaluate


_EVALUATE = {"all": _evaluate_all, "any": _evaluate_any, "none": _evaluate_none}
