"""The cues by which the question classifier reads a text, the same ones for English and Chinese.

Vocabulary only, as patterns over lower-case NFKC text. A cue has one name in both languages, so
that what is learned of it in one holds in the other; what follows from it is fitted, not written.
The phrases were written for this project. After a change: `fingerpost route fit`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, NamedTuple


class Cue(NamedTuple):
    """One cue: how it looks in English and in Chinese."""

    en: re.Pattern[str]
    zh: re.Pattern[str]


def _cue(en: str, zh: str) -> Cue:
    return Cue(re.compile(en), re.compile(zh))


def _words(phrases: str) -> str:
    """Return a pattern that matches any of the bar-separated phrases as whole words."""
    return rf"(?<!\w)(?:{phrases})(?!\w)"


_WH = "who|whom|whose|what|what's|when|where|which|why|how"
_THING = "it|they|the|there|this|that|these|those|he|she|its|any|a|an"
_ASKING = (
    "(?:please |can you |could you |would you |help me |let's |i'd like to "
    "|i (?:want|need|would like) (?:you )?to )*"
)
_DOING = (
    "add|apply|block|book|buy|call|cancel|change|check|close|create|delete|edit|file|find|flip"
    "|freeze|get|give|increase|make|move|open|order|pay|play|put|raise|recover|redeem|remind|remove"
    "|rent|report|reserve|reset|roll|schedule|see|send|set|share|sign|skip|start|stop|submit"
    "|subscribe|swap|switch|take|text|track|transfer|turn|update|view"
)

CUES: Final[Mapping[str, Cue]] = {
    "question_word": _cue(
        _words(_WH),
        "什么|怎么|怎样|如何|为什么|为何|哪|谁|多少|多久|多长|几[点个岁年号]|啥|咋",
    ),
    "question_word_first": _cue(
        rf"^(?:so |and |ok |okay |also |well )?(?:{_WH})\b", "^(?:谁|什么|哪|为什么|怎么)"
    ),
    "yes_or_no": _cue(
        _words(rf"(?:is|are|was|were|do|does|did|has|have|had|will) (?:{_THING})"),
        "吗|么[?？]|是不是|有没有|是否",
    ),
    "yes_or_no_shape": _cue(
        r"^(?:is|are|was|were|do|does|did|has|have|had|will|can|could|would|should)\b",
        "(?:吗|么)[?？。]*$",
    ),
    "wish": _cue(
        _words(
            "i (?:want|need|would like|wanna|have to|must|wish|am looking|gotta)|i'd like"
            "|i'm looking|i'll need|we need|we want"
        ),
        "我想|我要|我们想|想要|打算|准备|计划",
    ),
    "do_it_for_me": _cue(
        _words(
            "(?:can|could|would|will) (?:you|u|ya)|please|pls|help me|help|assistance|let's"
            "|for me|i need you to"
        ),
        "帮我|请|麻烦|给我|推荐|能不能|可以帮",
    ),
    "let_me_know": _cue(
        _words("tell me|know|explain|find out|let me know|show me"), "知道|告诉|了解|介绍|听说"
    ),
    "order_first": _cue(
        rf"^{_ASKING}(?:{_DOING})\b",
        "^(?:你好，?|您好，?|好的，?)?(?:请|帮我|麻烦|我想找|我想|给我)",
    ),
    "mine": _cue(_words("my|mine|our"), "我的|我家|我们的"),
    "you": _cue(_words("you|your|you're|yours|u|ya|yourself|thou|thee"), "你|您"),
    "about_the_assistant": _cue(
        _words(
            "ai|bot|robot|human|name|old|pets?|hobby|hobbies|jokes?|meaning of life|boss|made"
            "|created|built|from|fun|age|born|person|computer|thanks?|bye|hello|hi|hey"
        ),
        "你是谁|你叫|机器人|笑话|再见|谢谢|拜拜|你好$",
    ),
    "reply_first": _cue(
        r"^(?:yes|no|ok|okay|sure|great|thanks|thank|perfect|awesome|alright|sounds)\b",
        "^(?:好的|嗯|是的|是啊|哦|对|行|恩|哈|可以|谢|那)",
    ),
    "feeling": _cue(
        _words("love|wow|haha|lol|nice|good|great|happy|sad|upset|funny|fine") + "|!",
        "哈哈|呵呵|厉害|真|太|挺|很|好看|不错|喜欢|羡慕|可惜|希望|感觉|觉得|啊|呀|呢|吧|!",
    ),
    "digit": _cue(r"\d", r"\d"),
    "time": _cue(
        r"\b(?:today|tomorrow|tonight|(?:mon|tues|wednes|thurs|fri|satur|sun)day|am|pm|\d+:\d+"
        r"|week|next|latest|year|month)\b",
        "今天|明天|[年月日点]|附近|周边",
    ),
    "quotation": _cue("[\"“”‘’]|'[a-z ]+'", "[《》“”]"),
    "comma": _cue(",", ","),
    "question_mark": _cue(r"\?", r"\?"),
}
