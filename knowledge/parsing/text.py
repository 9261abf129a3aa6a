"""Plain text and Markdown: finds out the encoding and refuses what is not text.

It knows byte order marks, charsets and magic numbers; it does not know Markdown's structure
(that is `markdown`) nor what a page or mail declares of itself (that comes in as an argument).
"""

import re

from charset_normalizer import from_bytes

from knowledge.errors import UnsupportedFile

BOMS: tuple[tuple[bytes, str], ...] = (
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe\x00\x00", "utf-32-le"),
    (b"\x00\x00\xfe\xff", "utf-32-be"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
)
MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"%PDF-", "a PDF"),
    (b"PK\x03\x04", "a ZIP or Office file"),
    (b"\xd0\xcf\x11\xe0", "an old Office file"),
    (b"\x89PNG", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF8", "a GIF image"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"\x7fELF", "a program"),
    (b"MZ\x90", "a program"),
    (b"SQLite format 3", "a database"),
)
CANDIDATES = [
    "gb18030", "big5", "cp932", "euc_kr", "utf_16_le", "utf_16_be", "cp1252", "cp1251",
]  # fmt: skip
SAMPLE_BYTES = 200_000  # detection reads a sample, decoding reads all of it
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f\ufffe\uffff]")
STATEFUL = {"iso-2022-jp", "iso-2022-kr", "hz-gb-2312", "utf-7"}
"""Written in ASCII alone, so that they pass for UTF-8: believed where they are declared."""
MAX_CONTROL_SHARE = 0.005  # form feeds and escapes occur in text; a binary has far more


def decode(filename: str, content: bytes, *, declared: str = "") -> tuple[str, str]:
    r"""Return the text, with `\n` line ends, and its encoding.

    Args:
        filename: For messages.
        content: The bytes.
        declared: What a page or mail says of itself; used unless the bytes are UTF-8 or
            contradict it. An unknown name is as good as none.

    Raises:
        UnsupportedFile: It is another kind of file, or no encoding yields text.
    """
    for magic, kind in MAGIC:
        if content.startswith(magic):
            raise UnsupportedFile(f"{filename!r} is {kind}, not text; send its text instead")
    text, encoding = _decode(filename, content, declared)
    if len(_CONTROL.findall(text)) > MAX_CONTROL_SHARE * len(text):
        raise UnsupportedFile(f"{filename!r} is binary, not text in any known encoding")
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "")
    return text, encoding


def is_encoding(name: str) -> bool:
    """Say whether text can be read in an encoding of this name."""
    try:
        "".encode(name)
    except LookupError:
        return False
    return bool(name)


def _decode(filename: str, content: bytes, declared: str) -> tuple[str, str]:
    for bom, marked in BOMS:
        if content.startswith(bom):
            return _strict(filename, content[len(bom) :], marked), marked
    known = declared if is_encoding(declared) else ""
    if known in STATEFUL:
        return content.decode(known, "replace"), known
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        if known:
            return _declared(filename, content, known)
        encoding = _detect(filename, content)
        return _strict(filename, content, encoding), encoding
    if "\x00" in text and (wide := _wide(content)):
        return _strict(filename, content, wide), wide
    return text, "utf-8"


def _wide(content: bytes) -> str | None:
    """Return UTF-16 without a mark, told by zero bytes on one side only (Latin text)."""
    even, odd = content[0::2].count(0), content[1::2].count(0)
    if len(content) % 2 or max(even, odd) < len(content) * 0.2:
        return None
    if min(even, odd) > max(even, odd) * 0.05:
        return None
    return "utf-16-le" if odd > even else "utf-16-be"


def _declared(filename: str, content: bytes, encoding: str) -> tuple[str, str]:
    """Decode as declared; where that is wrong as detected, and with gaps when nothing fits."""
    try:
        return content.decode(encoding), encoding
    except UnicodeDecodeError:
        pass
    try:
        detected = _detect(filename, content)
        return _strict(filename, content, detected), detected
    except UnsupportedFile:
        return content.decode(encoding, "replace"), encoding


def _detect(filename: str, content: bytes) -> str:
    if encoding := _wide(content):
        return encoding
    sample = content[:SAMPLE_BYTES]
    best = from_bytes(sample, cp_isolation=CANDIDATES, threshold=0.25).best()
    if best is None:
        raise UnsupportedFile(f"{filename!r}: neither UTF-8 nor any encoding we can detect")
    return best.encoding


def _strict(filename: str, content: bytes, encoding: str) -> str:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as exc:
        raise UnsupportedFile(f"{filename!r} looked like {encoding}, but is not: {exc}") from exc
