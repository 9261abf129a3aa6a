"""What a use case lacks of the knowledge it names, as warnings: told when it is saved, and ready.

Such a use case can be saved, since its knowledge may come later; until then its questions of fact
are not answered.
"""

from collections.abc import Mapping

from service.messages.spoken import say
from service.stores.use_cases import UseCase

NEEDS_KNOWLEDGE = ("knowledge", "both")


def missing_knowledge(use_case: UseCase, chunks: Mapping[str, int]) -> list[str]:
    """Return a warning for each knowledge base that is missing or empty, in the language in force.

    Args:
        use_case: As it is declared.
        chunks: Size of every knowledge base there is, by its id.
    """
    warnings = []
    for base in use_case.knowledge_bases:
        if base not in chunks:
            known = ", ".join(sorted(chunks)) or "-"
            warnings.append(say("use_case.base_missing", base=base, known=known))
        elif chunks[base] == 0:
            warnings.append(say("use_case.base_empty", base=base))
    if use_case.facts.get("need") in NEEDS_KNOWLEDGE and not use_case.knowledge_bases:
        warnings.append(say("use_case.no_base", need=str(use_case.facts["need"])))
    return warnings
