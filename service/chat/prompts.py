"""Builds the messages that the model reads, and makes them fit.

It knows roles, passages and token counts; it does not know why a strategy was chosen. The
system message is the same for every request of a use case that shows passages, and they come in
canonical order, so that the engine's prefix cache is hit; the question comes last.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

from knowledge import Passage
from service.chat.quoted_passages import Shown, quote, told
from service.engine.client import Message
from service.engine.tokens import CountTokens
from service.errors import ContextLengthExceeded
from service.stores.use_cases import UseCase

LEAST_ANSWER_TOKENS = 256
"""What an answer keeps of the window however long the conversation is: the default of one."""
CITE_LINE = "Cite the passages you use by their number, such as [1]."


@dataclass(frozen=True, slots=True)
class Window:
    """What a model reads and writes at once.

    Attributes:
        tokens: Of prompt and answer together.
        answer_tokens: Asked for the answer.
    """

    tokens: int
    answer_tokens: int

    @property
    def prompt_tokens(self) -> int:
        """What the prompt may take: an answer keeps what was asked, or enough for a short one."""
        least = min(LEAST_ANSWER_TOKENS, self.tokens // 4)
        return self.tokens - min(self.answer_tokens, least)


@dataclass(frozen=True, slots=True)
class Prompt:
    """The messages of a request, and how much was left out to make them fit.

    Attributes:
        messages: What the model reads.
        tokens: Of all messages.
        passages: In the order of their numbers: passage 1 first.
        passages_left_out: How many did not fit.
        turns_left_out: How many earlier turns did not fit.
        answer_tokens: Most tokens of the answer.
        answer_tokens_left_out: How many fewer than were asked for.
    """

    messages: tuple[Message, ...]
    tokens: int
    passages: tuple[Passage, ...]
    passages_left_out: int
    turns_left_out: int
    answer_tokens: int
    answer_tokens_left_out: int

    @property
    def is_cut(self) -> bool:
        """Whether anything was left out."""
        return bool(self.passages_left_out or self.turns_left_out or self.answer_tokens_left_out)

    @property
    def lost_every_passage(self) -> bool:
        """Whether there were passages and not even the best one fits."""
        return self.passages_left_out > 0 and not self.passages


def build_prompt(
    use_case: UseCase,
    turns: Sequence[Message],
    passages: Sequence[Passage],
    *,
    ask_for_markers: bool,
    window: Window,
    count_tokens: CountTokens,
) -> Prompt:
    """Return the prompt for the last of `turns`, with `passages` beside it.

    A long answer asked for is shortened first, then the oldest turns are left out, then the
    passages with the lowest score, the best one last of all; the caller's system messages stay.
    This is about the model's window only: how much context a use case wants to pay for is
    `context_tokens`, kept by the knowledge room before this.

    Raises:
        ContextLengthExceeded: The last turn and the instructions do not fit into the window.
    """
    ranked = sorted(passages, key=lambda passage: passage.score, reverse=True)
    droppable = [n for n, turn in enumerate(turns[:-1]) if turn.role != "system"]
    most = len(droppable) + len(ranked)

    def draft(cuts: int) -> Prompt:
        """Return the prompt once `cuts` things are left out."""
        dropped = frozenset(droppable[:cuts])
        shown = canonical_order(ranked[: min(len(ranked), most - cuts)])
        kept = [turn for n, turn in enumerate(turns) if n not in dropped]
        messages = lay_out(use_case, kept, shown, ask_for_markers=ask_for_markers)
        tokens = count_tokens(messages)
        answer = min(window.answer_tokens, window.tokens - tokens)
        fewer = window.answer_tokens - answer
        left_out = len(ranked) - len(shown)
        return Prompt(messages, tokens, shown, left_out, len(dropped), answer, fewer)

    limit = window.prompt_tokens
    prompt = draft(0)
    if prompt.tokens > limit:  # halving: counting a long conversation takes milliseconds
        cuts = bisect_left(range(most), True, key=lambda n: draft(n).tokens <= limit)
        prompt = draft(cuts)
    if prompt.tokens > limit:
        raise ContextLengthExceeded(
            f"This model's maximum context length is {window.tokens} tokens, of which the answer "
            f"keeps {window.tokens - limit}; the last message and the instructions have "
            f"{prompt.tokens}. Shorten the message.",
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
        as_data = use_case.answer.passages_as_data
        if as_data:
            system.append(told(declared, question))
        asked = f"\n{CITE_LINE}" if ask_for_markers else ""
        block = quote(passages) if as_data else _unmarked(passages)
        question = f"{block}\n\nQuestion: {question}{asked}"
    head = [Message("system", "\n".join(filter(None, system)))] if any(system) else []
    return (*head, *dialogue[:-1], Message("user", question))


def _unmarked(passages: Sequence[Shown]) -> str:
    """Return the passages as adapters trained before 0.2 know them."""
    lines = [f"[{n}] {p.source}: {p.text}" for n, p in enumerate(passages, start=1)]
    return "\n".join(["Passages:", *lines])
