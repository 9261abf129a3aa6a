"""Builds the messages that the model reads, and makes them fit.

It knows roles, passages and token counts; it does not know why a strategy was chosen. The
system message is the same for every request of a use case and passages come in canonical order,
so that the engine's prefix cache is hit; the question comes last.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2.sandbox import ImmutableSandboxedEnvironment
from tokenizers import Tokenizer

from knowledge import Passage
from service.engine import Message
from service.errors import ContextLengthExceeded
from service.use_cases import UseCase

CountTokens = Callable[[Sequence[Message]], int]

CITE_LINE = "Cite the passages you use by their number, such as [1]."
# Without the model's own tokenizer: a Han character is about a token, other text about 3
# characters a token; high on purpose, so that a prompt that fits here fits there.
CHARS_PER_TOKEN = 3
TOKENS_PER_MESSAGE = 8


@dataclass(frozen=True, slots=True)
class Prompt:
    """What is sent, and what had to be left out to make it fit.

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

    The passages with the lowest score are left out first, then the oldest turns.

    Raises:
        ContextLengthExceeded: The last turn alone does not fit into `limit_tokens`.
    """
    kept_passages = sorted(passages, key=lambda passage: passage.score, reverse=True)
    kept_turns = list(turns)
    while True:
        ordered = canonical_order(kept_passages)
        messages = _messages(use_case, kept_turns, ordered, ask_for_markers)
        tokens = count_tokens(messages)
        if tokens <= limit_tokens:
            break
        if kept_passages:
            kept_passages.pop()
        elif len(kept_turns) > 1:
            kept_turns.pop(0)
        else:
            raise ContextLengthExceeded(
                f"The last message and the instructions are {tokens} tokens; the model reads "
                f"{limit_tokens} beside its answer. Shorten the message or lower max_tokens.",
                param="messages",
            )
    return Prompt(
        messages=messages,
        tokens=tokens,
        passages=ordered,
        passages_left_out=len(passages) - len(kept_passages),
        turns_left_out=len(turns) - len(kept_turns),
    )


def canonical_order(passages: Sequence[Passage]) -> tuple[Passage, ...]:
    """Return `passages` in an order that does not depend on their scores."""
    return tuple(sorted(passages, key=lambda p: (p.document_id, p.version, p.ordinal)))


def _messages(
    use_case: UseCase,
    turns: Sequence[Message],
    passages: Sequence[Passage],
    ask_for_markers: bool,
) -> tuple[Message, ...]:
    declared = f"{use_case.role}\n{use_case.instructions}".strip()
    system = [declared, *(turn.content for turn in turns if turn.role == "system")]
    dialogue = [turn for turn in turns if turn.role != "system"]
    question = dialogue[-1].content
    if passages:
        question = _with_passages(question, passages, ask_for_markers)
    head = [Message("system", "\n".join(filter(None, system)))] if any(system) else []
    return (*head, *dialogue[:-1], Message("user", question))


def _with_passages(question: str, passages: Sequence[Passage], ask_for_markers: bool) -> str:
    lines = [f"[{n}] {p.filename}: {p.text}" for n, p in enumerate(passages, start=1)]
    asked = f"\n{CITE_LINE}" if ask_for_markers else ""
    return "Passages:\n" + "\n".join(lines) + f"\n\nQuestion: {question}{asked}"


def load_token_counter(model_folder: Path) -> CountTokens:
    """Return a counter for the model in `model_folder`, or an estimate where it has none."""
    tokenizer_file = model_folder / "tokenizer.json"
    template_text = _chat_template(model_folder)
    if not tokenizer_file.is_file() or template_text is None:
        return estimate_tokens
    tokenizer = Tokenizer.from_file(str(tokenizer_file))
    template = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols"]
    ).from_string(template_text)

    def count(messages: Sequence[Message]) -> int:
        rendered = template.render(
            messages=[{"role": m.role, "content": m.content} for m in messages],
            add_generation_prompt=True,
        )
        return len(tokenizer.encode(rendered, add_special_tokens=False).ids)

    return count


def estimate_tokens(messages: Sequence[Message]) -> int:
    """Return a number of tokens that is rather too high than too low."""
    total = 0
    for message in messages:
        han = sum("\u2e80" <= char <= "\u9fff" for char in message.content)
        total += han + (len(message.content) - han) // CHARS_PER_TOKEN + TOKENS_PER_MESSAGE
    return total


def _chat_template(model_folder: Path) -> str | None:
    own_file = model_folder / "chat_template.jinja"
    if own_file.is_file():
        return own_file.read_text(encoding="utf-8")
    config = model_folder / "tokenizer_config.json"
    if not config.is_file():
        return None
    template = json.loads(config.read_text(encoding="utf-8")).get("chat_template")
    return template if isinstance(template, str) else None
