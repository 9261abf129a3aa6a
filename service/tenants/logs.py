"""Log entries that name something: overwritten where they stand.

It knows files and lines; it does not know whose the names are. A process that writes to a log
keeps it open and appends, so no byte is moved: a line becomes as many spaces. An entry goes with
the lines that belong to it (a traceback holds values that no name stands beside).
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote

LEAST_CHARS = 3  # a shorter name is part of too many words to be looked for
_WORD = re.compile(rb"[\w.@-]+")
_PATTERNS_AT_ONCE = 500
# What the programs of a home begin a log entry with: a time, or a level.
_BEGINS = re.compile(rb"^(\d{4}-\d\d-\d\d|\[?\d\d[:/-]|[A-Z]{4,8}:? )")


def erase_entries(folder: Path, names: Iterable[str]) -> int:
    """Overwrite the entries of every log in `folder` that hold one of `names` as a whole word.

    Returns:
        How many lines were overwritten.
    """
    wanted = _Wanted.of(names)
    files = sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    return sum(_erase(file, wanted) for file in files)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """Names as a log may have them: a hundred thousand ids are looked up, the others searched."""

    words: frozenset[bytes]
    patterns: tuple[re.Pattern[bytes], ...]

    @classmethod
    def of(cls, names: Iterable[str]) -> "_Wanted":
        written = {
            form.encode()
            for name in names
            if len(name) >= LEAST_CHARS
            for form in (name, quote(name), quote(name, safe=""), ascii(name)[1:-1])
        }
        words = frozenset(form for form in written if _WORD.fullmatch(form))
        others = sorted(written - words, key=len, reverse=True)
        parts = (
            others[at : at + _PATTERNS_AT_ONCE] for at in range(0, len(others), _PATTERNS_AT_ONCE)
        )
        return cls(words, tuple(re.compile(b"|".join(map(re.escape, part))) for part in parts))

    def stand_in(self, text: bytes) -> bool:
        """Return whether `text` holds any of the names."""
        for word in _WORD.findall(text):
            if word in self.words or word.strip(b".-") in self.words:
                return True
        return any(pattern.search(text) for pattern in self.patterns)


def _erase(file: Path, wanted: _Wanted) -> int:
    erased, start, at = 0, 0, 0
    entry: list[bytes] = []
    with file.open("r+b") as opened:
        for line in opened.read().splitlines(keepends=True):
            if entry and _BEGINS.match(line):
                erased += _overwrite(opened, start, entry, wanted)
                entry, start = [], at
            entry.append(line)
            at += len(line)
        return erased + _overwrite(opened, start, entry, wanted)


def _overwrite(opened: BinaryIO, start: int, entry: list[bytes], wanted: _Wanted) -> int:
    text = b"".join(entry)
    if not wanted.stand_in(text):
        return 0
    opened.seek(start)
    opened.write(re.sub(rb"[^\r\n]", b" ", text))
    return len(entry)
