"""The bodies of `/v1/chat/completions` and `/v1/models`, OpenAI-compatible.

Unknown fields are ignored, as clients of this protocol expect.
"""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, JsonValue

from router import NoSource, Strategy
from service.api.schemas.answers import CitationReply
from service.api.schemas.chat import ChatMessage
from service.api.schemas.shapes import JsonFilter, NullableBody, Reply
from service.chat.citations import CiteMode
from service.chat.events import AbstentionReason
from service.stores.use_cases import Sampling


class StreamOptions(NullableBody):
    """OpenAI's `stream_options`."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    include_usage: bool = False


class CompletionRequest(NullableBody):
    """Body of `POST /v1/chat/completions`: OpenAI's fields and ours."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    model: str
    messages: Annotated[tuple[ChatMessage, ...], Field(min_length=1, max_length=1000)]
    stream: bool = False
    stream_options: StreamOptions | None = None
    temperature: float | None = Field(default=None, ge=0, le=2)
    top_p: float | None = Field(default=None, gt=0, le=1)
    max_tokens: int | None = Field(default=None, ge=1, lt=2**63)
    max_completion_tokens: int | None = Field(default=None, ge=1, lt=2**63)
    seed: int | None = Field(default=None, ge=-(2**63), lt=2**63)
    stop: tuple[str, ...] | str | None = None
    response_format: dict[str, JsonValue] | None = None
    tools: JsonValue = None
    tool_choice: JsonValue = None
    functions: JsonValue = None
    function_call: JsonValue = None
    n: int | None = None
    logprobs: bool | None = None
    top_logprobs: int | None = None
    use_case: str | None = None
    knowledge_bases: tuple[str, ...] | None = None
    top_k: int | None = Field(default=None, ge=1, le=50)
    filters: JsonFilter | None = None
    access_labels: tuple[str, ...] = ()
    cite: CiteMode = "inline"
    citations_required: bool | None = None
    user: str | None = Field(default=None, max_length=256)

    @property
    def sampling(self) -> Sampling:
        """The generation options of this request."""
        return Sampling(
            temperature=self.temperature,
            top_p=self.top_p,
            max_tokens=self.max_completion_tokens or self.max_tokens,
            seed=self.seed,
            stop=self.stop,
        )


class UrlCitation(Reply):
    """The address of a cited passage, and the position of its marker in the text."""

    url: str
    title: str
    start_index: int = Field(description="Start of the marker, in code points.")
    end_index: int


class Annotation(Reply):
    """A citation as OpenAI's clients read it."""

    type: Literal["url_citation"] = "url_citation"
    url_citation: UrlCitation


class FunctionReply(Reply):
    """The function to be called; `arguments` is JSON in a string."""

    name: str
    arguments: str


class ToolCallReply(Reply):
    """A function call; `index` counts them in a stream."""

    index: int | None = None
    id: str
    type: Literal["function"] = "function"
    function: FunctionReply


class AssistantMessage(Reply):
    """The answer: a text, a refusal in its place where JSON was asked for, or function calls."""

    role: Literal["assistant"] = "assistant"
    content: str | None
    refusal: str | None = None
    annotations: list[Annotation]
    tool_calls: list[ToolCallReply] | None = None


class Choice(Reply):
    """The only choice of a completion."""

    index: Literal[0] = 0
    finish_reason: str
    message: AssistantMessage


class PromptTokensDetails(Reply):
    """Prompt tokens that the model server had cached."""

    cached_tokens: int


class CompletionUsage(Reply):
    """Tokens counted by the model server."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    prompt_tokens_details: PromptTokensDetails


class Source(CitationReply):
    """A citation; `index` is its number."""

    index: int


class RouteNote(Reply):
    """How the request was routed and answered."""

    requested: str = Field(description="The model as requested.")
    strategy: Strategy
    rule: str
    outcome: Literal["answered", "abstained"]
    reason: AbstentionReason | None = Field(
        default=None, description="Why the question is not answered; where it abstains."
    )
    needs_no_sources: NoSource | None = Field(
        default=None, description="Why it was answered without sources; where it was."
    )
    helper_prompt: bool | None = Field(
        default=None, description="A front-end asked for a title, tags or the like; where it did."
    )


class CompletionReply(Reply):
    """Body of `POST /v1/chat/completions`."""

    id: str
    object: Literal["chat.completion"] = "chat.completion"
    created: int
    model: str
    choices: list[Choice]
    usage: CompletionUsage
    sources: list[Source]
    route: RouteNote


class Delta(Reply):
    """What a chunk adds to the message."""

    role: Literal["assistant"] | None = None
    content: str | None = None
    refusal: str | None = None
    tool_calls: list[ToolCallReply] | None = None
    annotations: list[Annotation] | None = None


class ChunkChoice(Reply):
    """The only choice of a chunk."""

    index: Literal[0] = 0
    delta: Delta
    finish_reason: str | None = None


class ChunkReply(Reply):
    """One event of a streamed completion."""

    id: str
    object: Literal["chat.completion.chunk"] = "chat.completion.chunk"
    created: int
    model: str
    choices: list[ChunkChoice]
    usage: CompletionUsage | None = None
    sources: list[Source] | None = None
    route: RouteNote | None = None


class ModelReply(Reply):
    """A model name that a client can choose."""

    id: str
    object: Literal["model"] = "model"
    created: int = 0
    owned_by: str = "fingerpost"
    parent: str | None = None
