"""Makes the filters of training rows with the embedder and the base model of this home.

It joins the rooms; what a filter does stands in adapters/, which embedder there is in knowledge/.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property, partial

from adapters import (
    ClassifierQuality,
    ClassifierSettings,
    EvaluationEvent,
    InvalidRowFilter,
    KeywordSettings,
    PerplexitySettings,
    Row,
    ScoreFilter,
    SimilaritySettings,
    filter_by_classifier,
    filter_by_keywords,
    filter_by_likeness,
    filter_by_perplexity,
    filter_by_similarity,
    fit_row_classifier,
    measure_perplexities,
)
from knowledge import Embedder
from service.fine_tuning.data_checks import find_domain
from service.fine_tuning.training import find_base
from service.settings import Settings, child_environment


class FilterName(StrEnum):
    """The filters there are."""

    KEYWORDS = "keywords"
    SIMILARITY = "similarity"
    CLASSIFIER = "classifier"
    PERPLEXITY = "perplexity"


@dataclass(frozen=True, slots=True)
class FilterOptions:
    """What filters are made from; those of a filter that is not asked for may be missing.

    Attributes:
        keywords: Of the filter by keywords.
        similarity: Of the filter by similarity.
        classifier: Of the filter by classifier.
        wanted: Rows it is fitted on, to keep.
        unwanted: Likewise, to drop.
        perplexity: Of the filter by perplexity.
        like: Rows of the domain, for the filters by similarity and by perplexity.
    """

    keywords: KeywordSettings | None
    similarity: SimilaritySettings
    classifier: ClassifierSettings
    wanted: Sequence[Row]
    unwanted: Sequence[Row]
    perplexity: PerplexitySettings
    like: Sequence[Row]


class FilterMaker:
    """Makes filters; embedder and base model are looked for when the first filter needs them.

    Attributes:
        quality: Of the classifier, once one is made.
    """

    def __init__(
        self,
        settings: Settings,
        options: FilterOptions,
        *,
        load_embedder: Callable[[Settings], Embedder],
        on_progress: Callable[[EvaluationEvent], None],
    ) -> None:
        """Take what filters are made from.

        Args:
            settings: Of this home.
            options: Of all filters.
            load_embedder: Loads the embedder of a home.
            on_progress: Told how far the base model is.
        """
        self.quality: ClassifierQuality | None = None
        self._settings = settings
        self._options = options
        self._load_embedder = load_embedder
        self._on_progress = on_progress

    def make(self, name: FilterName, rows: Sequence[Row]) -> ScoreFilter:
        """Return a filter.

        Args:
            name: Which one.
            rows: What will be filtered; only its language is looked at.

        Raises:
            InvalidRowFilter: Its options are missing or do not fit.
            AdapterError: The base model cannot measure.
        """
        make: Mapping[FilterName, Callable[[Sequence[Row]], ScoreFilter]] = {
            FilterName.KEYWORDS: self._by_keywords,
            FilterName.SIMILARITY: self._by_similarity,
            FilterName.CLASSIFIER: self._by_classifier,
            FilterName.PERPLEXITY: self._by_perplexity,
        }
        return make[name](rows)

    @cached_property
    def _embedder(self) -> Embedder:
        return self._load_embedder(self._settings)

    def _by_keywords(self, _rows: Sequence[Row]) -> ScoreFilter:
        if self._options.keywords is None:
            raise InvalidRowFilter("the keyword filter needs words (--keyword or --keyword-file)")
        return filter_by_keywords(self._options.keywords)

    def _by_similarity(self, rows: Sequence[Row]) -> ScoreFilter:
        asked, like = self._options.similarity, self._options.like
        if like:
            return filter_by_likeness(
                like,
                self._embedder.embed_passages,
                embedder_id=_identity(self._embedder),
                min_similarity=asked.min_similarity,
            )
        if not asked.domain.strip():
            raise InvalidRowFilter(
                "the similarity filter needs rows of the domain (--like) or what it is about "
                "(--domain)"
            )
        domain = find_domain(rows, asked.domain, self._embedder, asked.min_similarity)
        if isinstance(domain, str):
            raise InvalidRowFilter(domain)
        return filter_by_similarity(domain, embedder_id=_identity(self._embedder))

    def _by_classifier(self, _rows: Sequence[Row]) -> ScoreFilter:
        options = self._options
        if not (options.wanted and options.unwanted):
            raise InvalidRowFilter(
                "the classifier filter needs labelled rows of both kinds (--wanted, --unwanted)"
            )
        embedder = self._embedder if options.classifier.features != "letters" else None
        fitted = fit_row_classifier(
            options.wanted,
            options.unwanted,
            options.classifier,
            embed=None if embedder is None else embedder.embed_passages,
            embedder_id="" if embedder is None else _identity(embedder),
        )
        self.quality = fitted.quality
        return filter_by_classifier(fitted)

    def _by_perplexity(self, _rows: Sequence[Row]) -> ScoreFilter:
        if not self._options.like and self._options.perplexity.max_perplexity is None:
            raise InvalidRowFilter(
                "the perplexity filter needs rows of the domain (--like), or --max-perplexity "
                "with --examples 0"
            )
        base = find_base(self._settings)
        measure = partial(
            measure_perplexities,
            base=base,
            environment=child_environment(),
            settings=self._settings.adapters,
            on_progress=self._on_progress,
        )
        return filter_by_perplexity(
            self._options.perplexity, self._options.like, measure, model_id=base.id
        )


def _identity(embedder: Embedder) -> str:
    return f"{embedder.model_id} {embedder.revision}"
