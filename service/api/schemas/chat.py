"""The bodies of `POST /chat` and `POST /route`."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from knowledge import read_filter
from router import Strategy
from service.api.schemas.shapes import Body, JsonFilter
from service.chat.citations import CiteMode
from service.chat.question import Question
from service.engine.client import Message
from service.errors import InvalidRequest
from service.routing.facts import Requirements
from service.stores.use_cases import Sampling


class TextPart(BaseModel):
    """A part of a message's content; only text is supported."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    type: Literal["text"]
    text: str


class ChatMessage(BaseModel):
    """One message, in the format of chat completions."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    role: Literal["system", "developer", "user", "assistant"]
    content: str | Annotated[tuple[TextPart, ...], Field(min_length=1)]

    def as_message(self) -> Message:
        """Return the turn as the model server takes it."""
        role = "system" if self.role == "developer" else self.role
        if isinstance(self.content, str):
            return Message(role, self.content)
        return Message(role, "\n".join(part.text for part in self.content))


class RequiredOfAnswer(Body):
    """What the caller requires of this answer."""

    citations: bool | None = None
    max_latency_ms: float | None = Field(default=None, gt=0)


class ChatRequest(Body):
    """Body of `POST /chat` and `POST /route`."""

    messages: Annotated[tuple[ChatMessage, ...], Field(min_length=1, max_length=1000)]
    use_case: str | None = None
    strategy: Literal["auto", "prompt_only", "rag", "fine_tuned", "hybrid"] = "auto"
    stream: bool = False
    knowledge_bases: tuple[str, ...] | None = None
    top_k: int | None = Field(default=None, ge=1, le=50)
    filters: JsonFilter | None = None
    access_labels: tuple[str, ...] = ()
    cite: CiteMode = "inline"
    requirements: RequiredOfAnswer = RequiredOfAnswer()
    user: str | None = Field(default=None, max_length=256)
    session_id: str | None = Field(default=None, max_length=256)
    sampling: Sampling = Sampling()
    response_format: dict[str, JsonValue] | None = None

    def as_question(self, *, request_id: str, tenant: str) -> Question:
        """Return the question that this body asks.

        Raises:
            InvalidRequest: The last message is not the user's, or empty.
            InvalidFilter: `filters` cannot be read.
        """
        return Question(
            request_id=request_id,
            tenant=tenant,
            turns=turns_of(self.messages),
            use_case=self.use_case,
            strategy=None if self.strategy == "auto" else Strategy(self.strategy),
            knowledge_bases=self.knowledge_bases,
            top_k=self.top_k,
            filters=read_filter(self.filters or {}),
            access_labels=self.access_labels,
            cite=self.cite,
            requirements=Requirements(
                self.requirements.citations,
                self.requirements.max_latency_ms,
                None if self.knowledge_bases is None else len(self.knowledge_bases),
            ),
            sampling=self.sampling,
            response_format=self.response_format,
        )


def turns_of(messages: tuple[ChatMessage, ...]) -> tuple[Message, ...]:
    """Return the turns, the user's question last.

    Raises:
        InvalidRequest: The last message is not the user's, or empty.
    """
    turns = tuple(message.as_message() for message in messages)
    if turns[-1].role != "user" or not turns[-1].content.strip():
        raise InvalidRequest(
            "The last message is the question: it must be from the user and contain text.",
            param="messages",
        )
    return turns
