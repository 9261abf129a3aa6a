"""The bodies of `/decisions` and `/observations`: real and shadow decisions."""

from collections.abc import Sequence
from typing import Literal, Self

from service.api.schemas.shapes import JsonObject, ListReply, Reply
from service.stores.records import Record, ShadowCount


class ChoiceReply(Reply):
    """What a policy does with a request: the rule that chose, and what followed (`course`)."""

    policy_version: str
    strategy: str
    rule: str
    course: str


class ShadowReply(Reply):
    """What was done (`now`), and what the shadow policy would have done (`then`)."""

    differs: bool
    now: ChoiceReply
    then: ChoiceReply


class RecordReply(Reply):
    """An answered request, and why it was answered that way.

    Attributes:
        created_at: Unix seconds.
        decision: Every finding with its leaves, every fact, and the settlement after retrieval.
        observed: What the shadow policy would have done; null if there is none.
        usage: Token counts by kind.
        timings_ms: Milliseconds by stage.
        question: Null if texts are not stored, or may not be read by this key; likewise `answer`.
    """

    id: str
    object: Literal["decision"] = "decision"
    created_at: float
    use_case: str
    outcome: str
    strategy: str
    model: str
    decision: JsonObject
    observed: ShadowReply | None
    usage: dict[str, int]
    timings_ms: dict[str, float]
    question: str | None
    answer: str | None

    @classmethod
    def of(cls, record: Record, *, with_texts: bool) -> Self:
        """Return a record as clients see it; question and answer only `with_texts`."""
        return cls.model_validate(
            {
                "id": record.request_id,
                "created_at": record.created_at,
                "use_case": record.use_case,
                "outcome": record.outcome,
                "strategy": record.strategy,
                "model": record.model,
                "decision": record.full_decision(),
                "observed": record.observed,
                "usage": record.usage,
                "timings_ms": record.timings_ms,
                "question": record.question if with_texts else None,
                "answer": record.answer if with_texts else None,
            }
        )


class ShadowCountReply(Reply):
    """How often the policy in force did one thing where the shadow policy would do another.

    Attributes:
        n: Number of requests; `share` is their share of all, 0 to 1.
        since: Unix seconds of the first, and `until` of the last.
    """

    strategy_now: str
    rule_now: str
    course_now: str
    strategy_then: str
    rule_then: str
    course_then: str
    differs: bool
    n: int
    share: float
    since: float
    until: float

    @classmethod
    def of(cls, pair: ShadowCount, requests: int) -> Self:
        """Return a pair among `requests` requests."""
        return cls(
            strategy_now=pair.now["strategy"],
            rule_now=pair.now["rule"],
            course_now=pair.now["course"],
            strategy_then=pair.then["strategy"],
            rule_then=pair.then["rule"],
            course_then=pair.then["course"],
            differs=pair.differs,
            n=pair.n,
            share=round(pair.n / requests, 4),
            since=pair.since,
            until=pair.until,
        )


class ObservationReply(Reply):
    """What a shadow policy would have done, compared with a policy in force.

    Attributes:
        policy_now: Version of the policy in force, and `policy_then` of the shadow policy.
        since: Unix seconds of the first request, and `until` of the last.
        differ: Requests that would have been answered differently; `share_differ` is 0 to 1.
        pairs: Most frequent first.
    """

    object: Literal["observation"] = "observation"
    policy_now: str
    policy_then: str
    since: float
    until: float
    requests: int
    differ: int
    share_differ: float
    pairs: list[ShadowCountReply]

    @classmethod
    def of(cls, now: str, then: str, pairs: Sequence[ShadowCount]) -> Self:
        """Return the sum of `pairs`, at least one, of two policies' versions."""
        requests = sum(pair.n for pair in pairs)
        differ = sum(pair.n for pair in pairs if pair.differs)
        frequent = sorted(pairs, key=lambda pair: pair.n, reverse=True)
        return cls(
            policy_now=now,
            policy_then=then,
            since=min(pair.since for pair in pairs),
            until=max(pair.until for pair in pairs),
            requests=requests,
            differ=differ,
            share_differ=round(differ / requests, 4),
            pairs=[ShadowCountReply.of(pair, requests) for pair in frequent],
        )


class ObservationListReply(ListReply[ObservationReply]):
    """What shadow policies would have done, newest first.

    Attributes:
        policy: Version of the policy in force.
        observing: Version of the shadow policy; null if there is none.
        problem: Why the file of the shadow policy cannot be used; null if it can.
    """

    policy: str
    observing: str | None
    problem: str | None
