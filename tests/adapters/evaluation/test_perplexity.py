"""Perplexities by a base model, in a child process."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from adapters import AdaptersConfig, EvaluationEvent, ModelFolder, measure_perplexities
from adapters.errors import EvaluationFailed


@pytest.mark.training
def test_each_text_has_its_perplexity_and_progress_is_told(
    tiny_base: ModelFolder, environment: Mapping[str, str]
) -> None:
    told: list[EvaluationEvent] = []
    found = measure_perplexities(
        ["what is the colour", "", "grass"],
        ["a sky"],
        base=tiny_base,
        environment=environment,
        settings=AdaptersConfig(training_threads=1),
        on_progress=told.append,
    )
    first, nothing, last = found
    assert first is not None
    assert last is not None
    assert min(first, last) > 1
    assert nothing is None
    assert told[-1].done == told[-1].total


@pytest.mark.training
def test_a_base_model_that_is_gone_is_told(
    tmp_path: Path, tiny_base: ModelFolder, environment: Mapping[str, str]
) -> None:
    gone = replace(tiny_base, folder=tmp_path / "gone")
    with pytest.raises(EvaluationFailed):
        measure_perplexities(
            ["a"],
            [],
            base=gone,
            environment=environment,
            settings=AdaptersConfig(training_threads=1),
            on_progress=lambda _event: None,
        )
