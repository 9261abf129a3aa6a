"""The bodies of `POST /chat` and `POST /route`."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, JsonValue

from knowledge import read_filter
from router import Strategy
from service.api.schemas.shapes import Body, JsonFilter, NullableBody
from service.chat.citations import CiteMode
from service.chat.question import Question
from service.engine.client import Message
from service.errors import InvalidRequest
from service.routing.facts import Requirements
from service.stores.use_cases import Sampling

ROLES = ("system", "developer", "user", "assistant", "tool", "function")
RESULT_ROLES = ("tool", "function")
TEXT_PARTS = ("text", "input_text", "output_text")
NOT_READ = {
    "image_url": "images",
    "input_image": "images",
    "input_audio": "audio",
    "audio": "audio",
    "file": "files",
    "input_file": "files",
    "video_url": "videos",
}


class ContentPart(NullableBody):
    """A part of a message's content; only parts with text are read."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    type: str = Field(json_schema_extra={"enum": [*TEXT_PARTS, "refusal"]})
    text: str | None = None
    refusal: str | None = Field(default=None, description="Text of a part of type `refusal`.")


class CalledFunction(NullableBody):
    """The function of a tool call."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: str = ""


class ToolCall(NullableBody):
    """A call that an earlier answer asked for; its result is named by it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str = ""
    function: CalledFunction = CalledFunction()


class ChatMessage(NullableBody):
    """One message, in the format of chat completions; null as content is an empty message."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    role: str = Field(json_schema_extra={"enum": [*ROLES]})
    content: str | tuple[str | ContentPart, ...] = ""
    refusal: str | None = Field(default=None, description="The text of an answer that refused.")
    name: str | None = Field(default=None, description="The function whose result this is.")
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str | None = Field(default=None, description="The call whose result this is.")

    def text(self, field: str) -> str:
        """Return what the message says.

        Args:
            field: Where it stands in the body, for the error.

        Raises:
            InvalidRequest: A part is no text.
        """
        if isinstance(self.content, str):
            return self.content or self.refusal or ""
        parts = enumerate(self.content)
        return "\n".join(_text_of(part, f"{field}.content[{n}]") for n, part in parts)


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
            has_result=ends_with_result(self.messages),
            user=self.user,
        )


def turns_of(messages: tuple[ChatMessage, ...]) -> tuple[Message, ...]:
    """Return the turns, the user's question last.

    Raises:
        InvalidRequest: The last message is not the user's, or empty; a role is not known; a part
            is no text.
    """
    turns = _with_results_folded(messages)
    if turns[-1].role != "user" or not turns[-1].content.strip():
        raise InvalidRequest(
            "The last message is the question: it must be from the user and contain text.",
            param="messages",
        )
    return turns


def ends_with_result(messages: tuple[ChatMessage, ...]) -> bool:
    """Return whether the caller ran a tool and sends its result to be answered from."""
    return messages[-1].role in RESULT_ROLES and bool(messages[-1].text("messages").strip())


def _with_results_folded(messages: tuple[ChatMessage, ...]) -> tuple[Message, ...]:
    """Return the turns; the result of a tool is text of the assistant's turn before it.

    A chat template may know no other roles than these three, and may want user and assistant in
    turn. A result that comes last is followed by the question once more.
    """
    names = {call.id: call.function.name for one in messages for call in one.tool_calls}
    turns: list[Message] = []
    for number, message in enumerate(messages):
        field = f"messages[{number}]"
        role, text = _role_of(message, field), message.text(field)
        if message.role in RESULT_ROLES:
            name = message.name or names.get(message.tool_call_id or "") or "the tool"
            text = f"Result of {name}: {text}".rstrip()
            if turns and turns[-1].role == "assistant":
                text = f"{turns.pop().content}\n{text}".lstrip()
        turns.append(Message(role, text))
    asked = [turn for turn in turns if turn.role == "user"]
    if messages[-1].role in RESULT_ROLES and asked:
        turns.append(asked[-1])
    return tuple(turns)


def _role_of(message: ChatMessage, field: str) -> str:
    """Return the role that the model server is told."""
    if message.role not in ROLES:
        raise InvalidRequest(
            f"`{field}.role` is {message.role[:40]!r}: it must be {', '.join(ROLES[:-1])} "
            f"or {ROLES[-1]}.",
            param=f"{field}.role",
        )
    if message.role in RESULT_ROLES:
        return "assistant"
    return "system" if message.role == "developer" else message.role


def _text_of(part: str | ContentPart, field: str) -> str:
    if isinstance(part, str):
        return part
    text = part.refusal if part.type == "refusal" else part.text
    if part.type not in (*TEXT_PARTS, "refusal"):
        what = NOT_READ.get(part.type, f"parts of type {part.type[:40]!r}")
        raise InvalidRequest(f"`{field}`: {what} cannot be read; send text parts.", param=field)
    if text is None:
        key = "refusal" if part.type == "refusal" else "text"
        raise InvalidRequest(f"`{field}` has no `{key}`.", param=field)
    return text
