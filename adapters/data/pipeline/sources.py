"""Reads files and folders into rows: files of rows row by row, documents as one text each.

A document is a row of one user's turn with `kind: document`: some steps make conversations of it,
all others pass it by. How a document is read is passed in; formats of rows are in `formats`.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from adapters.data.formats import Refusal, iter_rows
from adapters.data.rows import Row
from adapters.data.structure import document_row
from adapters.errors import InvalidPipeline

ROWS = (".jsonl", ".json", ".csv", ".xlsx", ".parquet")

ReadDocument = Callable[[Path], str]
"""Returns the text of a document; raises `UnreadableDocument`."""


class UnreadableDocument(Exception):
    """Why a document has no text; becomes a refusal with its file."""


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
        yield from iter_rows([file])
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
