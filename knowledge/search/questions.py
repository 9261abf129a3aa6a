"""What a message asks: its questions one by one, without the courtesy and the story around them.

It knows sentences, English and Chinese; it does not know what any base holds. What the user tells
about himself goes with the question next to it, and is no part of what is asked.
"""

import re
from dataclasses import dataclass

from knowledge.languages import as_simplified
from knowledge.search.conversation import MAX_CONTEXT_CHARS
from knowledge.search.courtesy import without_courtesy
from knowledge.sql.tokens import STOP_WORDS, Role, query_terms

MOST_QUESTIONS = 4
"""Searched apart; what is asked after them goes with the last: each costs a search."""

MOST_STORY_CHARS = 200
"""Of a longer story the last sentence is embedded: some 45 English tokens, as a long question."""

_SENTENCE = re.compile(
    r".+?(?:[?？!！。]+[\"”』」)）]*(?=\s|[^\x00-\x7f]|$)"
    r"|(?<!\b[A-Z])(?<!\b[A-Z][a-z])(?<!\b[A-Z][a-z]{2})\.+(?=\s+[^a-z0-9\s]|\s*$)"
    r"|[,，](?=\s*(?:请问|想问))"
    r"|,(?=\s+(?:can|could|may|do|does|did|is|are|will|would|what|where|when|why|who|which|how)\s)"
    r"|\n+|$)",
    re.S,
)
_QUESTION = re.compile(r"[?？][!！?？\"”』」)）]*\s*$")
_POINTS_BACK = re.compile(
    r"\b(?:its?|they|them|theirs?|he|she|him|her|ones)\b|[它他她]|呢[?？]|[这那]个", re.I
)

_THIS = re.compile(
    r"\bthis\b(?!\s+(?:week\w*|month|year|morning|afternoon|evening|time|spring|summer|winter))"
    r"|这[家款种件位台份盏把]|(?<![因彼如在从])此[款件]|这个(?![周月年星季])|^这[是有能可]",
    re.I,
)
"""Of every question with one of these the subject is in the turns before."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One question of a message.

    Attributes:
        question: Its words, without courtesy.
        before: What is told before it: searched too, but nothing that a passage must hold.
        after: What is told after it.
    """

    question: str
    before: str = ""
    after: str = ""

    @property
    def story(self) -> str:
        """What of the story is searched by its words: none of a long one, whose words are many."""
        told = f"{self.before} {self.after}".strip()
        if len(told) <= MOST_STORY_CHARS:
            return told
        is_needed = says_nothing(self.question)
        return last_sentences(told, max_chars=MAX_CONTEXT_CHARS) if is_needed else ""

    @property
    def text(self) -> str:
        """The question and its story, as they are embedded."""
        return f"{self._told(self.before)} {self.question} {self._told(self.after)}".strip()

    def _told(self, story: str) -> str:
        """Return a story, or of a long one the last sentence, unless it alone tells the subject."""
        if len(story) <= MOST_STORY_CHARS:
            return story
        if says_nothing(self.question):
            return last_sentences(story, max_chars=MAX_CONTEXT_CHARS)
        return _sentences(last_sentences(story, max_chars=MOST_STORY_CHARS))[-1]

    def followed_by(self, other: "Asked") -> "Asked":
        """Return both as one question."""
        return Asked(
            f"{self.question} {other.question}".strip(),
            f"{self.before} {other.before}".strip(),
            f"{self.after} {other.after}".strip(),
        )


def questions_of(message: str, *, max_chars: int) -> tuple[Asked, ...]:
    """Return what a message asks, in its order: at least one question, at most `MOST_QUESTIONS`.

    Args:
        message: The user's words, not blank.
        max_chars: Of a longer message the end is read, by whole sentences.
    """
    sentences = _sentences(last_sentences(message, max_chars=max_chars))
    if not any(map(_QUESTION.search, sentences)):
        return (Asked(" ".join(sentences)),)
    asked: list[Asked] = []
    story: list[str] = []
    for sentence in sentences:
        if not _QUESTION.search(sentence):
            story.append(sentence)
            continue
        new = Asked(sentence, " ".join(story))
        if asked and (len(asked) == MOST_QUESTIONS or _points_back(sentence)):
            new = asked.pop().followed_by(new)
        asked.append(new)
        story = []
    asked[-1] = asked[-1].followed_by(Asked("", after=" ".join(story)))
    return tuple(asked)


def last_sentences(text: str, *, max_chars: int) -> str:
    """Return the end of a text: whole sentences, or of one too long sentence its end."""
    if len(text) <= max_chars:
        return text
    end = text[-max_chars:]
    whole = [end[found.end() :].strip() for found in _SENTENCE.finditer(as_simplified(end))]
    return whole[0] if whole and whole[0] else end


def _sentences(text: str) -> list[str]:
    """Return the sentences, without courtesy; the text where there is nothing else."""
    whole = without_courtesy(text)
    found = (each.span() for each in _SENTENCE.finditer(as_simplified(whole)))
    bare = [without_courtesy(whole[start:end]) for start, end in found]
    return [sentence for sentence in bare if sentence] or [text.strip()]


def _points_back(sentence: str) -> bool:
    """Return whether a question makes no sense without the one before."""
    return bool(_POINTS_BACK.search(as_simplified(sentence))) or says_nothing(sentence)


def names_nothing(question: str) -> bool:
    """Return whether a question leaves what it is about to what was said: "Is this one open?"."""
    return bool(_THIS.search(as_simplified(question)))


def says_nothing(question: str) -> bool:
    """Return whether a question has no word of its own: "And how much?"."""
    return all(
        term.role is Role.FRAME or term.readings[0] in STOP_WORDS for term in query_terms(question)
    )
