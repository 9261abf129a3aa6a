"""Comparisons of the strategies."""

from service.cli.replies.jobs import JobState
from service.cli.replies.reading import Reading


class KindScore(Reading):
    """A strategy's score on the questions of one kind."""

    n: int
    score: float


class Latency(Reading):
    """Milliseconds of an answer."""

    p50: float
    p95: float


class StrategyScore(Reading):
    """What one strategy reached in a comparison."""

    score: float
    score_low: float
    score_high: float
    by_kind: dict[str, KindScore]
    latency_ms: Latency
    prompt_tokens: float
    completion_tokens: float
    errors: int


class Winner(Reading):
    """The best strategy, None where no one is best."""

    strategy: str | None
    because: str


class ComparisonSummary(Reading):
    """The result of a comparison."""

    strategies: dict[str, StrategyScore]
    by_language: dict[str, dict[str, StrategyScore]] = {}
    winner: Winner
    by_kind_winner: dict[str, list[str] | str] | None = None


class ComparisonReply(JobState):
    """A comparison, with its summary once it has ended."""

    summary: ComparisonSummary | None = None
