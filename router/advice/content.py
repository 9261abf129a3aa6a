"""An advice as plain content, for JSON and for the pages: every text in one language.

Keys, ids and values never change with the language. It knows neither Markdown nor HTML.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from router.advice.catalogue import text
from router.advice.comparison import Dimension
from router.advice.estimates import FORMULAS, Input
from router.advice.flow import Step
from router.advice.gaps import Gap
from router.advice.reasons import Interim, reason_today, rule_of
from router.advice.report import Advice, Conclusion
from router.advice.wording import Mark, fact_name, strategy_name, threshold_source, value_in_words
from router.decision import Finding, RuleKind, Strategy
from router.facts import FACTS, Provenance
from router.text import Language, Text


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

    advice: Advice
    language: Language

    def whole(self) -> dict[str, Any]:
        advice, plan = self.advice, self.advice.plan
        return {
            "object": "advice",
            "lang": self.language.value,
            "policy_version": advice.policy.version,
            "recommended": None if plan.recommended is None else plan.recommended.value,
            "rule": rule_of(plan.target),
            "headline": self.localise(advice.headline),
            "fine_tuning": {
                "verdict": plan.fine_tuning,
                "statement": self.localise(advice.fine_tuning),
            },
            "pilot": plan.target.pilot,
            "reasons": [self.localise(reason) for reason in advice.reasons],
            "conclusion": None if advice.conclusion is None else self.conclusion(advice.conclusion),
            "today": self.today(),
            "interim": None if advice.interim is None else self.interim(advice.interim),
            "to_build": [self.localise(thing) for thing in advice.to_build],
            "assumed": dict(plan.assumed),
            "steps": [self.step(step) for step in advice.steps if step.number is not None],
            "also_asked": [self.step(step) for step in advice.steps if step.number is None],
            "rejected": self.rejected(),
            "comparison": [self.dimension(dimension) for dimension in advice.comparison],
            "floor": asdict(advice.required),
            "missing": [self.gap(gap) for gap in advice.gaps],
            "estimates": self.estimates(),
            "risks": [self.localise(risk) for risk in advice.risks],
            "next_steps": [
                {"text": self.localise(step.text), "command": step.command}
                for step in advice.next_steps
            ],
            "facts": [self.fact(name) for name in advice.case.facts.values],
            "categories": [asdict(category) for category in advice.case.categories],
            "measured_by": advice.case.measured_by,
        }

    def localise(self, words: Text) -> str:
        return words.in_language(self.language)

    def conclusion(self, conclusion: Conclusion) -> dict[str, Any]:
        return {
            "id": conclusion.id,
            "text": self.localise(conclusion.text),
            "cost_sensitive": conclusion.cost_sensitive,
        }

    def today(self) -> dict[str, Any]:
        today = self.advice.plan.today
        return {
            "strategy": None if today.conflict else today.strategy.value,
            "rule": rule_of(today),
            "because": self.localise(reason_today(today, self.advice.plan.target)),
        }

    def interim(self, interim: Interim) -> dict[str, Any]:
        return {
            "strategy": None if interim.strategy is None else interim.strategy.value,
            "text": self.localise(interim.text),
        }

    def step(self, step: Step) -> dict[str, Any]:
        return {
            "step": step.number,
            "id": step.id,
            "question": self.localise(step.question),
            "verdict": step.verdict,
            "finding": self.localise(step.finding),
            "facts": [self.fact(name) for name in step.facts],
            "thresholds": [self.threshold(name) for name in step.thresholds],
            "rules": [self.rule(finding) for finding in step.rules],
            "rules_out": self.rules_out(step),
        }

    def rules_out(self, step: Step) -> list[str]:
        """Return the strategies that a hard rule of this step forbids."""
        rules = {finding.rule for finding in step.rules if finding.kind is RuleKind.HARD}
        forbidden = {r.strategy for r in self.advice.plan.target.rejected if r.rule in rules}
        return [strategy.value for strategy in Strategy if strategy in forbidden]

    def fact(self, name: str) -> dict[str, Any]:
        facts = self.advice.case.facts
        known = name in facts
        return {
            "fact": name,
            "name": self.localise(fact_name(name)),
            "value": facts.get(name),
            "text": self.localise(value_in_words(name, facts.get(name))),
            "unit": FACTS[name].unit,
            "provenance": facts.provenances[name].value if known else "unknown",
            "mark": self.localise(
                text("provenance.derived")
                if name in self.advice.case.derived
                else self.mark_in_words(self.mark_of(name))
            ),
            "derived": name in self.advice.case.derived,
        }

    def mark_of(self, name: str) -> Mark:
        case = self.advice.case
        if name not in case.facts:
            return Mark.UNKNOWN
        measured = case.facts.provenances[name] is Provenance.MEASURED
        return Mark.MEASURED if measured else Mark.DECLARED

    def mark_in_words(self, mark: Mark) -> Text:
        """Return where a figure comes from; a caller's own measurement is marked as such."""
        by_caller = mark is Mark.MEASURED and self.advice.case.measured_by == "caller"
        return text("provenance.caller" if by_caller else f"marks.{mark}")

    def threshold(self, name: str) -> dict[str, Any]:
        threshold = self.advice.policy.thresholds[name]
        source = self.localise(threshold_source(threshold.source))
        return {"name": name, "value": threshold.value, "unit": threshold.unit, "source": source}

    def rule(self, finding: Finding) -> dict[str, Any]:
        return {
            "rule": finding.rule,
            "kind": finding.kind.value,
            "verdict": finding.verdict,
            "strategies": [strategy.value for strategy in finding.strategies],
            "because": self.localise(finding.because),
            "chose": finding.rule == self.advice.plan.target.rule,
        }

    def rejected(self) -> list[dict[str, Any]]:
        target = self.advice.plan.target
        return [
            {
                "strategy": rejection.strategy.value,
                "rule": rejection.rule,
                "kind": rejection.kind.value,
                "because": self.localise(rejection.because),
            }
            for rejection in target.rejected
        ]

    def dimension(self, dimension: Dimension) -> dict[str, Any]:
        return {
            "id": dimension.id,
            "label": self.localise(dimension.label),
            "cells": {
                strategy.value: {
                    "text": self.localise(cell.text),
                    "mark": cell.mark.value,
                    "mark_text": self.localise(self.mark_in_words(cell.mark)),
                }
                for strategy, cell in dimension.cells.items()
            },
        }

    def gap(self, gap: Gap) -> dict[str, Any]:
        return {
            "kind": gap.kind,
            "about": gap.about,
            "text": self.localise(gap.text),
            "how": None if gap.how is None else self.localise(gap.how),
            "command": gap.command,
            "have": gap.have,
            "need": gap.need,
            "missing": gap.missing,
            "would_change": [
                {
                    "if": self.localise(words),
                    "then": None if then is None else then.value,
                    "then_text": None if then is None else self.localise(strategy_name(then)),
                }
                for words, then in gap.changes
            ],
        }

    def estimates(self) -> dict[str, Any]:
        advice = self.advice.estimates
        return {
            "inputs": [self.input(one) for one in advice.inputs.values()],
            "formulas": [
                {
                    "id": id_,
                    "formula": self.localise(text(f"estimates.formulas.{id_}.formula")),
                    "source": self.localise(text(f"estimates.formulas.{id_}.source")),
                }
                for id_ in FORMULAS
            ],
            "training": {s.value: asdict(t) for s, t in advice.training.items()},
            "serving": {s.value: asdict(t) for s, t in advice.serving.items()},
            "always_on_usd_per_month": advice.always_on_usd_per_month,
            "notes": [self.localise(note) for note in advice.notes],
        }

    def input(self, one: Input) -> dict[str, Any]:
        return {
            "fact": one.fact,
            "name": self.localise(fact_name(one.fact)),
            "value": one.value,
            "text": self.localise(value_in_words(one.fact, one.value)),
            "mark": one.mark.value,
            "mark_text": self.localise(self.mark_in_words(one.mark)),
            "source": None if one.source is None else self.localise(one.source),
        }
