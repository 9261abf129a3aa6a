"""The lexical list: which chunks hold the words of the question, or of the conversation.

It knows which text to search words for, and that this can be done while the question is embedded;
it does not know how words are segmented or ranked (`sql/full_text.py`).
"""

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass

from sqlalchemy import Connection

from knowledge.languages import is_traditional
from knowledge.resources import Resources
from knowledge.search.dense import DenseList
from knowledge.search.fusion import Ranking
from knowledge.search.query import PreparedQuery
from knowledge.sql import full_text
from knowledge.sql.chunks import beginnings, count_chunks, live_chunks
from knowledge.sql.full_text import LexicalHit
from knowledge.sql.terms import WeightedTerms, weigh
from knowledge.sql.tokens import query_terms

OWN_LETTERS = 1.1
"""What a hit in the question's own letters, traditional or simplified, counts. hit@5 of rag_zh,
which has both, and of its hard set: 0.990, 0.863 at 1.0; 0.992, 0.866 at 1.05; 0.993, 0.875."""
LETTERS_READ = 50
"""Of a chunk: each of the 1,027 traditional texts of rag_zh has a letter of its own among them."""


@dataclass(frozen=True, slots=True)
class LexicalList:
    """What the words of a text brought: a ranking, and the terms weighted for relevance."""

    ranking: Ranking
    terms: WeightedTerms


LexicalLists = Mapping[str, LexicalList | None]
"""By the text that was searched for; None where the caller wants no lexical retriever."""


def start_lexical(
    resources: Resources, prepared: PreparedQuery
) -> dict[str, Future[LexicalList | None]]:
    """Start searching words for each text that may be chosen, in snapshots of their own."""
    texts = [prepared.asked.text]
    if prepared.with_history is not None:
        texts.append(prepared.with_history)

    def search(text: str) -> LexicalList | None:
        with resources.database.connect() as connection:
            return lexical_list(resources, connection, prepared, text)

    return {text: resources.threads.submit(search, text) for text in texts}


def chosen_texts(prepared: PreparedQuery, dense: Iterable[DenseList]) -> list[str]:
    """Return what to search words for: what the dense lists chose; both where they do not agree."""
    question, with_history = prepared.asked.text, prepared.with_history
    if with_history is None:
        return [question]
    choices = {each.with_history for each in dense if each.ranking is not None}
    if len(choices) != 1:
        return [question, with_history]
    return [with_history if choices.pop() else question]


def lexical_list(
    resources: Resources, connection: Connection, prepared: PreparedQuery, text: str
) -> LexicalList | None:
    """Return the chunks that hold the text's words; None where the caller wants none."""
    query, scope = prepared.query, prepared.scope
    if "lexical" not in query.retrievers:
        return None
    is_alone = text == prepared.asked.text
    said = "" if is_alone else prepared.conversation or ""
    terms = query_terms(prepared.asked.question, said, prepared.asked.story)
    total = count_chunks(connection, scope.base_pks)
    weighted = weigh(connection, terms, base_pks=scope.base_pks, total=total)
    hits = full_text.search(
        connection,
        weighted.tokens,
        base_pks=scope.base_pks,
        top_k=resources.config.candidates,
        title_weight=full_text.TITLE_WEIGHT if is_alone else full_text.CONVERSATION_TITLE_WEIGHT,
        among=scope.narrow(live_chunks(scope.base_pks)) if scope.is_narrow else None,
    )
    if prepared.language == "zh":
        hits = _own_letters_first(connection, hits, prepared.asked.question)
    # chunks that a code or a name of the question points at come first
    found = sorted((hit.chunk_pk for hit in hits), key=weighted.is_named_by, reverse=True)
    return LexicalList(Ranking("lexical", tuple(found)), weighted)


def _own_letters_first(
    connection: Connection, hits: Sequence[LexicalHit], question: str
) -> list[LexicalHit]:
    """Return the hits, best first, where those in the question's own letters count a little more.

    Who asks in traditional Chinese reads it, and the other way round.
    """
    begins = beginnings(connection, [hit.chunk_pk for hit in hits], letters=LETTERS_READ)
    asks = is_traditional(question)

    def weight(hit: LexicalHit) -> float:
        is_alike = is_traditional(begins[hit.chunk_pk]) is asks
        return hit.score * (OWN_LETTERS if is_alike else 1.0)

    return sorted(hits, key=weight, reverse=True)
