"""Messages that need no source: small talk, about the assistant, about the last answer.

Each is recognised by taking out what belongs to it: nothing may be left. So a question of fact
beside a greeting is never small talk. It does not know the classifier, nor text that was brought.
"""

from __future__ import annotations

import re
from typing import Final

from router.questions import assistant_phrases as assistant
from router.questions import talk_phrases as phrases
from router.questions.phrases import TRADE

LATIN_WORD: Final = re.compile(r"[^\W\d_\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+(?:'[^\W\d_]+)?")
HAN: Final = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")
_WISH_WORDS: Final = phrases.WISH_FILLER_EN | assistant.LANGUAGE_EN
_BETWEEN: Final = " ,.!?;~\u3002"
# Longer messages are about something.
_MOST_CHARS: Final = 160
_THEIR_HOUSE: Final = re.compile(r"\byour (?:company|firm|business|organi[sz]ation|shop|store)\b")
_HUMAN_WANTED = re.compile(
    r"\b(?:can|could|may|want|wanna|need|like|let|have|get|give|connect|put|prefer)\b.*"
    r"\b(?:to|with|a|real|another) (?:\w+ )?(?:human|person|agent|people|someone|somebody)\b"
)
_AGENT_ZH = re.compile("(?:智能|人工|在线)+(?:客服)?")
_LAUGHTER = re.compile(r"(?<!\w)(?:lol|lmao|rofl|(?:ha){2,}h?|(?:he){2,})(?!\w)|哈哈|嘻嘻|笑死")
_ASKS_EN = re.compile(
    r"\?|(?:^|[.!;\n])\s*(?:\W*(?:so|and|but|oh|well|hey|hi|hello|ok|okay|lol|(?:ha){2,}),?)* ?"
    r"(?:who|when|where|which|why|is|are|was"
    r"|were|do|does|did|can|could|will|would|should|may|has|have (?:you|i|we|they)"
    r"|what(?!'? ?an?\b| the\b)|how(?! (?:\w+)\W*$| \w+ (?:it|that|this|you) (?:is|are|was)))\b"
)
_ASKS_ZH = re.compile(
    "[?]|吗|么[。!~ ]*$|呢[。!~ ]*$|什么|怎么|怎样|如何|为什么|哪|谁|多少|几点|几天|多久|能不能"
    "|有没有"
)


def is_small_talk(text: str) -> bool:
    """Return whether something chatty was said and nothing is left once it is taken out."""
    if not any(character.isalnum() for character in text):
        return True
    rest, chatty = phrases.CHAT_EN.subn(" ", text)
    rest, chatty_zh = phrases.CHAT_ZH.subn(" ", rest)
    is_chat = bool(chatty + chatty_zh) and _has_only(rest, phrases.CHAT_FILLER_EN)
    if is_chat and all(c in phrases.CHAT_FILLER_ZH for c in _letters_left(rest)):
        return True
    return _is_remark_on_life(text) or _is_joke(text)


def without_chat(text: str) -> str:
    """Return what is left of a message once the greetings and thanks before it are taken out."""
    rest = text
    while chat := phrases.CHAT_EN.match(rest) or phrases.CHAT_ZH.match(rest):
        rest = rest[chat.end() :].lstrip(_BETWEEN)
    return rest


def is_about_assistant(text: str) -> bool:
    """Return whether the text asks who or what the assistant is or can do, and nothing else."""
    if len(text) > _MOST_CHARS:
        return False
    if assistant.ABOUT_EN.fullmatch(text) or assistant.ABOUT_ZH.fullmatch(text):
        return True
    words = set(LATIN_WORD.findall(text))
    itself = assistant.SELF_EN | assistant.LANGUAGE_EN
    if not words & assistant.YOU_EN or not words & itself:
        return False
    if any(c.isdigit() for c in text) or HAN.search(text) or _HUMAN_WANTED.search(text):
        return False
    if _THEIR_HOUSE.search(text):
        return False
    return words <= assistant.YOU_EN | itself | assistant.SELF_FILLER_EN


def speaks_of_machine(text: str) -> bool:
    """Return whether it says or asks that a person or a machine answers, and no matter of trade.

    Only to be believed where the classifier takes the text for small talk as well.
    """
    if len(text) > _MOST_CHARS or _HUMAN_WANTED.search(text) or not assistant.MACHINE.search(text):
        return False
    return not TRADE.search(_AGENT_ZH.sub(" ", text))


def is_about_last_answer(text: str) -> bool:
    """Return whether the text wishes something of the answer before it, and nothing else.

    Only to be asked where there is such an answer.
    """
    if len(text) > _MOST_CHARS:
        return False
    rest, wished = phrases.WISH_EN.subn(" ", text)
    rest, wished_zh = phrases.WISH_ZH.subn(" ", rest)
    names_language = not assistant.LANGUAGE_EN.isdisjoint(LATIN_WORD.findall(rest))
    # A parcel can be sent again as well, but not in another language.
    words = _WISH_WORDS | {"send", "type"} if names_language else _WISH_WORDS
    if not _has_only(rest, words):
        return False
    is_wish = bool(wished or wished_zh or names_language)
    return is_wish and not _letters_left(phrases.WISH_FILLER_ZH.sub(" ", rest))


def _is_remark_on_life(text: str) -> bool:
    """Return whether it is a remark on weather, mood or the talk itself, and asks nothing."""
    if len(text) > _MOST_CHARS or any(character.isdigit() for character in text):
        return False
    if HAN.search(text):
        if _ASKS_ZH.search(text):
            return False
        rest, found = phrases.LIFE_ZH.subn(" ", text)
        return bool(found) and not _letters_left(phrases.LIFE_FILLER_ZH.sub(" ", rest))
    words = set(LATIN_WORD.findall(text))
    known = phrases.LIFE_EN | phrases.LIFE_FILLER_EN
    return bool(words & phrases.LIFE_EN) and words <= known and not _ASKS_EN.search(text)


def _is_joke(text: str) -> bool:
    """Return whether it laughs at something that is no matter of trade, and asks nothing."""
    if len(text) > _MOST_CHARS or not _LAUGHTER.search(text) or TRADE.search(text):
        return False
    return not (_ASKS_EN.search(text) or _ASKS_ZH.search(text))


def _has_only(rest: str, words: frozenset[str]) -> bool:
    """Return whether every Latin word is one of these, and no number is left."""
    return words.issuperset(LATIN_WORD.findall(rest)) and not any(c.isdigit() for c in rest)


def _letters_left(rest: str) -> list[str]:
    """Return the letters beside Latin words."""
    return [c for c in LATIN_WORD.sub(" ", rest) if c.isalpha()]
