"""What the question itself says: its class, a fact asked for, a follow-up, a format, a language.

Written rules for Chinese and English come first: a question is small talk by rule only if nothing
is left once greetings and remarks are taken out. A fitted classifier that is sure wins over a
question word, not over a format, a request, or a word of trade. Precision before recall: calling a
question of fact small talk costs an answer, and the other mistake only a retrieval. It does not
know the use case or the knowledge base.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from router.classes import ErrandKind, NoSource, QuestionClass
from router.questions import phrases
from router.questions.classifier import Classifier, Guess
from router.questions.frames import is_helper_prompt
from router.questions.given_text import has_given_text, is_answered_by, shares_words
from router.questions.requests import (
    asks_for_action,
    asks_for_writing,
    errand_of,
    voices_feeling,
)
from router.questions.talk import (
    HAN,
    LATIN_WORD,
    is_about_assistant,
    is_about_last_answer,
    is_small_talk,
    speaks_of_machine,
    without_chat,
)

# What is read of a question: so much of its beginning and as much of its end. Bounds the time.
_READ_CHARS: Final = 2_000
# What the classifier reads of either end.
_GUESS_CHARS: Final = 400
# A follow-up is short; longer questions carry their own subject.
_FOLLOW_UP_WORDS: Final = 12
_FOLLOW_UP_HAN: Final = 16
# Han characters or words from which a sure class of small talk is no longer believed.
_SMALL_TALK_WORDS: Final = 25
# Share of a message that must be left beside its greetings to be read by itself.
_LEAST_REST: Final = 0.3
# How sure the classifier is of a statement that passes for small talk; see the room's README.
_LIKELY: Final = 0.75

_KANA = re.compile(r"[\u3040-\u30ff]")
_HANGUL = re.compile(r"[\uac00-\ud7af]")
_SCRIPTS: Final = (("CYRILLIC", "ru"), ("ARABIC", "ar"), ("GREEK", "el"), ("THAI", "th"))


@dataclass(frozen=True, slots=True)
class Signals:
    """What a question says about itself.

    Attributes:
        chitchat: Small talk or about the assistant, and nothing else; by rule, or by a sure
            classifier where no word of trade, format or request stands against it.
        asks_fact: It asks for a fact; never where no source is needed.
        follow_up: Short, and only understandable after the turn before it.
        format: The output asked for (json, yaml, csv, table, list, translate, rewrite), or None.
        language: By share of script: zh, en (any Latin text), ja, ko, ru, ar, el, th, or und.
        question_chars: Length of the whole question.
        guess: The likeliest class, or None where no classifier was asked.
        needs_no_sources: Why it can be answered without sources, or None where it cannot.
        is_guessed: The classifier says so, and no rule.
        context_given: The asker brought a text to answer from, in this or a system turn.
        helper_prompt: A front-end asks for a title, tags and the like for its own use.
        action_asked: Something is asked to be done, beside answering and writing.
        errand: What is asked to be done that no assistant of text can do.
        wording_asked: It wants words and no facts: a text to be written, or a feeling voiced.
    """

    chitchat: bool
    asks_fact: bool
    follow_up: bool
    format: str | None
    language: str
    question_chars: int
    guess: Guess | None = None
    needs_no_sources: NoSource | None = None
    context_given: bool = False
    helper_prompt: bool = False
    action_asked: bool = False
    errand: ErrandKind = ErrandKind.NONE
    wording_asked: bool = False
    is_guessed: bool = False

    @property
    def format_asked(self) -> bool:
        """True where an output format is asked for."""
        return self.format is not None

    @property
    def is_undecided(self) -> bool:
        """True where no rule says whether the message needs sources."""
        is_open = self.needs_no_sources is None or self.is_guessed
        return is_open and self.errand is ErrandKind.NONE and not self.helper_prompt

    def as_facts(self) -> dict[str, bool | float | str]:
        """Return the signals as request facts, for `Facts.build(request=…)`.

        `question_class` is left out, and so unknown, where the classifier is not sure; so is
        `needs_no_sources` where a source is or may be needed.
        """
        facts: dict[str, bool | float | str] = {
            "chitchat": self.chitchat,
            "asks_fact": self.asks_fact,
            "follow_up": self.follow_up,
            "format_asked": self.format_asked,
            "language": self.language,
            "question_chars": self.question_chars,
            "context_given": self.context_given,
            "helper_prompt": self.helper_prompt,
            "action_asked": self.action_asked,
            "errand": self.errand.value,
            "wording_asked": self.wording_asked,
        }
        if self.needs_no_sources is not None:
            facts["needs_no_sources"] = self.needs_no_sources.value
        if self.guess is not None:
            facts["question_class_confidence"] = round(self.guess.confidence, 4)
            if self.guess.is_certain:
                facts["question_class"] = self.guess.label.value
        return facts


@dataclass(frozen=True, slots=True)
class _Reading:
    """What is read of one question before it is said what it needs."""

    text: str
    wanted: str | None
    guess: Guess | None
    is_helper: bool
    has_context: bool
    errand: ErrandKind
    is_after_answer: bool

    @property
    def is_errand(self) -> bool:
        return self.errand is not ErrandKind.NONE

    @property
    def is_of_something(self) -> bool:
        """It asks, or speaks of a thing the asker has or a feeling about it."""
        return _asks(self.text) or bool(phrases.MINE.search(self.text)) or voices_feeling(self.text)

    @property
    def asks_the_assistant(self) -> bool:
        """It begins as a question about the one that is asked, and names no matter of trade."""
        is_clear = not phrases.MINE.search(self.text) and not phrases.TRADE.search(self.text)
        return is_clear and bool(phrases.ARE_YOU.match(self.text))

    @property
    def is_likely_small_talk(self) -> bool:
        """Small talk is the likeliest class, however sure."""
        return self.guess is not None and self.guess.label is QuestionClass.CHITCHAT

    @property
    def is_guessed_small_talk(self) -> bool:
        """The classifier is sure of small talk, or nearly so of a statement; no word is against it.

        A statement that was meant as a question of fact would hold a word of trade.
        """
        guess = self.guess
        if guess is None or guess.label is not QuestionClass.CHITCHAT:
            return False
        if not guess.is_certain and (guess.confidence < _LIKELY or self.is_of_something):
            return self.asks_the_assistant and guess.confidence >= _LIKELY
        if self.wanted is not None or self.is_errand or asks_for_action(self.text):
            return False
        if phrases.MINE.search(self.text) and voices_feeling(self.text):
            return False
        length = len(LATIN_WORD.findall(self.text)) + len(HAN.findall(self.text)) // 2
        return length <= _SMALL_TALK_WORDS and not phrases.TRADE.search(self.text)


def read_signals(
    question: str,
    history: Sequence[str] = (),
    *,
    answered: bool | None = None,
    instructions: Sequence[str] = (),
    classifier: Classifier | None = None,
) -> Signals:
    """Read what the question says about itself. Never raises.

    Args:
        question: The user's words; the first and the last 2,000 characters are read.
        history: The user's turns before it, oldest first; without any, nothing is a follow-up.
        answered: Whether the turn before it is an answer; None: where there is a history.
        instructions: The system turns of the conversation.
        classifier: Asked for the class of the question; None: the rules alone.

    Returns:
        The signals.
    """
    reading = _read(
        question, history, answered=answered, instructions=instructions, classifier=classifier
    )
    text = reading.text
    ruled = _find_no_source(reading)
    source = ruled or _guess_no_source(reading)
    is_talk = source in (NoSource.SMALL_TALK, NoSource.ABOUT_ASSISTANT)
    asks_fact = source is None and not reading.is_helper and _asks_fact(reading)
    wants_words = not asks_fact and (asks_for_writing(text) or voices_feeling(text))
    return Signals(
        chitchat=is_talk,
        asks_fact=asks_fact,
        follow_up=not is_talk and bool(history) and _is_follow_up(text),
        format=reading.wanted,
        language=_find_language(text),
        question_chars=len(question),
        guess=_settle_guess(reading.guess, is_talk=is_talk),
        needs_no_sources=source,
        context_given=reading.has_context,
        helper_prompt=reading.is_helper,
        action_asked=source is None and (reading.is_errand or asks_for_action(text)),
        errand=reading.errand if source is None else ErrandKind.NONE,
        wording_asked=source is None and not reading.is_helper and wants_words,
        is_guessed=source is not ruled,
    )


def _read(
    question: str,
    history: Sequence[str],
    *,
    answered: bool | None,
    instructions: Sequence[str],
    classifier: Classifier | None,
) -> _Reading:
    text = _normalise(question)
    system = [_normalise(turn) for turn in instructions]
    earlier = [turn for turn in map(_normalise, history) if has_given_text(turn)]
    is_helper = is_helper_prompt(question, instructions)
    has_context = not is_helper and (
        has_given_text(text)
        or is_answered_by(text, system)
        or any(shares_words(text, turn) for turn in earlier)
    )
    return _Reading(
        text=text,
        wanted=next((name for name, p in phrases.FORMATS.items() if p.search(text)), None),
        guess=None if classifier is None else _guess(question, classifier),
        is_helper=is_helper,
        has_context=has_context,
        errand=ErrandKind.NONE if has_context or is_helper else errand_of(text),
        is_after_answer=bool(history) if answered is None else answered,
    )


def _normalise(question: str) -> str:
    """Return the text in lower case with one kind of width, apostrophe and space.

    Of a text too long to be read whole, the beginning and the end stand on lines of their own.
    """
    if len(question) > 2 * _READ_CHARS:
        question = f"{question[:_READ_CHARS]}\n{question[-_READ_CHARS:]}"
    text = unicodedata.normalize("NFKC", question).lower()
    text = phrases.HASTE.sub(_spell_out, text.replace("’", "'"))
    return " ".join(text.split(" ")).strip()


def _spell_out(hasty: re.Match[str]) -> str:
    """Return the words that something typed in haste stands for."""
    name = hasty.lastgroup or ""
    return phrases.HASTE_MEANS[name].format(hasty[name])


def _guess(question: str, classifier: Classifier) -> Guess:
    """Return the class; of a long text only what its beginning and its end agree on is sure."""
    guess = classifier.guess(question)
    if len(question) <= _GUESS_CHARS:
        return _guess_without_chat(question, guess, classifier)
    end = classifier.guess(question[-_GUESS_CHARS:])
    if end.label is guess.label:
        return min(guess, end, key=lambda each: each.confidence)
    return Guess(end.label, end.confidence, is_certain=False)


def _guess_without_chat(question: str, guess: Guess, classifier: Classifier) -> Guess:
    """Return the guess; one of small talk must hold for what stands beside a greeting as well."""
    if guess.label is not QuestionClass.CHITCHAT:
        return guess
    text = _normalise(question)
    rest = without_chat(text)
    if rest == text or len(rest) < _LEAST_REST * len(text):
        return guess
    alone = classifier.guess(rest)
    if alone.label is guess.label:
        return guess
    return Guess(alone.label, alone.confidence, is_certain=False)


def _is_sure_of_small_talk(guess: Guess) -> bool:
    return guess.is_certain and guess.label is QuestionClass.CHITCHAT


def _settle_guess(guess: Guess | None, *, is_talk: bool) -> Guess | None:
    """Return the guess, sure of small talk where that is what the rules found."""
    if is_talk and guess is not None and not _is_sure_of_small_talk(guess):
        return Guess(QuestionClass.CHITCHAT, 1.0, is_certain=True)
    return guess


def _find_no_source(reading: _Reading) -> NoSource | None:
    """Return why no source is needed by rule, or None where one is or may be."""
    text = reading.text
    if reading.is_helper:
        return None
    if is_about_assistant(text) or (reading.is_likely_small_talk and speaks_of_machine(text)):
        return NoSource.ABOUT_ASSISTANT
    if reading.is_after_answer and is_about_last_answer(text):
        return NoSource.LAST_ANSWER
    if is_small_talk(text):
        return NoSource.SMALL_TALK
    return NoSource.GIVEN_TEXT if reading.has_context else None


def _guess_no_source(reading: _Reading) -> NoSource | None:
    """Return why no source is needed as the classifier sees it, or None."""
    text = reading.text
    if reading.is_helper or not reading.is_guessed_small_talk:
        return None
    if not _asks(text):
        return NoSource.SMALL_TALK
    if phrases.YOU.search(text):
        return NoSource.ABOUT_ASSISTANT
    if phrases.QUANTITY.search(text):
        return None
    is_elsewhere = reading.is_after_answer or phrases.YOURS.search(text)
    return None if is_elsewhere else NoSource.SMALL_TALK


def _asks_fact(reading: _Reading) -> bool:
    """Return whether a fact is asked for, where it was not brought along."""
    text = reading.text
    if reading.is_errand:
        return bool(phrases.QUESTION_WORD.search(text))
    if asks_for_writing(text):
        return False
    if reading.wanted is not None or _asks(text):
        return True
    if voices_feeling(text):
        return False
    if phrases.POLICY_EN.search(text) or phrases.POLICY_ZH.search(text):
        return True
    guess = reading.guess
    return bool(guess and guess.is_certain and guess.label is QuestionClass.NEEDS_KNOWLEDGE)


def _asks(text: str) -> bool:
    """Return whether it has the form of a question."""
    patterns = (phrases.QUESTION_MARK, phrases.QUESTION_EN, phrases.QUESTION_ZH)
    return any(pattern.search(text) for pattern in patterns)


def _is_follow_up(text: str) -> bool:
    if len(LATIN_WORD.findall(text)) > _FOLLOW_UP_WORDS:
        return False
    if len(HAN.findall(text)) > _FOLLOW_UP_HAN:
        return False
    if phrases.FOLLOW_UP_EN.match(text) or phrases.FOLLOW_UP_ZH.match(text):
        return True
    return bool(phrases.FOLLOW_UP_END_ZH.search(text))


def _find_language(text: str) -> str:
    """Return the language by script; a Han character weighs as much as a Latin word."""
    if _KANA.search(text):
        return "ja"
    han, words = len(HAN.findall(text)), LATIN_WORD.findall(text)
    if _HANGUL.search(text) and not han:
        return "ko"
    if han and han >= 0.3 * (han + len(words)):
        return "zh"
    if not words:
        return "und"
    name = unicodedata.name(words[0][0], "")
    return next((language for script, language in _SCRIPTS if name.startswith(script)), "en")
