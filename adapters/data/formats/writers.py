"""Writes rows into files: JSON Lines, JSON, CSV, Excel and Parquet, one row at a time.

Knows files and cells; what a row looks like in a format is `export`'s.
"""

import csv
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from io import TextIOWrapper
from pathlib import Path
from typing import Any

import orjson

from adapters.data.formats.export import COLUMNS, RowFormat, to_columns, to_fields
from adapters.data.formats.refusals import BadRow
from adapters.data.formats.sources import FileKind
from adapters.data.rows import Row
from adapters.errors import InvalidTrainingData

MAX_CELL_CHARS = 32_767  # of Excel
_NOT_IN_EXCEL = re.compile("\r|[\ufffe\uffff]|_x[0-9A-Fa-f]{4}_")  # read back as something else
PARQUET_BATCH = 1_000  # rows of one group, held until it is full

Write = Callable[[Row], None]
"""Writes one row; raises `BadRow` where format or file have no place for it."""


def kind_of(file: Path) -> FileKind:
    """Return the kind of file that a name asks for.

    Raises:
        InvalidTrainingData: By a name that ends in none of them.
    """
    kind = file.suffix.removeprefix(".").casefold()
    for known in _OPENERS:
        if kind == known:
            return known
    raise InvalidTrainingData(f"{file}: its name must end in .{', .'.join(_OPENERS)}")


def open_writer(file: Path, kind: FileKind, form: RowFormat) -> AbstractContextManager[Write]:
    """Open a file for rows of a format; it is complete when the context ends."""
    return _OPENERS[kind](file, form)


def _dump(value: object) -> bytes:
    try:
        return orjson.dumps(value)
    except TypeError as exc:  # orjson's own error is one
        raise BadRow(f"cannot be written as JSON: {exc}") from exc


@contextmanager
def _jsonl(file: Path, form: RowFormat) -> Iterator[Write]:
    with file.open("wb") as stream:
        yield lambda row: _forget(stream.write(_dump(to_fields(row, form)) + b"\n"))


@contextmanager
def _json(file: Path, form: RowFormat) -> Iterator[Write]:
    with file.open("wb") as stream:
        before = b"[\n"

        def write(row: Row) -> None:
            nonlocal before
            content = _dump(to_fields(row, form))
            stream.write(before + content)
            before = b",\n"

        yield write
        stream.write(b"\n]\n" if before == b",\n" else b"[]\n")


def _forget(_written: int) -> None:
    return None


def _cells(row: Row, form: RowFormat) -> list[str]:
    fields, rest = to_columns(row, form)
    values = [fields.get(column, "") for column in COLUMNS[form]] + [rest or ""]
    return [value if isinstance(value, str) else _dump(value).decode() for value in values]


def _header(form: RowFormat) -> list[str]:
    return [*COLUMNS[form], "meta"]


@contextmanager
def _csv(file: Path, form: RowFormat) -> Iterator[Write]:
    # With a byte order mark, without which Excel shows Chinese as letters of another encoding.
    with file.open("wb") as stream, TextIOWrapper(stream, "utf-8-sig", newline="") as text:
        lines = csv.writer(text)
        lines.writerow(_header(form))
        yield lambda row: lines.writerow(_cells(row, form))


@contextmanager
def _xlsx(file: Path, form: RowFormat) -> Iterator[Write]:
    from openpyxl import Workbook  # a quarter of a second that other files need not wait
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.utils.exceptions import IllegalCharacterError

    book = Workbook(write_only=True)
    sheet = book.create_sheet("rows")
    sheet.append(_header(form))

    def cell(text: str) -> Any:
        if len(text) > MAX_CELL_CHARS:
            raise BadRow(f"a text of {len(text):,} letters; a cell of Excel has {MAX_CELL_CHARS:,}")
        if _NOT_IN_EXCEL.search(text):
            raise BadRow("Excel has no place for a carriage return or a code such as _x000D_")
        made = WriteOnlyCell(sheet, text)
        made.data_type = "s"  # a text that begins with = is no formula
        return made

    def write(row: Row) -> None:
        try:
            sheet.append([cell(text) for text in _cells(row, form)])
        except IllegalCharacterError as exc:
            raise BadRow("Excel has no place for a control character in a text") from exc

    yield write
    book.save(file)


@contextmanager
def _parquet(file: Path, form: RowFormat) -> Iterator[Write]:
    import pyarrow  # a quarter of a second that other files need not wait
    from pyarrow.parquet import ParquetWriter

    names = {"messages": ("role", "content"), "conversations": ("from", "value")}
    fields = []
    for column in _header(form):
        kind = pyarrow.string()
        if column in names:
            texts = [(name, pyarrow.string()) for name in names[column]]
            kind = pyarrow.list_(pyarrow.struct([*texts, ("weight", pyarrow.int64())]))
        fields.append((column, kind))
    schema = pyarrow.schema(fields)
    batch: list[dict[str, Any]] = []

    def flush() -> None:
        target.write_table(pyarrow.Table.from_pylist(batch, schema))
        batch.clear()

    def write(row: Row) -> None:
        native, _ = to_columns(row, form)
        cells = dict(zip(_header(form), _cells(row, form), strict=True))
        batch.append({**cells, **{key: native[key] for key in names if key in native}})
        if len(batch) == PARQUET_BATCH:
            flush()

    with ParquetWriter(file, schema) as target:
        yield write
        flush()


_OPENERS: Mapping[FileKind, Callable[[Path, RowFormat], AbstractContextManager[Write]]] = {
    "jsonl": _jsonl,
    "json": _json,
    "csv": _csv,
    "xlsx": _xlsx,
    "parquet": _parquet,
}
