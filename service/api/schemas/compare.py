"""The bodies of `/compare`: comparisons, their summaries, and the regret of a policy on them."""

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import Field, JsonValue, model_validator

from service.api.schemas.answers import Reason
from service.api.schemas.jobs import JobErrorReply
from service.api.schemas.shapes import Body, JsonObject, Reply
from service.compare import COMPARED, StrategyName, Winner, WinnerReason, because_of
from service.messages.spoken import spoken
from service.stores.comparisons import Comparison
from service.stores.jobs import Job, Status


class CompareRequest(Body):
    """Body of `POST /compare`.

    Attributes:
        use_case: Id of the use case that answers.
        rows: The questions, 1 to 5,000: `{id, question, kind, answers, schema, history, lang}`.
        strategies: Strategies to compare, one after the other.
        concurrency: Questions in flight at the same time.
    """

    use_case: str
    rows: list[JsonObject]
    strategies: Annotated[tuple[StrategyName, ...], Field(min_length=1)] = COMPARED
    concurrency: int = Field(default=4, ge=1, le=64)


class KindScore(Reply):
    """Mean score, 0 to 1, of the `n` answered questions of one kind."""

    n: int
    score: float


class Percentiles(Reply):
    """The median and the 95th percentile."""

    p50: float
    p95: float


_MEASURED_OF_ANSWERS = (
    "score",
    "score_low",
    "score_high",
    "latency_ms",
    "first_token_ms",
    "prompt_tokens",
    "completion_tokens",
)


class StrategySummary(Reply):
    """What one strategy scored; the figures are null if it answered no question.

    Attributes:
        n: Questions it answered; the others are `errors`.
        score: Mean, 0 to 1; `score_low` and `score_high` bound its 95 % interval.
        latency_ms: Milliseconds until the whole answer; `first_token_ms` until its first token.
        prompt_tokens: Mean per answer, like `completion_tokens`.
    """

    n: int
    errors: int
    score: float | None
    score_low: float | None
    score_high: float | None
    by_kind: dict[str, KindScore]
    latency_ms: Percentiles | None
    first_token_ms: Percentiles | None
    prompt_tokens: float | None
    completion_tokens: float | None

    @model_validator(mode="before")
    @classmethod
    def _leave_out_what_was_not_measured(cls, values: object) -> object:
        if not isinstance(values, Mapping) or values.get("n") != 0:
            return values
        return {**values, **dict.fromkeys(_MEASURED_OF_ANSWERS)}


class WinnerReply(Reply):
    """The best fixed strategy by mean score; `clear` if the lead is significant.

    Attributes:
        because: Why, in the language of the request.
        reason: The same as a word; null for comparisons of an earlier version.
        second: The second best strategy.
        difference: Its distance in mean score; `difference_low` and `difference_high` bound its
            95 % interval on the questions that both answered.
    """

    strategy: str | None
    clear: bool
    because: str
    reason: WinnerReason | None = None
    second: str | None = None
    difference: float | None = None
    difference_low: float | None = None
    difference_high: float | None = None


class SummaryReply(Reply):
    """Scores by strategy, by language and by kind of question.

    Attributes:
        by_language: For each language of the questions, such as `zh`, what each strategy scored.
    """

    questions: int
    strategies: dict[str, StrategySummary]
    by_language: dict[str, dict[str, StrategySummary]] = Field(default_factory=dict)
    by_kind_winner: dict[str, list[str]]
    winner: WinnerReply

    @classmethod
    def of(cls, stored: object) -> Self:
        """Return a stored summary with the reason of its winner in the language in force."""
        summary = cls.model_validate(stored, from_attributes=True)
        scores = {name: row.score for name, row in summary.strategies.items()}
        because = because_of(Winner(**summary.winner.model_dump()), scores, spoken())
        winner = summary.winner.model_copy(update={"because": because})
        return summary.model_copy(update={"winner": winner})


class ComparisonReply(Reply):
    """A finished comparison; `created_at` is in unix seconds."""

    id: str
    object: Literal["comparison"] = "comparison"
    use_case: str
    created_at: float
    summary: SummaryReply

    @classmethod
    def of(cls, comparison: Comparison) -> Self:
        """Return a comparison as clients see it; the outcomes are a resource of their own."""
        return cls(
            id=comparison.comparison_id,
            use_case=comparison.use_case,
            created_at=comparison.created_at,
            summary=SummaryReply.of(comparison.summary),
        )


class Finished(Reply):
    """Progress of a finished comparison."""

    fraction: float = 1.0


class FinishedComparisonReply(ComparisonReply):
    """A finished comparison with the status and progress of its job."""

    status: Literal[Status.SUCCEEDED] = Status.SUCCEEDED
    progress: Finished = Finished()


class ComparisonJobReply(Reply):
    """A comparison by its job; `summary` is null until the job has succeeded."""

    id: str
    object: Literal["comparison"] = "comparison"
    status: Status
    use_case: str
    progress: JsonObject
    created_at: float
    summary: SummaryReply | None
    error: JobErrorReply | None

    @classmethod
    def of(cls, job: Job, comparison: Comparison | None = None) -> Self:
        """Return a comparison that is under way, or what its job made."""
        summary = None if comparison is None else ComparisonReply.of(comparison).summary
        return cls(
            id=job.job_id,
            status=job.status,
            use_case=str(job.args["use_case"]),
            progress=dict(job.progress),
            created_at=job.created_at,
            summary=summary,
            error=None if job.error is None else JobErrorReply.model_validate(dict(job.error)),
        )


class StandingReply(Reply):
    """The result of one way of choosing; null means no score at all.

    Attributes:
        n: Questions where its choice has a score; `missing` are the others.
        score: Mean, 0 to 1.
        regret: Points of 100 lost to the best choice for each question.
        gain: Points of 100 won over the best fixed strategy.
        strategies: How often it chose each strategy.
    """

    n: int
    missing: int
    score: float | None
    score_low: float | None
    score_high: float | None
    regret: float | None
    regret_low: float | None
    regret_high: float | None
    gain: float | None
    gain_low: float | None
    gain_high: float | None
    strategies: dict[str, int]


class BestFixedReply(StandingReply):
    """The single strategy with the best mean over all questions."""

    strategy: str


class RuleShareReply(Reply):
    """The regret and gain of one rule where it decided, in points of 100.

    Attributes:
        fired: How many questions it decided; `share` of all, 0 to 1.
        regret: Its share of the router's regret; `regret_each` for each question it decided.
        gain: Its share of the router's gain; `gain_each` likewise.
    """

    rule: str
    kind: str
    because: Reason
    fired: int
    share: float
    strategies: dict[str, int]
    missing: int
    score: float | None
    regret: float | None
    gain: float | None
    regret_each: float | None
    regret_each_low: float | None
    regret_each_high: float | None
    gain_each: float | None
    gain_each_low: float | None
    gain_each_high: float | None


class RegretReply(Reply):
    """A policy's distance from the best choice, compared with simpler ways to choose.

    Attributes:
        router: The policy's choices.
        auto: The answers as they were given; null if `auto` was not compared.
        always_rag: Null if the strategy was not compared; likewise `always_hybrid`.
        tfidf_baseline: What a text classifier would choose.
        oracle: The best strategy of each question.
        fixed: Each strategy, taken for every question.
        notes: Limitations of these figures, in words.
    """

    object: Literal["regret"] = "regret"
    questions: int
    policy_version: str
    router: StandingReply
    auto: StandingReply | None
    best_fixed: BestFixedReply
    always_rag: StandingReply | None
    always_hybrid: StandingReply | None
    tfidf_baseline: StandingReply | None
    oracle: StandingReply
    fixed: dict[str, StandingReply]
    rules: list[RuleShareReply]
    notes: list[str]

    @classmethod
    def of(cls, regret: Mapping[str, JsonValue]) -> Self:
        """Return the document that `regret_of` writes."""
        return cls.model_validate(dict(regret))
