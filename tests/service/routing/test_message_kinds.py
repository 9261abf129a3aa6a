"""Messages that no rule foresaw go the right way, by the vectors of the embedder that ships.

`tests/cases/unseen_messages.jsonl` was written by people who had not seen the rules, and nothing
was fitted on it or changed for it: `python -m pytest` shows what a new wording meets.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from adapters.base_models.embedded import E5_SMALL
from knowledge import SentenceTransformerEmbedder
from router import (
    Decision,
    Facts,
    decide,
    default_classifier,
    default_policy,
    kind_classifier_for,
    read_signals,
    with_kind,
)
from service.settings import home_folder
from tests.router.questions.test_messages import DECLARED, MEASURED, way_of

Row = Mapping[str, Any]
FILE = Path(__file__).parents[2] / "cases" / "unseen_messages.jsonl"
ROWS: list[Row] = [json.loads(line) for line in FILE.read_text(encoding="utf-8").splitlines()]
LEAST_RIGHT = 0.93
KINDS_OF_FACT = frozenset({"list", "request", "greet_q", "fact"})
PREPARED = home_folder() / "models" / E5_SMALL.id


@pytest.fixture(scope="module")
def embedder() -> SentenceTransformerEmbedder:
    assert PREPARED.is_dir(), "run `bash deploy/test.sh`: it prepares the embedder"
    return SentenceTransformerEmbedder.load(PREPARED, languages=["*"])


def decide_on(row: Row, embedder: SentenceTransformerEmbedder) -> Decision:
    history: Sequence[str] = row.get("history", ())
    answered = bool(history)
    signals = read_signals(
        row["message"], history[::2], answered=answered, classifier=default_classifier()
    )
    kinds = kind_classifier_for(embedder.model_id, embedder.revision)
    assert kinds is not None
    vector = embedder.embed_query(row["message"])
    signals = with_kind(signals, kinds.guess(vector.tolist(), answered=answered))
    return decide(Facts.build(DECLARED, MEASURED, signals.as_facts()), default_policy())


@pytest.mark.timeout(300)
def test_messages_of_unforeseen_wording_go_the_right_way(
    embedder: SentenceTransformerEmbedder,
) -> None:
    ways = [(row, way_of(decide_on(row, embedder))) for row in ROWS]
    wrong = [(row["kind"], row["message"]) for row, way in ways if way not in row["right"]]
    assert len(ROWS) > 600
    assert 1 - len(wrong) / len(ROWS) >= LEAST_RIGHT, wrong
    facts = [(row, way) for row, way in ways if row["kind"] in KINDS_OF_FACT]
    from_memory = [row["message"] for row, way in facts if way in ("prompt_only", "adapter")]
    assert len(from_memory) <= 0.01 * len(facts), from_memory
