"""Training and evaluation as worker and command line call them; the children are replaced."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from adapters import (
    AdapterRegistry,
    Evaluation,
    EvaluationCancelled,
    EvaluationEvent,
    EvaluationFailed,
    TrainingEvent,
    digest_adapter,
    parse_training_config,
    read_events,
)
from service.fine_tuning.training import Trained, train_adapter
from service.settings import Settings, load_settings
from service.stores.database import open_database
from service.stores.migrations import upgrade
from tests.adapters.conftest import make_tiny_model, phrases, write_adapter
from tests.fakes.evaluation import make_evaluation

Train = Callable[..., Trained]
TENANT = "shop"


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Return the settings of a home with a tiny base model; a run makes one adapter of it."""
    base = make_tiny_model(tmp_path / "models" / "tiny")
    making = tmp_path / "adapters" / "making"
    making.mkdir(parents=True)
    write_adapter(making, base, seed=0, settings={})
    folder = making.rename(making.with_name(f"facts@{digest_adapter(making)[:8]}"))
    monkeypatch.setenv("FINGERPOST_HOME", str(tmp_path))
    monkeypatch.setenv("FINGERPOST_ENGINE__BASE_MODEL", "tiny")

    def run_training(_config: object, **options: Any) -> SimpleNamespace:
        options["on_progress"](TrainingEvent("progress", "step 1 of 4", step=1, steps=4))
        return SimpleNamespace(folder=folder)

    monkeypatch.setattr("service.fine_tuning.training.run_training", run_training)
    monkeypatch.setattr(
        "service.fine_tuning.training.read_run", lambda _: SimpleNamespace(created_at=0.0)
    )
    return load_settings()


@pytest.fixture
def registry(settings: Settings) -> Iterator[AdapterRegistry]:
    database = open_database(settings.database_url)
    upgrade(database)
    yield AdapterRegistry(database, settings.paths.adapters)
    database.dispose()


@pytest.fixture
def told() -> list[tuple[str, float | None]]:
    """Return the events that a training tells of, with how far it was."""
    return []


@pytest.fixture
def train(
    settings: Settings,
    registry: AdapterRegistry,
    told: list[tuple[str, float | None]],
    tmp_path: Path,
) -> Train:
    rows = tmp_path / "rows.jsonl"
    said = [{"prompt": phrase, "completion": "blue"} for phrase in phrases(12)]
    rows.write_text("\n".join(map(json.dumps, said)))

    def run(**keys: Any) -> Trained:
        named = {"task": "facts", "model_name_or_path": "tiny", "dataset": str(rows)}
        return train_adapter(
            settings,
            registry,
            parse_training_config({**named, "val_size": 4, **keys}),
            run_dir=settings.paths.trainings / "run_1",
            tenant=TENANT,
            by="the test",
            on_progress=lambda event, fraction: told.append((str(event["event"]), fraction)),
            cancelled=lambda: False,
        )

    return run


def test_an_adapter_is_registered_for_its_tenant(
    train: Train, registry: AdapterRegistry, told: list[tuple[str, float | None]]
) -> None:
    trained = train()
    assert trained.evaluation_error is None
    found = registry.get(trained.adapter.adapter_id, tenant=TENANT)
    assert (found.tenant, found.verdict) == (TENANT, None)
    assert told == [("progress", 0.25)]


def test_a_trained_adapter_is_evaluated_on_the_rows_its_run_held_back(
    train: Train, told: list[tuple[str, float | None]], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    def measure(folder: Path, held: list[Any], **options: Any) -> Evaluation:
        asked.append(len(held))
        options["on_progress"](EvaluationEvent("half", 1, 2))
        return make_evaluation(folder.name, "REGRESSED")

    monkeypatch.setattr("service.fine_tuning.evaluation.evaluate_adapter", measure)
    adapter = train(do_eval=True).adapter
    assert asked == [4]
    assert told == [("progress", 0.25), ("evaluating", 0.5)]
    assert (adapter.verdict, adapter.gate_passed) == ("REGRESSED", False)


def test_an_adapter_that_could_not_be_evaluated_stays_registered_and_is_told(
    *,
    train: Train,
    settings: Settings,
    registry: AdapterRegistry,
    told: list[tuple[str, float | None]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def lose_base(_path: Path) -> None:
        raise EvaluationFailed("the base model another is gone")

    monkeypatch.setattr("service.fine_tuning.evaluation.describe_base_model", lose_base)
    trained = train(do_eval=True)
    assert "another" in str(trained.evaluation_error)
    assert registry.get(trained.adapter.adapter_id, tenant=TENANT).verdict is None
    assert told[-1] == ("evaluation_failed", 1.0)
    (event,) = read_events(settings.paths.trainings / "run_1")
    assert (event["event"], event["code"]) == ("evaluation_failed", "evaluation_failed")


def test_a_cancelled_evaluation_is_raised_and_the_adapter_stays(
    train: Train, registry: AdapterRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object, **__: object) -> None:
        raise EvaluationCancelled("stopped")

    monkeypatch.setattr("service.fine_tuning.evaluation.evaluate_adapter", stop)
    with pytest.raises(EvaluationCancelled):
        train(do_eval=True)
    (adapter,) = registry.list(tenant=TENANT)
    assert adapter.verdict is None
