"""The bodies of `/v1/responses`, OpenAI-compatible.

Unknown fields are ignored, as clients of this protocol expect; what is named here and not offered
is refused in `api/responses/`.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from service.api.schemas.openai import RouteNote, Source
from service.api.schemas.shapes import JsonFilter, JsonObject, Reply
from service.chat.citations import CiteMode

ItemStatus = Literal["in_progress", "completed", "incomplete"]
MetadataValue = Annotated[str, Field(max_length=512)]


class TextOptions(BaseModel):
    """OpenAI's `text`: the form of the answer."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    format: JsonObject | None = Field(
        default=None, description="`type` `text`, `json_object`, or `json_schema` with `schema`."
    )


class ResponseRequest(BaseModel):
    """Body of `POST /v1/responses`: OpenAI's fields and ours."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    model: str
    input: JsonValue = Field(
        description="The question, or the whole conversation as messages with text."
    )
    instructions: str | None = Field(default=None, description="A system message before `input`.")
    stream: bool | None = None
    temperature: float | None = Field(default=None, ge=0, le=2)
    top_p: float | None = Field(default=None, gt=0, le=1)
    max_output_tokens: int | None = Field(default=None, ge=1)
    text: TextOptions | None = None
    metadata: dict[str, MetadataValue] | None = Field(
        default=None, max_length=16, description="Given back as it came."
    )
    store: bool | None = Field(default=None, description="Nothing is stored; true is refused.")
    background: bool | None = Field(default=None, description="Not offered; true is refused.")
    previous_response_id: JsonValue = Field(default=None, description="Not offered.")
    conversation: JsonValue = Field(default=None, description="Not offered.")
    prompt: JsonValue = Field(default=None, description="Not offered.")
    tools: JsonValue = Field(default=None, description="Not offered; an empty list is ignored.")
    tool_choice: JsonValue = None
    include: JsonValue = None
    top_logprobs: JsonValue = None
    use_case: str | None = None
    knowledge_bases: tuple[str, ...] | None = None
    top_k: int | None = Field(default=None, ge=1, le=50)
    filters: JsonFilter | None = None
    access_labels: tuple[str, ...] | None = None
    cite: CiteMode | None = None
    citations_required: bool | None = None
    user: str | None = Field(default=None, max_length=256)


class ResponseCitation(Reply):
    """The address of a cited passage, and the position of its marker in the text."""

    type: Literal["url_citation"] = "url_citation"
    url: str
    title: str
    start_index: int = Field(description="Start of the marker, in code points.")
    end_index: int


class OutputText(Reply):
    """The text of an answer."""

    type: Literal["output_text"] = "output_text"
    text: str
    annotations: list[ResponseCitation] = Field(default_factory=list)
    logprobs: list[JsonObject] = Field(default_factory=list, description="Always empty.")


class OutputRefusal(Reply):
    """The refusal in place of an answer in JSON."""

    type: Literal["refusal"] = "refusal"
    refusal: str


OutputPart = OutputText | OutputRefusal


class OutputMessage(Reply):
    """The message of the assistant."""

    id: str
    type: Literal["message"] = "message"
    role: Literal["assistant"] = "assistant"
    status: ItemStatus
    content: list[OutputPart]


class InputTokensDetails(Reply):
    """Tokens of the prompt that the model server had cached."""

    cached_tokens: int
    cache_write_tokens: int = 0


class OutputTokensDetails(Reply):
    """No token is spent on hidden reasoning."""

    reasoning_tokens: int = 0


class ResponseUsage(Reply):
    """Tokens counted by the model server."""

    input_tokens: int
    input_tokens_details: InputTokensDetails
    output_tokens: int
    output_tokens_details: OutputTokensDetails
    total_tokens: int


class IncompleteDetails(Reply):
    """Why an answer stops early."""

    reason: Literal["max_output_tokens"] = "max_output_tokens"


class TextFormat(Reply):
    """The form of the answer, as requested."""

    format: JsonObject


class ResponseReply(Reply):
    """Body of `POST /v1/responses`."""

    id: str
    object: Literal["response"] = "response"
    created_at: int = Field(description="Unix seconds.")
    status: ItemStatus
    error: None = None
    incomplete_details: IncompleteDetails | None = None
    instructions: str | None = None
    metadata: dict[str, str] = Field(default_factory=dict)
    model: str = Field(description="What answers.")
    output: list[OutputMessage]
    parallel_tool_calls: bool = False
    tool_choice: Literal["none"] = "none"
    tools: list[JsonObject] = Field(default_factory=list, description="Always empty.")
    temperature: float | None = None
    top_p: float | None = None
    max_output_tokens: int | None = None
    previous_response_id: None = None
    text: TextFormat
    truncation: Literal["auto"] = Field(
        default="auto", description="The oldest turns are left out where the prompt is too long."
    )
    store: Literal[False] = False
    background: Literal[False] = False
    usage: ResponseUsage | None = None
    sources: list[Source] = Field(default_factory=list)
    route: RouteNote | None = None


class ResponseEvent(Reply):
    """The response at its start and at its end."""

    type: str
    sequence_number: int
    response: ResponseReply


class ItemEvent(Reply):
    """The message, begun or complete."""

    type: str
    sequence_number: int
    output_index: int
    item: OutputMessage


class PartEvent(Reply):
    """A part of the message, begun or complete."""

    type: str
    sequence_number: int
    output_index: int
    content_index: int
    item_id: str
    part: OutputPart


class TextDeltaEvent(Reply):
    """A piece of the text, or of the refusal."""

    type: str
    sequence_number: int
    output_index: int
    content_index: int
    item_id: str
    delta: str
    logprobs: list[JsonObject] | None = None


class TextDoneEvent(Reply):
    """The whole text, or the whole refusal."""

    type: str
    sequence_number: int
    output_index: int
    content_index: int
    item_id: str
    text: str | None = None
    refusal: str | None = None
    logprobs: list[JsonObject] | None = None


class AnnotationEvent(Reply):
    """A citation of the text."""

    type: str
    sequence_number: int
    output_index: int
    content_index: int
    item_id: str
    annotation_index: int
    annotation: ResponseCitation


class StreamErrorEvent(Reply):
    """What went wrong after the first event; the last event of a stream."""

    type: Literal["error"] = "error"
    sequence_number: int
    code: str
    message: str
    param: str | None
    error: JsonObject


EVENTS: dict[str, type[Reply]] = {
    "response.created": ResponseEvent,
    "response.in_progress": ResponseEvent,
    "response.output_item.added": ItemEvent,
    "response.content_part.added": PartEvent,
    "response.output_text.delta": TextDeltaEvent,
    "response.refusal.delta": TextDeltaEvent,
    "response.output_text.done": TextDoneEvent,
    "response.refusal.done": TextDoneEvent,
    "response.output_text.annotation.added": AnnotationEvent,
    "response.content_part.done": PartEvent,
    "response.output_item.done": ItemEvent,
    "response.completed": ResponseEvent,
    "response.incomplete": ResponseEvent,
    "error": StreamErrorEvent,
}
"""The data of every event by its name, in the order of a stream."""
