"""Whether the asker brought the text that the answer is to be made from.

A text is given where the message says so and then has one: a task on text with the text behind a
colon, on the next line or in quotes; a text announced as an email, a letter and so on; text in
tags; or a system turn that says what to answer from. It does not know what is asked of the text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from router.questions.phrases import TRADE

# The beginning and the end of a system turn that are compared with a question.
_READ_CHARS: Final = 20_000
# A body must be more than a name: words, or Han characters.
_BODY_WORDS: Final = 2
_BODY_HAN: Final = 3
# A passage is longer than a term of the house in quotes.
_PASSAGE_WORDS: Final = 4
_PASSAGE_HAN: Final = 8
# Share of a question's own words that its context must hold.
_SHARED_WORDS: Final = 0.5
_SHARED_PAIRS: Final = 0.34

_NOUN_EN = (
    r"(?:text|sentences?|paragraphs?|passage|e-?mail|mail|letter|message|note|notes|article|memo"
    r"|report|document|excerpt|context|content|story|poem|review|transcript|conversation|chat"
    r"|description|snippet|code|data|figures|numbers|words?|phrase|draft|reply|minutes|log|table"
    r"|list|recipe|contract|announcement|essay|speech|quote|comment|feedback|post|information)"
)
_THIS_EN = (
    rf"(?:this|these|those|the following|the (?:\w+ )?{_NOUN_EN}|my (?:\w+ )?{_NOUN_EN}"
    r"|following|below|here)"
)
# Verbs that work on text and on nothing else, and those that need "this text" beside them.
_ON_TEXT_EN = (
    r"(?:translate|rewrite|rephrase|reword|paraphrase|proof-?read|summari[sz]e|sum up|shorten"
    r"|polish|condense|correct the|(?:correct|fix|check|improve) (?:the|my|any|all)(?: the)? "
    r"(?:grammar|spelling|typos|punctuation|english|mistakes|errors|wording))"
)
_ON_THIS_EN = (
    r"(?:make|turn|put|convert|change|fix|correct|edit|improve|simplify|expand|extract|format"
    r"|classify|label|count|reply|respond|answer|continue|complete|check|read|analy[sz]e|explain"
    r"|list|sort|clean|look at|pull|find|get|write|bring|express|say|word|describe|compare)"
)
_INTO_EN = r"(?:convert|turn|put|format|change|bring)"
_NOUN_ZH = (
    "(?:话|文字|文本|句子|句|段落|段|文章|邮件|信|内容|材料|资料|消息|评论|留言|笔记|记录|通知"
    "|代码"
    "|数据|故事|报告|原文|文档|信息|上下文|诗|稿子|草稿|对话)"
)
_THIS_ZH = (
    rf"(?:这[一几两]?[段句篇封条份首]{_NOUN_ZH}?|这[些个]{_NOUN_ZH}?|下面|以下|下列|如下|下述"
    rf"|下文|上文"
    rf"|上面的?{_NOUN_ZH}|我的{_NOUN_ZH})"
)
_ON_TEXT_ZH = (
    "(?:改[一掉个]?下?(?:错别?字|病句|语病|语法|标点)|翻译|翻成|译成|译为|润色|改写|重写|缩写|缩短|精简|扩写|校对|改错|纠正|订正|改正|改得|改成"
    "|改为"
    "|续写)"
)
_ON_THIS_ZH = (
    "(?:总结|概括|归纳|整理|提取|摘要|回复|回答|列成|转成|转换|做成|写|读|看|说|找|检查|分析|解释"
    "|数"
    "|改|变成|语病|意思|对不对|通顺|润色|简化|分类|阅读|指出|讲|大意|主旨|中心|主要|属于|情感)"
)
# What makes an object a fact of the house, not a text that was brought.
_OF_THE_HOUSE = re.compile(
    r"\b(?:your|you guys|you have|you offer)\b|你们|贵店|贵司|questions?$|问题$"
)

_QUOTED = re.compile(r"[\"“「『](?P<body>[^\"”」』]{2,})[\"”」』]|```(?P<code>.+?)```", re.DOTALL)
_TAGGED = re.compile(
    r"<(context|document|documents|text|article|passage|source|sources|email|data|content|excerpt"
    r"|quote|transcript)\b[^>]{0,80}>.{4,}?</\1>",
    re.DOTALL,
)
_ANNOUNCED = re.compile(
    rf"\b(?:here(?:'s| is| are)|below (?:is|are)|this is|these are|the following is|i (?:got|have"
    rf"|wrote|received)|attached)\b[^.?!:\n]{{0,40}}?\b{_NOUN_EN}\b(?:[^.?!:\n]{{0,60}}[:\n]|[^:\n]{{0,160}}\n\s*\n)"
    r"|(?:^|\n)(?:my|our|his|her|their) (?:\w+ )?(?:notes?|draft|minutes|essay|speech|poem)\s*:"
    r"|(?:^|\n)(?:the )?(?:text|context|document|passage|article|excerpt|e-?mail|letter|transcript"
    r"|paragraph)\s*:"
    rf"|(?:下面|以下|这|这里|附上)[^。?!:\n]{{0,3}}(?:是|有)?[^。?!:\n]{{0,12}}{_NOUN_ZH}"
    rf"[^。?!:\n]{{0,12}}[:\n]|(?:^|\n)(?:原文|正文|文本|资料|材料|内容|背景|上下文|文章)\s*:"
)
_BASED_ON = re.compile(
    rf"\b(?:based on|according to|using|from|given|in|with|use)(?: only)? {_THIS_EN}\b"
    r"[^\n:]{0,80}?(?:[:\n]|\?(?=\s))"
    r"|(?:根据|阅读|读|参考)(?:短文|文章|材料|上文|原文|课文|资料)[^:\n]{0,40}[:\n]"
    r"|(?:根据|基于|按照|参考|阅读|依据|结合|从)(?:下面|以下|下列|如下|上述|这段|这篇|这封|所给"
    r"|给出|给定)"
    r"[^:\n]{0,40}[:\n]"
)
_TASK = re.compile(
    rf"\b{_ON_TEXT_EN}\b[^\n:]{{0,80}}?(?:[:\n]|\?(?=\s))"
    rf"|\b{_ON_THIS_EN}\b[^\n:.]{{0,40}}?\b{_THIS_EN}\b[^\n:.]{{0,80}}?[:\n]"
    rf"|\b{_INTO_EN}\b[^\n:.]{{0,20}}?\b(?:to|into|as|in) [^\n:.]{{2,40}}?[:\n]"
    r"|\b(?:title|headline|heading|caption|subject line|slogan) (?:for|to|of) "
    r"(?:this|the following)\b[^\n:.]{0,30}[:\n]"
    r"|\bthe following (?!question)[^\n:?]{0,30}[:?\n]"
    rf"|\b(?:is|are|does|do|what|who|when|where|how|which)\b[^\n:?]{{0,40}}?\b(?:this|these"
    rf"|the following) {_NOUN_EN}\b[^\n:?]{{0,60}}?[:?\n]"
    rf"|{_ON_TEXT_ZH}[^:\n。]{{0,30}}[:\n]|(?:概括|总结|归纳|提炼)[^:\n。?]{{0,8}}:(?=[^\n]{{15}})"
    rf"|(?:{_ON_THIS_ZH}[^:\n。]{{0,20}}{_THIS_ZH}|{_THIS_ZH}[^:\n。]{{0,20}}{_ON_THIS_ZH}"
    rf"|{_THIS_ZH}[^:\n。]{{0,12}}{_ON_TEXT_ZH}|用[^:\n。]{{1,20}}(?:语气|口吻"
    rf"|风格)[^:\n。]{{0,12}})"
    rf"[^:\n。?]{{0,30}}[:\n?]"
)
_TASK_ON_QUOTE = re.compile(
    rf"\b{_ON_TEXT_EN}\b|\b(?:this|these|the following) {_NOUN_EN}\b|\bgrammatical|\bhere\b"
    rf"|\bmentioned\b"
    rf"|\bmake (?:this|it|that|these)\b[^.?!:]{{0,20}}?\b(?:\w+er|more|less|nice|sound)\b"
    rf"|\bmore (?:polite"
    rf"|formal|friendly)|{_ON_TEXT_ZH}|{_THIS_ZH}|(?:写|拟|起草)[^。]{{0,8}}(?:回复|答复|回信)"
    rf"|语病"
)
# What a text in quotes means; a word in quotes may be a word of the house.
_ASKS_MEANING = re.compile(
    r"\bwhat (?:does|do|is) (?:this|that|it|these)\b[^.?!]{0,12}?\b(?:mean|say|in english)\b"
    r"|\bwhat language\b|(?:什么|啥)意思|怎么(?:翻译?|念|读)|(?:哪国|什么)语言|出自|谁写的"
)
# A text of the asker's own, and at the end the tone or form that it should have.
_OWN_TEXT = re.compile(
    r"\b(?:wrote|texted|replied|answered|emailed|said|told (?:me|him|her|them|us))\b"
    r"[^.?!:\n]{0,40}:[^\n]{12,800}[.!?\n]\s*(?:(?:can|could|would) you |please )*"
    r"(?:make|rewrite|reword|rephrase|translate|shorten|correct|soften|improve) (?:it|this|that)\b"
)
_SYSTEM_CONTEXT = re.compile(
    rf"\b(?:answer|respond|reply|use|using|based|according|rely|consult|given)\b[^\n:]{{0,60}}"
    rf"\b{_NOUN_EN}\b[^\n:]{{0,40}}[:\n]"
    r"|\b(?:context|documents?|passages?|excerpts?|sources?|articles?|background|reference"
    r"|knowledge"
    r"|information|facts)\b[^\n:]{0,20}[:\n]"
    rf"|(?:根据|基于|参考|使用|依据|以下|下面|已知)[^:\n]{{0,30}}[:\n]"
    r"|(?:资料|材料|上下文|背景|文档|参考|知识|信息)[^:\n]{0,8}[:\n]"
)

_CLAUSE_END = re.compile(r"[.!?。\n]")
_WORD = re.compile(r"[a-z]{3,}")
_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]")
_HAN_RUN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]{2,}")
_ASKING_ZH = re.compile(
    "什么时候|什么|怎么样|怎么|多少|多久|哪[里儿些个]?|谁|几|可以|能不能|能|请问|请|吗|呢|是|的"
    "|了|有"
    "|在|我们|我|你们|你|要|会|为|告诉|一下|根据|回答"
)
_ASKING_EN: Final = frozenset(
    """
    about according also and answer any are ask asked based been can could did does due each ever
    every explain find for from get give given goes had has have her here his how its know let long
    many may mean much must need not now off often one only our out please say says shall she
    should
    some tell than that the their them then there these they thing this those time was way were
    what
    when where which who whom whose why will with would you your
    """.split()
)


def has_given_text(text: str) -> bool:
    """Return whether a message brings a text to work on or to answer from.

    Args:
        text: The message in lower case NFKC, lines kept.
    """
    if _TAGGED.search(text):
        return True
    quoted = [match["body"] or match["code"] for match in _QUOTED.finditer(text)]
    around = _QUOTED.sub(" ", text)
    if any(_is_word(body) for body in quoted) and _TASK_ON_QUOTE.search(around):
        return not _OF_THE_HOUSE.search(around)
    if any(_is_passage(body) for body in quoted) and _ASKS_MEANING.search(around):
        return True
    if _OWN_TEXT.search(text):
        return True
    return any(
        _has_body(text[match.end() :])
        and not _OF_THE_HOUSE.search(_clause_before(text, match.end()))
        for pattern in (_TASK, _BASED_ON, _ANNOUNCED)
        if (match := pattern.search(text)) is not None
    )


def is_answered_by(question: str, instructions: Sequence[str]) -> bool:
    """Return whether a system turn says what to answer from, and speaks of what is asked.

    Args:
        question: The message in lower case NFKC.
        instructions: The system turns, likewise.
    """
    return any(
        shares_words(question, text[match.start() :])
        for text in instructions
        if (match := _SYSTEM_CONTEXT.search(text) or _TAGGED.search(text)) is not None
        and _has_body(text[match.end() :] or text)
    )


def shares_words(question: str, text: str) -> bool:
    """Return whether a text speaks of what a question asks, as far as words can tell.

    True where the question has no words of its own, or where the two are in different scripts.
    """
    if len(text) > 2 * _READ_CHARS:
        text = text[:_READ_CHARS] + " " + text[-_READ_CHARS:]
    is_han = bool(_HAN.search(question))
    if is_han is not bool(_HAN.search(text)):
        return True
    if is_han:
        runs = _HAN_RUN.findall(_ASKING_ZH.sub(" ", question))
        pairs = {run[at : at + 2] for run in runs for at in range(len(run) - 1)}
        return not pairs or sum(pair in text for pair in pairs) >= _SHARED_PAIRS * len(pairs)
    words = {word[:5] for word in _WORD.findall(question) if word not in _ASKING_EN}
    known = {word[:5] for word in _WORD.findall(text)}
    return not words or len(words & known) >= _SHARED_WORDS * len(words)


def _clause_before(text: str, end: int) -> str:
    """Return the clause that ends there: the instruction itself, without what stands before it."""
    return _CLAUSE_END.split(text[: end - 1])[-1]


def _has_body(body: str) -> bool:
    """Return whether what stands behind the mark is a text and not a name."""
    return len(_HAN.findall(body)) >= _BODY_HAN or len(body.split()) >= _BODY_WORDS


def _is_passage(body: str) -> bool:
    """Return whether it is longer than a name or a term, and no rule of the house."""
    if TRADE.search(body):
        return False
    return len(_HAN.findall(body)) >= _PASSAGE_HAN or len(body.split()) >= _PASSAGE_WORDS


def _is_word(body: str) -> bool:
    return any(character.isalpha() for character in body)
