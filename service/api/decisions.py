"""`/decisions`: why a request was answered the way it was; `/observations`: the shadow policy."""

from fastapi import APIRouter

from service.api.access.readable import may_read_texts
from service.api.http.dependencies import Caller, Context
from service.api.http.error_replies import errors
from service.api.schemas.decisions import ObservationListReply, ObservationReply, RecordReply
from service.errors import DecisionNotFound
from service.stores.records import ShadowCount

api = APIRouter(tags=["decisions"])


@api.get("/decisions/{request_id}", responses=errors(404, 422))
def get_decision(context: Context, caller: Caller, request_id: str) -> RecordReply:
    """Return the trace of an answered request; stored texts only to the key that asked, or `admin`.

    An `admin` key reads them if it could have read what the answer rests on: it holds the labels
    that the question was asked with, and is bound to no knowledge base.
    """
    records = context.records
    found = records.get(request_id, tenant=caller.tenant)
    if found is None or not caller.may_use_case(found.use_case):
        raise DecisionNotFound(
            f"There is no decision for request {request_id!r}. Records of answered requests are "
            f"written within a quarter of a second and kept for {records.keep_days} days.",
            param="request_id",
        )
    return RecordReply.of(found, with_texts=may_read_texts(caller, found))


@api.get("/observations")
def list_observations(context: Context, caller: Caller) -> ObservationListReply:
    """Summarise what the shadow policies would have done, newest first."""
    by_policies: dict[tuple[str, str], list[ShadowCount]] = {}
    for pair in context.records.shadow_counts(tenant=caller.tenant, use_cases=caller.use_cases):
        versions = pair.now["policy_version"], pair.then["policy_version"]
        by_policies.setdefault(versions, []).append(pair)
    shadow = context.shadow
    policy = None if shadow is None else shadow.latest
    refused = None if shadow is None else shadow.refused
    return ObservationListReply(
        data=[ObservationReply.of(*versions, pairs) for versions, pairs in by_policies.items()],
        policy=context.policy.version,
        observing=None if policy is None else policy.version,
        problem=None if refused is None else str(refused.fault),
    )
