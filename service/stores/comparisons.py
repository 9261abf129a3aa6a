"""Results of comparisons: saved, listed, and read back as measured facts.

It knows the table and the shape of a summary; it does not know how one is computed.
"""

import time
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict
from sqlalchemy import JSON, Column, Float, Index, String, Table, select, tuple_

from router import Strategy
from service.errors import CompareNotFound, InvalidRequest
from service.stores.database import Database
from service.stores.json_value import JsonMapping, JsonObject
from service.stores.tables import metadata

comparisons = Table(
    "comparisons",
    metadata,
    Column("comparison_id", String(40), primary_key=True),
    Column("tenant", String(64), nullable=False),
    Column("use_case", String(64), nullable=False),
    Column("summary", JSON, nullable=False),
    Column("outcomes", JSON, nullable=False),
    Column("created_at", Float, nullable=False),
    Index("comparisons_by_use_case", "tenant", "use_case", "created_at"),
)


@dataclass(frozen=True, slots=True)
class StrategyScore:
    """What the last comparison of a use case measured for one strategy.

    Scores are means in 0..1; `low` and `high` bound the 95 % interval.
    """

    n: int
    score: float
    low: float
    high: float
    p50_ms: float
    p95_ms: float
    tokens: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """One finished comparison."""

    comparison_id: str
    tenant: str
    use_case: str
    summary: JsonObject
    outcomes: Sequence[JsonObject]
    created_at: float


class Comparisons:
    """The comparisons of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def save(
        self,
        use_case: str,
        summary: JsonMapping,
        outcomes: Sequence[JsonMapping],
        *,
        tenant: str,
    ) -> str:
        """Save a finished comparison and return its id."""
        comparison_id = f"cmp_{uuid.uuid4().hex}"
        row = {
            "comparison_id": comparison_id,
            "tenant": tenant,
            "use_case": use_case,
            "summary": dict(summary),
            "outcomes": [dict(outcome) for outcome in outcomes],
            "created_at": time.time(),
        }
        with self._database.execution_options(write=True).begin() as connection:
            connection.execute(comparisons.insert().values(row))
        return comparison_id

    def get(self, comparison_id: str, *, tenant: str) -> Comparison:
        """Return the comparison.

        Raises:
            CompareNotFound: No comparison has this id.
        """
        query = select(comparisons).where(
            comparisons.c.comparison_id == comparison_id, comparisons.c.tenant == tenant
        )
        with self._database.connect() as connection:
            row = connection.execute(query).one_or_none()
        if row is None:
            raise CompareNotFound(f"There is no comparison {comparison_id!r}.", param="id")
        return Comparison(**row._mapping)

    def list(
        self,
        *,
        tenant: str,
        use_case: str | None = None,
        allowed: Collection[str] | None = None,
        after: str | None = None,
        limit: int = 20,
    ) -> tuple[Comparison, ...]:
        """Return the newest comparisons first; `after` is the last id of the previous page.

        Args:
            tenant: Whose.
            use_case: Only of this one.
            allowed: Only of these use cases; None: of all.
            after: As said.
            limit: Most comparisons to return.

        Raises:
            InvalidRequest: No comparison is called `after`.
        """
        of_tenant = comparisons.c.tenant == tenant
        columns = (comparisons.c.created_at, comparisons.c.comparison_id)
        query = select(comparisons).where(of_tenant)
        if use_case is not None:
            query = query.where(comparisons.c.use_case == use_case)
        if allowed is not None:
            query = query.where(comparisons.c.use_case.in_(allowed))
        with self._database.connect() as connection:
            if after is not None:
                position = select(*columns).where(of_tenant, comparisons.c.comparison_id == after)
                last = connection.execute(position).one_or_none()
                if last is None:
                    raise InvalidRequest(f"There is no comparison {after!r}.", param="after")
                query = query.where(tuple_(*columns) < tuple_(*last))
            query = query.order_by(*(column.desc() for column in columns)).limit(limit)
            return tuple(Comparison(**row._mapping) for row in connection.execute(query))

    def last_scores(self, use_case: str, *, tenant: str) -> Mapping[Strategy, StrategyScore]:
        """Return what the newest comparison measured for each strategy; empty without one.

        A strategy that only failed was not measured and is left out.
        """
        query = (
            select(comparisons.c.summary)
            .where(comparisons.c.tenant == tenant, comparisons.c.use_case == use_case)
            .order_by(comparisons.c.created_at.desc())
            .limit(1)
        )
        with self._database.connect() as connection:
            summary = connection.execute(query).scalar_one_or_none()
        if summary is None:
            return {}
        measured = _StoredSummary.model_validate(summary).strategies
        return {s: measured[s].score_of() for s in Strategy if s in measured and measured[s].n}


class _Percentiles(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    p50: float
    p95: float


class _StoredScore(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    n: int
    score: float
    score_low: float
    score_high: float
    latency_ms: _Percentiles
    prompt_tokens: float
    completion_tokens: float

    def score_of(self) -> StrategyScore:
        return StrategyScore(
            n=self.n,
            score=self.score,
            low=self.score_low,
            high=self.score_high,
            p50_ms=self.latency_ms.p50,
            p95_ms=self.latency_ms.p95,
            tokens=self.prompt_tokens + self.completion_tokens,
        )


class _StoredSummary(BaseModel):
    """What is read of a stored summary; `compare.Summary` has all of it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    strategies: dict[str, _StoredScore]
