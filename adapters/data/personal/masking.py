"""Masks personal data in training rows: every value by its surrogate, in every turn.

It knows rows; what is found and what stands for it are `finding.py` and `surrogates.py`.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields, replace
from typing import Any, Final

from pydantic import BaseModel, ConfigDict

from adapters.data.personal.finding import PersonalData, find_in
from adapters.data.personal.names import find_names_in
from adapters.data.personal.spelling import Plain, spell
from adapters.data.personal.surrogates import Surrogates
from adapters.data.personal.values import only_letters
from adapters.data.rows import Message, Row
from adapters.data.steps import Result, keep

# A copy of a value that no words announce is masked too; a shorter one is there by chance.
_MIN_COPY_CHARS: Final = 7
_MIN_COPY_OF_NAME: Final = 2
_BETWEEN: Final = r"[ ._/~()@-]{0,3}"
_KEPT_META: Final = ("date", "file")


class MaskSettings(BaseModel):
    """What is masked.

    Attributes:
        names_and_addresses: Whether names and street addresses are masked where words announce
            them; off, since patterns find some of them only and take some words for them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    names_and_addresses: bool = False


class MaskPersonalData:
    """The step `mask_personal_data`; its memory does not grow with the rows.

    Args:
        settings: What is masked.
        key: Secret bytes of the home, at least 16: the same value has the same surrogate in every
            file that is masked with it.

    Raises:
        ValueError: The key is too short.
    """

    name = "mask_personal_data"

    def __init__(self, settings: MaskSettings, key: bytes) -> None:
        """Keep settings and key."""
        self._settings = settings
        self._surrogates = Surrogates(key)

    @property
    def settings(self) -> Mapping[str, object]:
        """All that its results depend on beside the rows; the key by its id alone."""
        return {**self._settings.model_dump(), "key_id": self._surrogates.key_id}

    def run(self, rows: Iterable[Row]) -> Iterator[Result]:
        """Yield each row, masked where something was found, with counts by kind as scores."""
        for row in rows:
            yield self._mask_row(row)

    def mask(self, text: str) -> str:
        """Return one text masked."""
        return _Masking(self._settings, self._surrogates, [text]).mask(text)

    def _mask_row(self, row: Row) -> Result:
        turns = [_content(message) for message in row.messages]
        meta = {name: value for name, value in row.meta.items() if name not in _KEPT_META}
        masking = _Masking(self._settings, self._surrogates, _texts([*turns, meta]))
        if not masking.found:
            return keep(row)
        into = replace(
            row,
            messages=tuple(
                replace(message, **masking.mask_all(content))
                for message, content in zip(row.messages, turns, strict=True)
            ),
            meta={**row.meta, **masking.mask_all(meta)},
        )
        counts = masking.found.most_common()
        detail = ", ".join(f"{count} {kind}" for kind, count in counts)
        scores = {kind: float(count) for kind, count in counts}
        return Result(row, (into,), "personal_data", detail, scores)


def _content(message: Message) -> dict[str, Any]:
    """Return all that a turn says, not who says it."""
    return {
        each.name: getattr(message, each.name) for each in fields(message) if each.name != "role"
    }


def _texts(value: object) -> Iterator[str]:
    """Yield every text in plain content."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        yield from _texts(list(value.values()))
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _texts(each)


class _Masking:
    """One row: what is found in it, and its texts masked, copies of a value elsewhere in it too."""

    def __init__(
        self, settings: MaskSettings, surrogates: Surrogates, texts: Iterable[str]
    ) -> None:
        self.found: Counter[str] = Counter()
        self._masked: dict[str, str] = {}
        finds = {text: _find(text, settings) for text in texts}
        values: dict[str, PersonalData] = {}
        for _, found in finds.values():
            for one in found:
                self.found[one.kind] += 1
                is_name = one.kind == "person_name"
                if len(one.value) >= (_MIN_COPY_OF_NAME if is_name else _MIN_COPY_CHARS):
                    values.setdefault(one.value, one)
        if self.found:
            for text, (plain, found) in finds.items():
                every = sorted([*found, *_copies(plain, found, values)], key=lambda one: one.start)
                self._masked[text] = _replace(text, every, surrogates)

    def mask(self, text: str) -> str:
        """Return a text masked."""
        return self._masked.get(text, text)

    def mask_all(self, value: Any) -> Any:
        """Return plain content with every text masked."""
        if isinstance(value, str):
            return self.mask(value)
        if isinstance(value, Mapping):
            return {name: self.mask_all(each) for name, each in value.items()}
        if isinstance(value, list | tuple):
            return type(value)(self.mask_all(each) for each in value)
        return value


def _find(text: str, settings: MaskSettings) -> tuple[Plain, list[PersonalData]]:
    plain = spell(text)
    found = find_in(plain)
    if settings.names_and_addresses:
        taken = found
        found = found + [
            one
            for one in find_names_in(plain)
            if all(one.end <= other.start or other.end <= one.start for other in taken)
        ]
    return plain, found


def _copies(
    plain: Plain, found: list[PersonalData], values: Mapping[str, PersonalData]
) -> Iterator[PersonalData]:
    """Yield where values of the row stand again without what made them one."""
    if not values:
        return
    bare = only_letters(plain.text)
    taken = [(one.start, one.end) for one in found]
    seen = Counter(one.value for one in found)
    for value, one in values.items():
        letters = only_letters(value)
        if bare.count(letters) <= seen[value]:
            continue
        for match in re.finditer(_BETWEEN.join(letters), plain.text, re.IGNORECASE):
            start, end = plain.span(*match.span())
            if all(end <= first or last <= start for first, last in taken):
                taken.append((start, end))
                yield PersonalData(one.kind, start, end, match.group())


def _replace(text: str, found: Iterable[PersonalData], surrogates: Surrogates) -> str:
    parts, end = [], 0
    for one in found:
        written = text[one.start : one.end]
        parts += [text[end : one.start], _as_written(surrogates.surrogate(one), written)]
        end = one.end
    return "".join([*parts, text[end:]])


def _as_written(surrogate: str, written: str) -> str:
    """Return a surrogate with dashes, dots and spaces of the source where it has its layout."""
    if len(surrogate) != len(written):
        return surrogate
    letters = zip(surrogate, written, strict=True)
    return "".join(new if new.isalnum() or old.isalnum() else old for new, old in letters)
