"""Trees of `all` / `any` / `none` over leaves, judged by Kleene's three-valued logic.

It does not know rule-engine: leaves reach it compiled, as numbers in the policy's list of leaves.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from router.decision import LeafFinding, Truth
from router.policy.document import PolicyDocument, Where
from router.trace import Tree

Judged = Sequence[LeafFinding]
Judge = Callable[[Judged], Truth]
LeafNumber = Callable[[str, Where], int]


@dataclass(frozen=True, slots=True)
class Condition:
    """A compiled tree.

    Attributes:
        judge: The tree's truth over the policy's judged leaves.
        leaves: Numbers of the leaves it reads, in the order they are written.
        tree: The tree itself, to explain it and to reason about it.
    """

    judge: Judge
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
        return Condition(lambda judged: judged[number].truth, (number,), number)
    if not isinstance(tree, dict) or len(tree) != 1:
        raise document.fault(
            where, "must be an expression, or exactly one of all, any, none with a list"
        )
    word, branches = next(iter(tree.items()))
    if word not in _JUDGES:
        raise document.fault((*where, word), "is not one of all, any, none")
    if not isinstance(branches, list) or not branches:
        raise document.fault((*where, word), "must be a list of at least one condition")
    parts = [
        compile_condition(branch, (*where, word, i), document, leaf_number)
        for i, branch in enumerate(branches)
    ]
    leaves = tuple(number for part in parts for number in part.leaves)
    judge = _JUDGES[word](tuple(part.judge for part in parts))
    return Condition(judge, leaves, (word, tuple(part.tree for part in parts)))


def _judge_all(parts: Sequence[Judge]) -> Judge:
    def judge(judged: Judged) -> Truth:
        truth: Truth = True
        for part in parts:
            verdict = part(judged)
            if verdict is False:
                return False
            if verdict is None:
                truth = None
        return truth

    return judge


def _judge_any(parts: Sequence[Judge]) -> Judge:
    def judge(judged: Judged) -> Truth:
        truth: Truth = False
        for part in parts:
            verdict = part(judged)
            if verdict is True:
                return True
            if verdict is None:
                truth = None
        return truth

    return judge


def _judge_none(parts: Sequence[Judge]) -> Judge:
    judge_any = _judge_any(parts)

    def judge(judged: Judged) -> Truth:
        verdict = judge_any(judged)
        return None if verdict is None else not verdict

    return judge


_JUDGES = {"all": _judge_all, "any": _judge_any, "none": _judge_none}
