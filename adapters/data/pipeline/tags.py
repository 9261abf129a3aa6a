"""The step `tag`: rows are given the scenario, date and line of business that they do not say.

From the folder and the name of their file, from words in their question, or as written in the
settings. What a row says itself stays. It guesses nothing.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from adapters.data.readiness.business_lines import KEY as BUSINESS_LINE
from adapters.data.recency import find_date, read_date
from adapters.data.rows import Row
from adapters.data.scenarios import read_scenario
from adapters.data.steps import Result, change, keep

Words = Mapping[str, Annotated[tuple[str, ...], Field(min_length=1)]]


class TagSettings(BaseModel):
    """Settings of `tag`; of what applies to a row, what stands first here counts.

    Attributes:
        scenario_words: Words of each scenario: the first that has one in the question is taken.
        scenario_from: `folder` takes the name of the file's folder.
        scenario: The scenario of all other rows.
        date_from: `name` takes a date in the file's name.
        date: The date (ISO) of all other rows.
        business_line_from: `folder`, as with the scenario.
        business_line: The line of business of all other rows.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    scenario_words: Words = {}
    scenario_from: Literal["folder"] | None = None
    scenario: str = ""
    date_from: Literal["name"] | None = None
    date: Annotated[str, Field(pattern=r"^(\d{4}-\d{2}-\d{2})?$")] = ""
    business_line_from: Literal["folder"] | None = None
    business_line: str = ""


class Tag:
    """Adds to each row what it does not say of itself."""

    name = "tag"

    def __init__(self, settings: TagSettings) -> None:
        self._settings = settings

    @property
    def settings(self) -> Mapping[str, object]:
        """All of them."""
        return self._settings.model_dump()

    def run(self, rows: Iterable[Row]) -> Iterator[Result]:
        """Yield one result for each row."""
        for row in rows:
            own = self._settings
            folder = row.file.parent.name
            found = {
                "scenario": ""
                if read_scenario(row)
                else self._by_words(row) or (folder if own.scenario_from else own.scenario),
                "date": "" if read_date(row) else self._date_of(row),
                BUSINESS_LINE: ""
                if row.meta.get(BUSINESS_LINE)
                else (folder if own.business_line_from else own.business_line),
            }
            added = {key: value for key, value in found.items() if value}
            if not added:
                yield keep(row)
                continue
            told = ", ".join(f"{key} {value}" for key, value in added.items())
            yield change(row, replace(row, meta={**row.meta, **added}), "tagged", told)

    def _by_words(self, row: Row) -> str:
        asked = "\n".join(turn.content for turn in row.messages if turn.role == "user").casefold()
        for name, words in self._settings.scenario_words.items():
            if any(word.casefold() in asked for word in words):
                return name
        return ""

    def _date_of(self, row: Row) -> str:
        found = find_date(row.file.name) if self._settings.date_from else None
        return self._settings.date if found is None else found.isoformat()
