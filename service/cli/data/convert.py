"""`fingerpost data convert`: training rows from any format and kind of file into one.

It knows options and how a conversion is told; the rows are converted in `adapters`.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from adapters import Conversion, RowFormat, convert_files
from service.cli.output import PARTIAL, JsonOption, command_output

_MOST_SHOWN = 10  # refused rows; the file beside OUT has them all


def convert(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILES", help="Training rows in any format: JSONL, JSON, CSV, XLSX or Parquet."
        ),
    ],
    to: Annotated[RowFormat, typer.Option("--to", help="Format of the rows to write.")],
    out: Annotated[
        Path,
        typer.Option(
            "--out", help="File to write: .jsonl, .json, .csv, .xlsx or .parquet.", dir_okay=False
        ),
    ],
    as_json: JsonOption = False,
) -> None:
    """Convert training rows to one format; rows that cannot be used are listed with the reason.

    Refused rows are written next to OUT as OUT.refused.jsonl: file, line and reason. Exits with 3
    if some were refused.
    """
    with command_output(as_json) as output:
        with output.progress("converting") as bar:
            done = convert_files(
                files, out, to, on_rows=lambda rows: bar.show(None, f"{rows:,} rows")
            )
        output.result({"object": "conversion", **done.as_dict()}, "\n".join(_lines(done)))
        if done.refused:
            raise typer.Exit(PARTIAL)


def _lines(done: Conversion) -> Iterator[str]:
    for read in done.files:
        if read.encoding not in ("", "utf-8", "utf-8-sig"):
            yield f"{read.file} was read as {read.encoding}"
    yield f"{_rows(done.rows)} written to {done.out}"
    if done.refused:
        yield f"{_rows(done.refused)} refused: {done.refused_file}"
        yield from (f"  {one}" for one in done.refusals[:_MOST_SHOWN])
        if done.refused > _MOST_SHOWN:
            yield f"  … {done.refused - _MOST_SHOWN} more"


def _rows(count: int) -> str:
    return f"{count:,} row{'s' * (count != 1)}"
