"""What becomes of a row that is longer than the model is trained on.

The answer and the shape of the conversation stay whole; the longest turn of the prompt gives way:
its end is cut (`head` stays), its beginning is cut (`tail` stays), or it becomes several rows of
overlapping `windows`. Knows turns and a way to count tokens; knows no tokenizer.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, Protocol

from adapters.data.rows import Message

MIN_TOKENS = 8  # a turn cut to less says nothing any more: better to say the row is too long
MARGIN_TOKENS = 4  # a cut text can split into a few more tokens than the same part of the whole
HEADER_TOKENS = 12  # of "[part 3 of 12]" and its line end, in any common vocabulary
OVERLAP = 8  # a window shares an eighth with the one before: most sentences stay whole somewhere


class TokenCounter(Protocol):
    """Counts tokens as the base model does."""

    def count(self, turns: Sequence[Message]) -> int:
        """Return the tokens of a whole conversation, template included."""
        ...

    def spans(self, text: str) -> Sequence[tuple[int, int]]:
        """Return start and end (characters) of each token of a text, in order."""
        ...


@dataclass(frozen=True, slots=True)
class FittedPrompt:
    """What became of one prompt.

    Attributes:
        prompts: One, or one for each window.
        tokens_cut: Tokens of the prompt that are in none of them.
    """

    prompts: tuple[tuple[Message, ...], ...]
    tokens_cut: int = 0


def fit_prompt(
    prompt: tuple[Message, ...],
    answers: Sequence[Message],
    *,
    counter: TokenCounter,
    limit: int,
    keep: Literal["head", "tail", "windows"],
) -> FittedPrompt:
    """Shorten a prompt until it and the longest of its answers fit.

    Args:
        prompt: The turns before the answer.
        answers: What may follow: one answer, or the two of a preference pair.
        counter: Counts tokens.
        limit: Most tokens of prompt and answer together.
        keep: Which part of the longest turn stays.

    Returns:
        The prompt as it is where it fits, or where the answer itself is what is too long.
    """
    over = max(counter.count((*prompt, answer)) for answer in answers) - limit
    if over <= 0:
        return FittedPrompt((prompt,))
    all_spans = [counter.spans(message.content) for message in prompt]
    place = max(range(len(prompt)), key=lambda i: len(all_spans[i]))
    spans, text = all_spans[place], prompt[place].content
    room = len(spans) - over - MARGIN_TOKENS - (HEADER_TOKENS if keep == "windows" else 0)
    if room < MIN_TOKENS:
        return FittedPrompt((prompt,))

    def with_text(content: str) -> tuple[Message, ...]:
        shortened = replace(prompt[place], content=content)
        return (*prompt[:place], shortened, *prompt[place + 1 :])

    if keep == "head":
        return FittedPrompt((with_text(text[: spans[room - 1][1]]),), len(spans) - room)
    if keep == "tail":
        return FittedPrompt((with_text(text[spans[-room][0] :]),), len(spans) - room)
    step = room - room // OVERLAP
    starts = range(0, len(spans) - room + step, step)
    parts = [text[spans[i][0] : spans[min(i + room, len(spans)) - 1][1]] for i in starts]
    count = len(parts)
    return FittedPrompt(
        tuple(with_text(f"[part {i} of {count}]\n{part}") for i, part in enumerate(parts, start=1))
    )
