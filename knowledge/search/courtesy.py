"""What people say around a question: greetings, thanks, "could you please tell me", their name.

It knows such words in English and Chinese, traditional letters read as simplified ones; it does not
know what is asked. They are taken away at
the edges of a text only: inside it, the same words may be what the question is about.
"""

import re

from knowledge.languages import as_simplified

MOST_REMARKS, EDGE_CHARS = 6, 160
"""A longer or more polite frame than six remarks of a line or two is left as it is: no pattern is
tried along a whole text."""

_OPENINGS = (
    r"(?:hello|hi|hey|good (?:morning|afternoon|evening|day)|greetings|dear [\w' ]{1,30}?)"
    r"(?: there| all| everyone| team| everybody)?(?:[,.!;:]+|\s*-\s|\s*\n|\s+(?=(?-i:[a-z]))|$)",
    r"(?:i hope (?:you are|you're|this (?:mail|email|message) finds you) [\w ]{1,30}[.,!])",
    r"(?:my name is|this is|i am|i'm) (?-i:[A-Z])[\w'-]+(?: (?-i:[A-Z])[\w'-]+){0,2}"
    r"(?: here| speaking)?[.,!;]\s*(?:and\s+)?",
    r"(?:sorry|excuse me|pardon)(?: to (?:bother|disturb) you)?"
    r"(?: for (?:bothering|asking)[\w ]{0,20})?[,.!;:]+(?:\s*but\b)?",
    r"(?:please|kindly)[, ]+(?:(?:tell|inform|advise|explain to) (?:me|us)\b[,:]?|(?=\w))",
    r"(?:can|could|would|will|may) (?:you|anyone|anybody|somebody|someone)"
    r"(?: (?:please|kindly|maybe|perhaps|possibly))*"
    r"(?: be so kind (?:as to|and))? (?:tell|inform|advise|explain to|let) (?:me|us)"
    r"(?: know)?(?: please)?[,:]?(?=\s)",
    r"(?:do you (?:know|happen to know)|any idea|(?:may|can|could) i ask"
    r"|i would like to ask|i'd like to ask|i want to ask|i have a (?:quick |short |small )?question"
    r"|(?:just )?(?:a )?quick question|(?:one|a) question)[,.!:;]*(?=\s)",
    r"(?:(?:can|could|would) you (?:please )?help(?: me| us)?(?: out)?(?: please)?(?=[?.!,]|$))",
    r"(?:i was wondering|i am wondering|i'm wondering|i wonder|i would like to know"
    r"|i'd like to know|i want to know|i need to know)[,:]*(?=\s)",
)
_CLOSINGS = (
    r"(?:many |so |very )*(?:thanks|thank you|thx|cheers)(?: (?:you|so|very|much|a lot|in advance"
    r"|again|for (?:your|the) [\w ]{1,30}|and [\w ]{1,30}))*",
    r"(?:please|pls|kindly)",
    r"(?:(?:best|kind|warm) )?(?:regards|wishes)(?:,?\s+[\w. ]{1,40})?"
    r"|yours (?:sincerely|faithfully|truly)(?:,?\s+[\w. ]{1,40})?",
    r"(?:have a (?:nice|good|great) (?:day|evening|weekend))",
    r"(?:i (?:would|'d) appreciate (?:it|your help|any help)|any help is (?:welcome|appreciated))",
    r"(?:looking forward to (?:your|hearing)[\w ]{0,30})",
)
_ZH_OPENINGS = (
    r"(?:您好|你好|大家好|哈[喽啰]|嗨|早上好|上午好|下午好|晚上好|早安)",
    r"(?:请问(?:一下)?|想请问(?:一下)?|问一下|咨询一下)",
    r"(?:不好意思|打扰(?:一下|了)?|抱歉)",
    r"(?:麻烦|劳驾|烦请|唔该)(?:您|你)?(?:帮(?:我|忙)|告诉我|问一下)?(?:一下|了|啦)?",
    r"(?:我)?想(?:要)?(?:知道|了解|咨询|请教|问)(?:一下|下)?",
    r"(?:能不能|可以|能否|可否|能)?请?(?:您|你)?(?:帮我)?(?:查一下|看一下|告诉我)(?:一下)?",
    r"我(?:叫|的名字是|是)[\u4e00-\u9fff]{2,4}(?=[，,。！!])",
)
_ZH_CLOSINGS = (
    r"(?:非常|十分|多)?(?:谢谢|感谢|多谢|唔该)(?:您|你|大家|啦|了|您的[\u4e00-\u9fff]{1,6})*",
    r"(?:麻烦|拜托)(?:您|你)?(?:了|啦)?",
    r"(?:辛苦)(?:您|你)?(?:了|啦)",
    r"祝(?:好|您[\u4e00-\u9fff]{1,6})",
)
_EDGE = r"[\s,.!;:~…，。！；：、～]*"
_OPENING = re.compile(
    rf"{_EDGE}(?:(?:{'|'.join(_OPENINGS)})|(?:{'|'.join(_ZH_OPENINGS)}))[\s,.!;:，。！；：、]*",
    re.I,
)
_CLOSING = re.compile(
    rf"(?:(?:^|[\s,.!;:?])(?:{'|'.join(_CLOSINGS)})|(?:{'|'.join(_ZH_CLOSINGS)})){_EDGE}$", re.I
)
_HAS_WORDS = re.compile(r"\w")


def without_courtesy(text: str) -> str:
    """Return what a text says besides courtesy; empty where there is nothing else."""
    bare = text.strip()
    for _ in range(MOST_REMARKS):
        if found := _OPENING.match(as_simplified(bare)):
            bare = bare[found.end() :]
        if found := _CLOSING.search(as_simplified(bare), max(0, len(bare) - EDGE_CHARS)):
            bare = bare[: found.start()] + ("?" if found[0].startswith("?") else "")
    return bare.strip() if _HAS_WORDS.search(bare) else ""
