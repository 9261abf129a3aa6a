"""The prompts that chat front-ends send for their own use: titles, tags, follow-ups, queries.

A prompt is recognised by its whole frame: the instruction it begins with, what it says of the
output, and the conversation or the closing mark at its end. A message that only asks for a title
is a user's. It does not know what is done with such a prompt.

Source: the default templates of Open WebUI, LibreChat, NextChat, Cherry Studio and Chatbox, each
described by its fixed sections.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

# A frame is a page of instructions and some turns of a chat; a longer message is not read.
_READ_CHARS: Final = 200_000
# A heading of a frame, and what a front-end wants for itself.
_HEADING: Final = re.compile(r"^#{3,4} \**([A-Za-z][A-Za-z ]{0,30}?)\**:\s*$", re.MULTILINE)
_PRODUCT: Final = re.compile(
    r"\b(?:title|tags?|topics?|emoji|follow[-_]?ups?|quer(?:y|ies)|autocompletion|prompt)\b",
    re.IGNORECASE,
)
_HISTORY: Final = re.compile(
    r"<chat_history>.*</chat_history>(?:\s*<type>.*</type>\s*<text>.*</text>\s*#+ Output:)?",
    re.DOTALL,
)
_SPEAKER: Final = r"(?:user|human|assistant|ai|用户|助手)"
# Turns with the speaker's name in front, to the end of the message.
_TURNS: Final = rf"(?:\|\|>)?{_SPEAKER}\s*[:\uff1a].+"

_FRAMES: Final = tuple(
    re.compile(pattern, re.DOTALL | re.IGNORECASE)
    for pattern in (
        # One paragraph of instruction with examples, then the history.
        r"(?:Create|Generate) an? .{0,80}?(?:title|tags).{0,400}?"
        r"(?:respond|reply|answer) only with.{0,1000}?<chat_history>.*</chat_history>",
        # "A concise title for the conversation; only the title", then the turns.
        r"(?:Please )?(?:provide|generate|write|create) a (?:very )?(?:concise|short|brief)\b"
        r".{0,40}? title for (?:the|this) (?:conversation|chat)\b.{0,300}?"
        rf"(?:only return|return only|respond with|never|nothing else).{{0,200}}?\n\s*{_TURNS}",
        # "Analyze this conversation and provide: language, title", then the turns.
        r"Analyze this conversation and provide:.{0,200}?language.{0,200}?title.{0,200}?"
        rf"\n\s*{_TURNS}",
        # Alone behind a conversation, or in front of one: a title of so many words and no more.
        r"Please generate a (?:\w+ to \w+|\w+[- ]to[- ]\w+) word title summarizing our "
        r"conversation without any .{0,300}",
        r"Summarize the discussion briefly in \d+ words or less to use as a prompt for future "
        r"context\.?",
        r"使用[一二三四五六七八九十]+到[一二三四五六七八九十]+个字直接返回这句话的简要主题[,\uff0c].{0,120}",
        r"简要总结一下对话内容[,\uff0c]用作后续的上下文提示.{0,60}",
        rf"总结给出的会话[,\uff0c]将其总结为.{{0,40}}标题[,\uff0c].{{0,200}}?(?:\n\s*{_TURNS})?",
        # A name for the conversation in so many characters, the turns fenced in the middle.
        r"Based on the chat history, give this conversation a name\..{0,300}?```.*```.{0,300}",
        # An emoji for one message.
        r"Your task is to reflect the speaker's likely facial expression through a fitting emoji\."
        r".{0,300}?Message:\s*```.*```",
    )
)


def is_helper_prompt(message: str, instructions: Sequence[str] = ()) -> bool:
    """Return whether a front-end sends this for its own use.

    Args:
        message: The last turn, as it was sent.
        instructions: The system turns; some front-ends put the instruction there and the
            conversation into the message.
    """
    if len(message) > _READ_CHARS:
        return False
    if _fits(message):
        return True
    framing = [text for text in instructions if len(text) <= _READ_CHARS]
    return bool(framing) and _fits("\n".join((*framing, message)))


def _fits(text: str) -> bool:
    stripped = text.strip()
    return _has_sections(stripped) or any(frame.fullmatch(stripped) for frame in _FRAMES)


def _has_sections(text: str) -> bool:
    """Return whether it is headed sections: the task first, the chat history last."""
    head, found, _ = text.partition("<chat_history>")
    if not found or not head.startswith("### Task:"):
        return False
    headings = list(_HEADING.finditer(head))
    names = [heading[1].lower() for heading in headings]
    if len(names) < 3 or not {"guidelines", "instructions", "output"} & set(names):
        return False
    is_last = names[-1] in ("chat history", "context")
    wants = _PRODUCT.search(head, headings[0].end())  # in the task, or the key of the output
    return is_last and bool(wants) and bool(_HISTORY.fullmatch(text[len(head) :]))
