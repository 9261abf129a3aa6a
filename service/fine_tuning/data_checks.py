"""Checks training rows with what a use case says of them, and with an embedder.

It joins the rooms; what a check is stands in adapters/, which embedder there is in knowledge/.
"""

from collections.abc import Sequence
from datetime import datetime

from adapters import DataCheck, Domain, Expectations, ReadByHand, Row, check_rows
from knowledge import Embedder, detect_language, reads

# Cosine from which a row (question and answer) belongs to a domain described in a sentence.
FLOORS = {
    "all-minilm-l6-v2": (
        0.15,
        "tests.benchmarks.domain_rows: with six descriptions of two tasks it keeps 91 to 100 % of "
        "the task's own rows and 4 to 39 % of others",
    )
}
ROWS_LOOKED_AT = 50  # to tell the language of a file

NO_DESCRIPTION = (
    "say what the use case is about: `domain_description` of the use case, or --domain TEXT"
)


def check_data(
    rows: Sequence[Row],
    *,
    description: str,
    scenarios: Sequence[str],
    embedder: Embedder | None,
    min_similarity: float | None,
    by_hand: ReadByHand | None = None,
    manual_sample_share: float = 0.0,
) -> DataCheck:
    """Make the five checks of `rows` as of today.

    Args:
        rows: At least one.
        description: What the use case is about; empty where that is not said.
        scenarios: Its declared scenarios.
        embedder: Compares the rows with the description; None only without one.
        min_similarity: Cosine from which a row belongs to it; None takes the embedder's own.
        by_hand: Which rows people have reviewed; None: only their metadata says so.
        manual_sample_share: Share of the rows that people must have read.
    """
    domain: Domain | str = NO_DESCRIPTION
    if description.strip() and embedder is not None:
        domain = find_domain(rows, description, embedder, min_similarity)
    today = datetime.now().astimezone().date()
    expected = Expectations(
        today,
        tuple(scenarios),
        domain,
        by_hand=by_hand or ReadByHand(),
        manual_sample_share=manual_sample_share,
    )
    return check_rows(rows, expected)


def find_domain(
    rows: Sequence[Row], description: str, embedder: Embedder, min_similarity: float | None
) -> Domain | str:
    """Return what rows are compared with, or why they cannot be.

    Args:
        rows: The first of them tell the language.
        description: What they should be about.
        embedder: Compares them with it.
        min_similarity: Cosine from which a row belongs to it; None takes the embedder's own.
    """
    looked_at = "\n".join(row.messages[-2].content for row in rows[:ROWS_LOOKED_AT])
    languages = {
        "rows are": detect_language(looked_at),
        "description is": detect_language(description),
    }
    for what, language in languages.items():
        if not reads(embedder.languages, language):
            return (
                f"the {what} in {language}, which the embedder {embedder.model_id} does not "
                "read; configure a multilingual one as `knowledge.embedder`"
            )
    if min_similarity is not None:
        floor, source = min_similarity, "given with the check"
    else:
        measured = _unrelated(embedder, languages["description is"], languages["rows are"])
        floor, source = FLOORS.get(embedder.model_id) or measured
    return Domain(description, embedder.embed_passages, floor, source)


def _unrelated(embedder: Embedder, description: str, rows: str) -> tuple[float, str]:
    """Return the cosine that few unrelated texts of these languages reach, and how it is known."""
    found = embedder.similarity.unrelated
    mean, deviation = found.get((description, rows)) or next(iter(found.values()))
    return round(mean + deviation, 3), (
        f"five of six unrelated texts are below it with {embedder.model_id}, by its own examples"
    )
