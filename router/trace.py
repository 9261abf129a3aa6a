"""The value of every node of a condition's tree, worked out again to be shown.

Deciding does not need them: `policy/conditions.py` evaluates a tree as a whole, and faster. It does
not know what a leaf says.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, Literal

# A leaf by its number, or a word with its branches.
Tree = int | tuple[Literal["all", "any", "none"], tuple["Tree", ...]]
Verdict = Literal["true", "false", "unknown"]
# Kleene's third value is None inside; `Verdict` is how it is told to others.
Truth = bool | None
VERDICTS: Final[Mapping[Truth, Verdict]] = {True: "true", False: "false", None: "unknown"}

# The number of a leaf, or `{"verdict": …, "all" | "any" | "none": [nodes]}`.
Node = int | dict[str, object]


def value_nodes(tree: Tree, leaves: Iterator[tuple[int, Truth]]) -> tuple[Node, Truth]:
    """Return the tree with the verdict of each node, and the truth of its root.

    Args:
        tree: The tree.
        leaves: Number and truth of its leaves, in the order they are written; as many are taken
            as the tree has.
    """
    if isinstance(tree, int):
        return next(leaves)
    word, branches = tree
    valued = [value_nodes(branch, leaves) for branch in branches]
    truth = _join(word, [branch for _, branch in valued])
    return {"verdict": VERDICTS[truth], word: [node for node, _ in valued]}, truth


def _join(word: str, truths: Sequence[Truth]) -> Truth:
    decisive = word != "all"  # one true branch decides `any` and `none`, one false branch `all`
    if decisive in truths:
        joined: Truth = decisive
    else:
        joined = None if None in truths else not decisive
    return joined if word != "none" or joined is None else not joined
