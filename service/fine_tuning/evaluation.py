"""Evaluates an adapter and keeps the verdict with it, for the command line and the worker.

It knows the home, the registry and the live adapter; how an adapter is evaluated is in
`adapters`.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

from adapters import (
    FEW_SHOT,
    Adapter,
    AdapterNotFound,
    AdapterRegistry,
    Evaluation,
    EvaluationEvent,
    Row,
    describe_base_model,
    evaluate_adapter,
)
from service.settings import Settings, child_environment


def evaluate_and_record(
    settings: Settings,
    registry: AdapterRegistry,
    folder: Path,
    rows: Sequence[Row],
    *,
    tenant: str,
    by: str = "command line",
    few_shot: int = FEW_SHOT,
    limit: int | None = None,
    on_progress: Callable[[EvaluationEvent], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Evaluation:
    """Evaluate the adapter in `folder` on `rows`; keep the result with it and in the registry.

    Args:
        settings: Where the base model is, and the limits of adapters/.
        registry: Keeps the result if it knows the adapter; otherwise only the folder does.
        folder: Of the adapter.
        rows: Of its task.
        tenant: Whose it is.
        by: Who evaluates, for the adapter's history.
        few_shot: Examples in the few-shot prompts.
        limit: Maximum number of rows (default: all).
        on_progress: Told how far it is.
        cancelled: Asked several times a second; true stops it.

    Raises:
        AdapterError: Whatever `evaluate_adapter` refuses; nothing was changed then.
    """
    found = evaluate_adapter(
        folder,
        rows,
        base=describe_base_model(settings.base_model_path),
        environment=child_environment(),
        few_shot=few_shot,
        live=_live_folder(registry, folder, tenant),
        limit=limit,
        on_progress=on_progress,
        cancelled=cancelled,
        settings=settings.adapters,
    )
    if _find(registry, folder.name, tenant) is not None:
        registry.record_evaluation(found, tenant=tenant, by=by)
    return found


def _live_folder(registry: AdapterRegistry, folder: Path, tenant: str) -> Path | None:
    """Return the folder of the adapter that serves this adapter's task now."""
    known = _find(registry, folder.name, tenant)
    if known is None:
        return None
    try:
        live = registry.resolve(known.task, tenant=tenant)
    except AdapterNotFound:
        return None
    return live.folder if live.folder.is_dir() else None


def _find(registry: AdapterRegistry, adapter_id: str, tenant: str) -> Adapter | None:
    try:
        return registry.get(adapter_id, tenant=tenant)
    except AdapterNotFound:
        return None
