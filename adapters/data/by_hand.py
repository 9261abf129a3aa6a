"""Which rows a person has read: by their own metadata, and by what a review queue knows of them.

It knows rows and their digests; it does not know where reviews are kept.
"""

from dataclasses import dataclass, replace
from typing import Final

from adapters.data.rows import Message, Row, hash_rows


@dataclass(frozen=True, slots=True)
class ReadByHand:
    """Digests of rows (`digest_of`) that people have reviewed.

    Attributes:
        accepted: Rows that were accepted, or are what an edit has made.
        refused: Rows that were rejected or replaced by an edit, and should be nowhere any more.
    """

    accepted: frozenset[str] = frozenset()
    refused: frozenset[str] = frozenset()

    def has_accepted(self, row: Row) -> bool:
        """Return whether a person has read the row as it is, and let it stand."""
        return row.meta.get("reviewed") is True or self._is_in(self.accepted, row)

    def has_refused(self, row: Row) -> bool:
        """Return whether a person has rejected or replaced the row."""
        return self._is_in(self.refused, row) and not self._is_in(self.accepted, row)

    def counts_as_human(self, row: Row) -> bool:
        """Return whether a person wrote the row, or accepted what a model has made."""
        is_made = row.meta.get("reviewed") is False or row.meta.get("synthetic") is True
        return not is_made or self.has_accepted(row)

    def _is_in(self, digests: frozenset[str], row: Row) -> bool:
        return bool(digests) and digest_of(row) in digests


NOBODY_HAS_READ: Final = ReadByHand()


def digest_of(row: Row) -> str:
    """Return the SHA-256 (hex) of what is trained on: the turns, and a pair's rejected answer."""
    if isinstance(rejected := row.meta.get("rejected"), str):
        row = replace(row, messages=(*row.messages, Message("assistant", rejected)))
    return hash_rows([row])
