"""The closed sets of what a message can be, as facts and signals name them.

It does not know how a message is read, nor what follows from it.
"""

from __future__ import annotations

from enum import StrEnum


class QuestionClass(StrEnum):
    """What a question is, as far as it says so itself: the values of `question_class`."""

    NEEDS_KNOWLEDGE = "needs_knowledge"
    CHITCHAT = "chitchat"
    TASK = "task"
    OUT_OF_SCOPE = "out_of_scope"


class NoSource(StrEnum):
    """Why a message is answered without sources: the values of `needs_no_sources`."""

    SMALL_TALK = "small_talk"
    ABOUT_ASSISTANT = "about_assistant"
    LAST_ANSWER = "last_answer"
    GIVEN_TEXT = "given_text"


class MessageKind(StrEnum):
    """What a message wants, as its vector shows: what a fitted kind classifier tells apart."""

    ABOUT_ASSISTANT = "about_assistant"
    LAST_ANSWER = "last_answer"
    SMALL_TALK = "small_talk"
    REMARK = "remark"
    GIVEN_TEXT = "given_text"
    KNOWLEDGE = "knowledge"
    ERRAND = "errand"


class ErrandKind(StrEnum):
    """What an errand is about that no assistant of text can run: the values of `errand`."""

    NONE = "none"
    TRAVEL = "travel"
    FOOD = "food"
    TICKETS = "tickets"
    DEVICE = "device"
    DIARY = "diary"
    MESSAGE = "message"
    MONEY = "money"
