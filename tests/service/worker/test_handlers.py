"""What the worker does for a job; the training job on a tiny base model, without a process."""

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import pytest

from adapters import AdapterRegistry, InvalidTrainingData, read_events, read_run
from service.access import LOOPBACK_CALLER
from service.settings import Settings
from service.stores import job_kinds
from service.stores.database import open_database
from service.stores.files import Files
from service.stores.job_kinds import TRAIN, JobKind, TrainArgs
from service.stores.jobs import Job, Status
from service.stores.json_value import JsonObject
from service.stores.migrations import upgrade
from service.worker.handlers import Cancelled, Task, handlers, train
from tests.adapters.conftest import make_tiny_model, phrases


def test_every_kind_of_job_has_a_handler() -> None:
    kinds = {kind.name for kind in vars(job_kinds).values() if isinstance(kind, JobKind)}
    assert handlers(MagicMock()).keys() == kinds  # the parts of the context are handed on unread


@pytest.mark.training
def test_a_training_job_taken_up_again_goes_on_from_its_checkpoint(tmp_path: Path) -> None:
    base = make_tiny_model(tmp_path / "tiny")
    settings = Settings(
        home=tmp_path / "home",
        engine={"base_model": "tiny", "model_path": base.folder},  # type: ignore[arg-type]  # parsed
        adapters={"training_threads": 1},  # type: ignore[arg-type]  # parsed
    )
    settings.paths.make()
    database = open_database(settings.database_url)
    upgrade(database)
    files = Files(database)
    said = [{"prompt": phrase, "completion": "blue"} for phrase in phrases(60)]
    rows = "\n".join(map(json.dumps, said)).encode()
    file = files.save("rows.jsonl", rows, purpose="fine-tune", tenant=LOOPBACK_CALLER.tenant)
    keys: JsonObject = {"task": "t", "model_name_or_path": "tiny", "max_steps": 24, "save_steps": 2}
    args = TrainArgs(file_id=file.file_id, config=keys)
    job = make_job(args)
    registry = AdapterRegistry(database, settings.paths.adapters, max_lora_rank=32)
    parts: dict[str, Any] = {"settings": settings, "registry": registry, "files": files}
    run_dir = settings.paths.trainings / job.job_id

    def stop_after_a_checkpoint(_progress: Mapping[str, Any] | None) -> bool:
        return not run_dir.is_dir() or read_run(run_dir).checkpoint_step is None

    with pytest.raises(Cancelled):
        train(Task(job, args, stop_after_a_checkpoint), **parts)
    done = train(Task(job, args, lambda _progress: True), **parts)
    assert registry.get(done.adapter_id, tenant=LOOPBACK_CALLER.tenant).task == "t"
    assert done.metrics["steps"] == 24
    events = [event["event"] for event in read_events(run_dir)]
    assert events.count("loading") == 2
    assert "resumed" in events
    assert list(settings.paths.run.iterdir()) == []
    database.dispose()


def test_rows_of_several_files_are_named_by_their_own_file_and_line(tmp_path: Path) -> None:
    base = make_tiny_model(tmp_path / "tiny")
    settings = Settings(
        home=tmp_path / "home",
        engine={"base_model": "tiny", "model_path": base.folder},  # type: ignore[arg-type]  # parsed
    )
    settings.paths.make()
    database = open_database(settings.database_url)
    upgrade(database)
    files = Files(database)
    ids = []
    for name, answers in (("甲.json", ["a", "b"]), ("乙.json", ["a", ""])):
        rows = [{"prompt": name + str(i), "completion": said} for i, said in enumerate(answers)]
        content = json.dumps(rows).encode()
        tenant = LOOPBACK_CALLER.tenant
        ids.append(files.save(name, content, purpose="fine-tune", tenant=tenant).file_id)
    keys: JsonObject = {"task": "t", "model_name_or_path": "tiny", "force": True}
    args = TrainArgs(file_id=ids[0], more_file_ids=(ids[1],), config=keys)
    registry = AdapterRegistry(database, settings.paths.adapters, max_lora_rank=32)
    task = Task(make_job(args), args, lambda _progress: True)
    with pytest.raises(InvalidTrainingData, match="1 of 4 rows") as refused:
        train(task, settings=settings, registry=registry, files=files)
    assert [problem.partition(": ")[0] for problem in refused.value.problems] == ["乙.json:2"]
    assert str(tmp_path) not in str(refused.value)
    database.dispose()


def make_job(args: TrainArgs) -> Job:
    return Job(
        job_id="job_1",
        tenant=LOOPBACK_CALLER.tenant,
        lane=TRAIN.lane,
        kind=TRAIN.name,
        status=Status.RUNNING,
        args=args.to_json(),
        progress={},
        result=None,
        error=None,
        attempts=1,
        worker="w",
        lease_until=None,
        cancel_asked=False,
        idempotency_key=None,
        created_at=time.time(),
        updated_at=time.time(),
    )
