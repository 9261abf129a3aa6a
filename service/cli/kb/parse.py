"""`fingerpost kb parse FILE`: what a document says, as ingest would read it.

Works without a gateway; nothing is stored.
"""

from pathlib import Path
from typing import Annotated

import typer

from knowledge import ParsedText, UnsupportedFile
from knowledge import parse as read
from service.cli.output import JsonOption, reporting


def parse(
    file: Annotated[Path, typer.Argument(help="The document.")],
    password: Annotated[str | None, typer.Option(help="Password of a locked PDF.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Print the text of a document; nothing is stored and no gateway is asked."""
    with reporting(as_json) as report:
        try:
            content = file.read_bytes()
        except OSError as exc:
            raise UnsupportedFile(f"{str(file)!r} cannot be opened: {exc.strerror}") from exc
        parsed = read(file.name, content, password=password)
        body = {
            "text": parsed.text,
            "pages": _pages(parsed),
            "format": parsed.format,
            "encoding": parsed.encoding,
        }
        report.result(body, parsed.text)


def _pages(parsed: ParsedText) -> list[str]:
    bounds = [0, *parsed.page_starts, len(parsed.text)]
    return [
        parsed.text[start:end].strip("\n") for start, end in zip(bounds, bounds[1:], strict=False)
    ]
