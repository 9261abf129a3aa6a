"""Filters made with what a home has."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from adapters import (
    ClassifierSettings,
    InvalidRowFilter,
    KeywordSettings,
    PerplexitySettings,
    Row,
    SimilaritySettings,
)
from adapters.data import Message
from service.fine_tuning.filters import FilterMaker, FilterName, FilterOptions
from service.settings import Settings
from tests.fakes.embedder import FakeEmbedder

ROWS = [
    Row((Message("user", f"lamp {n} is broken"), Message("assistant", "sorry")), {}, Path("r"), n)
    for n in range(1, 31)
]
OTHERS = [
    Row((Message("user", f"zebra {n} runs"), Message("assistant", "far")), {}, Path("o"), n)
    for n in range(1, 31)
]


def make(
    embedder: FakeEmbedder, *, domain: str = "", like: Sequence[Row] = (), features: str = "both"
) -> tuple[FilterMaker, list[Settings]]:
    """Return a maker of filters, and a list that grows when the embedder is loaded."""
    loaded: list[Settings] = []

    def load(settings: Settings) -> FakeEmbedder:
        loaded.append(settings)
        return embedder

    options = FilterOptions(
        keywords=KeywordSettings(words=("lamp",)),
        similarity=SimilaritySettings(domain=domain),
        classifier=ClassifierSettings.model_validate({"features": features}),
        wanted=ROWS,
        unwanted=OTHERS,
        perplexity=PerplexitySettings(),
        like=like,
    )
    settings = Settings(home=Path("/nonexistent"))
    return FilterMaker(settings, options, load_embedder=load, on_progress=lambda _: None), loaded


def test_the_embedder_is_loaded_once_and_only_where_it_is_needed() -> None:
    maker, loaded = make(FakeEmbedder(), domain="a lamp")
    maker.make(FilterName.KEYWORDS, ROWS)
    assert loaded == []
    maker.make(FilterName.SIMILARITY, ROWS)
    maker.make(FilterName.CLASSIFIER, ROWS)
    assert len(loaded) == 1
    without, not_loaded = make(FakeEmbedder(), features="letters")
    without.make(FilterName.CLASSIFIER, ROWS)
    assert not_loaded == []


def test_the_minimum_is_the_embedders_own() -> None:
    measured, _ = make(FakeEmbedder(), domain="a lamp")
    assert measured.make(FilterName.SIMILARITY, ROWS).threshold.value == 0.08
    minilm, _ = make(FakeEmbedder(model_id="all-minilm-l6-v2"), domain="a lamp")
    assert minilm.make(FilterName.SIMILARITY, ROWS).threshold.value == 0.15


def test_a_language_that_the_embedder_does_not_read_is_refused() -> None:
    maker, _ = make(FakeEmbedder(), domain="台灯的售后服务")
    with pytest.raises(InvalidRowFilter, match="does not read"):
        maker.make(FilterName.SIMILARITY, ROWS)


def test_rows_of_the_domain_count_before_a_description() -> None:
    maker, _ = make(FakeEmbedder(), domain="zebra", like=ROWS)
    step = maker.make(FilterName.SIMILARITY, ROWS)
    assert [one.is_dropped for one in step.run([ROWS[0], OTHERS[0]])] == [False, True]


def test_the_quality_of_the_classifier_is_known_once_it_is_made() -> None:
    maker, _ = make(FakeEmbedder())
    assert maker.quality is None
    maker.make(FilterName.CLASSIFIER, ROWS)
    assert maker.quality is not None
    assert (maker.quality.wanted, maker.quality.auc) == (30, 1.0)
