"""Training data: files of rows in the usual formats, read into one internal row."""

from adapters.data.context import ContextCounts, count_context
from adapters.data.formats import load_rows
from adapters.data.rows import Example, Message, Row, hash_rows, hold_out, to_examples

__all__ = [
    "ContextCounts",
    "Example",
    "Message",
    "Row",
    "count_context",
    "hash_rows",
    "hold_out",
    "load_rows",
    "to_examples",
]
