"""The tokens of a text: words, pairs of Han letters, whole codes, acronyms.

It knows segmentation (Chinese and Latin), stop words and what a code looks like; it does not know
which tokens a base holds, nor how they are ranked (`full_text.py`). All text is folded (NFKC, case,
simplified Chinese) here only; stored text stays as it was.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import Enum, auto
from itertools import combinations, pairwise

import rjieba

from knowledge.languages import as_simplified
from knowledge.parsing import letters

MAX_QUERY_TOKENS = 64  # a longer question adds no evidence, only time

STOP_WORDS = frozenset(
    """a an and are as at be been but by can could did do does for from had has have how i if in
    into is it its me my no not of on or our she he so than that the their them then there these
    they this those to us was we were what when where which who whom whose why will with would
    you your
    的 了 是 在 和 与 及 或 吗 呢 啊 吧 我 你 您 他 她 它 这 那 有 也 都 就 被 把 对 为 以
    于 之 其 什么 甚么 哪 哪个 哪些 怎么 怎样 如何 多少 几 谁 请问 个 们""".split()
)
"""Words that say nothing about which passage is meant; kept only when nothing else is left. A pair
of Han letters with one of them in it lies across two words or is a word and found as one: hit@5
without such pairs rag_zh 0.991 → 0.993, rag_zh, hard 0.838 → 0.866."""

FRAME_WORDS = frozenset(
    """mean means meant meaning stand stands use used uses need needs kind type sort term word
    define definition explain describe say says said tell tells give gives show shows
    意思 含义 意义 用途 几点 多久 多长 多大 多远 解释 定义 说明 介绍 指 一下 要
    找 打 想 能 会 可以 需要 应该 该 给 从 到 来 去 说 还 再 请 让 用""".split()
)
"""Words of the question's form, which an answer need not hold; not as names: Omar *Said*."""
_NAME = re.compile(r"(?<=[a-z,] )[A-Z][a-z]+")
FOLDED_APART = {"add": "added", "adds": "added"}
"""Word → another form of it that porter folds to another stem (add, but added and adding: ad)."""
_FRAME = re.compile(
    r"\b(?:which|what|how)\s+(?:(?:kind|type|sort)s?\s+of\s+)?([^\W_]+)"
    r"|(?:哪[个些种]?|[什甚]么|几|多少)([\u4e00-\u9fff]{2})"
    r"|\b([a-z]{3,})\s+(?=\S*\d)|([\u4e00-\u9fff]{2})\s*(?=[a-z]*\d)|(?<=\d)([\u4e00-\u9fff]{2})"
)
"""The word after "which" says what kind of answer is wanted, that beside a number what it is of."""
_ASKED_OF = re.compile(r"的([\u4e00-\u9fff]{2,4})[是为]?(?:多少|[什甚]么|几|谁|哪)")
"""The same in Chinese: 张伟的*分机号*是多少."""

_SPANS = tuple(combinations(range(5), 2))

_LATIN = r"[^\W_\u2e80-\ud7ff\uf900-\ufaff\U00020000-\U0003ffff]"
_WORD = re.compile(r"[^\W_]+")
_PLAIN_WORD = re.compile(rf"{_LATIN}+")
_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003134f]+")
_CASED = re.compile(rf"(?<!{_LATIN})[^\W\d_\u2e80-\ud7ff\uf900-\ufaff]+(?!{_LATIN})")
_ACRONYM = re.compile(rf"(?<!{_LATIN})(?:[A-Z]{{2,}}|(?:[A-Z]\.){{2,}})(?!{_LATIN})")
_LINES = re.compile(r"[\n|,;:?!。？！\t]+")
_HYPHENS = "\u2010\u2011\u2212"
_CODE = re.compile(
    rf"(?:(?<!{_LATIN})(?<!\.)\.(?={_LATIN}))?{_LATIN}+(?:[-_./:]{_LATIN}+)*(?:\+{{1,2}}|\#)?(?!{_LATIN})"
)
_JOINERS = re.compile(r"[-_/]")
_PIECES = re.compile(r"/|(?<=\d)-(?=\d)")
_LETTERS_THEN_DIGIT = re.compile(r"[^\W\d_]+\W?.*\d")
_ADDRESS = re.compile(r"\d+(?:\.\d+){2,}")

_AS_TOKEN = 0xE000
"""Where a symbol of a code goes to: FTS5 takes private letters as letters. One ends each code, so
that no ending is folded. The text's own are no letters to `_WORD`, and so never mistaken."""


class Kind(Enum):
    """What a term of a question is."""

    WORD = auto()
    NUMBER = auto()
    CODE = auto()
    ACRONYM = auto()
    PAIR = auto()
    PHRASE = auto()


class Role(Enum):
    """Where a term stands. `FRAME` says what kind of answer is wanted ("which *version*")."""

    ASKED = auto()
    FRAME = auto()
    STORY = auto()
    SAID = auto()


@dataclass(frozen=True, slots=True)
class Term:
    """Something that is asked for.

    Attributes:
        readings: Its tokens, the strictest first: that which a base holds counts.
        kind: A code names one thing by itself; a number only beside words.
        parts: What is searched where the base holds no reading.
        written: A code as it is written, folded.
        role: Whether a passage without it lacks anything.
    """

    readings: tuple[str, ...]
    kind: Kind = Kind.WORD
    parts: tuple[str, ...] = ()
    written: str = ""
    role: Role = Role.ASKED


def segment(value: str, *, with_codes: bool = True) -> list[str]:
    """Return the tokens of a text as they are stored, folded.

    Han runs give dictionary words *and* pairs of neighbouring letters: segmentation depends on
    the sentence, pairs do not, so a two-letter word such as 年假 is always found. A code gives its
    parts *and* itself: 2.1 is not 2.10.

    Args:
        value: A text, a heading or a title.
        with_codes: Whether codes are kept whole too.
    """
    plain = _plain(value)
    folded = _folded(plain)
    words, pairs = _cut(folded)
    acronyms = list(_acronyms(plain))
    if acronyms:
        said = (line for line in _LINES.split(plain) if not _is_shouted(line, share=0.5))
        acronyms = [acronym for line in said for acronym in _acronyms(line)]
    codes = _stored_codes(folded) if with_codes else ()
    return [*words, *pairs, *codes, *acronyms]


def query_terms(question: str, conversation: str = "", story: str = "") -> list[Term]:
    """Return the distinct terms worth searching for: the question's, then the latest first.

    Args:
        question: Its words come before its pairs, each in reading order.
        conversation: What was said before; where it is too long, its beginning is left out.
        story: The user's own story around the question: searched, and never missed.
    """
    form = FRAME_WORDS.difference(map(str.casefold, _NAME.findall(question)))
    plain = _plain(question)
    frames = form.union(*_FRAME.findall(plain.casefold()))
    frames |= {of[at:to] for of in _ASKED_OF.findall(plain) for at, to in _SPANS}
    asked = (
        replace(term, role=Role.FRAME) if term.readings[0] in frames else term
        for term in _terms(plain, form)
    )
    told = (replace(term, role=Role.STORY) for term in list(_terms(_plain(story), form))[::-1])
    said = (
        replace(term, role=Role.SAID) for term in list(_terms(_plain(conversation), form))[::-1]
    )
    terms: dict[tuple[str, ...], Term] = {}
    for term in (*asked, *told, *said):
        if term.kind is not Kind.PHRASE or term.role is not Role.SAID:
            terms.setdefault(term.readings, term)
    content = [term for term in terms.values() if term.readings[0] not in STOP_WORDS]
    empty = (replace(term, role=Role.FRAME) for term in terms.values())
    return (content or list(empty))[:MAX_QUERY_TOKENS]


def _terms(plain: str, form: frozenset[str]) -> Iterator[Term]:
    """Yield what a text asks for: codes, acronyms, words, pairs that may be words."""
    folded = _folded(plain)
    for code in _codes(folded):
        whole, compact = _kept(code), _JOINERS.sub("", code)
        readings = (whole, compact) if compact.isalnum() and _has_both(compact) else (whole,)
        yield Term(readings, _kind(code), tuple(_WORD.findall(code)), code)
    if not _is_shouted(plain, share=0.0):
        for acronym in _acronyms(plain):
            yield Term((acronym,), Kind.ACRONYM)
    bare = _CODE.sub(lambda found: " " if _is_code(found[0]) else found[0], folded)
    words, pairs = _cut(bare)
    for word in words:
        other = FOLDED_APART.get(word)
        yield Term((word, other) if other else (word,), _kind(word))
    for pair in pairs:
        if STOP_WORDS.isdisjoint(pair):
            yield Term((pair,), Kind.PAIR)
    for phrase in _phrases(bare, form):
        yield Term((phrase,), Kind.PHRASE)


def _plain(text: str) -> str:
    return as_simplified(unicodedata.normalize("NFKC", letters.plain(text)))


def _folded(plain: str) -> str:
    folded = plain.casefold()
    for hyphen in _HYPHENS:
        folded = folded.replace(hyphen, "-")
    return folded


def _phrases(folded: str, form: frozenset[str]) -> Iterator[str]:
    """Yield two words that stand side by side and both say something: names, compounds."""
    for first, second in pairwise(_PLAIN_WORD.finditer(folded)):
        words = {first[0], second[0]}
        if first.end() + 1 == second.start() and words.isdisjoint(STOP_WORDS | form):
            if folded[first.end()] == " ":
                yield f"{first[0]} {second[0]}"


def _cut(folded: str) -> tuple[list[str], list[str]]:
    """Return the words of a folded text and the pairs of neighbouring Han letters."""
    words: list[str] = _WORD.findall(folded)
    if not _HAN.search(folded):
        return words, []
    parts: list[str] = []
    pairs: list[str] = []
    for word in words:
        runs = _HAN.findall(word)
        if not runs:
            parts.append(word)
            continue
        parts.extend(part for part in rjieba.cut_for_search(word) if part.strip())
        pairs.extend(run[at : at + 2] for run in runs for at in range(len(run) - 1))
    return parts, pairs


def _codes(folded: str) -> Iterator[str]:
    """Yield what is a code by its symbols: bx-059, err_timeout_42, 2.10, c++, .net."""
    return (found[0] for found in _CODE.finditer(folded) if _is_code(found[0]))


def _is_code(found: str) -> bool:
    if found.isalnum():
        return False  # its only token is the word that it is
    return found[0] == "." or found[-1] in "+#" or "_" in found or any(map(str.isdigit, found))


def _stored_codes(folded: str) -> Iterator[str]:
    """Yield the tokens of each code: whole, without hyphens, and its pieces that are codes."""
    for code in _codes(folded):
        yield _kept(code)
        compact = _JOINERS.sub("", code)
        if compact.isalnum() and _has_both(compact):
            yield compact
        pieces = _PIECES.split(code)
        yield from (_kept(piece) for piece in pieces if piece != code and _is_code(piece))


def _has_both(compact: str) -> bool:
    return not compact.isdigit() and not compact.isalpha()


def _kept(code: str) -> str:
    """Return a code as one token that the index does not cut."""
    letters = (c if c.isalnum() else chr(_AS_TOKEN + ord(c)) for c in code)
    return "".join(letters) + chr(_AS_TOKEN)


def _kind(token: str) -> Kind:
    """Return what a token names: a number and its unit (19th, 5kg, 4-star) is no code."""
    if not any(map(str.isdigit, token)):
        return Kind.WORD if token.isalpha() else Kind.CODE
    if len(token) > 2 and _LETTERS_THEN_DIGIT.match(token):
        return Kind.CODE
    is_padded = len(token) > 3 and token[0] == "0" and token.isdigit()
    return Kind.CODE if is_padded or _ADDRESS.fullmatch(token) else Kind.NUMBER


def _acronyms(text: str) -> Iterator[str]:
    """Yield the acronyms that would be stop words: WHO, IT, US, U.S."""
    for found in _ACRONYM.finditer(text):
        word = found[0].replace(".", "").casefold()
        if word in STOP_WORDS:
            yield _kept(word)


def _is_shouted(text: str, *, share: float) -> bool:
    """Return whether a text is all capitals, of more than one word, and not all of them names.

    Args:
        text: A question or a line.
        share: Of its words, how many may be such words without it being shouted.
    """
    if any(map(str.islower, text)) or _HAN.search(text):
        return False
    words = _CASED.findall(text)
    empty = sum(word.casefold() in STOP_WORDS for word in words)
    return len(words) > 1 and empty > share * len(words)
