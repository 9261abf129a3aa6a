"""What is kept of an answered question: its record, and the trace of its decision."""

import time
from functools import partial

from router import Policy, compare_with_shadow
from service.chat.events import Answer, DecisionEvent
from service.chat.question import Question
from service.chat.route import Route
from service.context import AppContext
from service.routing.policies import policy_for
from service.stores.records import Record, Trace


def keep_record(question: Question, route: Route, answer: Answer, context: AppContext) -> None:
    """Queue the record of an answer; its trace is worked out by the thread that writes it.

    That documents were cited is noted with the documents.
    """
    cited = {citation.passage.document_id for citation in answer.citations}
    context.cited.add(cited, tenant=question.tenant)
    trace = partial(build_trace, route, answer.decided, context.shadow_policy)
    context.records.save(_record_of(question, route, answer, context), trace)


def build_trace(route: Route, decided: DecisionEvent, shadow: Policy | None) -> Trace:
    """Return the decision with every node, and what the shadow policy would have done."""
    decision = decision_in_full(decided)
    if shadow is None:
        return Trace(decision, None)
    allow = route.use_case.allow_prompt_only_when_nothing_found
    policy = policy_for(shadow, route.use_case.thresholds)
    seen = compare_with_shadow(route.decision, decided.settlement, policy, allow_prompt_only=allow)
    return Trace(decision, seen.as_dict())


def decision_in_full(decided: DecisionEvent) -> dict[str, object]:
    """Return the decision with every finding, fact and node, and what the evidence changed."""
    body: dict[str, object] = {**decided.decision.as_dict(), "strategy": decided.strategy}
    if decided.settlement is not None:
        body["settlement"] = decided.settlement.as_dict()
    if decided.fallback_from is not None:
        body["fallback_from"] = decided.fallback_from
    return body


def _record_of(question: Question, route: Route, answer: Answer, context: AppContext) -> Record:
    keeps_text = context.records.stores_text
    decided = answer.decided
    return Record(
        request_id=decided.request_id,
        tenant=question.tenant,
        use_case=route.use_case.id,
        created_at=time.time(),
        strategy=decided.strategy,
        model=decided.model,
        outcome=answer.outcome,
        decision=_in_brief(decided),
        usage=answer.usage.as_dict(),
        timings_ms=answer.timings_ms,
        question=question.text if keeps_text else None,
        answer=answer.text if keeps_text else None,
        user=question.user,
        key_id=question.key_id,
        access_labels=question.access_labels,
    )


def _in_brief(decided: DecisionEvent) -> dict[str, object]:
    """Return what a record says of its decision without opening the trace."""
    decision = decided.decision
    brief: dict[str, object] = {
        "strategy": decided.strategy,
        "rule": decision.rule,
        "policy_version": decision.policy_version,
        "pilot": decision.pilot,
    }
    if decision.overrides:
        brief["thresholds"] = decision.overrides_as_dict()
    if decided.fallback_from is not None:
        brief["fallback_from"] = decided.fallback_from
    return brief
