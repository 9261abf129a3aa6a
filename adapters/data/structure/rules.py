"""Rows by rules: a pattern finds what a text says, templates make questions and answers of it.

For texts of a fixed form: numbered clauses, forms, logs. It knows no files but the rule file.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Final, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from adapters.data.rows import Row
from adapters.data.steps import Result, drop, keep
from adapters.data.structure.patterns import Pattern, TooSlow
from adapters.data.structure.settings_file import read_settings_file
from adapters.data.structure.templates import (
    RowTemplate,
    Template,
    fill,
    names_in,
    require_known,
)
from adapters.data.structure.texts import as_text, inherited, is_document
from adapters.errors import InvalidRules

GIVEN: Final = frozenset({"match", "body", "whole"})
"""Names in templates beside the named groups."""
SEPARATORS: Final = "：:、，,.．-— \t\u3000\n"
MAX_SLOW = 10  # texts after which a slow pattern ends the step instead of making every text wait


class Rule(BaseModel):
    """One pattern and the rows that each of its matches becomes.

    Attributes:
        id: Its name in reports.
        pattern: What is looked for; `^` and `$` are the ends of a line. In templates its named
            groups stand by their names, `{match}` is all of it, `{body}` is the text from its end
            to the next match, without a colon or spaces before it, and `{whole}` is both. No row
            is made whose question would use a name that stands for nothing here.
        body_until: Ends the body earlier: at a heading of another kind, for one.
        ignore_case: Letters match in either case.
        dot_matches_newline: `.` stands for the end of a line too.
        rows: One row for each of them.
        meta: Metadata of the rows, as templates.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(min_length=1, max_length=80)
    pattern: str
    body_until: str | None = None
    ignore_case: bool = False
    dot_matches_newline: bool = False
    rows: Annotated[tuple[RowTemplate, ...], Field(min_length=1)]
    meta: dict[str, Template] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _templates_name_groups(self) -> Self:
        names = self.compiled().names
        if reserved := sorted(names & GIVEN):
            raise ValueError(f"a group cannot be called {reserved[0]}")
        if self.body_until is not None:
            Pattern(self.body_until)
        used = names_in(self.meta).union(*(row.names() for row in self.rows))
        require_known(used, names | GIVEN)
        return self

    def compiled(self) -> Pattern:
        """Return the pattern, ready to search."""
        return Pattern(
            self.pattern,
            ignore_case=self.ignore_case,
            dot_matches_newline=self.dot_matches_newline,
        )


class RuleSettings(BaseModel):
    """A rule file.

    Attributes:
        rules: Each is tried on every text.
        keep_unmatched: Conversations without a match go on as they are; documents never do.
        timeout_s: Longest search of one pattern in one text. A plain pattern reads a contract of
            100,000 letters in milliseconds.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    rules: Annotated[tuple[Rule, ...], Field(min_length=1)]
    keep_unmatched: bool = False
    timeout_s: float = Field(default=1.0, gt=0, le=60)

    @field_validator("rules")
    @classmethod
    def _names_differ(cls, rules: tuple[Rule, ...]) -> tuple[Rule, ...]:
        twice = [name for name, count in Counter(rule.id for rule in rules).items() if count > 1]
        if twice:
            raise ValueError(f"two rules are called {twice[0]!r}")
        return rules


def load_rules(file: Path) -> RuleSettings:
    """Read a rule file (YAML).

    Raises:
        InvalidRules: It cannot be read, or a key or a value of it is wrong; the first is named.
    """
    return read_settings_file(file, RuleSettings)


@dataclass(frozen=True, slots=True)
class _Ready:
    rule: Rule
    pattern: Pattern
    body_until: Pattern | None


class ApplyRules:
    """The step `structure`; every row is looked at alone."""

    name = "structure"

    def __init__(self, settings: RuleSettings) -> None:
        self._settings = settings
        self._rules = tuple(
            _Ready(rule, rule.compiled(), Pattern(rule.body_until) if rule.body_until else None)
            for rule in settings.rules
        )

    @property
    def settings(self) -> Mapping[str, object]:
        """The rule file's content."""
        return self._settings.model_dump(mode="json")

    def run(self, rows: Iterable[Row]) -> Iterator[Result]:
        """Yield one result for each row, in their order.

        Raises:
            InvalidRules: One pattern was too slow on `MAX_SLOW` texts.
        """
        slow: Counter[str] = Counter()
        for row in rows:
            yield self._apply(row, slow)

    def _apply(self, row: Row, slow: Counter[str]) -> Result:
        text = as_text(row)
        made: list[Row] = []
        by_rule: Counter[str] = Counter()
        too_slow = []
        for ready in self._rules:
            try:
                new = list(self._rows_of(ready, row, text))
            except TooSlow:
                too_slow.append(ready.rule.id)
                continue
            by_rule[ready.rule.id] += len(new)
            made += new
        slow.update(too_slow)
        if too_slow and slow[too_slow[0]] >= MAX_SLOW:
            raise InvalidRules(
                f"the pattern of rule {too_slow[0]!r} took longer than "
                f"{self._settings.timeout_s:g} s on {MAX_SLOW} texts; the last is "
                f"{row.file}:{row.line}"
            )
        told = ", ".join(f"{count} by {rule}" for rule, count in by_rule.items() if count)
        if too_slow:
            told = f"{told}; too slow: {', '.join(too_slow)}".removeprefix("; ")
        if made:
            return Result(row, tuple(made), "structured", told)
        if too_slow:
            return drop(row, "pattern_too_slow", told)
        if self._settings.keep_unmatched and not is_document(row):
            return keep(row)
        return drop(row, "no_rule_matched", "no rule found anything that gives a row")

    def _rows_of(self, ready: _Ready, row: Row, text: str) -> Iterator[Row]:
        found = ready.pattern.find_all(text, timeout_s=self._settings.timeout_s)
        for place, one in enumerate(found):
            next_start = found[place + 1].start if place + 1 < len(found) else len(text)
            body = self._cut(ready, text[one.end : next_start])
            whole = {"match": one.match.strip(), "whole": f"{one.match}{body}".strip()}
            values = {**one.groups, **whole, "body": body.lstrip(SEPARATORS).rstrip()}
            meta = {name: fill(template, values) for name, template in ready.rule.meta.items()}
            meta |= {"made_by": self.name, "rule": ready.rule.id}
            for template in ready.rule.rows:
                if messages := template.fill(values):
                    yield replace(row, messages=messages, meta={**inherited(row), **meta})

    def _cut(self, ready: _Ready, body: str) -> str:
        if ready.body_until is None:
            return body
        ending = ready.body_until.find_all(body, timeout_s=self._settings.timeout_s)
        return body[: ending[0].start] if ending else body
