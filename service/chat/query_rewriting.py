"""A follow-up question rewritten by the model so that it stands alone: opt-in, one short call.

It knows what the model is asked and which replies are of use; it does not know whether a rewrite
is wanted, nor how passages are found. A reply that is of no use costs its time and tokens only:
the user's own words are then searched with the conversation, as they are without a rewrite.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import anyio

from router import Signals, read_signals
from service.context import AppContext
from service.engine.client import GenerationRequest, Message
from service.engine.generation import Generation, Usage
from service.errors import ServiceError

MAX_TOKENS = 64  # 40 to 50 English words
MAX_CHARS = 400  # of a server that takes no max_tokens; 64 tokens are some 260 characters
DEADLINE_S = 4.0  # the embedded model writes 64 tokens in 3.4 s on 2 cores (DECISIONS.md)
TURN_CHARS = 500  # of each earlier turn: an answer names its subject at its beginning
QUOTES = "\"'“”‘’「」 "

TASK = {
    "en": "Rewrite the user's last question so that it can be understood without the "
    "conversation: say what its pronouns and omissions stand for. Keep its meaning and its "
    "language. Reply with the rewritten question and nothing else.",
    "zh": "请改写用户的最后一个问题，使人不看对话也能理解：写明代词和省略所指的内容。"
    "保持原意和原来的语言。只回复改写后的问题。",
}

Outcome = Literal["used", "failed", "too_slow", "too_long", "empty", "unchanged", "other_language"]


@dataclass(frozen=True, slots=True)
class Rewriting:
    """What became of a rewrite.

    Attributes:
        question: What to search for in place of the user's words; None: search those.
        outcome: `used`, or why not.
        usage: What the call cost, whether its reply was of use or not.
        detail: What went wrong, where something did.
    """

    question: str | None
    outcome: Outcome
    usage: Usage
    detail: str = ""

    def as_dict(self) -> dict[str, str]:
        """Return the note that goes with the answer."""
        return {"outcome": self.outcome, **({"detail": self.detail} if self.detail else {})}


@dataclass(frozen=True, slots=True)
class _Reply:
    text: str
    is_whole: bool
    usage: Usage
    fault: Outcome | None = None
    detail: str = ""


async def rewrite(
    turns: Sequence[Message], signals: Signals, context: AppContext, *, tenant: str, wanted: bool
) -> Rewriting | None:
    """Ask the base model to make the last of `turns` understandable by itself.

    Args:
        turns: The conversation, the question last.
        signals: Of the question.
        context: Where the model server is.
        tenant: Whose question it is.
        wanted: False: nothing is asked.

    Returns:
        None where nothing was asked: not wanted, or no turn before that counts. A call that fails
        is an outcome, not an error.
    """
    earlier = _earlier(turns, context.settings.knowledge.history_turns)
    if not wanted or not earlier:
        return None
    question = turns[-1].content
    reply = await _ask(_messages(earlier, question, signals.language), context, tenant)
    text = " ".join(reply.text.split()).strip(QUOTES)
    outcome = reply.fault or _judge(text, reply.is_whole, question, signals.language)
    return Rewriting(text if outcome == "used" else None, outcome, reply.usage, reply.detail)


def _earlier(turns: Sequence[Message], most: int) -> Sequence[Message]:
    """Return the last turns before the question: as many as join it where nothing is rewritten."""
    spoken = [turn for turn in turns[:-1] if turn.role != "system" and turn.content.strip()]
    return spoken[-most:] if most else ()


def _messages(earlier: Sequence[Message], question: str, language: str) -> tuple[Message, ...]:
    lines = [f"{turn.role.capitalize()}: {turn.content.strip()[:TURN_CHARS]}" for turn in earlier]
    conversation = "\n".join([*lines, f"User: {question}"])
    return Message("system", TASK.get(language, TASK["en"])), Message("user", conversation)


async def _ask(messages: tuple[Message, ...], context: AppContext, tenant: str) -> _Reply:
    options = {"temperature": 0.0, "max_tokens": MAX_TOKENS}
    request = GenerationRequest(context.settings.engine.base_model, messages, options, tenant)
    generation: Generation | None = None
    text, detail = "", ""
    fault: Outcome | None = None
    try:
        with anyio.fail_after(DEADLINE_S):
            async with context.engine.generate(request) as generation:
                async for piece in generation.chunks:
                    text += piece
    except TimeoutError:
        fault, detail = "too_slow", f"not done within {DEADLINE_S:g} s"
    except ServiceError as exc:
        fault, detail = "failed", str(exc)
    if generation is None:  # never accepted
        return _Reply(text, False, Usage(0, 0), fault, detail)
    if generation.is_finished:
        return _Reply(text, generation.finish_reason == "stop", generation.usage, fault, detail)
    prompt_tokens = context.count_tokens(messages)  # cut off: the server tells no usage
    completion_tokens = context.count_tokens([Message("assistant", text)]) if text else 0
    return _Reply(text, False, Usage(prompt_tokens, completion_tokens), fault, detail)


def _judge(text: str, is_whole: bool, question: str, language: str) -> Outcome:
    """Return whether a reply may be searched for; the caller's language is kept."""
    if not text:
        return "empty"
    if not is_whole or len(text) > MAX_CHARS:
        return "too_long"
    if text.casefold() == question.strip(QUOTES).casefold():
        return "unchanged"  # the conversation says more than that
    written_in = read_signals(text).language
    return "used" if written_in == language or "und" in (written_in, language) else "other_language"
