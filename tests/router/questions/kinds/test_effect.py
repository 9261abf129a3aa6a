"""What a kind changes in the signals: nothing where a rule decided, nothing unsure."""

from __future__ import annotations

from dataclasses import replace

import pytest

from router import (
    KindGuess,
    MessageKind,
    NoSource,
    Signals,
    default_classifier,
    read_signals,
    with_kind,
)
from router.questions.kinds.classifier import NEEDS_SOURCES

OPEN = read_signals("mine is on the blink")
ASKED = read_signals("when does it open?")
GUESSED = "which tarrifs do you have for flats with night storage heating"


def certain(kind: MessageKind) -> KindGuess:
    return KindGuess(kind, 0.97, is_certain=True)


@pytest.mark.parametrize("source", list(NoSource))
def test_a_certain_kind_says_why_no_source_is_needed(source: NoSource) -> None:
    read = with_kind(ASKED, certain(MessageKind(source.value)))
    assert read.needs_no_sources is source
    assert not read.asks_fact
    assert read.chitchat is (source in (NoSource.SMALL_TALK, NoSource.ABOUT_ASSISTANT))
    assert read.context_given is (source is NoSource.GIVEN_TEXT)


def test_every_kind_without_sources_has_an_effect() -> None:
    for kind in set(MessageKind) - NEEDS_SOURCES:
        assert with_kind(OPEN, certain(kind)) != OPEN


def test_a_remark_wants_words_and_a_question_is_no_remark() -> None:
    remark = with_kind(OPEN, certain(MessageKind.REMARK))
    assert (remark.wording_asked, remark.needs_no_sources) == (True, NoSource.SMALL_TALK)
    assert not remark.chitchat
    assert ASKED.asks_fact
    assert with_kind(ASKED, certain(MessageKind.REMARK)) == ASKED


def test_an_unsure_kind_changes_nothing() -> None:
    guess = KindGuess(MessageKind.SMALL_TALK, 0.6, is_certain=False)
    assert with_kind(OPEN, guess) == OPEN


@pytest.mark.parametrize(
    "decided",
    [
        read_signals("hello there"),
        read_signals("book me a flight to Rome"),
        read_signals("使用四到五个字直接返回这句话的简要主题，不要解释、不要标点。"),
    ],
)
def test_a_rule_that_decided_is_not_overruled(decided: Signals) -> None:
    assert not decided.is_undecided
    assert with_kind(decided, certain(MessageKind.LAST_ANSWER)) == decided


def test_small_talk_by_the_classifier_alone_gives_way_to_a_sure_question() -> None:
    guessed = read_signals(GUESSED, classifier=default_classifier())
    assert (guessed.is_guessed, guessed.chitchat, guessed.is_undecided) == (True, True, True)
    question = KindGuess(MessageKind.KNOWLEDGE, 0.01, is_certain=False, is_question=True)
    read = with_kind(guessed, question)
    assert (read.chitchat, read.needs_no_sources, read.asks_fact) == (False, None, True)
    assert read.guess is not None
    assert not read.guess.is_certain
    assert "question_class" not in read.as_facts()
    assert with_kind(guessed, replace(question, is_question=False)) == guessed
    by_rule = read_signals("who are you", classifier=default_classifier())
    assert with_kind(by_rule, question) == by_rule
    small_talk = read_signals("这个还真记不清了。", classifier=default_classifier())
    assert (small_talk.is_guessed, small_talk.chitchat) == (True, True)
    assert with_kind(small_talk, question) == small_talk


def test_a_text_to_work_on_is_no_action_to_be_done() -> None:
    asked = read_signals("I need someone to look at the boiler")
    assert asked.action_asked
    assert not with_kind(asked, certain(MessageKind.GIVEN_TEXT)).action_asked


def test_a_follow_up_is_no_talk_of_its_own() -> None:
    follow_up = read_signals("那周日呢", ["周六几点开门？"], answered=True)
    assert follow_up.follow_up
    for kind in (MessageKind.SMALL_TALK, MessageKind.REMARK, MessageKind.ABOUT_ASSISTANT):
        assert with_kind(follow_up, certain(kind)) == follow_up
    read = with_kind(follow_up, certain(MessageKind.LAST_ANSWER))
    assert read.needs_no_sources is NoSource.LAST_ANSWER
