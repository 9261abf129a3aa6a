"""Use cases: what a team declares about one task of the model.

It knows their shape and stores them in SQL; it does not know how a strategy is chosen.
"""

import time
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, field_validator
from sqlalchemy import JSON, Column, Float, String, Table, delete, select

from knowledge import as_traditional, is_in_traditional_script
from router import Facts
from router.errors import RouterError
from service.errors import UseCaseNotFound
from service.stores.database import Database
from service.stores.json_value import JsonObject
from service.stores.tables import metadata

ID_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"

ScenarioName = Annotated[str, Field(min_length=1, max_length=80)]

use_cases = Table(
    "use_cases",
    metadata,
    Column("tenant", String(64), primary_key=True),
    Column("use_case_id", String(64), primary_key=True),
    Column("body", JSON, nullable=False),
    Column("updated_at", Float, nullable=False),
)


class Sampling(BaseModel):
    """Generation options; None leaves an option to the use case, then to the default."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    temperature: float | None = Field(default=None, ge=0, le=2)
    top_p: float | None = Field(default=None, gt=0, le=1)
    max_tokens: int | None = Field(default=None, ge=1, lt=2**63)  # of which the window is the limit
    seed: int | None = Field(default=None, ge=-(2**63), lt=2**63)  # torch's, so vLLM's
    stop: tuple[str, ...] | str | None = None

    def over(self, lower: "Sampling") -> "Sampling":
        """Return these options, with those of `lower` where none is set here."""
        own = self.model_dump(exclude_none=True)
        return Sampling(**{**lower.model_dump(exclude_none=True), **own})


# Temperature 0 makes answers repeatable; 256 tokens hold the answers of a help desk.
DEFAULT_SAMPLING = Sampling(temperature=0.0, max_tokens=256)


class Refusal(BaseModel):
    """The answer when nothing relevant is found, by language of the question.

    Attributes:
        zh: In Chinese.
        zh_hant: In traditional letters, `zh-Hant` on the wire; None: `zh`, converted.
        en: In English and for every other language.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", serialize_by_alias=True)

    zh: str = Field(default="抱歉，资料中没有找到相关内容，我无法回答这个问题。", min_length=1)
    zh_hant: str | None = Field(default=None, min_length=1, alias="zh-Hant")
    en: str = Field(
        default="Sorry, I found nothing about this in the documents, so I cannot answer it.",
        min_length=1,
    )

    @property
    def traditional(self) -> str:
        """The sentence in traditional letters."""
        return self.zh_hant or as_traditional(self.zh)

    def in_reply_to(self, question: str, language: str) -> str:
        """Return the sentence in the language of a question, and in its script where it is `zh`."""
        if language != "zh":
            return self.en
        return self.traditional if is_in_traditional_script(question) else self.zh

    def matches(self, answer: str) -> bool:
        """Return whether `answer` is this refusal, as a model writes it that was trained on it."""
        text = " ".join(answer.split()).casefold()
        return text in map(str.casefold, (self.zh, self.en, self.traditional))


class AnswerRules(BaseModel):
    """What an answer may contain, and how it is asked for.

    Attributes:
        links: Which links and images stay: those of the `passages` and of the instructions (of the
            conversation where no passages are shown), `all`, or `none`. Of others the text stays.
        passages_as_data: Passages stand between `<passages>` marks, and the system message says
            that they are no instructions. False: as before 0.2, for an adapter trained that way.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    links: Literal["passages", "all", "none"] = "passages"
    passages_as_data: bool = True


class UseCase(BaseModel):
    """One task of the model: its role, the declared facts, knowledge bases and adapter."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(pattern=ID_PATTERN)
    role: str = Field(default="", max_length=4_000)
    instructions: str = Field(default="", max_length=16_000)
    domain_description: str = Field(
        default="", max_length=4_000
    )  # data checks compare training rows with it
    scenarios: tuple[ScenarioName, ...] = Field(default=(), max_length=200)
    # of the training rows, that a person must have read before their data check can pass
    manual_sample_share: float = Field(default=0.0, ge=0, le=1)
    facts: JsonObject = Field(default_factory=dict)
    thresholds: dict[str, bool | int | FiniteFloat | str] = Field(default_factory=dict)
    knowledge_bases: tuple[str, ...] = ()
    adapter: str | None = None
    output_schema: JsonObject | None = None
    refusal: Refusal = Refusal()
    sampling: Sampling = Sampling()
    answer: AnswerRules = AnswerRules()
    top_k: int | None = Field(default=None, ge=1, le=50)  # None: knowledge.top_k
    # of all passages together; at least 256, so that a chunk of the default size (240) fits
    context_tokens: int | None = Field(default=None, ge=256)
    rewrite_follow_ups: bool = False  # one more call to the model before passages are searched
    allow_prompt_only_when_nothing_found: bool = False

    @field_validator("facts")
    @classmethod
    def _facts_are_known(cls, facts: JsonObject) -> JsonObject:
        try:
            Facts.build(declared=facts, measured={}, request={})
        except RouterError as exc:
            raise ValueError(str(exc)) from exc
        return facts


class UseCases:
    """The use cases of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, use_case: UseCase, *, tenant: str) -> None:
        """Save `use_case`, replacing one of the same id."""
        row = {
            "tenant": tenant,
            "use_case_id": use_case.id,
            "body": use_case.model_dump(mode="json"),
            "updated_at": time.time(),
        }
        with self._database.execution_options(write=True).begin() as connection:
            connection.execute(_where(delete(use_cases), tenant, use_case.id))
            connection.execute(use_cases.insert().values(row))

    def get(self, use_case_id: str, *, tenant: str) -> UseCase:
        """Return the use case.

        Raises:
            UseCaseNotFound: No use case has this id.
        """
        with self._database.connect() as connection:
            body = connection.execute(
                _where(select(use_cases.c.body), tenant, use_case_id)
            ).scalar_one_or_none()
        if body is None:
            raise UseCaseNotFound(
                f"There is no use case {use_case_id!r}; PUT /use_cases/{use_case_id} creates it.",
                param="use_case",
            )
        return UseCase.model_validate(body)

    def list(self, *, tenant: str) -> tuple[UseCase, ...]:
        """Return all use cases by id."""
        query = select(use_cases.c.body).where(use_cases.c.tenant == tenant)
        with self._database.connect() as connection:
            bodies = connection.execute(query.order_by(use_cases.c.use_case_id)).scalars()
            return tuple(UseCase.model_validate(body) for body in bodies)

    def delete(self, use_case_id: str, *, tenant: str) -> None:
        """Delete the use case.

        Raises:
            UseCaseNotFound: No use case has this id.
        """
        self.get(use_case_id, tenant=tenant)
        with self._database.execution_options(write=True).begin() as connection:
            connection.execute(_where(delete(use_cases), tenant, use_case_id))


def _where(statement: Any, tenant: str, use_case_id: str) -> Any:
    return statement.where(use_cases.c.tenant == tenant, use_cases.c.use_case_id == use_case_id)
