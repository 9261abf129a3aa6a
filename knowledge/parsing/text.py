"""Plain text and Markdown: finds out the encoding and refuses what is not text.

It knows byte order marks, magic numbers and bytes that an encoding cannot have; it does not know
how likely a text is (`encodings`), Markdown's structure (`markdown`), nor what a page or mail
declares of itself (that comes in as an argument).
"""

import re
from dataclasses import dataclass

from knowledge.errors import UnknownEncoding, UnsupportedFile
from knowledge.parsing.blocks import NotRead
from knowledge.parsing.encodings import EXAMPLES, encoding_name
from knowledge.parsing.encodings.detection import WIDE, Guess, detect, is_evident, is_noise

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
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f\ufffe\uffff]")
STATEFUL = {"iso-2022-jp", "iso-2022-kr", "hz-gb-2312", "utf-7"}
"""Written in ASCII alone, so that they pass for UTF-8: believed where they are declared."""
_JAPANESE_SHIFT = (b"\x1b$B", b"\x1b$@")  # how ISO-2022-JP begins letters; no other text has them
_CONTROL_BYTES = bytes([*range(9), *range(14, 27), *range(28, 32), 127])  # those of _CONTROL
MAX_CONTROL_SHARE = 0.005  # form feeds and escapes occur in text; a binary has far more
MAX_FAULT_SHARE = 0.1  # of the letters; a file has faults, another encoding has nothing else
FEW_FAULTS = 3  # … whatever the length
FAULT = "\ufffd"


@dataclass(frozen=True, slots=True)
class Decoded:
    r"""A text, with `\n` line ends, its encoding, and what could not be read of it."""

    text: str
    encoding: str
    not_read: tuple[NotRead, ...] = ()


@dataclass(frozen=True, slots=True)
class Charset:
    """What is said of a file's encoding from outside.

    Attributes:
        named: By the user: read so, unless the bytes are another for certain. One of `ENCODINGS`.
        hint: Language of the documents around it, which decides where letters leave it open.
    """

    named: str = ""
    hint: str = ""


UNSAID = Charset()


def decode(filename: str, content: bytes, *, declared: str = "") -> tuple[str, str]:
    r"""Return the text, with `\n` line ends, and its encoding; see `read_text`."""
    read = read_text(filename, content, declared=declared)
    return read.text, read.encoding


def read_text(
    filename: str, content: bytes, *, declared: str = "", charset: Charset = UNSAID
) -> Decoded:
    """Return the text of a file, its encoding, and what is wrong or unsure about that.

    Args:
        filename: For messages.
        content: The bytes.
        declared: What a page or mail says of itself; used unless the bytes are UTF-8 or
            contradict it. An unknown name is as good as none.
        charset: What the user says.

    Raises:
        UnsupportedFile: It is another kind of file, or no encoding yields text.
    """
    for magic, kind in MAGIC:
        if content.startswith(magic):
            raise UnsupportedFile(f"{filename!r} is {kind}, not text; send its text instead")
    text, encoding, told = _read(filename, content, declared, charset)
    if _count_controls(text, content, encoding) > MAX_CONTROL_SHARE * len(text):
        raise UnsupportedFile(f"{filename!r} is binary, not text in any known encoding")
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "")
    faults = text.count(FAULT) - content.count(FAULT.encode()) * (encoding == "utf-8")
    is_said = bool(charset.named or marked_encoding(content)[0])
    if is_said and faults > max(FEW_FAULTS, MAX_FAULT_SHARE * len(text)):
        raise UnsupportedFile(
            f"{filename!r} is not {encoding}: {faults} places cannot be read; "
            f"name the right encoding: {EXAMPLES}"
        )
    return Decoded(text, encoding, (*told, *_faults(text, encoding, faults)))


def _count_controls(text: str, content: bytes, encoding: str) -> int:
    if encoding != "utf-8":
        return len(_CONTROL.findall(text))
    letters = text.count("\ufffe") + text.count("\uffff")
    return letters + len(content) - len(content.translate(None, _CONTROL_BYTES))


def is_encoding(name: str) -> bool:
    """Say whether text can be read in an encoding of this name."""
    try:
        "".encode(name)
    except LookupError:
        return False
    return bool(name)


def marked_encoding(content: bytes) -> tuple[str, bytes]:
    """Return what a byte order mark says, and the bytes after it; nothing where there is none."""
    for bom, encoding in BOMS:
        if content.startswith(bom):
            return encoding, content[len(bom) :]
    return "", content


def encoding_if_named(content: bytes, named: str) -> str:
    """Return in what bytes are read if an encoding is named: its own, or a certain other."""
    marked, _ = marked_encoding(content)
    return marked or _named(content, named)[1]


Read = tuple[str, str, tuple[NotRead, ...]]


def _read(filename: str, content: bytes, declared: str, charset: Charset) -> Read:
    marked, body = marked_encoding(content)
    if marked:
        return _marked(filename, body, marked, charset.named)
    if charset.named:
        return _named(content, charset.named)
    if declared in STATEFUL:
        return content.decode(declared, "replace"), declared, ()
    if b"\x1b" in content and any(shift in content for shift in _JAPANESE_SHIFT):
        return content.decode("iso2022_jp", "replace"), "iso2022_jp", ()
    if (text := _utf_8(content)) is not None:
        return text, "utf-8", ()
    if wide := _utf_32(content):
        return content.decode(wide), wide, ()
    known = _known(declared)
    guess = detect(content, declared=known, hint=charset.hint)
    if guess.is_noise:
        raise UnsupportedFile(
            f"{filename!r}: its bytes are no text in any encoding that can be told; if it is text, "
            f"name its encoding: {EXAMPLES}"
        )
    return content.decode(guess.encoding, "replace"), guess.encoding, _told(guess)


def _utf_8(content: bytes) -> str | None:
    """Return the text of what is UTF-8 beyond doubt.

    A few letters of two bytes may be Han letters in GBK as well: 小叶 is also Cyrillic.
    """
    try:
        text = content.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return None
    if b"\xed" in content:  # databases and Java write a letter beyond 65,536 as its two halves
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text if "\x00" not in text and is_evident(text) else None


def _utf_32(content: bytes) -> str:
    """Return the encoding of UTF-32 without a mark; hardly any other bytes can be read so."""
    if len(content) % 4 or b"\x00" not in content:
        return ""
    for encoding in ("utf-32-le", "utf-32-be"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if not is_noise(text, encoding):
            return encoding
    return ""


def _marked(filename: str, body: bytes, encoding: str, named: str) -> Read:
    text = body.decode(encoding, "replace")
    if encoding in WIDE and body and is_noise(text, encoding):
        raise UnsupportedFile(f"{filename!r} is binary: it begins like {encoding}, but is no text")
    if named and named != encoding and not encoding.startswith(named):
        return text, encoding, (_encoding(f"not {named}: it begins with the mark of {encoding}"),)
    return text, encoding, ()


def _named(content: bytes, named: str) -> Read:
    if named != "utf-8" and (text := _utf_8(content)) is not None and not text.isascii():
        guess = detect(content, declared=named)
        if guess.encoding == "utf-8" and not guess.other:
            return text, "utf-8", (_encoding(f"not {named}: its bytes are UTF-8"),)
    return content.decode(named, "replace"), named, ()


def _told(guess: Guess) -> tuple[NotRead, ...]:
    if not guess.other:
        return ()
    why = f"{guess.encoding} is a guess, {guess.other} is close"
    return (_encoding(f"{why}; if letters are wrong, send it again and name its encoding"),)


def _known(declared: str) -> str:
    """Return an encoding by the name it is told by; empty for a name that means none."""
    try:
        return encoding_name(declared)
    except UnknownEncoding:
        return declared if is_encoding(declared) else ""


def _encoding(why: str) -> NotRead:
    return NotRead("encoding", "whole file", why)


def _faults(text: str, encoding: str, faults: int) -> tuple[NotRead, ...]:
    """Return what is told of bytes that the encoding cannot have."""
    if faults <= 0:
        return ()
    line = text.count("\n", 0, text.index(FAULT)) + 1
    where = f"line {line}" if faults == 1 else f"line {line} and further places, {faults} in all"
    return (NotRead("bytes", where, f"they are not {encoding}; U+FFFD stands for each"),)
