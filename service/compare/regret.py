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
    """Yield what limits the figures."""
    n = regret.questions
    for strategy, standing in regret.fixed.items():
        if standing.missing:
            yield (
                f"{strategy} has no score for {standing.missing} of {n} questions: they are "
                "missing from its figures, and count as 0 only in choosing the best fixed strategy"
            )
    if regret.router.missing:
        yield (
            f"the policy chose a strategy without a score for {regret.router.missing} of {n} "
            "questions; they are missing from the router's figures, which makes them too high"
        )
    if outcomes.unscored:
        names = ", ".join(outcomes.unscored[:5])
        yield f"{len(outcomes.unscored)} questions without any score are left out: {names}"
    if outcomes.without_facts:
        yield (
            f"{outcomes.without_facts} of {n} questions have no facts: the policy decided them "
            "with every fact unknown"
        )
    if not has_texts:
        yield "no TF-IDF baseline: not every question's rows have its text (`question`)"
    elif BASELINE not in regret.others:
        yield "no TF-IDF baseline: it needs two different questions"
