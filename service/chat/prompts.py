"""Builds the messages that the model reads, and makes them fit.

It knows roles, passages and token counts; it does not know why a strategy was chosen. The
system message is the same for every request of a use case and passages come in canonical order,
so that the engine's prefix cache is hit; the question comes last.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from knowledge import Passage
from service.engine.client import Message
from service.engine.tokens import CountTokens
from service.errors import ContextLengthExceeded
from service.stores.use_cases import UseCase

CITE_LINE = "Cite the passages you use by their number, such as [1]."


class Shown(Protocol):
    """The parts of a passage that are shown to the model."""

    @property
    def source(self) -> str:
        """Where it is from: the document's path, the headings above it, its page."""

    @property
    def text(self) -> str:
        """Its text."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """The messages of a request, and how much was left out to make them fit.

    `passages` are in the order of their numbers: passage 1 first.
    """

    messages: tuple[Message, ...]
    tokens: int
    passages: tuple[Passage, ...]
    passages_left_out: int
    turns_left_out: int


def build_prompt(
    use_case: UseCase,
    turns: Sequence[Message],
    passages: Sequence[Passage],
    *,
    ask_for_markers: bool,
    limit_tokens: int,
    count_tokens: CountTokens,
) -> Prompt:
    """Return the prompt for the last of `turns`, with `passages` beside it.

    The passages with the lowest score are left out first, then the oldest turns; the caller's
    system messages stay. This is about the model's window only: how much context a use case
    wants to pay for is `context_tokens`, kept by the knowledge room before this.

    Raises:
        ContextLengthExceeded: The last turn and the instructions do not fit into `limit_tokens`.
    """
    ranked = sorted(passages, key=lambda passage: passage.score, reverse=True)
    droppable = [n for n, turn in enumerate(turns[:-1]) if turn.role != "system"]
    most = len(ranked) + len(droppable)

    def draft(cuts: int) -> Prompt:
        """Return the prompt once `cuts` things are left out."""
        shown = canonical_order(ranked[: max(0, len(ranked) - cuts)])
        dropped = frozenset(droppable[: max(0, cuts - len(ranked))])
        kept = [turn for n, turn in enumerate(turns) if n not in dropped]
        messages = lay_out(use_case, kept, shown, ask_for_markers=ask_for_markers)
        tokens = count_tokens(messages)
        return Prompt(messages, tokens, shown, len(ranked) - len(shown), len(dropped))

    prompt = draft(0)
    if prompt.tokens > limit_tokens:  # halving: counting a long conversation takes milliseconds
        cuts = bisect_left(range(most), True, key=lambda n: draft(n).tokens <= limit_tokens)
        prompt = draft(cuts)
    if prompt.tokens > limit_tokens:
        raise ContextLengthExceeded(
            f"The last message and the instructions are {prompt.tokens} tokens; the model's window "
            f"leaves {limit_tokens} for them. Shorten the message or lower max_tokens.",
            param="messages",
        )
    return prompt


def canonical_order(passages: Sequence[Passage]) -> tuple[Passage, ...]:
    """Return `passages` in an order that does not depend on their scores."""
    return tuple(sorted(passages, key=lambda p: (p.document_id, p.version, p.ordinal)))


def lay_out(
    use_case: UseCase,
    turns: Sequence[Message],
    passages: Sequence[Shown],
    *,
    ask_for_markers: bool,
) -> tuple[Message, ...]:
    """Return the messages that show `passages` in the order given beside the last of `turns`.

    Answers and training rows are written by this one function, so that an adapter is asked as it
    was taught.
    """
    declared = f"{use_case.role}\n{use_case.instructions}".strip()
    system = [declared, *(turn.content for turn in turns if turn.role == "system")]
    dialogue = [turn for turn in turns if turn.role != "system"]
    question = dialogue[-1].content
    if passages:
        question = _with_passages(question, passages, ask_for_markers)
    head = [Message("system", "\n".join(filter(None, system)))] if any(system) else []
    return (*head, *dialogue[:-1], Message("user", question))


def _with_passages(question: str, passages: Sequence[Shown], ask_for_markers: bool) -> str:
    lines = [f"[{n}] {p.source}: {p.text}" for n, p in enumerate(passages, start=1)]
    asked = f"\n{CITE_LINE}" if ask_for_markers else ""
    return "Passages:\n" + "\n".join(lines) + f"\n\nQuestion: {question}{asked}"
