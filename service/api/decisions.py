"""`GET /decisions/{request_id}`: why a request was answered as it was; `GET /observations`."""

from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter, Request

from service.api.dependencies import Caller, Context
from service.errors import DecisionNotFound
from service.stores.records import ShadowCount

api = APIRouter(tags=["decisions"])


@api.get("/decisions/{request_id}")
def get_decision(
    request: Request, context: Context, caller: Caller, request_id: str
) -> dict[str, Any]:
    """Return the whole trace of an answered request; the texts only where they are kept."""
    records = context.records
    found = records.get(request_id, tenant=caller.tenant)
    if found is None:
        raise DecisionNotFound(
            f"There is no decision for request {request_id!r}. Records are kept "
            f"{records.keep_days} days, of answered requests only, and are written a quarter of a "
            "second after the answer.",
            param="request_id",
        )
    return {
        "id": found.request_id,
        "object": "decision",
        "created_at": found.created_at,
        "use_case": found.use_case,
        "outcome": found.outcome,
        "strategy": found.strategy,
        "model": found.model,
        "decision": found.full_decision(),
        "observed": found.observed,
        "usage": found.usage,
        "timings_ms": found.timings_ms,
        "question": found.question,
        "answer": found.answer,
    }


@api.get("/observations")
def list_observations(context: Context, caller: Caller) -> dict[str, Any]:
    """Sum up what the observed policies would have done, newest first."""
    by_policies: dict[tuple[str, str], list[ShadowCount]] = {}
    for pair in context.records.shadow_counts(tenant=caller.tenant):
        versions = pair.now["policy_version"], pair.then["policy_version"]
        by_policies.setdefault(versions, []).append(pair)
    observed = context.shadow
    policy = None if observed is None else observed.latest
    refused = None if observed is None else observed.refused
    return {
        "object": "list",
        "data": [_observation(*versions, pairs) for versions, pairs in by_policies.items()],
        "has_more": False,
        "policy": context.policy.version,
        "observing": None if policy is None else policy.version,
        "problem": None if refused is None else str(refused.fault),
    }


def _observation(now: str, then: str, pairs: Sequence[ShadowCount]) -> dict[str, Any]:
    requests = sum(pair.n for pair in pairs)
    differ = sum(pair.n for pair in pairs if pair.differs)
    frequent = sorted(pairs, key=lambda pair: pair.n, reverse=True)
    return {
        "object": "observation",
        "policy_now": now,
        "policy_then": then,
        "since": min(pair.since for pair in pairs),
        "until": max(pair.until for pair in pairs),
        "requests": requests,
        "differ": differ,
        "share_differ": round(differ / requests, 4),
        "pairs": [_pair(pair, requests) for pair in frequent],
    }


def _pair(pair: ShadowCount, requests: int) -> dict[str, Any]:
    return {
        **{f"{name}_now": pair.now[name] for name in ("strategy", "rule", "course")},
        **{f"{name}_then": pair.then[name] for name in ("strategy", "rule", "course")},
        "differs": pair.differs,
        "n": pair.n,
        "share": round(pair.n / requests, 4),
        "since": pair.since,
        "until": pair.until,
    }
