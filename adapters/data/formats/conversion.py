"""Converts files of rows: any format and kind of file in, one out, with what was refused.

Knows reading and writing; does not know what a format is made of.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import orjson

from adapters.data.formats.export import RowFormat
from adapters.data.formats.reading import MAX_PROBLEMS, iter_rows
from adapters.data.formats.refusals import BadRow, Refusal, UnreadableFile
from adapters.data.formats.sources import Source, recognise
from adapters.data.formats.writers import Write, kind_of, open_writer
from adapters.errors import InvalidTrainingData

PROGRESS_ROWS = 1_000  # between two reports


@dataclass(frozen=True, slots=True)
class ConvertedFile:
    """One file that was read.

    Attributes:
        file: Its name.
        kind: `jsonl`, `json`, `csv`, `xlsx` or `parquet`, by its content; empty: none of them.
        encoding: Of its text, by its content; empty where it is no text.
    """

    file: str
    kind: str
    encoding: str


@dataclass(frozen=True, slots=True)
class Conversion:
    """What became of the rows of some files.

    Attributes:
        rows: How many were written.
        refused: How many were not.
        refusals: Why, for the first `MAX_PROBLEMS` of them.
        files: What was read.
        out: The file written.
        refused_file: Where every refusal stands, one a line; none where there are none.
    """

    rows: int
    refused: int
    refusals: tuple[Refusal, ...]
    files: tuple[ConvertedFile, ...]
    out: Path
    refused_file: Path | None

    def as_dict(self) -> dict[str, Any]:
        """Return plain content."""
        return {
            "rows": self.rows,
            "refused": self.refused,
            "refusals": [_as_fields(one) for one in self.refusals],
            "files": [asdict(one) for one in self.files],
            "out": str(self.out),
            "refused_file": None if self.refused_file is None else str(self.refused_file),
        }


def convert_files(
    files: Sequence[Path],
    out: Path,
    form: RowFormat,
    *,
    on_rows: Callable[[int], None] = lambda _rows: None,
) -> Conversion:
    """Write the rows of `files` as rows of one format; what cannot be used is listed.

    Args:
        files: As for `load_rows`.
        out: The file to write; what its name ends in says which kind. Replaced as a whole.
        form: The format.
        on_rows: Told now and then how many rows were read.

    Raises:
        InvalidTrainingData: `out` ends in no known kind, cannot be written or is one of `files`;
            or not one row can be used.
    """
    kind = kind_of(out)
    if any(file.resolve() == out.resolve() for file in files):
        raise InvalidTrainingData(f"{out} is one of the files that are read; name another")
    beside = out.with_name(f"{out.name}.refused.jsonl")
    draft, draft_beside = (path.with_name(f".{path.name}.new") for path in (out, beside))
    first: list[Refusal] = []
    rows = refused = 0
    try:
        with open_writer(draft, kind, form) as write, draft_beside.open("wb") as beside_lines:
            for one in _write_all(files, write):
                if one is None:
                    rows += 1
                else:
                    refused += 1
                    beside_lines.write(orjson.dumps(_as_fields(one)) + b"\n")
                    first += [one] * (len(first) < MAX_PROBLEMS)
                if (rows + refused) % PROGRESS_ROWS == 0:
                    on_rows(rows + refused)
        if not rows:
            named = tuple(map(str, first)) or ("the files hold no rows",)
            raise InvalidTrainingData("\n".join(("no row can be used:", *named)), named)
        os.replace(draft, out)
        if refused:
            os.replace(draft_beside, beside)
        else:
            beside.unlink(missing_ok=True)  # of an earlier conversion
    except OSError as exc:
        raise InvalidTrainingData(f"{out} cannot be written: {exc.strerror}") from exc
    finally:
        for path in (draft, draft_beside):
            with suppress(OSError):
                path.unlink(missing_ok=True)
    read = tuple(_describe(file) for file in files)
    return Conversion(rows, refused, tuple(first), read, out, beside if refused else None)


def _write_all(files: Sequence[Path], write: Write) -> Iterator[Refusal | None]:
    """Write every row; yield for each None, or why it was refused by a reader or the writer."""
    for row in iter_rows(files):
        if isinstance(row, Refusal):
            yield row
            continue
        try:
            write(row)
        except BadRow as exc:
            yield Refusal(row.file, row.line, str(exc))
        else:
            yield None


def _as_fields(one: Refusal) -> dict[str, str | int]:
    return {"file": str(one.file), "line": one.line, "reason": one.reason}


def _describe(file: Path) -> ConvertedFile:
    try:
        found = recognise(Source.of_file(file))
    except UnreadableFile:
        return ConvertedFile(str(file), "", "")
    return ConvertedFile(str(file), found.kind, found.encoding)
