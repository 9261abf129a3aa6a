"""What a certain kind changes in what the rules read of a message.

The rules come first: a kind is heard only where they found nothing that decides.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from router.classes import MessageKind, NoSource
from router.questions.kinds.classifier import KindGuess
from router.questions.signals import Signals

NO_SOURCE: Final = {
    MessageKind.ABOUT_ASSISTANT: NoSource.ABOUT_ASSISTANT,
    MessageKind.LAST_ANSWER: NoSource.LAST_ANSWER,
    MessageKind.SMALL_TALK: NoSource.SMALL_TALK,
    MessageKind.REMARK: NoSource.SMALL_TALK,
    MessageKind.GIVEN_TEXT: NoSource.GIVEN_TEXT,
}


def with_kind(signals: Signals, guess: KindGuess) -> Signals:
    """Return the signals with what a certain kind says, where the rules left it open.

    What only the classifier takes to be about the assistant is not where the vector surely speaks
    of a question. A remark is small talk that the house has its own way of answering:
    `wording_asked`, and no `chitchat`; a question that passes for a remark is still a question.
    What is only understood after the turn before it is no talk of its own.
    """
    is_about_assistant = signals.needs_no_sources is NoSource.ABOUT_ASSISTANT
    if signals.is_guessed and is_about_assistant and guess.is_question:
        return _as_question(signals)
    is_remark = guess.kind is MessageKind.REMARK
    if not signals.is_undecided or not guess.is_certain or (is_remark and signals.asks_fact):
        return signals
    source = NO_SOURCE[guess.kind]
    if signals.follow_up and source not in (NoSource.LAST_ANSWER, NoSource.GIVEN_TEXT):
        return signals
    is_talk = source in (NoSource.SMALL_TALK, NoSource.ABOUT_ASSISTANT)
    return replace(
        signals,
        chitchat=is_talk and not is_remark,
        asks_fact=False,
        action_asked=False,
        wording_asked=is_remark,
        needs_no_sources=source,
        context_given=signals.context_given or source is NoSource.GIVEN_TEXT,
    )


def _as_question(signals: Signals) -> Signals:
    guess = signals.guess
    return replace(
        signals,
        chitchat=False,
        asks_fact=True,
        needs_no_sources=None,
        is_guessed=False,
        guess=None if guess is None else replace(guess, is_certain=False),
    )
