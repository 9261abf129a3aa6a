"""Results of the five checks of training rows: saved, listed, and read back as measured facts.

It knows the table and the shape of a result; it does not know how rows are checked.
"""

import time
import uuid
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict
from sqlalchemy import JSON, Column, Float, Index, Select, String, Table, select

from router import FactValue
from service.errors import DataCheckNotFound
from service.stores.database import Database
from service.stores.json_value import JsonMapping, JsonObject
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

# The router's fact for the value of each check.
_FACT_NAMES = {
    "relevance": "relevant_rows_percent",
    "scenarios": "scenario_coverage_percent",
    "agreement": "label_disagreement_percent",
    "recency": "recent_rows_percent",
    "personal_data": "personal_data_rows",
}


@dataclass(frozen=True, slots=True)
class DataCheckRecord:
    """One finished check of a use case's rows; `report` is `adapters.DataCheck.as_dict`."""

    check_id: str
    tenant: str
    use_case: str
    report: JsonObject
    created_at: float

    def count_by_scenario(self) -> dict[str, int]:
        """Return the rows of each scenario."""
        return _StoredReport.model_validate(self.report).scenarios

    def as_facts(self) -> dict[str, FactValue | None]:
        """Return the measured facts by name; what a check could not judge is left out."""
        report = _StoredReport.model_validate(self.report)
        return {
            "labelled_examples": (
                report.distinct_rows if report.human_rows is None else report.human_rows
            ),
            "context_bearing_examples": report.context_rows,
            "data_quality": None if report.verdict == "unknown" else report.verdict,
            **{
                _FACT_NAMES[check.name]: check.value
                for check in report.checks
                if check.status != "unknown"
            },
        }


class _StoredCheck(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    name: str
    status: str
    value: int | float | None


class _StoredReport(BaseModel):
    """What is read of a stored report; `adapters.DataCheck` has all of it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    verdict: str
    distinct_rows: int
    human_rows: int | None = None  # none in checks of earlier releases
    context_rows: int
    scenarios: dict[str, int]
    checks: tuple[_StoredCheck, ...]


class DataChecks:
    """The checks of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def save(self, use_case: str, report: JsonMapping, *, tenant: str) -> str:
        """Save a finished check and return its id; the newest check is the measured one."""
        check_id = f"chk_{uuid.uuid4().hex}"
        row = {
            "check_id": check_id,
            "tenant": tenant,
            "use_case": use_case,
            "report": dict(report),
            "created_at": time.time(),
        }
        with self._database.execution_options(write=True).begin() as connection:
            connection.execute(data_checks.insert().values(row))
        return check_id

    def get(self, check_id: str, *, use_case: str, tenant: str) -> DataCheckRecord:
        """Return the check.

        Raises:
            DataCheckNotFound: The use case has no check of this id.
        """
        query = _select(use_case, tenant).where(data_checks.c.check_id == check_id)
        with self._database.connect() as connection:
            row = connection.execute(query).one_or_none()
        if row is None:
            raise DataCheckNotFound(
                f"The use case {use_case!r} has no data check {check_id!r}.", param="id"
            )
        return DataCheckRecord(**row._mapping)

    def list(self, use_case: str, *, tenant: str, limit: int = 20) -> tuple[DataCheckRecord, ...]:
        """Return the newest checks of a use case first."""
        with self._database.connect() as connection:
            found = connection.execute(_select(use_case, tenant).limit(limit))
            return tuple(DataCheckRecord(**row._mapping) for row in found)

    def last(self, use_case: str, *, tenant: str) -> DataCheckRecord | None:
        """Return the newest check of a use case, or None where there is none."""
        return next(iter(self.list(use_case, tenant=tenant, limit=1)), None)


def _select(use_case: str, tenant: str) -> Select[Any]:
    query = select(data_checks).where(
        data_checks.c.tenant == tenant, data_checks.c.use_case == use_case
    )
    return query.order_by(data_checks.c.created_at.desc())
