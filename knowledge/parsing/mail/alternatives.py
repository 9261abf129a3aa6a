"""Of several versions of one text the fuller, and what only the others say.

It knows words and figures; it does not know how a version is written. A mail says the same as plain
text and as a page; some say it in one of them only, and in the other that it is elsewhere.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from html import unescape
from itertools import pairwise

from knowledge.parsing.blocks import Block, Paragraph, Table, render

MOST_MISSING = 0.1  # of the words: pages have a footer, alternative texts and links besides
FIGURE_CHARS = 2  # shorter ones are marks of items and notes
NOTICE_CHARS = 300
MOST_VERSIONS = 8  # compared; mails have two or three
NOTICES = (
    "html", "browser", "webmail", "mail client", "mail program", "mail reader", "浏览器", "瀏覽器",
    "邮件客户端", "郵件軟體", "无法显示", "无法正常显示", "無法顯示", "無法正常顯示",
)  # fmt: skip
"""Words of a version that only says that the text is elsewhere."""
_WORD = re.compile(r"[^\W_]+")
_PARTED = re.compile(r"(?<=[^\x00-\x7f])\s+(?=[^\x00-\x7f])")  # a line may end in a Chinese word
_PLACE = re.compile(r"<?\b(?:https?|ftp|mailto|tel):[^\s<>\]]+>?|\[(?:cid|image)[^\]]*\]")
_BLANK = re.compile(r"\n\n+")


def fullest(versions: Iterable[Sequence[Block]]) -> list[Block]:
    """Return one of the versions, and the paragraphs of the others that say something else.

    Args:
        versions: The plainest first. It is taken where no other says more, or has a table.
    """
    fuller: Sequence[Block] = ()
    for number, version in enumerate(filter(None, versions)):
        if number < MOST_VERSIONS:
            fuller = _joined(fuller, version) if fuller else version
        else:
            fuller = [*fuller, *version]
    return list(fuller)


def unsaid(blocks: Iterable[Block], said: Sequence[Block]) -> list[Block]:
    """Return the blocks with words that `said` does not have."""
    known = _words(said)
    return [block for block in blocks if not _covers(known, _words([block]))]


def _joined(plain: Sequence[Block], rich: Sequence[Block]) -> Sequence[Block]:
    plain_words, rich_words = _words(plain), _words(rich)
    is_said = _covers(plain_words, rich_words)
    is_page = _covers(rich_words, plain_words)
    if is_said and not (is_page and any(isinstance(block, Table) for block in rich)):
        return plain
    if is_page:
        return rich
    paragraphs = list(_paragraphs(plain))
    own = [block for block in paragraphs if not _is_notice(block)]
    if len(_words(own)) > len(rich_words):
        return [*own, *unsaid(rich, own)]
    return [*rich, *unsaid(own, rich)]


def _words(blocks: Sequence[Block]) -> frozenset[str]:
    """Return the words of blocks, as pairs of letters where they may be Chinese; no addresses."""
    text = _PARTED.sub("", unescape(render(blocks).text.casefold()))
    text = _PLACE.sub(" ", text)
    return frozenset(part for word in _WORD.findall(text) for part in _pairs(word))


def _pairs(word: str) -> Iterable[str]:
    if word.isascii() or len(word) == 1:
        return (word,)
    return (first + second for first, second in pairwise(word))


def _covers(known: frozenset[str], words: frozenset[str]) -> bool:
    """Say whether all figures and nearly all words are known."""
    missing = words - known
    if any(_is_figure(word) for word in missing):
        return False
    return len(missing) <= MOST_MISSING * len(words)


def _is_figure(word: str) -> bool:
    return len(word) >= FIGURE_CHARS and any(map(str.isdigit, word))


def _paragraphs(blocks: Iterable[Block]) -> Iterator[Block]:
    for block in blocks:
        if isinstance(block, Paragraph):
            yield from map(Paragraph, _BLANK.split(block.text))
        else:
            yield block


def _is_notice(block: Block) -> bool:
    """Say whether a paragraph only says that the text is elsewhere."""
    if not isinstance(block, Paragraph) or len(block.text) > NOTICE_CHARS:
        return False
    text = _PLACE.sub(" ", block.text.casefold())
    is_told = any(words in text for words in NOTICES)
    return is_told and not any(map(_is_figure, _WORD.findall(text)))
