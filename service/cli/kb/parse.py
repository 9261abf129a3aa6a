"""`fingerpost kb parse FILE`: the text of a document as ingestion reads it.

Works without a gateway; nothing is stored.
"""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from knowledge import Ocr, ParsedText, UnsupportedFile
from knowledge import parse as read
from service.cli.kb.adding import EncodingOption
from service.cli.output import JsonOption, command_output

EXPECTED = {"utf-8", "binary"}
"""Encodings that need no word."""
OcrOption = Annotated[
    Ocr,
    typer.Option(help="Text recognition: auto (pages without text), always or never."),
]


def parse(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The document to read.")],
    password: Annotated[str | None, typer.Option(help="Password of an encrypted PDF.")] = None,
    encoding: EncodingOption = None,
    *,
    ocr: OcrOption = "auto",
    as_json: JsonOption = False,
) -> None:
    """Print the text extracted from a document; stores nothing and needs no gateway."""
    with command_output(as_json) as output:
        try:
            content = file.read_bytes()
        except OSError as exc:
            raise UnsupportedFile(f"{str(file)!r} cannot be opened: {exc.strerror}") from exc
        parsed = read(file.name, content, password=password, encoding=encoding, ocr=ocr)
        body = {
            "text": parsed.text,
            "pages": _pages(parsed),
            "format": parsed.format,
            "encoding": parsed.encoding,
            "recognised": {str(page): round(sure, 3) for page, sure in parsed.recognised},
            "left_out": [asdict(item) for item in parsed.left_out],
        }
        output.result(body, parsed.text)
        if parsed.encoding not in EXPECTED:
            output.info(f"encoding: {parsed.encoding}")
        for page, sure in parsed.recognised:
            output.info(f"recognised: page {page}, confidence {sure:.2f}")
        for item in parsed.left_out:
            output.info(f"not read: {item.what} ({item.where}): {item.why}")


def _pages(parsed: ParsedText) -> list[str]:
    bounds = [0, *parsed.page_starts, len(parsed.text)]
    return [
        parsed.text[start:end].strip("\n") for start, end in zip(bounds, bounds[1:], strict=False)
    ]
