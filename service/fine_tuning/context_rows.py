"""Training rows with passages, written as this service will ask: the prompts of `prompts.py`.

It joins what a knowledge base finds with what `adapters` makes of it; it does not know where the
passages come from.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from adapters import ContextMix, ContextQuestion, ContextRows, build_context_rows
from router import read_signals
from service.chat.prompts import lay_out
from service.engine.client import Message
from service.stores.use_cases import UseCase

FOUND = 20  # passages looked at for each question: the gold and enough that is near it


@dataclass(frozen=True, slots=True)
class FoundPassage:
    """What is needed of a passage to write it into a prompt."""

    external_id: str
    source: str
    text: str


Find = Callable[[str], Sequence[FoundPassage]]


def make_rows(
    questions: Sequence[ContextQuestion],
    find: Find,
    *,
    use_case: UseCase,
    ask_for_markers: bool,
    mix: ContextMix,
) -> ContextRows:
    """Return training rows whose prompts are those of `use_case`; see `build_context_rows`."""

    def render(question: str, passages: Sequence[FoundPassage]) -> list[dict[str, str]]:
        turns = [Message("user", question)]
        sent = lay_out(use_case, turns, passages, ask_for_markers=ask_for_markers)
        return [{"role": message.role, "content": message.content} for message in sent]

    def refusal(question: str) -> str:
        return use_case.refusal.in_reply_to(question, read_signals(question).language)

    return build_context_rows(questions, retrieve=find, render=render, refusal=refusal, mix=mix)
