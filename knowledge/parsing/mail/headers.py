"""Headers of a mail as a reader sees them: encoded words, raw bytes, names of files.

It knows RFC 2047 and 2231 and how mail programs get them wrong; it does not know what a header is
for, nor how a mail is put together (`mime`).
"""

import re
from binascii import a2b_base64, a2b_qp
from collections.abc import Iterator
from email.message import Message
from itertools import groupby

from knowledge.errors import UnsupportedFile
from knowledge.parsing.encodings import READ_AS
from knowledge.parsing.text import decode, is_encoding

MAX_HEADER_CHARS = 100_000  # enough for 2,000 addresses; the rest of a longer one is not read
UNTOLD = {"", "utf-8", "utf8", "us-ascii", "ascii", "unknown-8bit"}
"""Named by programs whatever the bytes are, or read anyway."""
_WORD = re.compile(
    r"=\?([\w.:+-]+)(?:\*[\w-]*)?\?([bq])\?((?:[^?=]|=(?!\?\w)|\?(?!=))*+)\?=", re.IGNORECASE
)
_RAW = re.compile("[\udc80-\udcff]")
_FOLD = re.compile(r"\s*[\r\n]\s*")
_NO_NAME = re.compile(r"[^\w.:+-]")  # of an encoding
_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/=]+")


def header_text(part: Message, name: str, *, hint: str = "") -> str:
    """Return what a header says, in one line; several of one name are joined by commas.

    Args:
        part: A mail, or a part of one.
        name: Of the header.
        hint: The encoding of raw bytes that are not UTF-8; empty: it is detected.
    """
    values = [str(value) for key, value in part.raw_items() if key.lower() == name.lower()]
    texts = (decoded_words(value[:MAX_HEADER_CHARS], hint) for value in values)
    return ", ".join(filter(None, (" ".join(text.split()) for text in texts)))


def charset_of(part: Message) -> str:
    """Return the encoding that a part names, in small letters; empty where it names none."""
    return _NO_NAME.sub("", parameter(part, "content-type", "charset")).lower()


def file_name(part: Message, *, hint: str = "") -> str:
    """Return the name of the file in a part; empty where it has none."""
    name = parameter(part, "content-disposition", "filename", hint=hint)
    return name or parameter(part, "content-type", "name", hint=hint)


def parameter(part: Message, header: str, name: str, *, hint: str = "") -> str:
    """Return a parameter of a header, in whichever way it is encoded; the fuller way first."""
    bare = Message()
    values = (str(value) for key, value in part.raw_items() if key.lower() == header)
    bare[header] = raw_text(next(values, "")[:MAX_HEADER_CHARS], hint)
    try:
        parameters = bare.get_params([], header)
    except (TypeError, ValueError):  # the library fails on some malformed ones
        return ""
    found: list[str | tuple[str | None, str | None, str]] = [v for k, v in parameters if k == name]
    for value in found:
        if isinstance(value, tuple):
            return " ".join(_rfc_2231(value[0] or "", value[2], hint).split())
    return " ".join(decoded_words(str(found[0]), hint).split()) if found else ""


def decoded_words(value: str, hint: str = "") -> str:
    """Return the value of a header with its encoded words and raw bytes as text."""
    texts: list[str] = []
    done = 0
    for run in _runs(value):
        texts.append(raw_text(value[done : run[0].start()], hint))
        for charset, words in groupby(run, key=lambda word: word[1].lower()):
            texts.append(_read(b"".join(_payloads(words)), charset))
        done = run[-1].end()
    return "".join([*texts, raw_text(value[done:], hint)])


def raw_text(value: str, hint: str) -> str:
    """Return the text of a value in which bytes outside ASCII may stand as they came."""
    if not _RAW.search(value):
        return value
    return _read(value.encode("utf-8", "surrogateescape"), "", hint)


def from_base64(encoded: bytes) -> bytes:
    """Return what is written in base64; each run up to a padding by itself, odd letters skipped."""
    runs = _NOT_BASE64.sub(b"", encoded).split(b"=")
    return b"".join(a2b_base64(run[: len(run) - (len(run) % 4 == 1)] + b"==") for run in runs)


def _runs(value: str) -> Iterator[list[re.Match[str]]]:
    """Yield the encoded words that only white space parts.

    Some programs cut them between the bytes of one letter, or amid a base64 group: what follows in
    the same encoding has to be read as one.
    """
    run: list[re.Match[str]] = []
    for word in _WORD.finditer(value):
        if run and value[run[-1].end() : word.start()].strip():
            yield run
            run = []
        run.append(word)
    if run:
        yield run


def _payloads(words: Iterator[re.Match[str]]) -> Iterator[bytes]:
    """Yield the bytes of encoded words in one charset."""
    for way, group in groupby(words, key=lambda word: word[2].lower()):
        texts = (_FOLD.sub("", word[3]) for word in group)
        written = "".join(texts).encode("utf-8", "surrogateescape")
        yield from_base64(written) if way == "b" else a2b_qp(written, header=True)


def _read(raw: bytes, charset: str, hint: str = "") -> str:
    """Return text in the named encoding, else as UTF-8, as hinted, or as detected."""
    for name in (charset, "utf-8", hint):
        encoding = READ_AS.get(name, name)
        if not is_encoding(encoding):
            continue
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    try:
        return decode("", raw)[0]
    except UnsupportedFile:
        return raw.decode("utf-8", "replace")


def _rfc_2231(charset: str, value: str, hint: str) -> str:
    try:
        raw = value.encode("latin-1")
    except UnicodeEncodeError:  # text already
        return value
    return _read(raw, _NO_NAME.sub("", charset).lower(), hint)
