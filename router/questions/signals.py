"""What the question itself says: its class, a fact asked for, a follow-up, a format, a language.

Written rules for Chinese and English come first: a question is chit-chat by rule only if nothing
is left once greetings and small talk are taken out. Where the rules are silent, a fitted classifier
may speak if it is sure. Precision before recall: calling a question of fact chit-chat costs an
answer, and the other mistake only a retrieval. It does not know the use case or the knowledge base.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from router.facts import QuestionClass
from router.questions import phrases
from router.questions.classifier import Classifier, Guess

# What is read of a question; a longer one is decided by its beginning. Bounds the time spent.
_READ_CHARS: Final = 2_000
# A follow-up is short; longer questions carry their own subject.
_FOLLOW_UP_WORDS: Final = 12
_FOLLOW_UP_HAN: Final = 16

_LATIN_WORD = re.compile(r"[^\W\d_\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+(?:'[^\W\d_]+)?")
_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")
_KANA = re.compile(r"[\u3040-\u30ff]")
_HANGUL = re.compile(r"[\uac00-\ud7af]")
_SCRIPTS: Final = (("CYRILLIC", "ru"), ("ARABIC", "ar"), ("GREEK", "el"), ("THAI", "th"))


@dataclass(frozen=True, slots=True)
class Signals:
    """What a question says about itself.

    Attributes:
        chitchat: Greeting, thanks, goodbye or small talk, and nothing else; by rule, or by a sure
            classifier where no rule sees a fact asked for.
        asks_fact: It asks for a fact; never together with `chitchat`.
        follow_up: Short, and only understandable after the turn before it.
        format: The output asked for (json, yaml, csv, table, list, translate, rewrite), or None.
        language: By share of script: zh, en (any Latin text), ja, ko, ru, ar, el, th, or und.
        question_chars: Length of the whole question.
        guess: The likeliest class, or None where no classifier was asked.
    """

    chitchat: bool
    asks_fact: bool
    follow_up: bool
    format: str | None
    language: str
    question_chars: int
    guess: Guess | None = None

    @property
    def format_asked(self) -> bool:
        """True where an output format is asked for."""
        return self.format is not None

    def as_facts(self) -> dict[str, bool | float | str]:
        """Return the signals as request facts, for `Facts.build(request=…)`.

        `question_class` is left out, and so unknown, where the classifier is not sure.
        """
        facts: dict[str, bool | float | str] = {
            "chitchat": self.chitchat,
            "asks_fact": self.asks_fact,
            "follow_up": self.follow_up,
            "format_asked": self.format_asked,
            "language": self.language,
            "question_chars": self.question_chars,
        }
        if self.guess is not None:
            facts["question_class_confidence"] = round(self.guess.confidence, 4)
            if self.guess.is_certain:
                facts["question_class"] = self.guess.label.value
        return facts


def read_signals(
    question: str,
    history: Sequence[str] = (),
    *,
    classifier: Classifier | None = None,
) -> Signals:
    """Read what the question says about itself. Never raises.

    Args:
        question: The user's words; the first 2,000 characters are read.
        history: The user's turns before it, oldest first; without any, nothing is a follow-up.
        classifier: Asked for the class of the question; None: the rules alone.

    Returns:
        The signals.
    """
    text = _normalise(question)
    chitchat = _is_chitchat(text)
    guess = None
    if classifier is not None:
        small_talk = Guess(QuestionClass.CHITCHAT, 1.0, is_certain=True)
        guess = small_talk if chitchat else classifier.guess(question)
    wanted = next((name for name, pattern in phrases.FORMATS.items() if pattern.search(text)), None)
    asks_fact = not chitchat and _asks_fact(text, wanted)
    if guess is not None and guess.is_certain and not asks_fact:
        chitchat = guess.label is QuestionClass.CHITCHAT
        asks_fact = guess.label is QuestionClass.NEEDS_KNOWLEDGE
    return Signals(
        chitchat=chitchat,
        asks_fact=asks_fact,
        follow_up=not chitchat and bool(history) and _is_follow_up(text),
        format=wanted,
        language=_find_language(text),
        question_chars=len(question),
        guess=guess,
    )


def _normalise(question: str) -> str:
    """Return the text in lower case with one kind of width, apostrophe and space."""
    text = unicodedata.normalize("NFKC", question[:_READ_CHARS]).lower()
    return " ".join(text.replace("’", "'").split(" ")).strip()


def _is_chitchat(text: str) -> bool:
    """Return whether something chatty was said and nothing is left once it is taken out."""
    rest, chatty = phrases.CHAT_EN.subn(" ", text)
    rest, chatty_zh = phrases.CHAT_ZH.subn(" ", rest)
    if not chatty + chatty_zh:
        return _is_about_assistant(text) or not any(character.isalnum() for character in text)
    if any(character.isdigit() for character in rest):
        return False
    words = _LATIN_WORD.findall(rest)
    others = [c for c in _LATIN_WORD.sub(" ", rest) if c.isalpha()]
    return all(w in phrases.CHAT_FILLER_EN for w in words) and all(
        c in phrases.CHAT_FILLER_ZH for c in others
    )


def _is_about_assistant(text: str) -> bool:
    """Return whether the text asks who or what the assistant is, and nothing else."""
    words = set(_LATIN_WORD.findall(text))
    if not words & phrases.YOU_EN or not words & phrases.SELF_EN:
        return False
    if any(c.isdigit() for c in text) or _HAN.search(text):
        return False
    return words <= phrases.YOU_EN | phrases.SELF_EN | phrases.SELF_FILLER_EN


def _asks_fact(text: str, wanted: str | None) -> bool:
    """Return whether a fact is asked for, leaving aside a text that was only brought along."""
    if wanted in phrases.ON_GIVEN_TEXT:
        text = phrases.GIVEN_TEXT.sub(" ", text)
    patterns = (
        phrases.QUESTION_MARK,
        phrases.QUESTION_EN,
        phrases.POLICY_EN,
        phrases.QUESTION_ZH,
        phrases.POLICY_ZH,
    )
    return any(pattern.search(text) for pattern in patterns)


def _is_follow_up(text: str) -> bool:
    if len(_LATIN_WORD.findall(text)) > _FOLLOW_UP_WORDS:
        return False
    if len(_HAN.findall(text)) > _FOLLOW_UP_HAN:
        return False
    if phrases.FOLLOW_UP_EN.match(text) or phrases.FOLLOW_UP_ZH.match(text):
        return True
    return bool(phrases.FOLLOW_UP_END_ZH.search(text))


def _find_language(text: str) -> str:
    """Return the language by script; a Han character weighs as much as a Latin word."""
    if _KANA.search(text):
        return "ja"
    han, words = len(_HAN.findall(text)), _LATIN_WORD.findall(text)
    if _HANGUL.search(text) and not han:
        return "ko"
    if han and han >= 0.3 * (han + len(words)):
        return "zh"
    if not words:
        return "und"
    name = unicodedata.name(words[0][0], "")
    return next((language for script, language in _SCRIPTS if name.startswith(script)), "en")
