"""Decisions, the records of requests, and answers."""

from pydantic import JsonValue

from service.api.schemas.shapes import JsonObject
from service.cli.replies.reading import Reading

Texts = dict[str, str]
"""One text in each language, by its code."""


class RejectionReply(Reading):
    """Why a strategy was not chosen."""

    strategy: str
    rule: str
    kind: str = ""
    because: Texts
    unknown_facts: list[str] = []


class LeafReply(Reading):
    """One condition of a rule with the facts it read."""

    expression: str
    verdict: str
    values: JsonObject = {}


class FindingReply(Reading):
    """One rule with its verdict."""

    rule: str
    kind: str
    verdict: str
    because: Texts = {}
    unknown_facts: list[str] = []
    leaves: list[LeafReply] | None = None


class FactReply(Reading):
    """One fact with unit and provenance."""

    value: JsonValue
    unit: str | None = None
    provenance: str


class EvidenceReply(Reading):
    """What retrieval found."""

    passages: int
    best_score: float | None
    degraded: bool


class SettlementReply(Reading):
    """What was decided after retrieval."""

    evidence: EvidenceReply
    finding: FindingReply
    outcome: str


class DecisionReply(Reading):
    """A decision with its reasons."""

    strategy: str
    rule: str
    because: Texts | None = None
    rejected: list[RejectionReply] = []
    findings: list[FindingReply] = []
    facts: dict[str, FactReply] = {}
    settlement: SettlementReply | None = None
    policy_version: str = ""
    fallback_from: str | None = None
    pilot: bool = False


class ShadowChoice(Reading):
    """What the shadow policy would have done."""

    strategy: str
    rule: str
    course: str
    policy_version: str


class ShadowReply(Reading):
    """The shadow policy's choice for one request."""

    then: ShadowChoice
    differs: bool


class RecordReply(Reading):
    """The record of an answered request."""

    id: str
    created_at: float
    use_case: str | None
    outcome: str
    strategy: str | None
    model: str | None
    question: str | None = None
    answer: str | None = None
    decision: DecisionReply
    observed: ShadowReply | None = None


class RouteReply(Reading):
    """A decision without an answer."""

    decision: DecisionReply


class CitationReply(Reading):
    """One source of an answer."""

    marker: int
    filename: str
    path: str = ""
    heading: str = ""
    knowledge_base: str
    version: int

    @property
    def source(self) -> str:
        """Where it is from in words."""
        return " > ".join(filter(None, (self.path or self.filename, self.heading)))


class AnswerReply(Reading):
    """An answer with its reasons."""

    id: str
    answer: str
    outcome: str
    reason: str | None = None
    strategy: str | None
    model: str | None
    decision: DecisionReply
    citations: list[CitationReply] | None = None
    timings_ms: dict[str, float | None] = {}
