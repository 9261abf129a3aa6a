"""What the commands read of the gateway's replies; every other key is ignored.

A command needs few fields of a body and must also work with a gateway of another release, so
these models are smaller than those in `service/api/schemas`; a test compares the names of their
fields. `--json` prints the body as it came, never one of these.
"""

from typing import TypeVar

from pydantic import BaseModel

from service.cli.replies.adapters import (
    AdapterDetail,
    AdapterReply,
    AdaptersReply,
    DraftReply,
    StateChange,
)
from service.cli.replies.comparisons import (
    ComparisonReply,
    ComparisonSummary,
    KindScore,
    Latency,
    StrategyScore,
    Winner,
)
from service.cli.replies.data_checks import (
    AddedReply,
    BatchReply,
    CheckReply,
    DataCheckReply,
    ReviewItemReply,
    RowEvidence,
    RowReply,
    TurnReply,
)
from service.cli.replies.decisions import (
    AnswerReply,
    CitationReply,
    DecisionReply,
    EvidenceReply,
    FactReply,
    FindingReply,
    LeafReply,
    RecordReply,
    RejectionReply,
    RouteReply,
    SettlementReply,
    ShadowChoice,
    ShadowReply,
    Texts,
)
from service.cli.replies.documents import (
    CitationsReply,
    DocumentReply,
    IndexCheckReply,
    NotReadReply,
    PassagePart,
    PassageReply,
    SearchReply,
    StaleReply,
    VersionDiffReply,
    VersionReply,
)
from service.cli.replies.jobs import (
    AcceptedReply,
    AnyReply,
    ErrorBody,
    ErrorFields,
    IdReply,
    JobProgress,
    JobReply,
    JobState,
    SavedUseCaseReply,
    TrainingJobReply,
)
from service.cli.replies.shadow import (
    ShadowPair,
    ShadowsReply,
    ShadowSummary,
)
from service.cli.replies.syncs import (
    FailedReply,
    KeptReply,
    OutcomeReply,
    SkippedReply,
    SyncReply,
)

__all__ = [
    "AcceptedReply",
    "AdapterDetail",
    "AdapterReply",
    "AdaptersReply",
    "AddedReply",
    "AnswerReply",
    "AnyReply",
    "BatchReply",
    "CheckReply",
    "CitationReply",
    "CitationsReply",
    "ComparisonReply",
    "ComparisonSummary",
    "DataCheckReply",
    "DecisionReply",
    "DocumentReply",
    "NotReadReply",
    "DraftReply",
    "ErrorBody",
    "ErrorFields",
    "EvidenceReply",
    "FactReply",
    "FailedReply",
    "FindingReply",
    "IdReply",
    "IndexCheckReply",
    "JobProgress",
    "JobReply",
    "JobState",
    "KeptReply",
    "KindScore",
    "Latency",
    "LeafReply",
    "OutcomeReply",
    "PassagePart",
    "PassageReply",
    "RecordReply",
    "RejectionReply",
    "ReviewItemReply",
    "RouteReply",
    "RowEvidence",
    "RowReply",
    "SavedUseCaseReply",
    "SearchReply",
    "SettlementReply",
    "ShadowChoice",
    "ShadowPair",
    "ShadowReply",
    "ShadowSummary",
    "ShadowsReply",
    "SkippedReply",
    "StaleReply",
    "StateChange",
    "StrategyScore",
    "SyncReply",
    "T",
    "Texts",
    "TrainingJobReply",
    "TurnReply",
    "VersionDiffReply",
    "VersionReply",
    "Winner",
]

T = TypeVar("T", bound=BaseModel)
