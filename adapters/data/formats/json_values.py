"""The values of JSON files, one at a time: one a line, in a list, or one after the other.

A value that is broken is told and the next one read; no more than one value is held in memory.
Knows JSON; does not know rows.
"""

import io
import json
import re
from collections.abc import Iterator
from typing import Any, TextIO

import orjson

from adapters.data.formats.refusals import BadRow, UnreadableFile
from adapters.data.formats.sources import Recognised, Source

# The longest contexts are a million tokens; no model reads a row of more.
MAX_ROW_BYTES = 4 * 1024 * 1024
CHUNK = 256 * 1024

_TOO_LONG = f"a row of more than {MAX_ROW_BYTES // 1024 // 1024} MiB; split it or take it out"
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*+"|["\[\]{},]', re.DOTALL)
_SURROGATE = re.compile("[\ud800-\udfff]")
_NOT_FINITE = re.compile(r"(?<![\w\"])(?:NaN|-?Infinity)(?![\w\"])")


def read_values(source: Source, kind: Recognised) -> Iterator[tuple[int, Any]]:
    """Yield line and value of each; a `BadRow` in place of one that cannot be read.

    Raises:
        UnreadableFile: The rest of the file cannot be read.
    """
    with source.open() as stream:
        try:
            if kind.kind == "jsonl" and kind.encoding in ("utf-8", "utf-8-sig"):
                yield from _from_lines(stream, marked=kind.encoding == "utf-8-sig")
                return
            text = open_text(stream, kind.encoding)
            if kind.kind == "jsonl":
                yield from _from_lines(_EncodedLines(text), marked=False)
            else:
                for place, value in enumerate(split_values(text), start=1):
                    yield place, value if isinstance(value, BadRow) else parse(to_bytes(value))
        except UnicodeError as exc:
            raise UnreadableFile(f"the rest is not {kind.encoding} text: {exc}") from exc


def open_text(stream: Any, encoding: str, *, newline: str | None = None) -> TextIO:
    """Return a stream as text; bytes that are none of its letters stay as half characters."""
    return io.TextIOWrapper(stream, encoding, errors="surrogateescape", newline=newline)


def to_bytes(text: str) -> bytes:
    """Return text as UTF-8, and bytes that were no text as they were."""
    return text.encode("utf-8", "surrogateescape")


class _EncodedLines:
    """Lines of a text, as bytes."""

    def __init__(self, text: TextIO) -> None:
        self._text = text

    def readline(self, limit: int) -> bytes:
        return to_bytes(self._text.readline(limit))


def _from_lines(stream: Any, *, marked: bool) -> Iterator[tuple[int, Any]]:
    line: bytes = stream.readline(MAX_ROW_BYTES)
    if marked:
        line = line.removeprefix(b"\xef\xbb\xbf")
    number = 1
    while line:
        if len(line) >= MAX_ROW_BYTES and not line.endswith(b"\n"):
            while line and not line.endswith(b"\n"):
                line = stream.readline(CHUNK)
            yield number, BadRow(_TOO_LONG)
            line = b""
        parts = line.rstrip().split(b"\r") if b"\r" in line else (line,)  # also lines of old Macs
        for part in parts:
            if part and not part.isspace():
                yield number, parse(part)
            number += 1
        line = stream.readline(MAX_ROW_BYTES)


def parse(content: bytes) -> Any:
    """Return the value of a JSON text in UTF-8, or a `BadRow` that says why there is none."""
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError:
        return _explain(content)


def _explain(content: bytes) -> Any:
    try:
        text = content.decode("utf-8")
        value = json.loads(text)
    except UnicodeDecodeError as exc:
        return BadRow(f"not UTF-8 text (byte {exc.start} of the row); save the file as UTF-8")
    except json.JSONDecodeError as exc:
        return BadRow(f"not JSON: {exc.msg} at letter {exc.pos + 1} of the row")
    except RecursionError:
        return BadRow("lists and objects nested too deeply")
    except ValueError as exc:  # an integer of thousands of digits
        return BadRow(f"not JSON: {exc}")
    half = _SURROGATE.search(json.dumps(value, ensure_ascii=False))
    if half:
        return BadRow(f"half a character (\\u{ord(half.group()):04x})")
    if _NOT_FINITE.search(text):
        return BadRow("not JSON: NaN or Infinity; write null")
    return value


def split_values(text: TextIO) -> Iterator[str | BadRow]:
    """Yield the text of each value of a list, or of values that follow each other."""
    yield from _Splitter(text).values()


class _Splitter:
    """Finds where values end, by quotes and brackets alone, so that a broken one ends too."""

    def __init__(self, text: TextIO) -> None:
        self._text = text
        self._buffer = ""
        self._at = 0  # what is before it has been looked at
        self._start = 0  # of the value
        self._chunk = CHUNK
        self._is_too_long = False

    def values(self) -> Iterator[str | BadRow]:
        while not self._buffer.strip("\ufeff \t\r\n") and self._fill():
            pass
        self._at = len(self._buffer) - len(self._buffer.lstrip().lstrip("\ufeff"))
        in_list = self._buffer.startswith("[", self._at)
        self._at += in_list
        self._start = self._at
        depth, ended = 0, False
        while not ended and (token := self._token()):
            depth += (token in "[{") - (token in "]}")
            if depth == 0 and token == "}" and not in_list:
                yield from self._value(self._at)
            elif depth == 0 and token == ",":
                yield from self._value(self._at - 1)
            elif depth < 0:
                yield from self._value(self._at - 1)
                ended, depth = in_list, 0
        while self._fill():
            pass
        rest = self._buffer[self._start :].strip()
        if rest:
            yield BadRow(
                "text after the end of the list" if ended else "a quote or bracket is not closed"
            )
        elif in_list and not ended:
            yield BadRow("the list is not closed: the file may be cut")

    def _value(self, end: int) -> Iterator[str | BadRow]:
        text = self._buffer[self._start : end].strip()
        if self._is_too_long or len(text) > MAX_ROW_BYTES:
            yield BadRow(_TOO_LONG)
        elif text:
            yield text
        self._start, self._is_too_long, self._chunk = self._at, False, CHUNK

    def _token(self) -> str:
        """Return the next string or sign that parts values; empty at the end of the text."""
        while True:
            found = _TOKEN.search(self._buffer, self._at)
            if found and found.group() != '"':
                self._at = found.end()
                return found.group()
            # All that is left has no sign, or begins a string that is not there to its end.
            self._at = found.start() if found else len(self._buffer)
            if not self._fill():
                return ""

    def _fill(self) -> bool:
        """Read on, and forget what is not needed; says whether there was more."""
        if self._at - self._start > MAX_ROW_BYTES:
            self._is_too_long, self._start = True, self._at
        if len(self._buffer) - self._start > 16 * MAX_ROW_BYTES:
            raise UnreadableFile("the rest is one text without end: a quote is not closed")
        more = self._text.read(self._chunk)
        self._chunk *= 2  # a long string is looked through from its start each time
        self._buffer = self._buffer[self._start :] + more
        self._at -= self._start
        self._start = 0
        return bool(more)
