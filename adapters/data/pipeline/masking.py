"""The step `mask`: personal data in every turn is replaced by its kind."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from adapters.data.personal import mask_personal_data
from adapters.data.rows import Row
from adapters.data.steps import Result, change, keep


class Mask:
    """Masks personal data in the turns of a row and in the rejected answer of a pair."""

    name = "mask"
    settings: Mapping[str, object] = {}

    def run(self, rows: Iterable[Row]) -> Iterator[Result]:
        """Yield one result for each row."""
        for row in rows:
            turns = tuple(replace(m, content=mask_personal_data(m.content)) for m in row.messages)
            rejected = row.meta.get("rejected")
            meta = dict(row.meta)
            if isinstance(rejected, str):
                meta["rejected"] = mask_personal_data(rejected)
            masked = replace(row, messages=turns, meta=meta)
            yield (
                keep(row)
                if masked == row
                else change(row, masked, "personal_data", "personal data replaced by its kind")
            )
