"""Bodies of `POST /v1/vector_stores/{id}/search`."""

from typing import Literal, Self

from pydantic import Field

from knowledge import LeftOut, Passage, Retrieval, RetrieverName
from service.api.schemas.answers import PassageReply
from service.api.schemas.shapes import AttributeMap, Body, JsonFilter, Reply


class SearchRequest(Body):
    """Body of a search."""

    query: str = Field(min_length=1)
    max_num_results: int | None = Field(
        default=None, ge=1, le=50, description="Maximum passages; null: `knowledge.top_k`."
    )
    max_tokens: int | None = Field(
        default=None, ge=1, description="Token budget of all passages together."
    )
    filters: JsonFilter | None = None
    access_labels: tuple[str, ...] = Field(default=(), description="Access labels of the reader.")


class TextContent(Reply):
    """The text of a result in OpenAI's shape."""

    type: Literal["text"] = "text"
    text: str


class SearchResult(PassageReply):
    """A passage that was found, and how."""

    file_id: str
    external_id: str
    source: str = Field(description="Path, headings and page, as shown to the model.")
    relevance: float = Field(description="Estimated relevance to the query, 0 to 1.")
    above_floor: bool = Field(description="Whether its relevance reaches `min_relevance`.")
    attributes: AttributeMap
    content: list[TextContent]

    @classmethod
    def of(cls, passage: Passage) -> Self:
        """Return the reply for a passage."""
        return cls.from_value(
            passage,
            file_id=passage.document_id,
            above_floor=passage.is_relevant,
            content=[TextContent(text=passage.text)],
        )


class LeftOutRetriever(Reply):
    """A retriever that was not used, and why."""

    retriever: RetrieverName
    reason: Literal["language_not_read", "unavailable", "not_asked"]
    detail: str

    @classmethod
    def of(cls, left_out: LeftOut) -> Self:
        """Return the reply for a retriever that was left out."""
        return cls.from_value(left_out)


class SearchReply(Reply):
    """The passages for a query, best first."""

    object: Literal["vector_store.search_results.page"] = "vector_store.search_results.page"
    search_query: str
    data: list[SearchResult]
    has_more: Literal[False] = False
    passages_over_budget: int = Field(description="Passages left out because of `max_tokens`.")
    degraded: bool = Field(description="Whether a retriever was unavailable.")
    retrievers: list[RetrieverName]
    left_out: list[LeftOutRetriever]

    @classmethod
    def of(cls, found: Retrieval) -> Self:
        """Return the reply for what was found."""
        return cls(
            search_query=found.query,
            data=[SearchResult.of(passage) for passage in found.passages],
            passages_over_budget=found.passages_over_budget,
            degraded=found.degraded,
            retrievers=list(found.retrievers),
            left_out=[LeftOutRetriever.of(item) for item in found.left_out],
        )
