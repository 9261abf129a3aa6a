"""An advice as Markdown. Every text of it is escaped, since some are a user's own words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from router.advice.wording import number

# What means something in Markdown, or in the HTML that Markdown allows.
_SPECIAL: Final = re.compile(r"([\\`*_\[\]<>|#~])")


@dataclass(frozen=True, slots=True)
class MarkdownReport:
    """Writes one advice.

    Attributes:
        advice: As `advice_content` gives it.
        say: Headings and names of columns, by key.
        strategies: Names of the strategies, by id.
    """

    advice: Mapping[str, Any]
    say: Mapping[str, str]
    strategies: Mapping[str, str]

    def text(self) -> str:
        """Return the whole report."""
        parts = (
            f"# {self.say['title']}",
            *self._recommendation(),
            *self._section("flow", self._flow(self.advice["steps"])),
            *self._section("also_asked", self._flow(self.advice["also_asked"])),
            *self._section("comparison", self._comparison()),
            *self._section("missing", self._missing()),
            *self._section("estimates", self._estimates()),
            *self._section("rejected", self._rejected()),
            *self._section("risks", _bullets(map(escape, self.advice["risks"]))),
            *self._section("next_steps", self._next_steps()),
            *self._section("facts", self._facts()),
            f"{self.say['policy']}{self.say['colon']}{_code(self.advice['policy_version'])}",
        )
        return "\n\n".join(part for part in parts if part) + "\n"

    def _section(self, heading: str, body: str) -> tuple[str, str]:
        return f"## {self.say[heading]}", body

    def _recommendation(self) -> Iterator[str]:
        advice, say = self.advice, self.say
        statement = f"{escape(advice['headline'])} {escape(advice['fine_tuning']['statement'])}"
        yield f"## {say['recommendation']}"
        yield f"**{statement}**"
        yield _bullets(map(escape, advice["reasons"]))
        chosen = f"{_code(advice['rule'])} → {_code(advice['recommended'] or '-')}"
        yield f"{say['rule']}{say['colon']}{chosen}"
        conclusion = advice["conclusion"]
        if conclusion:
            yield f"{say['conclusion']}{say['colon']}**{escape(conclusion['text'])}**"
        else:
            yield say["no_conclusion"]
        today = advice["today"]
        runs = self.strategies[today["strategy"]] if today["strategy"] else say["nothing_today"]
        yield f"{say['today']}{say['colon']}{runs} ({escape(today['because'])})"
        if advice["to_build"]:
            yield f"{say['to_build']}{say['colon']}".rstrip()
            yield _bullets(map(escape, advice["to_build"]))

    def _flow(self, steps: Sequence[Mapping[str, Any]]) -> str:
        columns = ("step", "question", "known", "verdict", "finding", "threshold")
        return self._table(
            columns,
            (
                (
                    str(step["step"] or ""),
                    escape(step["question"]),
                    "<br>".join(self._fact(fact) for fact in step["facts"]),
                    f"**{self.say[step['verdict']]}**",
                    escape(step["finding"]),
                    "<br>".join(
                        f"{_code(t['name'])} = {_plain(t['value'])} ({escape(t['source'])})"
                        for t in step["thresholds"]
                    ),
                )
                for step in steps
            ),
        )

    def _fact(self, fact: Mapping[str, Any]) -> str:
        text = f"{escape(fact['name'])}{self.say['colon']}{escape(fact['text'])}"
        return text if fact["value"] is None else f"{text} ({escape(fact['mark'])})"

    def _comparison(self) -> str:
        rows = (
            (
                f"**{escape(row['label'])}**",
                *(
                    f"{escape(row['cells'][s]['text'])} ({escape(row['cells'][s]['mark_text'])})"
                    for s in self.strategies
                ),
            )
            for row in self.advice["comparison"]
        )
        return _table((self.say["dimension"], *self.strategies.values()), rows)

    def _missing(self) -> str:
        lines = []
        for gap in self.advice["missing"]:
            how = (
                f" ({self.say['how']}{self.say['colon']}{escape(gap['how'])})" if gap["how"] else ""
            )
            command = f" {_code(gap['command'])}" if gap["command"] else ""
            lines.append(f"{escape(gap['text'])}{how}{command}")
            lines += [f"  - {self._change(change)}" for change in gap["would_change"]]
        nested = (line if line.startswith("  - ") else f"- {line}" for line in lines)
        return "\n".join(nested) or self.say["nothing_missing"]

    def _change(self, change: Mapping[str, Any]) -> str:
        then = change["then_text"] or self.say["nothing"]
        return f"{self.say['would_change']} {escape(change['if'])} → {escape(then)}"

    def _estimates(self) -> str:
        estimates = self.advice["estimates"]
        rows = (
            self._estimate(s, estimates["training"].get(s), estimates["serving"][s])
            for s in self.strategies
        )
        columns = (
            "strategy",
            "memory",
            "hours",
            "training_cost",
            "tokens",
            "per_1000",
            "per_month",
        )
        inputs = (
            (
                escape(one["name"]),
                escape(one["text"]),
                escape(one["mark_text"]),
                escape(one["source"] or ""),
            )
            for one in estimates["inputs"]
        )
        formulas = (
            f"{escape(f['formula'])} ({escape(f['source'])})" for f in estimates["formulas"]
        )
        parts = (
            self._table(columns, rows),
            self.say["precision"],
            self._always_on(estimates["always_on_usd_per_month"]),
            f"### {self.say['formulas']}",
            _bullets(formulas),
            f"### {self.say['inputs']}",
            self._table(("fact", "value", "mark", "source"), inputs),
        )
        return "\n\n".join(part for part in parts if part)

    def _always_on(self, usd: float | None) -> str:
        if usd is None:
            return ""
        say = self.say
        return f"{say['always_on']} {number(usd)} {say['usd']}{say['stop']}"

    def _estimate(
        self, strategy: str, training: Mapping[str, Any] | None, serving: Mapping[str, Any]
    ) -> tuple[str, ...]:
        made = (self.say["none"],) * 3
        if training is not None:
            memory = "memory_gb", "qlora_memory_gb", "full_memory_gb"
            made = (
                " / ".join(self._amount(training[name], "GB") for name in memory),
                self._amount(training["hours"], self.say["gpu_hours"]),
                self._amount(training["usd"], self.say["usd"]),
            )
        return (
            f"**{self.strategies[strategy]}**",
            *made,
            f"{number(serving['prompt_tokens'])} + {number(serving['answer_tokens'])}",
            self._amount(serving["usd_per_1000"], self.say["usd"]),
            self._amount(serving["usd_per_month"], self.say["usd"]),
        )

    def _amount(self, value: float | None, unit: str) -> str:
        return self.say["unknown"] if value is None else f"{number(value)} {unit}"

    def _rejected(self) -> str:
        return _bullets(
            f"**{self.strategies[one['strategy']]}** ({self.kind(one['kind'])} "
            f"{_code(one['rule'])}){self.say['colon']}{escape(one['because'])}"
            for one in self.advice["rejected"]
        )

    def kind(self, kind: str) -> str:
        """Return what felled a strategy, in a word."""
        return self.say["hard" if kind == "hard" else "passed_over"]

    def _next_steps(self) -> str:
        return "\n".join(
            f"{place}. {escape(step['text'])}"
            + (f"\n   {_code(step['command'])}" if step["command"] else "")
            for place, step in enumerate(self.advice["next_steps"], start=1)
        )

    def _facts(self) -> str:
        if not self.advice["facts"]:
            return self.say["nothing_known"]
        rows = (
            (_code(f["fact"]), escape(f["name"]), escape(f["text"]), escape(f["mark"]))
            for f in self.advice["facts"]
        )
        return _table(("", self.say["fact"], self.say["value"], self.say["mark"]), rows)

    def _table(self, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
        return _table([self.say[column] for column in columns], rows)


def escape(value: object) -> str:
    """Return text that Markdown shows as it is, in one line."""
    return _SPECIAL.sub(r"\\\1", " ".join(str(value).split()))


def _plain(value: object) -> str:
    return number(value) if isinstance(value, int | float) else escape(value)


def _code(text: object) -> str:
    """Return text as code; what would end it, or a table's cell, is left out."""
    plain = " ".join(str(text).split()).replace("`", "'").replace("|", "\\|")
    return f"`{plain}`"


def _bullets(lines: Iterable[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = (columns, ["---"] * len(columns), *rows)
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
