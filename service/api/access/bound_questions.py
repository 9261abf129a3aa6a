"""What a question may use: the labels, use cases and knowledge bases that its caller's key allows.

It knows questions and callers; no protocol.
"""

from dataclasses import replace

from knowledge import CollectionNotFound
from service.access import Caller
from service.access_errors import UnboundUseCase
from service.chat.question import Question
from service.errors import UseCaseNotFound


def bound(
    question: Question, caller: Caller, *, names_labels: bool, default_use_case: str | None
) -> Question:
    """Return the question as far as its caller may ask it.

    Args:
        question: As the body asks it.
        caller: Who asks.
        names_labels: Whether the body names access labels; otherwise all that are held count.
        default_use_case: Of a question that names none.

    Raises:
        CollectionNotFound, UseCaseNotFound: The key is not bound to it; told as if it were missing.
        UnboundUseCase: The key is bound to several use cases, and none is named.
    """
    labels = caller.labels(question.access_labels if names_labels else None)
    for base_id in question.knowledge_bases or ():
        if not caller.may_use_base(base_id):
            raise CollectionNotFound(
                f"There is no knowledge base {base_id!r}; POST /v1/vector_stores creates one."
            )
    return replace(
        question,
        access_labels=tuple(labels or ()),
        use_case=_use_case(caller, question.use_case or default_use_case),
        allowed_bases=caller.knowledge_bases,
        key_id=caller.key_id,
    )


def require_use_case(caller: Caller, use_case_id: str) -> None:
    """Refuse a use case that a body names and the key is not bound to.

    Raises:
        UseCaseNotFound: In the words in which a missing one is told.
    """
    if not caller.may_use_case(use_case_id):
        raise UseCaseNotFound(
            f"There is no use case {use_case_id!r}; PUT /use_cases/{use_case_id} makes it.",
            param="use_case",
        )


def _use_case(caller: Caller, named: str | None) -> str | None:
    if named is not None:
        require_use_case(caller, named)
        return named
    if caller.use_cases is None:
        return None
    if len(caller.use_cases) == 1:
        return next(iter(caller.use_cases))
    known = ", ".join(sorted(caller.use_cases))
    raise UnboundUseCase(
        f"The API key is bound to use cases: name one of {known}.", param="use_case"
    )
