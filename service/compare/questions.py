"""The questions of a comparison, as a team writes them.

It knows the shape of a SET row; it does not know how answers are scored.
"""

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError, model_validator

from knowledge import detect_language
from service.errors import InvalidRequest
from service.messages.faults import row_faults

StrategyName = Literal["prompt_only", "rag", "fine_tuned", "hybrid", "auto"]
COMPARED: tuple[StrategyName, ...] = get_args(StrategyName)
MAX_QUESTIONS = 5_000


class Kind(StrEnum):
    """What a good answer to the question must show."""

    FACT = "fact"
    STYLE = "style"
    BOTH = "both"
    CHITCHAT = "chitchat"
    UNANSWERABLE = "unanswerable"


class Turn(BaseModel):
    """An earlier turn of the conversation."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    role: str
    content: str


class SetQuestion(BaseModel):
    """One row of a question set; without `lang` its language is read off its letters."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str = Field(min_length=1, max_length=200)
    question: str = Field(min_length=1)
    kind: Kind
    answers: tuple[str, ...] = ()
    schema_: Mapping[str, JsonValue] | Sequence[str] | None = Field(default=None, alias="schema")
    history: tuple[Turn, ...] = ()
    lang: str | None = Field(default=None, min_length=1, max_length=20)

    @model_validator(mode="after")
    def _has_what_its_kind_needs(self) -> "SetQuestion":
        if self.kind in (Kind.FACT, Kind.BOTH) and not self.answers:
            raise ValueError(f"a {self.kind} question needs `answers`")
        if self.kind in (Kind.STYLE, Kind.BOTH) and not self.required_keys:
            raise ValueError(f"a {self.kind} question needs `schema` (the required keys)")
        return self

    @property
    def language(self) -> str:
        """Its language as an ISO 639-1 code, such as `zh`."""
        return self.lang or detect_language(self.question)

    @property
    def required_keys(self) -> frozenset[str]:
        """Keys that an answer's JSON object must have: listed, or those of a JSON schema."""
        if self.schema_ is None:
            return frozenset()
        if isinstance(self.schema_, Mapping):
            names = self.schema_.get("required") or self.schema_.get("properties")
            return frozenset(map(str, names)) if isinstance(names, list | dict) else frozenset()
        return frozenset(self.schema_)


def parse_set(rows: Iterable[object]) -> tuple[SetQuestion, ...]:
    """Return the questions of `rows`.

    Raises:
        InvalidRequest: Names each row that is wrong, or the id that occurs twice.
    """
    questions: list[SetQuestion] = []
    faults: list[str] = []
    for number, row in enumerate(rows, start=1):
        try:
            questions.append(SetQuestion.model_validate(row))
        except ValidationError as exc:
            faults.append(f"row {number}: {row_faults(exc.errors(), row)}")
    ids = [question.id for question in questions]
    faults += [f"id {name!r} occurs twice" for name in sorted({i for i in ids if ids.count(i) > 1})]
    if not questions and not faults:
        faults = ["the set has no questions"]
    if len(questions) > MAX_QUESTIONS:
        faults.append(f"{len(questions)} questions; at most {MAX_QUESTIONS}")
    if faults:
        raise InvalidRequest("The question set is not valid: " + " | ".join(faults[:20]))
    return tuple(questions)
