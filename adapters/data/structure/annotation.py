"""Rows by a model: it reads a text and says in JSON what stands there; a person reviews the rows.

The model is passed in as a function. Every row says that nobody has reviewed it yet. It knows no
engine, and no queue.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, JsonValue, model_validator

from adapters.data.folding import fold
from adapters.data.personal import mask_personal_data
from adapters.data.rows import Row
from adapters.data.steps import Result, drop
from adapters.data.structure.in_order import map_in_order
from adapters.data.structure.replies import Generate, UnusableReply, read_reply, require_schema
from adapters.data.structure.settings_file import read_settings_file
from adapters.data.structure.templates import (
    RowTemplate,
    Template,
    as_plain,
    fill,
    names_in,
    require_known,
)
from adapters.data.structure.texts import as_text, inherited, pieces

GIVEN = frozenset({"text", "instruction", "json"})
"""Names in templates beside the keys of the reply."""


class AnnotationSettings(BaseModel):
    """An annotation file: what is asked of the model, and which rows its JSON becomes.

    Attributes:
        instruction: What to do with the text, in its language.
        reply: JSON schema of the reply, an object.
        each: Key of a list in the reply, of which every item becomes a row; None: one row.
        row: Templates; the names are the keys of the reply (of an item), and `{text}`,
            `{instruction}` and `{json}`, which is all of the reply (of the item).
        meta: Metadata of the rows, as templates.
        copied: Keys whose values must stand in the text, as the model may not make them up.
        max_chars: Longer texts are asked about in pieces; 1,500 Chinese letters are about 1,500
            tokens, which leaves room for the reply in a window of 4,096.
        parallel: Requests at once; the engine answers them in one batch.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    instruction: str = Field(min_length=1, max_length=8_000)
    reply: dict[str, JsonValue]
    each: str | None = None
    row: RowTemplate = RowTemplate(instruction="{instruction}", input="{text}", output="{json}")
    meta: dict[str, Template] = Field(default_factory=dict)
    copied: tuple[str, ...] = ()
    max_chars: Annotated[int, Field(ge=100, le=100_000)] = 1_500
    parallel: Annotated[int, Field(ge=1, le=64)] = 8

    @model_validator(mode="after")
    def _names_are_keys(self) -> Self:
        require_schema(self.reply)
        described: Any = self.reply
        if self.each is not None:
            described = described.get("properties", {}).get(self.each, {}).get("items", {})
        keys = set(described.get("properties", ()))
        if not keys:
            where = f"items of the list {self.each!r}" if self.each else "properties"
            raise ValueError(f"the schema has no {where}")
        if reserved := sorted(keys & GIVEN):
            raise ValueError(f"a key of the reply cannot be called {reserved[0]}")
        require_known(names_in(self.meta) | self.row.names(), keys | GIVEN)
        require_known(self.copied, keys)
        return self


def load_annotation(file: Path) -> AnnotationSettings:
    """Read an annotation file (YAML).

    Raises:
        InvalidRules: It cannot be read, or a key or a value of it is wrong; the first is named.
    """
    return read_settings_file(file, AnnotationSettings)


@dataclass(frozen=True, slots=True)
class _Answered:
    """What became of one piece of a text: rows, or why there are none."""

    rows: tuple[Row, ...]
    reason: str = ""
    detail: str = ""


class Annotate:
    """The step `annotate`; every row is looked at alone."""

    def __init__(
        self, settings: AnnotationSettings, generate: Generate, *, name: str = "annotate"
    ) -> None:
        self.name = name
        self._settings = settings
        self._generate = generate

    @property
    def settings(self) -> Mapping[str, object]:
        """The annotation file's content; which model replies is not known here."""
        return self._settings.model_dump(mode="json")

    def run(self, rows: Iterable[Row]) -> Iterator[Result]:
        """Yield one result for each row, in their order; errors of the model's server pass."""
        return map_in_order(self._annotate, rows, parallel=self._settings.parallel)

    def _annotate(self, row: Row) -> Result:
        texts = pieces(as_text(row), self._settings.max_chars)
        answered = [self._ask(row, text) for text in texts]
        made = tuple(one for each in answered for one in each.rows)
        failed = [each for each in answered if each.reason]
        if not made:
            first = failed[0] if failed else _Answered((), "empty_text", "there is no text")
            return drop(row, first.reason, first.detail)
        told = f"{len(made)} rows"
        for reason, count in Counter(each.reason for each in failed).items():
            told += f"; {count} of {len(answered)} pieces {reason}"
        return Result(row, made, "annotated", told)

    def _ask(self, row: Row, text: str) -> _Answered:
        schema = self._settings.reply
        try:
            reply = read_reply(self._generate(self._prompt(text), schema), schema)
            items = [reply] if self._settings.each is None else reply.get(self._settings.each, [])
            made = [self._row(row, text, item) for item in items]
        except UnusableReply as exc:
            return _Answered((), exc.reason, mask_personal_data(str(exc)))
        rows = tuple(one for one in made if one is not None)
        if not rows:
            return _Answered((), "no_rows", "the reply gives no question with an answer")
        return _Answered(rows)

    def _prompt(self, text: str) -> str:
        return f"{self._settings.instruction}\n\n<text>\n{text}\n</text>"

    def _row(self, row: Row, text: str, item: Mapping[str, JsonValue]) -> Row | None:
        """Return the row of one item; None if it has no question or no answer."""
        folded = fold(text)
        for key in self._settings.copied:
            for value in _texts_in(item.get(key)):
                if fold(value) not in folded:
                    raise UnusableReply("not_in_the_text", f"{key}: {value}")
        instruction = self._settings.instruction
        values = {**item, "text": text, "instruction": instruction, "json": as_plain({**item})}
        messages = self._settings.row.fill(values)
        if messages is None:
            return None
        meta = {name: fill(template, values) for name, template in self._settings.meta.items()}
        marks = {"made_by": self.name, "synthetic": True, "reviewed": False}
        return replace(row, messages=messages, meta={**inherited(row), **meta, **marks})


def _texts_in(value: JsonValue) -> Iterator[str]:
    """Yield what must be copied: texts and numbers, those in lists too."""
    if isinstance(value, list):
        for inner in value:
            yield from _texts_in(inner)
    elif value is not None and not isinstance(value, dict | bool):
        yield as_plain(value)
