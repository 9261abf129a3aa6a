"""Where the labelled public questions and the embedder of the benchmarks are found."""

import json
import os
from pathlib import Path
from typing import Any

DATA = Path("../shared/data")
Row = dict[str, Any]


def read_rows(path: Path) -> list[Row]:
    """Return the rows of a JSON Lines file."""
    return [json.loads(line) for line in path.open(encoding="utf-8")]


def find_embedder(given: str | None) -> str | None:
    """Return what was given, or the prepared embedder's folder, or None where there is none."""
    if given:
        return given
    home = Path(os.environ.get("FINGERPOST_HOME", ".fingerpost"))
    found = sorted(home.glob("models/**/modules.json"))
    return str(found[0].parent) if found else None
