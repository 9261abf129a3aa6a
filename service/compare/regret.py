"""Regret of a policy: its distance from the best possible choice on the outcomes of a comparison.

It combines the router's regret with the intervals and the text baseline of this package; it does
not know where outcomes or policies are stored.
"""

from collections.abc import Iterator
from typing import Any

from router import Policy, Regret, Strategy, measure_regret
from service.compare.baseline import choose_by_words
from service.compare.intervals import mean_interval
from service.compare.outcomes import Outcomes
from service.messages.spoken import say

BASELINE = "tfidf_baseline"


def regret_of(outcomes: Outcomes, policy: Policy) -> dict[str, Any]:
    """Return what `fingerpost regret` prints; service/README.md lists its keys."""
    texts = [text for text in outcomes.questions if text is not None]
    chosen = None
    if len(texts) == len(outcomes.trials):
        chosen = choose_by_words(texts, [trial.scores for trial in outcomes.trials])
    others = {} if chosen is None else {BASELINE: chosen}
    regret = measure_regret(outcomes.trials, policy, interval=mean_interval, others=others)
    fixed = {strategy.value: standing.as_dict() for strategy, standing in regret.fixed.items()}
    best = regret.best_fixed.value
    return {
        "object": "regret",
        "questions": regret.questions,
        "policy_version": regret.policy_version,
        "router": regret.router.as_dict(),
        "auto": None if regret.live is None else regret.live.as_dict(),
        "best_fixed": {"strategy": best, **fixed[best]},
        "always_rag": fixed.get(Strategy.RAG),
        "always_hybrid": fixed.get(Strategy.HYBRID),
        BASELINE: regret.others[BASELINE].as_dict() if chosen is not None else None,
        "oracle": regret.oracle.as_dict(),
        "fixed": fixed,
        "rules": [rule.as_dict() for rule in regret.rules],
        "notes": list(_notes(outcomes, regret, has_texts=len(texts) == len(outcomes.trials))),
    }


def _notes(outcomes: Outcomes, regret: Regret, *, has_texts: bool) -> Iterator[str]:
    """Yield what limits the figures, in the language in force."""
    n = regret.questions
    for strategy, standing in regret.fixed.items():
        if standing.missing:
            missing = standing.missing
            yield say("regret.strategy_missing", strategy=strategy, missing=missing, questions=n)
    if regret.router.missing:
        yield say("regret.router_missing", missing=regret.router.missing, questions=n)
    if outcomes.unscored:
        names = say("regret.comma").join(outcomes.unscored[:5])
        yield say("regret.unscored", count=len(outcomes.unscored), names=names)
    if outcomes.without_facts:
        yield say("regret.without_facts", count=outcomes.without_facts, questions=n)
    if not has_texts:
        yield say("regret.no_texts")
    elif BASELINE not in regret.others:
        yield say("regret.one_question")
