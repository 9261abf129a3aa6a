"""Files of rows in the formats that people have, in and out."""

from adapters.data.formats.conversion import Conversion, convert_files
from adapters.data.formats.export import RowFormat, to_fields
from adapters.data.formats.reading import (
    MAX_PROBLEMS,
    iter_rows,
    load_pairs,
    load_rows,
    parse_any_rows,
    refuse,
)
from adapters.data.formats.refusals import Refusal

__all__ = [
    "MAX_PROBLEMS",
    "Conversion",
    "Refusal",
    "RowFormat",
    "convert_files",
    "iter_rows",
    "load_pairs",
    "load_rows",
    "parse_any_rows",
    "refuse",
    "to_fields",
]
