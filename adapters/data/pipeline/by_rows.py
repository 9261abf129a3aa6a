"""Steps that need rows of other files, an embedder or the base model, for a pipeline file.

What such a step does stands in `cleaning` and `filters`. It knows what a step needs, and refuses it
where that is missing.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, TypeVar

import pydantic

from adapters.data.cleaning import (
    Leakage,
    LeakageSettings,
    Normalise,
    NormaliseSettings,
    Script,
    Similar,
    SimilarSettings,
)
from adapters.data.filters import (
    ClassifierSettings,
    PerplexitySettings,
    SimilaritySettings,
    filter_by_classifier,
    filter_by_likeness,
    filter_by_perplexity,
    filter_by_similarity,
    fit_row_classifier,
)
from adapters.data.formats import load_rows
from adapters.data.pipeline.outside import Outside
from adapters.data.relevance import Embed
from adapters.data.rows import Row
from adapters.data.steps import Step
from adapters.errors import InvalidPipeline

S = TypeVar("S", bound=pydantic.BaseModel)
Files = Annotated[tuple[Path, ...], pydantic.Field(min_length=1)]


class LeakageFiles(LeakageSettings):
    """Settings of `leakage` in a pipeline.

    Attributes:
        test: Files of rows that must not be trained on.
        script: As that of the step `normalise`: the rows of the test are spelled so, too.
    """

    test: Files
    script: Script = "as_is"


class SimilarityFiles(SimilaritySettings):
    """Settings of `similarity` in a pipeline.

    Attributes:
        like: Files of rows of the domain, instead of a description.
    """

    like: tuple[Path, ...] = ()


class ClassifierFiles(ClassifierSettings):
    """Settings of `classifier` in a pipeline.

    Attributes:
        wanted: Files of rows to keep, as examples.
        unwanted: Likewise, to drop.
    """

    wanted: Files
    unwanted: Files


class PerplexityFiles(PerplexitySettings):
    """Settings of `perplexity` in a pipeline.

    Attributes:
        like: Files of rows of the domain.
    """

    like: tuple[Path, ...] = ()


def make_leakage(settings: LeakageFiles, _outside: Outside) -> Step:
    """Return the step that drops rows which stand in a test."""
    spelled = Normalise(NormaliseSettings(script=settings.script)).run(load_rows(settings.test))
    test = [row for result in spelled for row in result.rows]
    return Leakage(_only(LeakageSettings, settings), test)


def make_similar(settings: SimilarSettings, outside: Outside) -> Step:
    """Return the step that drops rows which mean nearly the same as an earlier one."""
    embed = _embedder(Similar.name, outside)
    return Similar(settings, embed, embedder_id=outside.embedder_id)


def make_similarity(settings: SimilarityFiles, outside: Outside) -> Step:
    """Return the filter by nearness to a domain."""
    embed = _embedder("similarity", outside)
    if settings.like:
        return filter_by_likeness(
            load_rows(settings.like),
            embed,
            embedder_id=outside.embedder_id,
            min_similarity=settings.min_similarity,
        )
    if not settings.domain.strip() or outside.find_domain is None:
        raise InvalidPipeline("step similarity needs rows (`like`) or a description (`domain`)")
    domain = outside.find_domain(settings.domain, settings.min_similarity)
    if isinstance(domain, str):
        raise InvalidPipeline(f"step similarity: {domain}")
    return filter_by_similarity(domain, embedder_id=outside.embedder_id)


def make_classifier(settings: ClassifierFiles, outside: Outside) -> Step:
    """Return the filter by a classifier, fitted on the rows of the files."""
    is_embedded = settings.features != "letters"
    fitted = fit_row_classifier(
        load_rows(settings.wanted),
        load_rows(settings.unwanted),
        _only(ClassifierSettings, settings),
        embed=_embedder("classifier", outside) if is_embedded else None,
        embedder_id=outside.embedder_id if is_embedded else "",
    )
    return filter_by_classifier(fitted)


def make_perplexity(settings: PerplexityFiles, outside: Outside) -> Step:
    """Return the filter by the base model; its rows of the domain are measured here."""
    if outside.perplexities is None:
        raise InvalidPipeline("step perplexity needs the base model of a home")
    like: Sequence[Row] = load_rows(settings.like) if settings.like else ()
    return filter_by_perplexity(
        _only(PerplexitySettings, settings), like, outside.perplexities, model_id=outside.model_id
    )


def _embedder(step: str, outside: Outside) -> Embed:
    if outside.embed is None:
        raise InvalidPipeline(f"step {step} needs an embedder")
    return outside.embed


def _only(model: type[S], settings: S) -> S:
    return model.model_validate(settings.model_dump(include=set(model.model_fields)))
