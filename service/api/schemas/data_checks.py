"""The bodies of `/use_cases/{id}/data_checks`."""

from typing import Literal, Self

from pydantic import Field

from service.api.schemas.shapes import Body, JsonObject, Reply
from service.stores.data_checks import DataCheckRecord

Verdict = Literal["pass", "fail", "unknown"]


class DataCheckRequest(Body):
    """Body of a check: an uploaded file of rows, or the rows themselves.

    Attributes:
        file_id: Id of an uploaded file.
        rows: The rows themselves, instead of `file_id`.
        domain: What the use case is about; default: its `domain_description`.
        scenarios: Default: those of the use case.
        min_similarity: Minimum cosine of a row that belongs to the domain; default: the embedder's.
    """

    file_id: str | None = None
    rows: list[JsonObject] | None = None
    domain: str | None = Field(default=None, max_length=4_000)
    scenarios: tuple[str, ...] | None = Field(default=None, max_length=200)
    min_similarity: float | None = Field(default=None, ge=-1, le=1)


class EvidenceReply(Reply):
    """A row that failed the check: its line in the file, the reason, and an excerpt."""

    file: str
    line: int
    reason: str
    text: str


class CheckReply(Reply):
    """One of the five checks.

    Attributes:
        name: `relevance`, `scenarios`, `agreement`, `recency` or `personal_data`.
        value: The figure, in `unit` (`percent` or `rows`); null if there is none.
        needed: What is needed to pass, in words and numbers.
        missing: What to do or to add; null if the check passes.
        found: Number of rows that failed; the first of them are in `evidence`.
        details: Further figures by name.
    """

    name: str
    status: Verdict
    value: float | None
    unit: str
    needed: str
    missing: str | None
    found: int
    evidence: list[EvidenceReply]
    details: JsonObject


class DataCheckReply(Reply):
    """What the five checks found in a use case's rows.

    Attributes:
        created_at: Unix seconds.
        verdict: `fail` if a check fails, `pass` if all pass, else `unknown`.
        rows: Number of rows read.
        distinct_rows: Number of rows that differ in question or answer.
        human_rows: Number of distinct rows that a person wrote, or accepted where a model made
            them; null in checks of earlier releases.
        synthetic_rows: Number of rows with questions that a model made up; null likewise.
        unreviewed_rows: Number of rows that a model made and nobody has accepted; null likewise.
        context_rows: Number of rows with passages in the prompt.
        scenarios: Number of rows per scenario.
    """

    id: str
    object: Literal["data_check"] = "data_check"
    use_case: str
    created_at: float
    verdict: Verdict
    rows: int
    distinct_rows: int
    human_rows: int | None = None
    synthetic_rows: int | None = None
    unreviewed_rows: int | None = None
    context_rows: int
    scenarios: dict[str, int]
    checks: list[CheckReply]

    @classmethod
    def of(cls, check: DataCheckRecord) -> Self:
        """Return a check as clients see it."""
        kept = {"id": check.check_id, "use_case": check.use_case, "created_at": check.created_at}
        return cls.model_validate({**check.report, **kept})
