"""Reads files and folders into rows: files of rows row by row, documents as one text each.

A document is a row of one user's turn with `kind: document`: some steps make conversations of it,
all others pass it by. How a document is read is passed in; formats of rows are in `formats`.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from adapters.data.findings import text_of
from adapters.data.formats import parse_any_rows
from adapters.data.rows import Message, Row
from adapters.errors import InvalidPipeline, InvalidTrainingData

ROWS = (".jsonl", ".json")
DOCUMENT = "document"

ReadDocument = Callable[[Path], str]
"""Returns the text of a document; raises `UnreadableDocument`."""


class UnreadableDocument(Exception):
    """Why a document has no text; becomes a refusal with its file."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """What was not read.

    Attributes:
        file: Its file.
        line: As in `Row`; 0 for the whole file.
        reason: Why, in words.
    """

    file: Path
    line: int
    reason: str


def document_row(text: str, file: Path) -> Row:
    """Return a document as a row: nothing can be trained on it as it is."""
    return Row((Message("user", text),), {"kind": DOCUMENT, "source": file.name}, file, 1)


def is_document(row: Row) -> bool:
    """Return whether a row is a document of which no conversation has been made yet."""
    return row.meta.get("kind") == DOCUMENT and len(row.messages) == 1


def find_files(named: Sequence[Path], *, leave_out: Sequence[Path]) -> list[Path]:
    """Return the files that are named, and those in folders that are named, each once.

    Args:
        named: Files and folders.
        leave_out: Files and folders that are never read, such as the run's own output.

    Returns:
        In the order of `named`, those of one folder by name; hidden files are passed over.

    Raises:
        InvalidPipeline: One does not exist, or there is no file.
    """
    own = [path.resolve() for path in leave_out]
    found: dict[Path, None] = {}
    for path in named:
        if not path.exists():
            raise InvalidPipeline(f"{path} does not exist")
        inside = sorted(path.rglob("*")) if path.is_dir() else [path]
        for file in inside:
            shown = file.relative_to(path).parts if path.is_dir() else ()
            if any(part.startswith((".", "~$")) for part in shown) or not file.is_file():
                continue
            resolved = file.resolve()
            if not any(resolved == one or one in resolved.parents for one in own):
                found[file] = None
    if not found:
        raise InvalidPipeline(f"no files to read in {', '.join(map(str, named)) or 'nothing'}")
    return list(found)


def hash_file(file: Path) -> str:
    """Return the SHA-256 (hex) of a file's content."""
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def read_file(file: Path, read_document: ReadDocument | None) -> Iterator[Row | Refusal]:
    """Yield the rows of a file, and what of it was refused."""
    if file.suffix.lower() in ROWS:
        yield from _read_rows(file)
        return
    if read_document is None:
        yield Refusal(file, 0, "documents cannot be read here")
        return
    try:
        text = read_document(file)
    except UnreadableDocument as exc:
        yield Refusal(file, 0, str(exc))
        return
    yield document_row(text, file)


def _read_rows(file: Path) -> Iterator[Row | Refusal]:
    if file.suffix.lower() == ".json":
        try:
            values = json.loads(file.read_text(encoding="utf-8-sig"))
        except (ValueError, RecursionError) as exc:
            yield Refusal(file, 0, f"not JSON: {exc}")
            return
        listed = values if isinstance(values, list) else [values]
        lines = enumerate((json.dumps(value).encode() for value in listed), start=1)
        yield from (_read_row(file, line, content) for line, content in lines)
        return
    with file.open("rb") as content:
        for line, raw in enumerate(content, start=1):
            if raw.strip():
                yield _read_row(file, line, raw)


def _read_row(file: Path, line: int, content: bytes) -> Row | Refusal:
    try:
        (row,) = parse_any_rows(content.rstrip(b"\r\n"), "row.jsonl")
    except (InvalidTrainingData, RecursionError) as exc:
        reason = str(exc).splitlines()[-1].removeprefix("row.jsonl:1: ").removeprefix("row.jsonl ")
        return Refusal(file, line, reason)
    except ValueError:
        return Refusal(file, line, "several rows in one line")
    try:
        json.dumps([text_of(row), dict(row.meta)], ensure_ascii=False).encode()
    except UnicodeEncodeError as exc:
        return Refusal(file, line, f"half a character (U+{ord(exc.object[exc.start]):04X})")
    return replace(row, file=file, line=line)
