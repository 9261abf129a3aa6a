"""The rows of tables: CSV, Excel and Parquet, each as an object with the names of its columns.

What cells can only say as text is read as what its column means: flags, numbers, and JSON under
`messages`, `meta` and their like. Knows tables and cells; does not know how a row is read.
"""

import csv
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime, time
from typing import Any

from adapters.data.formats.json_values import MAX_ROW_BYTES, open_text, parse, to_bytes
from adapters.data.formats.keys import (
    CHOSEN,
    CONTENT_KEYS,
    MEANINGFUL,
    REJECTED,
    ROLE_KEYS,
    TURNS,
    known_name,
)
from adapters.data.formats.refusals import BadRow, UnreadableFile
from adapters.data.formats.sources import Recognised, Source
from adapters.data.formats.turns import read_flag

MAX_UNPACKED_BYTES = 1024**3  # of an Excel file: its texts are held in memory
PARQUET_BATCH = 256  # rows held at a time

Records = Iterator[tuple[int, Any]]

_FLAGS = ("synthetic", "refusal", "loss", "train")
_ALWAYS_JSON = ("meta", "history", "tools")
_TURNS_AS_JSON = (*TURNS, "prompt", "completion", CHOSEN, REJECTED)  # where it is no text
_OF_A_TURN = tuple(zip(ROLE_KEYS, CONTENT_KEYS, strict=True))
_WORDS = ("true", "false", "yes", "no", "是", "否")


def read_csv(source: Source, kind: Recognised) -> Records:
    """Yield line and object of each row of a CSV file; a `BadRow` for one that has other cells.

    Raises:
        UnreadableFile: Its first row names no columns, or a quote is not closed.
    """
    csv.field_size_limit(MAX_ROW_BYTES)
    with source.open() as stream:
        text = open_text(stream, kind.encoding, newline="")
        lines = csv.reader(text, delimiter=kind.separator, strict=True)
        columns: Sequence[str] = ()
        at = 1
        while True:
            try:
                cells = next(lines, None)
            except csv.Error as exc:
                if "unexpected end" in str(exc):
                    raise UnreadableFile(
                        f"from line {at} on: a quote that opens there is not closed"
                    ) from exc
                yield at, BadRow(f"not CSV: {exc}")
                cells = []
            if cells is None:
                return
            if any(cell.strip() for cell in cells):
                if columns:
                    yield at, _of_cells(columns, cells)
                else:
                    columns = _columns(cells)
            at = lines.line_num + 1


def _columns(cells: Sequence[Any]) -> list[str]:
    """Return the names of the columns; a column without a name is known by its place."""
    names = [
        known_name(str(cell).lstrip("\ufeff")) if cell not in (None, "") else f"column_{place}"
        for place, cell in enumerate(cells, start=1)
    ]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise UnreadableFile(f"several columns are named {', '.join(twice)}")
    if MEANINGFUL.isdisjoint(names):
        raise UnreadableFile(
            "the first row must name the columns, such as instruction,input,output; "
            f"it is {', '.join(names[:6])}"
        )
    return names


def _of_cells(columns: Sequence[str], cells: Sequence[str]) -> object:
    if len(cells) > len(columns):
        return BadRow(
            f"{len(cells)} cells, but {len(columns)} columns: a cell with a comma needs quotes"
        )
    try:
        return {
            column: _typed(column, cell)
            for column, cell in zip(columns, cells, strict=False)
            if cell != "" or column in MEANINGFUL
        }
    except UnicodeEncodeError:
        return BadRow("bytes that are no letters of the file's encoding; save the file as UTF-8")
    except BadRow as exc:
        return exc


def _typed(column: str, cell: str) -> object:
    """Return what a cell means in its column."""
    content = to_bytes(cell)
    if not cell.isascii():
        cell.encode("utf-8")  # half characters stand for bytes that are no letters
    text = cell.strip()
    if column in _ALWAYS_JSON and text:
        return _read_json(column, content, must=True)
    if column in _TURNS_AS_JSON and text[:1] in ("[", "{"):
        return _read_json(column, content, must=column in TURNS)
    if column in _FLAGS and text:
        return read_flag(text, column)
    if column == "context" and text.casefold() in _WORDS:
        return read_flag(text, column)
    if column in ("weight", "distractors") and text:
        try:
            return float(text) if column == "weight" else int(float(text))
        except ValueError:
            return cell
    return cell


def _read_json(column: str, content: bytes, *, must: bool) -> object:
    value = parse(content)
    if must:
        if isinstance(value, BadRow):
            raise BadRow(f"{column}: {value}")
        return value
    turns = [value] if isinstance(value, dict) else value
    is_turns = isinstance(turns, list) and all(
        isinstance(turn, dict) and any(set(pair) <= turn.keys() for pair in _OF_A_TURN)
        for turn in turns
    )
    return value if turns and is_turns else content.decode()


def read_xlsx(source: Source, _kind: Recognised) -> Records:
    """Yield line and object of each row of every sheet; later sheets are named in `sheet`.

    Raises:
        UnreadableFile: It is no Excel file, is damaged, or too large once unpacked.
    """
    from openpyxl import load_workbook  # a quarter of a second that other files need not wait

    with source.open() as stream:
        try:
            size = sum(one.file_size for one in zipfile.ZipFile(stream).infolist())
            if size > MAX_UNPACKED_BYTES:
                raise UnreadableFile(f"{size:,} bytes once unpacked; save it as CSV or JSON Lines")
            book = load_workbook(stream, read_only=True, data_only=True)
            for place, sheet in enumerate(book.worksheets):
                extra = {"sheet": sheet.title} if place else {}
                yield from _of_sheet(sheet.iter_rows(values_only=True), extra)
        except UnreadableFile:
            raise
        except Exception as exc:  # openpyxl lets through what zip, XML and its own checks raise
            raise UnreadableFile(f"is no Excel file, or damaged: {exc}") from exc


def _of_sheet(lines: Iterator[tuple[Any, ...]], extra: Mapping[str, str]) -> Records:
    columns: Sequence[str] = ()
    for at, cells in enumerate(lines, start=1):
        texts = [_text_of_cell(cell) for cell in cells]
        while texts and texts[-1] == "":
            texts.pop()
        if not texts:
            continue
        if columns:
            fields = _of_cells(columns, texts)
            yield at, {**fields, **extra} if isinstance(fields, dict) else fields
            continue
        try:
            columns = _columns(texts)
        except UnreadableFile as exc:
            sheet = f"sheet {extra['sheet']}: " if extra else ""
            yield at, BadRow(f"{sheet}{exc}")
            return


def _text_of_cell(cell: object) -> str:
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, datetime | date | time):
        return str(_plain(cell))
    return str(cell).replace("_x000D_\n", "\n").replace("_x000D_", "\n")  # Excel's carriage return


def read_parquet(source: Source, _kind: Recognised) -> Records:
    """Yield place and object of each row.

    Raises:
        UnreadableFile: It is no Parquet file, or damaged.
    """
    from pyarrow import ArrowException  # a quarter of a second that other files need not wait
    from pyarrow.parquet import ParquetFile

    place = 0
    with source.open() as stream:
        try:
            for batch in ParquetFile(stream).iter_batches(batch_size=PARQUET_BATCH):
                for fields in batch.to_pylist():
                    place += 1
                    yield place, _of_parquet(fields)
        except (ArrowException, OSError, ValueError) as exc:
            raise UnreadableFile(f"is no Parquet file, or damaged: {exc}") from exc


def _of_parquet(fields: dict[str, Any]) -> object:
    try:
        return {
            name: _typed(name, value) if isinstance(value, str) else _plain(value)
            for key, value in fields.items()
            if value is not None
            for name in (known_name(key),)
        }
    except BadRow as exc:
        return exc


def _plain(value: Any) -> Any:
    """Return a value as JSON can say it: dates as ISO text, whatever else as its text."""
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, list):
        return [_plain(one) for one in value]
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, datetime) and value.time() == time():
        value = value.date()
    return value.isoformat() if isinstance(value, date | time) else str(value)


READERS: Mapping[str, Callable[[Source, Recognised], Records]] = {
    "csv": read_csv,
    "xlsx": read_xlsx,
    "parquet": read_parquet,
}
