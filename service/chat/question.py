"""One request for an answer, as every protocol of the service asks it."""

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import JsonValue

from knowledge import Filter
from router import Strategy
from service.chat.citations import CiteMode
from service.chat.tools import Tools
from service.engine.client import Message
from service.routing.facts import Requirements
from service.stores.use_cases import DEFAULT_SAMPLING, Sampling, UseCase


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, by whom, and how it is to be answered.

    Attributes:
        request_id: Names the request in records and logs.
        tenant: Whose use cases, knowledge and adapters are used.
        turns: The conversation; the last turn is the question.
        use_case: Its id; None takes the configured default.
        strategy: None for `auto`.
        adapter: A task or an adapter id; overrides the use case's.
        knowledge_bases: Override the use case's.
        top_k: Most passages; None takes the use case's.
        filters: What must hold of a document's attributes.
        access_labels: What the person asking may read; the caller vouches for them.
        allowed_bases: The only knowledge bases that the caller may use; None: all.
        cite: How sources are shown.
        requirements: What the caller requires of this answer.
        sampling: Generation options of this request.
        response_format: Passed on to the model server.
        tools: Functions that the model may call, or must.
        has_result: The caller ran a tool; its result is the text to answer from.
        key_id: The API key that the caller asked with; None without one.
        user: The caller's own name for the person asking; `users erase` finds records by it.
    """

    request_id: str
    tenant: str
    turns: tuple[Message, ...]
    use_case: str | None = None
    strategy: Strategy | None = None
    adapter: str | None = None
    knowledge_bases: tuple[str, ...] | None = None
    top_k: int | None = None
    filters: Filter | None = None
    access_labels: tuple[str, ...] = ()
    allowed_bases: frozenset[str] | None = None
    cite: CiteMode = "inline"
    requirements: Requirements = Requirements()
    sampling: Sampling = Sampling()
    response_format: Mapping[str, JsonValue] | None = None
    tools: Tools | None = None
    has_result: bool = False
    key_id: str | None = None
    user: str | None = None

    @property
    def must_call(self) -> bool:
        """Whether the answer is a function call and no text."""
        return self.tools is not None and self.tools.is_required

    @property
    def turns_with_tools(self) -> tuple[Message, ...]:
        """The turns, before them what the model must be told of functions."""
        if self.tools is None or not self.tools.is_required:
            return self.turns
        return (Message("system", self.tools.instructions()), *self.turns)

    @property
    def text(self) -> str:
        """The user's last words."""
        return self.turns[-1].content

    def sampling_for(self, use_case: UseCase) -> Sampling:
        """Return the generation options in force: request, use case, default."""
        return self.sampling.over(use_case.sampling.over(DEFAULT_SAMPLING))
