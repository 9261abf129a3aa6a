"""Checks training rows with what a use case says of them, and with an embedder.

It joins the rooms; what a check is stands in adapters/, which embedder there is in knowledge/.
"""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime

from pydantic import ValidationError

from adapters import (
    DataCheck,
    Domain,
    Expectations,
    ReadByHand,
    Row,
    RowRequirements,
    check_rows,
    rows_needed,
)
from knowledge import Embedder, detect_language, reads
from service.stores.use_cases import UseCase

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


def requirements_of(use_case: UseCase) -> RowRequirements:
    """Return what a use case says of its training rows; facts of other values say nothing."""
    facts = use_case.facts
    said = {
        "task_type": facts.get("task_type"),
        "industry": facts.get("domain"),
        "label_disagreement_percent": facts.get("label_disagreement_percent"),
    }
    wanted = RowRequirements(
        domain=use_case.domain_description,
        scenarios=use_case.scenarios,
        business_lines=use_case.business_lines,
        manual_sample_share=use_case.manual_sample_share,
    )
    for key, value in said.items():
        with suppress(ValidationError):
            RowRequirements.model_validate({key: value})
            wanted = wanted.model_copy(update={key: value})
    return wanted


def check_data(
    rows: Sequence[Row],
    wanted: RowRequirements,
    embedder: Embedder | None = None,
    *,
    by_hand: ReadByHand | None = None,
) -> DataCheck:
    """Make the five checks of `rows` as of today, and rate how ready they are.

    Args:
        rows: At least one.
        wanted: What they should be like, as the use case or the caller says.
        embedder: Compares the rows with the domain; None only where none is described.
        by_hand: Which rows people have reviewed; None: only their metadata says so.
    """
    domain: Domain | str = NO_DESCRIPTION
    if wanted.domain.strip() and embedder is not None:
        domain = find_domain(rows, wanted.domain, embedder, wanted.min_similarity)
    expected = Expectations(
        datetime.now().astimezone().date(),
        tuple(wanted.scenarios),
        domain,
        business_lines=wanted.business_lines,
        label_disagreement_percent=wanted.label_disagreement_percent,
        rows_needed=rows_needed(wanted.task_type, wanted.industry),
        by_hand=by_hand or ReadByHand(),
        manual_sample_share=wanted.manual_sample_share,
    )
    return check_rows(rows, expected)


def find_domain(
    rows: Sequence[Row], description: str, embedder: Embedder, min_similarity: float | None
) -> Domain | str:
    """Return what rows are compared with, or why they cannot be.

    Args:
        rows: The first of them tell the language; none: it is that of the description.
        description: What they should be about.
        embedder: Compares them with it.
        min_similarity: Cosine from which a row belongs to it; None takes the embedder's own.
    """
    looked_at = "\n".join(row.messages[-2].content for row in rows[:ROWS_LOOKED_AT]) or description
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
