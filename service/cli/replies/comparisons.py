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
    """What one strategy reached in a comparison; its figures are None if it answered nothing."""

    n: int | None = None
    score: float | None
    score_low: float | None
    score_high: float | None
    by_kind: dict[str, KindScore]
    latency_ms: Latency | None
    prompt_tokens: float | None
    completion_tokens: float | None
    errors: int


class Winner(Reading):
    """The best strategy, None where no one is best."""

    strategy: str | None
    clear: bool = True
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
