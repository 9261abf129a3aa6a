"""Advice on a use case of this house: what it declared, and what the house measured.

It gathers and joins; what follows from the facts stands in router/.
"""

from pathlib import Path

from anyio import to_thread

from router import Advice, Category, Facts, advise, complete_case
from service.context import House
from service.routing.facts import Measured, gather_standing_facts
from service.stores.use_cases import UseCase

BYTES_A_PARAMETER = 2  # weights are served in 16 bits
MOST_CATEGORIES = 30  # more would bury the rest of the advice
MOST_NAME_CHARS = 80


async def advise_use_case(use_case_id: str, house: House, *, tenant: str) -> Advice:
    """Return the advice for a use case, by the policy its requests are routed by.

    Raises:
        UseCaseNotFound: No use case has this id.
    """
    use_case = await house.use_case(use_case_id, tenant=tenant)
    measured = await house.measured(use_case, tenant=tenant)
    parameters = await to_thread.run_sync(count_parameters_billion, house.settings.base_model_path)
    facts = _gather(use_case, measured, house, parameters)
    return advise(complete_case(facts, categories=_categories(measured)), house.policy)


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


def _gather(
    use_case: UseCase, measured: Measured, house: House, parameters_billion: float | None
) -> Facts:
    run = {} if measured.adapter is None else measured.adapter.run
    return gather_standing_facts(
        use_case,
        measured,
        engine_is_local=house.settings.engine.runs_locally,
        also={
            "model_parameters_billion": parameters_billion,
            "training_tokens_per_second": run.get("tokens_per_s"),
        },
    )
