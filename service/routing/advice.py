"""Advice on a use case of this context: what it declared, and what the context measured.

It gathers and joins; what follows from the facts stands in router/.
"""

from pathlib import Path

from router import Advice, Category, Policy, advise, complete_case
from service.routing.facts import Measured, gather_standing_facts
from service.stores.use_cases import UseCase

BYTES_A_PARAMETER = 2  # weights are served in 16 bits
MOST_CATEGORIES = 30  # more would bury the rest of the advice
MOST_NAME_CHARS = 80


def advise_use_case(
    use_case: UseCase,
    measured: Measured,
    policy: Policy,
    *,
    base_model_path: Path,
    engine_is_local: bool | None,
) -> Advice:
    """Return the advice for a use case, by the policy its requests are routed by.

    Args:
        use_case: What the team declared.
        measured: What was measured for it here.
        policy: The policy in force.
        base_model_path: Folder of the base model, whose size is read from its weight files.
        engine_is_local: Whether the model server runs on this machine; None: unknown.
    """
    run = {} if measured.adapter is None else measured.adapter.run
    facts = gather_standing_facts(
        use_case,
        measured,
        engine_is_local=engine_is_local,
        also={
            "model_parameters_billion": count_parameters_billion(base_model_path),
            "training_tokens_per_second": run.get("tokens_per_s"),
        },
    )
    return advise(complete_case(facts, categories=_categories(measured)), policy)


def _categories(measured: Measured) -> tuple[Category, ...]:
    """Return the rows of each scenario that the last data check counted."""
    counts = {} if measured.data is None else measured.data.report["scenarios"]
    if len(counts) > MOST_CATEGORIES:
        return ()
    return tuple(Category(name[:MOST_NAME_CHARS], rows) for name, rows in counts.items())


def count_parameters_billion(folder: Path) -> float | None:
    """Return the size of a base model by its weight files; None where there are none to look at."""
    size_bytes = sum(file.stat().st_size for file in folder.glob("*.safetensors"))
    return float(f"{size_bytes / BYTES_A_PARAMETER / 1e9:.3g}") if size_bytes else None
