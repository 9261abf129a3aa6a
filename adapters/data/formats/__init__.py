"""Files of rows in the formats that people have, in and out."""

from adapters.data.formats.reading import (
    MAX_PROBLEMS,
    iter_rows,
    join_files,
    load_pairs,
    load_rows,
    parse_any_rows,
)
from adapters.data.formats.refusals import Refusal

__all__ = [
    "MAX_PROBLEMS",
    "Refusal",
    "iter_rows",
    "join_files",
    "load_pairs",
    "load_rows",
    "parse_any_rows",
]
