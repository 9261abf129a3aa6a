"""Breaks of lines and pages: what a break parts only because the paper ends, and what repeats.

It knows running text; it does not know where it stands on a page, nor tables.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence

FULL_LINE = 0.8  # of the longest line of a page: a shorter one ends its paragraph
MOST_PAGES_SHARE = 0.4  # of the pages: even and odd ones may have each their own header
NUMBERS_TRIED = 4  # in a line, one of which may be the number of the page
END_LETTERS = 20  # of a page that tell whether its last sentence ends: its brackets and quotes
HAN = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff00-\uffef\u3000-\u303f"
_HYPHEN = re.compile("[\ufffe\u0002]\n?(?=.)")  # pdfium's sign for a hyphen that only breaks a word
_HAN_BREAK = re.compile(f"(?<=[{HAN}])\n(?=[{HAN}])")
_HAN_LETTER = re.compile(f"[{HAN}]")
_SENTENCE_END = re.compile(r"[.!?:;。！？：；…‥][\"'”’»›）)\]」』]*$")
_BROKEN_WORD = re.compile(r"(?:([^\W\d_]{2,})-|[\ufffe\u0002])$")
_FIRST_WORD = re.compile(r"[^\W\d_]+\S*\s*")
_NEW_PART = re.compile(
    r"\(?[\dA-Za-z]{1,3}[.)]\s|第.{1,4}[章节條条款]|[（(]?[一二三四五六七八九十]+[、）)]|[表图]\s?\d"
)


def join_lines(lines: Sequence[str], longest: int) -> str:
    """Return lines as text: words that a hyphen broke, and full lines of Han, are joined.

    Args:
        lines: As the page has them.
        longest: How wide the longest line of the page is.
    """
    text = "\n".join(lines)
    if "\ufffe" in text or "\u0002" in text:
        text = _HYPHEN.sub("", text)
    parts = text.replace("\x00", "").split("\n")
    full = longest * FULL_LINE
    joined = parts[0]
    for before, line in zip(parts, parts[1:], strict=False):
        is_broken = width(before.strip()) >= full and _HAN_BREAK.search(
            f"{before.rstrip()[-1:]}\n{line.lstrip()[:1]}"
        )
        joined += line if is_broken else f"\n{line}"
    return joined.strip()


def width(line: str) -> int:
    """Return how wide a line is: a Han letter is as wide as two of the alphabet."""
    return len(line) + len(_HAN_LETTER.findall(line))


def goes_on(before: str, after: str) -> bool:
    """Whether a sentence goes on from the text before a page break to the text after it."""
    first = after.lstrip()[:1]
    end = before[-END_LETTERS:]
    if not before or not first or _SENTENCE_END.search(end) or _NEW_PART.match(after):
        return False
    if first.islower() or before[-1] in ",，、":
        return True
    lines = before.split("\n")
    is_full = len(lines[-1]) >= FULL_LINE * max(map(len, after.split("\n")))
    return is_full and _HAN_BREAK.search(f"{before[-1]}\n{first}") is not None


def without_broken_word(before: str, after: str) -> tuple[str, str]:
    """Return both texts; a word that the break parted with a hyphen is whole in the first."""
    broken = _BROKEN_WORD.search(before[-END_LETTERS:])
    rest = _FIRST_WORD.match(after)
    if not broken or not rest or not after[:1].islower():
        return before, after
    return before[:-1] + rest[0].strip(), after[rest.end() :]


def running_lines(pages: Sequence[Sequence[Sequence[str]]]) -> list[tuple[int, int]]:
    """Return of each page how many lines at its top and bottom repeat on others.

    Args:
        pages: Of each page, its first lines from the top and its last ones from the bottom.
    """
    counts: Counter[tuple[int, str]] = Counter()
    for number, page in enumerate(pages):
        for edge, lines in enumerate(page):
            counts.update({(edge, form) for line in lines for form in _forms(line, number)})
    least = max(2, MOST_PAGES_SHARE * len(pages))

    def count(edge: int, lines: Sequence[str], number: int) -> int:
        found = (
            any(counts[edge, form] >= least for form in _forms(line, number)) for line in lines
        )
        return next((place for place, repeats in enumerate(found) if not repeats), len(lines))

    return [
        (count(0, page[0], number), count(1, page[1], number)) for number, page in enumerate(pages)
    ]


def _forms(line: str, page: int) -> Iterator[str]:
    """Yield a line as it is, and with each of its numbers told as its distance from the page."""
    yield line
    for found in list(re.finditer(r"(?<!\d)\d{1,4}(?!\d)", line))[:NUMBERS_TRIED]:
        yield f"{line[: found.start()]}<{int(found[0]) - page}>{line[found.end() :]}"
