"""An advice as plain content, for JSON and for the pages: every text in one language.

Keys, ids and values never change with the language. It knows neither Markdown nor HTML.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Final

from router.advice.comparison import Dimension
from router.advice.estimates import FORMULAS, Input
from router.advice.flow import Step
from router.advice.gaps import Gap
from router.advice.report import Advice, Conclusion, reason_of
from router.advice.wording import FACT_NAMES, MARKS, STRATEGIES, THRESHOLD_SOURCES_ZH, Mark, told
from router.decision import Finding, RuleKind, Strategy
from router.facts import FACTS, Provenance
from router.text import Language, Text

_DERIVED: Final = Text(zh="由其他事实得出", en="follows from others")
_BROUGHT: Final = Text(zh="实测（自带）", en="measured, by the caller")


def advice_content(advice: Advice, language: Language) -> dict[str, Any]:
    """Return an advice as content that JSON can carry.

    Args:
        advice: The advice.
        language: Of every text in it.

    Returns:
        The content, always with the same keys.
    """
    return _Content(advice, language).whole()


@dataclass(frozen=True, slots=True)
class _Content:
    """Writes one advice as plain content in one language."""

    given: Advice
    language: Language

    def whole(self) -> dict[str, Any]:
        given, plan = self.given, self.given.plan
        return {
            "object": "advice",
            "lang": self.language.value,
            "policy_version": given.policy.version,
            "recommended": None if plan.recommended is None else plan.recommended.value,
            "rule": plan.target.rule,
            "headline": self.say(given.headline),
            "fine_tuning": {
                "verdict": plan.fine_tuning,
                "statement": self.say(given.fine_tuning),
            },
            "pilot": plan.target.pilot,
            "reasons": [self.say(reason) for reason in given.reasons],
            "conclusion": None if given.conclusion is None else self.conclusion(given.conclusion),
            "today": self.today(),
            "to_build": [self.say(thing) for thing in given.to_build],
            "assumed": dict(plan.assumed),
            "steps": [self.step(step) for step in given.steps if step.number is not None],
            "also_asked": [self.step(step) for step in given.steps if step.number is None],
            "rejected": self.rejected(),
            "comparison": [self.dimension(dimension) for dimension in given.comparison],
            "floor": asdict(given.floor),
            "missing": [self.gap(gap) for gap in given.gaps],
            "estimates": self.estimates(),
            "risks": [self.say(risk) for risk in given.risks],
            "next_steps": [
                {"text": self.say(step.text), "command": step.command} for step in given.next_steps
            ],
            "facts": [self.fact(name) for name in given.case.facts.values],
            "categories": [asdict(category) for category in given.case.categories],
            "measured_by": given.case.measured_by,
        }

    def say(self, text: Text) -> str:
        return text.zh if self.language is Language.ZH else text.en

    def conclusion(self, conclusion: Conclusion) -> dict[str, Any]:
        return {
            "id": conclusion.id,
            "text": self.say(conclusion.text),
            "cost_sensitive": conclusion.cost_sensitive,
        }

    def today(self) -> dict[str, Any]:
        today = self.given.plan.today
        return {
            "strategy": None if today.conflict else today.strategy.value,
            "rule": today.rule,
            "because": self.say(reason_of(today)),
        }

    def step(self, step: Step) -> dict[str, Any]:
        return {
            "step": step.number,
            "id": step.id,
            "question": self.say(step.question),
            "verdict": step.verdict,
            "finding": self.say(step.finding),
            "facts": [self.fact(name) for name in step.facts],
            "thresholds": [self.threshold(name) for name in step.thresholds],
            "rules": [self.rule(finding) for finding in step.rules],
            "rules_out": self.rules_out(step),
        }

    def rules_out(self, step: Step) -> list[str]:
        """Return the strategies that fall by a hard rule of this step."""
        rules = {finding.rule for finding in step.rules if finding.kind is RuleKind.HARD}
        fallen = {r.strategy for r in self.given.plan.target.rejected if r.rule in rules}
        return [strategy.value for strategy in Strategy if strategy in fallen]

    def fact(self, name: str) -> dict[str, Any]:
        facts = self.given.case.facts
        known = name in facts
        return {
            "fact": name,
            "name": self.say(FACT_NAMES[name]),
            "value": facts.get(name),
            "text": self.say(told(name, facts.get(name))),
            "unit": FACTS[name].unit,
            "provenance": facts.provenances[name].value if known else "unknown",
            "mark": self.say(
                _DERIVED
                if name in self.given.case.derived
                else self.mark_in_words(self.mark_of(name))
            ),
            "derived": name in self.given.case.derived,
        }

    def mark_of(self, name: str) -> Mark:
        case = self.given.case
        if name not in case.facts:
            return Mark.UNKNOWN
        measured = case.facts.provenances[name] is Provenance.MEASURED
        return Mark.MEASURED if measured else Mark.DECLARED

    def mark_in_words(self, mark: Mark) -> Text:
        """Return where a figure comes from; a measurement that a caller brought says so."""
        brought = mark is Mark.MEASURED and self.given.case.measured_by == "caller"
        return _BROUGHT if brought else MARKS[mark]

    def threshold(self, name: str) -> dict[str, Any]:
        threshold = self.given.policy.thresholds[name]
        source = threshold.source
        if self.language is Language.ZH:
            source = THRESHOLD_SOURCES_ZH.get(source, source)
        return {"name": name, "value": threshold.value, "unit": threshold.unit, "source": source}

    def rule(self, finding: Finding) -> dict[str, Any]:
        return {
            "rule": finding.rule,
            "kind": finding.kind.value,
            "verdict": finding.verdict,
            "strategies": [strategy.value for strategy in finding.strategies],
            "because": self.say(finding.because),
            "chose": finding.rule == self.given.plan.target.rule,
        }

    def rejected(self) -> list[dict[str, Any]]:
        target = self.given.plan.target
        return [
            {
                "strategy": rejection.strategy.value,
                "rule": rejection.rule,
                "kind": rejection.kind.value,
                "because": self.say(rejection.because),
            }
            for rejection in target.rejected
        ]

    def dimension(self, dimension: Dimension) -> dict[str, Any]:
        return {
            "id": dimension.id,
            "label": self.say(dimension.label),
            "cells": {
                strategy.value: {
                    "text": self.say(cell.text),
                    "mark": cell.mark.value,
                    "mark_text": self.say(self.mark_in_words(cell.mark)),
                }
                for strategy, cell in dimension.cells.items()
            },
        }

    def gap(self, gap: Gap) -> dict[str, Any]:
        return {
            "kind": gap.kind,
            "about": gap.about,
            "text": self.say(gap.text),
            "how": None if gap.how is None else self.say(gap.how),
            "command": gap.command,
            "have": gap.have,
            "need": gap.need,
            "missing": gap.missing,
            "would_change": [
                {
                    "if": self.say(words),
                    "then": None if then is None else then.value,
                    "then_text": None if then is None else self.say(STRATEGIES[then]),
                }
                for words, then in gap.changes
            ],
        }

    def estimates(self) -> dict[str, Any]:
        given = self.given.estimates
        return {
            "inputs": [self.input(one) for one in given.inputs.values()],
            "formulas": [
                {"id": id_, "formula": self.say(formula), "source": self.say(source)}
                for id_, (formula, source) in FORMULAS.items()
            ],
            "training": {s.value: asdict(t) for s, t in given.training.items()},
            "serving": {s.value: asdict(t) for s, t in given.serving.items()},
            "always_on_usd_per_month": given.always_on_usd_per_month,
        }

    def input(self, one: Input) -> dict[str, Any]:
        return {
            "fact": one.fact,
            "name": self.say(FACT_NAMES[one.fact]),
            "value": one.value,
            "text": self.say(told(one.fact, one.value)),
            "mark": one.mark.value,
            "mark_text": self.say(self.mark_in_words(one.mark)),
            "source": None if one.source is None else self.say(one.source),
        }
