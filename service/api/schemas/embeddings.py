"""The bodies of `/v1/embeddings`, OpenAI-compatible; unknown fields are ignored."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from service.api.schemas.shapes import Reply

MAX_INPUTS = 2048  # OpenAI's limit


class EmbeddingRequest(BaseModel):
    """Body of `POST /v1/embeddings`."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    model: str = Field(description="The embedder's id for passages, with `:query` for questions.")
    input: JsonValue = Field(
        description=f"A string, or 1 to {MAX_INPUTS:,} strings; none empty. No token arrays."
    )
    encoding_format: Literal["float", "base64"] | None = None
    dimensions: int | None = Field(
        default=None, description="The embedder's own; vectors are not shortened."
    )


class EmbeddingReply(Reply):
    """The vector of one input."""

    object: Literal["embedding"] = "embedding"
    index: int
    embedding: list[float] | str = Field(
        description="L2-normalised; under base64 little-endian float32 bytes."
    )


class EmbeddingUsage(Reply):
    """Tokens of all inputs, as the embedder counts them."""

    prompt_tokens: int
    total_tokens: int


class EmbeddingsReply(Reply):
    """Body of the reply, in the order of the inputs."""

    object: Literal["list"] = "list"
    model: str
    data: list[EmbeddingReply]
    usage: EmbeddingUsage
