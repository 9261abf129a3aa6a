"""Results of the five checks of training rows: kept, listed, and read back as measured facts.

It knows the table and the shape of a result; it does not know how rows are checked.
"""

import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import JSON, Column, Engine, Float, Index, Select, String, Table, select

from service.errors import DataCheckNotFound
from service.stores.tables import metadata

data_checks = Table(
    "data_checks",
    metadata,
    Column("check_id", String(40), primary_key=True),
    Column("tenant", String(64), nullable=False),
    Column("use_case", String(64), nullable=False),
    Column("report", JSON, nullable=False),
    Column("created_at", Float, nullable=False),
    Index("data_checks_by_use_case", "tenant", "use_case", "created_at"),
)

# The router's name of what each check counts.
_COUNTED = {
    "relevance": "relevant_rows_percent",
    "scenarios": "scenario_coverage_percent",
    "agreement": "label_disagreement_percent",
    "recency": "recent_rows_percent",
    "personal_data": "personal_data_rows",
}


@dataclass(frozen=True, slots=True)
class CheckedData:
    """One finished check of a use case's rows; `report` is `adapters.DataCheck.as_dict`."""

    check_id: str
    tenant: str
    use_case: str
    report: Mapping[str, Any]
    created_at: float

    def as_facts(self) -> dict[str, Any]:
        """Return the measured facts by name; what no check could judge is left out."""
        verdict = self.report["verdict"]
        return {
            "labelled_examples": self.report["distinct_rows"],
            "context_bearing_examples": self.report["context_rows"],
            "data_quality": None if verdict == "unknown" else verdict,
            **{
                _COUNTED[check["name"]]: check["value"]
                for check in self.report["checks"]
                if check["status"] != "unknown"
            },
        }


class DataChecks:
    """The checks of one database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def keep(self, use_case: str, report: Mapping[str, Any], *, tenant: str) -> str:
        """Keep a finished check and return its id; it replaces the earlier one as the measure."""
        check_id = f"chk_{uuid.uuid4().hex}"
        row = {
            "check_id": check_id,
            "tenant": tenant,
            "use_case": use_case,
            "report": dict(report),
            "created_at": time.time(),
        }
        with self._engine.execution_options(write=True).begin() as connection:
            connection.execute(data_checks.insert().values(row))
        return check_id

    def get(self, check_id: str, *, use_case: str, tenant: str) -> CheckedData:
        """Return the check.

        Raises:
            DataCheckNotFound: The use case has no check of this id.
        """
        query = _of(use_case, tenant).where(data_checks.c.check_id == check_id)
        with self._engine.connect() as connection:
            row = connection.execute(query).one_or_none()
        if row is None:
            raise DataCheckNotFound(
                f"The use case {use_case!r} has no data check {check_id!r}.", param="id"
            )
        return CheckedData(**row._mapping)

    def list(self, use_case: str, *, tenant: str, limit: int = 20) -> tuple[CheckedData, ...]:
        """Return the newest checks of a use case first."""
        with self._engine.connect() as connection:
            found = connection.execute(_of(use_case, tenant).limit(limit))
            return tuple(CheckedData(**row._mapping) for row in found)

    def last(self, use_case: str, *, tenant: str) -> CheckedData | None:
        """Return the newest check of a use case, or None where there is none."""
        return next(iter(self.list(use_case, tenant=tenant, limit=1)), None)


def _of(use_case: str, tenant: str) -> Select[Any]:
    query = select(data_checks).where(
        data_checks.c.tenant == tenant, data_checks.c.use_case == use_case
    )
    return query.order_by(data_checks.c.created_at.desc())
