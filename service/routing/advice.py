"""Advice on a use case, from its declared and measured facts.

It gathers the facts; the advice itself is made by `router.advise`.
"""

from pathlib import Path

from router import (
    Advice,
    AdviceFormat,
    Category,
    Policy,
    advise,
    complete_case,
    render_advice,
)
from router import Language as AdviceLanguage
from service.messages.catalogue import Language, in_script
from service.routing.facts import Measured, gather_standing_facts
from service.stores.use_cases import UseCase

BYTES_A_PARAMETER = 2  # weights are served in 16 bits
MAX_CATEGORIES = 30  # more would hide the rest of the advice
MAX_NAME_CHARS = 80


def advise_use_case(
    use_case: UseCase,
    measured: Measured,
    policy: Policy,
    *,
    base_model_path: Path,
    engine_is_local: bool | None,
) -> Advice:
    """Return the advice for a use case, by the policy that routes its requests.

    Args:
        use_case: What the team declared.
        measured: What was measured for it.
        policy: The policy in force.
        base_model_path: Folder of the base model; its size is that of the weight files.
        engine_is_local: Whether the model server runs on this machine; None if unknown.
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


def advice_text(advice: Advice, language: Language, form: AdviceFormat) -> str:
    """Return an advice as a document in one language, traditional Chinese included."""
    return in_script(render_advice(advice, AdviceLanguage(language[:2]), form), language)


def _categories(measured: Measured) -> tuple[Category, ...]:
    """Return the rows of each scenario that the last data check counted."""
    counts = {} if measured.data is None else measured.data.count_by_scenario()
    if len(counts) > MAX_CATEGORIES:
        return ()
    return tuple(Category(name[:MAX_NAME_CHARS], rows) for name, rows in counts.items())


def count_parameters_billion(folder: Path) -> float | None:
    """Return the size of a base model by its weight files; None where there are none."""
    size_bytes = sum(file.stat().st_size for file in folder.glob("*.safetensors"))
    return float(f"{size_bytes / BYTES_A_PARAMETER / 1e9:.3g}") if size_bytes else None
