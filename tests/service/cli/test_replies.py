"""What the commands read of a reply is what the gateway sends."""

import pytest
from pydantic import BaseModel

from service.api.schemas import (
    adapters,
    answers,
    compare,
    data_checks,
    decisions,
    document_history,
    fine_tuning,
    jobs,
    search,
    syncs,
    use_cases,
    vector_stores,
)
from service.api.schemas.review import items
from service.cli import replies


@pytest.mark.parametrize(
    ("read", "sent"),
    [
        (replies.AdapterReply, adapters.AdapterReply),
        (replies.DraftReply, adapters.DraftReply),
        (replies.AdaptersReply, adapters.AdapterListReply),
        (replies.AdapterDetail, adapters.AdapterDetailReply),
        (replies.StateChange, adapters.StateChangeReply),
        (replies.AnswerReply, answers.ChatReply),
        (replies.CitationReply, answers.CitationReply),
        (replies.RouteReply, answers.RouteReply),
        (replies.ComparisonSummary, compare.SummaryReply),
        (replies.StrategyScore, compare.StrategySummary),
        (replies.KindScore, compare.KindScore),
        (replies.Winner, compare.WinnerReply),
        (replies.ComparisonReply, compare.ComparisonJobReply),
        (replies.CheckReply, data_checks.CheckReply),
        (replies.RowEvidence, data_checks.EvidenceReply),
        (replies.AddedReply, items.AddedReply),
        (replies.BatchReply, items.BatchReply),
        (replies.ReviewItemReply, items.ReviewItemReply),
        (replies.RowReply, items.RowReply),
        (replies.TurnReply, items.TurnBody),
        (replies.RecordReply, decisions.RecordReply),
        (replies.ShadowReply, decisions.ShadowReply),
        (replies.ShadowChoice, decisions.ChoiceReply),
        (replies.ShadowPair, decisions.ShadowCountReply),
        (replies.ShadowSummary, decisions.ObservationReply),
        (replies.ShadowsReply, decisions.ObservationListReply),
        (replies.VersionReply, document_history.DocumentVersionReply),
        (replies.VersionDiffReply, document_history.VersionDiffReply),
        (replies.StaleReply, document_history.StaleDocumentReply),
        (replies.CitationsReply, document_history.StaleReply),
        (replies.SyncReply, syncs.SyncReply),
        (replies.TrainingJobReply, fine_tuning.TrainingReply),
        (replies.JobReply, jobs.JobReply),
        (replies.SearchReply, search.SearchReply),
        (replies.SavedUseCaseReply, use_cases.SavedUseCaseReply),
        (replies.PassageReply, search.SearchResult),
        (replies.IndexCheckReply, vector_stores.IndexChecked),
    ],
    ids=lambda model: f"{model.__module__}.{model.__name__}",
)
def test_every_field_that_is_read_is_one_that_the_gateway_sends(
    read: type[BaseModel], sent: type[BaseModel]
) -> None:
    unknown = set(read.model_fields) - set(sent.model_fields)
    assert not unknown
