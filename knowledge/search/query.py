"""What is searched for: the caller's query, checked, and what of it concerns every retriever.

It knows limits, the bases named and who may read them; it does not know how anything is found.
"""

from dataclasses import dataclass, replace

from knowledge.errors import InvalidQuery
from knowledge.filters import Filter
from knowledge.languages import detect_language
from knowledge.parsing.letters import plain
from knowledge.resources import Resources
from knowledge.search.questions import Asked, questions_of
from knowledge.search.subject import conversation_of
from knowledge.sql.bases import Base, get_bases
from knowledge.sql.chunks import AnySelect, filtered, has_access_labels, live_chunks, readable
from knowledge.types import RETRIEVERS, RetrieverName, Turn

JOINT_PASSAGES = 3
"""Best passages whose words count together for relevance; 5: multihop the same, support_en less."""


@dataclass(frozen=True, slots=True)
class SearchQuery:
    """What the caller asks for."""

    question: str
    history: tuple[Turn, ...]
    tenant: str
    base_ids: tuple[str, ...]
    top_k: int
    filters: Filter | None
    access: frozenset[str]
    min_relevance: float | None
    retrievers: tuple[RetrieverName, ...] = RETRIEVERS
    max_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Scope:
    """The chunks a reader may find: of which bases, and his labels where a document needs them."""

    base_pks: tuple[int, ...]
    filters: Filter | None
    access: frozenset[str] | None

    @property
    def is_narrow(self) -> bool:
        """Whether it holds less than every live chunk of the bases."""
        return self.filters is not None or self.access is not None

    def narrow(self, query: AnySelect) -> AnySelect:
        """Return `query` for the chunks in this scope only."""
        query = filtered(query, self.filters)
        return query if self.access is None else readable(query, sorted(self.access))

    def within(self, bases: tuple[Base, ...]) -> "Scope":
        """Return the part of the scope that lies in these bases."""
        return replace(self, base_pks=tuple(base.pk for base in bases))


@dataclass(frozen=True, slots=True)
class PreparedQuery:
    """One question of a checked query, with what the retrievers need besides.

    Attributes:
        conversation: The turns before it as one text; None without a history.
        wanted: Passages to look at: enough for `top_k`, the reranker and a sound relevance.
    """

    query: SearchQuery
    asked: Asked
    bases: tuple[Base, ...]
    scope: Scope
    conversation: str | None
    wanted: int

    @property
    def language(self) -> str:
        """The question's, by its script."""
        return detect_language(self.asked.question)

    @property
    def with_history(self) -> str | None:
        """The question and the turns before it as one text; None without a history."""
        return None if self.conversation is None else f"{self.conversation} {self.asked.text}"


def prepare_queries(resources: Resources, query: SearchQuery) -> list[PreparedQuery]:
    """Resolve the questions of a query, its bases and what its reader may find there.

    Raises:
        CollectionNotFound: A knowledge base named does not exist in this tenant.
    """
    config = resources.config
    with resources.database.connect() as connection:
        bases = tuple(get_bases(connection, query.base_ids, tenant=query.tenant))
        base_pks = tuple(base.pk for base in bases)
        has_labels = has_access_labels(connection, base_pks)
        scope = Scope(base_pks, query.filters, query.access if has_labels else None)
        conversation = conversation_of(
            connection,
            query.question,
            query.history,
            base_pks=base_pks,
            among=scope.narrow(live_chunks(base_pks)) if scope.is_narrow else None,
            turns=config.history_turns,
        )
    to_rerank = config.rerank_candidates if resources.reranker else 0
    return [
        PreparedQuery(
            query=query,
            asked=asked,
            bases=bases,
            scope=scope,
            conversation=conversation,
            wanted=max(query.top_k, to_rerank, JOINT_PASSAGES),
        )
        for asked in questions_of(plain(query.question), max_chars=config.max_question_chars)
    ]


def check_query(query: SearchQuery) -> None:
    """Raise `InvalidQuery` for what cannot be searched for."""
    if not plain(query.question).strip():
        raise InvalidQuery("the question is empty")
    if query.top_k < 1:
        raise InvalidQuery(f"top_k is {query.top_k}; at least 1")
    if query.max_tokens is not None and query.max_tokens < 1:
        raise InvalidQuery(f"max_tokens is {query.max_tokens}; at least 1, or leave it out")
    if not set(query.retrievers) & set(RETRIEVERS):
        raise InvalidQuery(f"no such retriever; choose among {', '.join(RETRIEVERS)}")
