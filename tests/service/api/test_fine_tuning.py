"""`/v1/fine_tuning/jobs`, driven by the openai client on a tiny base model."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import openai
import pytest
from openai.types.fine_tuning import FineTuningJob

from adapters import TrainingEvent, load_run_config
from adapters.training.journal import Journal, mark_complete
from service.settings import ServerSettings, Settings
from service.stores.job_kinds import TRAIN, TrainArgs
from service.stores.jobs import Jobs
from tests.adapters.conftest import make_tiny_model, phrases
from tests.service.conftest import Running
from tests.service.waiting import eventually

ROWS = [{"prompt": f"what is {phrase}", "completion": "blue"} for phrase in phrases(60)]
PAIRS = [{"prompt": phrase, "chosen": "blue", "rejected": "green"} for phrase in phrases(60)]
FAST = {"lora_rank": 4, "cutoff_len": 64, "save_steps": 2}
PATH = "/v1/fine_tuning/jobs"


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_model(tmp_path_factory.mktemp("models") / "tiny").folder


@pytest.fixture
def settings(tmp_path: Path, tiny: Path) -> Settings:
    made = Settings(
        home=tmp_path / "home",
        server=ServerSettings(max_body_bytes=200_000),
        engine={"base_model": "tiny", "model_path": tiny},  # type: ignore[arg-type]  # parsed
        adapters={"training_threads": 1},  # type: ignore[arg-type]  # parsed
    )
    made.paths.make()
    return made


@pytest.fixture
def client(running: Running) -> Iterator[openai.OpenAI]:
    base_url = f"{running.client.base_url}/v1"
    with openai.OpenAI(base_url=base_url, api_key="none", max_retries=0) as made:
        yield made


@pytest.fixture
def idle(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no worker take up a job."""
    monkeypatch.setattr("service.stores.leases.Leases.claim", lambda *_: None)


def upload(client: openai.OpenAI, rows: list[dict[str, str]], name: str = "colours.jsonl") -> str:
    content = "\n".join(json.dumps(row) for row in rows).encode()
    return client.files.create(file=(name, content), purpose="fine-tune").id


def create(client: openai.OpenAI, **fields: Any) -> FineTuningJob:
    file_id = fields.pop("training_file", None) or upload(client, ROWS)
    config = fields.pop("config", FAST)
    return client.fine_tuning.jobs.create(
        training_file=file_id, model="tiny", extra_body={"config": config}, **fields
    )


def status(client: openai.OpenAI, job_id: str) -> str:
    return client.fine_tuning.jobs.retrieve(job_id).status


def supervised(**hyperparameters: Any) -> Any:
    return {"type": "supervised", "supervised": {"hyperparameters": hyperparameters}}


@pytest.mark.training
def test_the_openai_client_drives_a_run_from_file_to_model(client: openai.OpenAI) -> None:
    job = create(client, method=supervised(n_epochs=1, batch_size=12), metadata={"team": "red"})
    seen: set[str] = {job.status}
    jobs = client.fine_tuning.jobs

    def has_ended() -> bool:
        seen.add(status(client, job.id))
        return not seen.isdisjoint({"succeeded", "failed"})

    eventually(has_ended, within_s=200)
    done = jobs.retrieve(job.id)
    assert done.error is None
    assert seen <= {"queued", "validating_files", "running", "succeeded"}
    assert done.fine_tuned_model is not None
    assert done.fine_tuned_model.startswith("tiny:colours@")
    assert done.trained_tokens
    assert (done.hyperparameters.n_epochs, done.hyperparameters.batch_size) == (1, 12)
    assert (done.metadata, done.seed) == ({"team": "red"}, 42)

    newest = jobs.list_events(job.id, limit=3).data
    assert newest[0].message == f"trained {done.fine_tuned_model.removeprefix('tiny:')}"
    everything = list(jobs.list_events(job.id, limit=2))  # the client asks page after page
    assert len({event.id for event in everything}) == len(everything)
    told = [event for event in everything if event.type == "metrics"]
    data: Any = told[0].data
    assert (data["step"], data["total_steps"]) == (5, 5)  # 60 rows by 12
    assert data["train_loss"] > 0
    onwards = jobs.list_events(job.id, limit=100, extra_query={"order": "asc"}).data
    assert [event.id for event in onwards] == [event.id for event in everything][::-1]

    (last,) = jobs.checkpoints.list(job.id).data
    assert (last.step_number, last.fine_tuned_model_checkpoint) == (5, done.fine_tuned_model)
    assert last.metrics.train_loss is not None


@pytest.mark.training
def test_a_paused_run_keeps_its_checkpoints_and_goes_on_when_resumed(
    client: openai.OpenAI,
) -> None:
    jobs = client.fine_tuning.jobs
    job = create(client, config={**FAST, "max_steps": 400})
    eventually(lambda: len(jobs.checkpoints.list(job.id).data) > 0, within_s=120)
    assert jobs.pause(job.id).status in ("pausing", "paused")
    eventually(lambda: status(client, job.id) == "paused", within_s=60)
    kept = jobs.checkpoints.list(job.id).data
    steps = [checkpoint.step_number for checkpoint in kept]
    assert steps == sorted(steps, reverse=True)
    assert kept[0].fine_tuned_model_checkpoint == f"tiny:colours:ckpt-step-{steps[0]}"
    assert kept[0].metrics.step == steps[0]
    assert list(jobs.checkpoints.list(job.id, limit=1)) == kept  # page after page

    assert jobs.resume(job.id).status == "queued"
    eventually(lambda: "from step" in messages(client, job.id), within_s=120)
    jobs.cancel(job.id)
    eventually(lambda: status(client, job.id) == "cancelled", within_s=60)
    assert jobs.retrieve(job.id).finished_at is not None
    assert jobs.retrieve(job.id).fine_tuned_model is None


def messages(client: openai.OpenAI, job_id: str) -> str:
    return " ".join(event.message for event in client.fine_tuning.jobs.list_events(job_id, limit=9))


@pytest.mark.training
def test_a_run_of_preference_pairs_learns_by_dpo(running: Running, client: openai.OpenAI) -> None:
    method: Any = {"type": "dpo", "dpo": {"hyperparameters": {"beta": 0.3, "batch_size": "auto"}}}
    job = create(
        client,
        training_file=upload(client, PAIRS),
        method=method,
        config={"max_steps": 1, "lora_rank": 4},
        suffix="taste",
    )
    assert job.method is not None
    assert job.method.type == "dpo"
    assert job.method.dpo is not None
    assert job.method.dpo.hyperparameters is not None
    assert job.method.dpo.hyperparameters.beta == 0.3
    folder = running.settings.paths.trainings / job.id
    eventually(lambda: (folder / "job.json").is_file(), within_s=60)
    config = load_run_config(folder)
    assert (config.stage, config.pref_beta, config.learning_rate) == ("dpo", 0.3, 5e-5)
    client.fine_tuning.jobs.cancel(job.id)
    eventually(lambda: status(client, job.id) in ("cancelled", "succeeded"), within_s=120)


def test_rows_that_cannot_be_learned_fail_the_job_and_name_the_file(
    client: openai.OpenAI,
) -> None:
    job = create(client, training_file=upload(client, ROWS[:3]))
    eventually(lambda: status(client, job.id) == "failed")
    error = client.fine_tuning.jobs.retrieve(job.id).error
    assert error is not None
    assert (error.code, error.param) == ("too_few_rows", "training_file")
    assert "3 rows are fewer" in error.message
    assert client.fine_tuning.jobs.list_events(job.id).data == []
    assert client.fine_tuning.jobs.checkpoints.list(job.id).data == []


@pytest.mark.usefixtures("idle")
def test_hyperparameters_become_our_keys_and_are_told_as_openai_does(
    running: Running, client: openai.OpenAI
) -> None:
    hyper = supervised(
        n_epochs=2, batch_size=6, learning_rate_multiplier=0.5, lora_rank=8, weight_decay=0.1
    )
    job = create(client, method=hyper, config={"lora_alpha": 64}, suffix="my-task", seed=7)
    found = Jobs(running.context.database).get(job.id, tenant="default").args["config"]
    assert found == {
        "task": "my-task",
        "model_name_or_path": "tiny",
        "dataset": "colours.jsonl",
        "stage": "sft",
        "num_train_epochs": 2,
        "per_device_train_batch_size": 3,
        "gradient_accumulation_steps": 2,
        "learning_rate": 2.5e-4,
        "lora_rank": 8,
        "weight_decay": 0.1,
        "lora_alpha": 64,
        "seed": 7,
    }
    told = job.hyperparameters
    assert (told.n_epochs, told.batch_size, told.learning_rate_multiplier) == (2, 6, 0.5)
    assert (job.status, job.seed, job.object) == ("queued", 7, "fine_tuning.job")
    plain = create(client, config={})
    assert plain.hyperparameters.n_epochs == plain.hyperparameters.batch_size == "auto"


WRONG: list[tuple[dict[str, Any], str, str]] = [
    (
        {"method": supervised(n_epoch=3)},
        "method.supervised.hyperparameters.n_epoch",
        "did you mean n_epochs?",
    ),
    (
        {"method": supervised(n_epochs=-1)},
        "method.supervised.hyperparameters.n_epochs",
        "greater than 0",
    ),
    (
        {"method": supervised(batch_size="many")},
        "method.supervised.hyperparameters.batch_size",
        "whole number",
    ),
    ({"config": {"lora_rnk": 8}}, "config.lora_rnk", "did you mean lora_rank?"),
    ({"config": {"output_dir": "/tmp/x"}}, "config.output_dir", "home of the gateway"),
    ({"config": {"stage": "dpo"}, "method": supervised()}, "config.stage", "differs"),
    ({"hyperparameters": {"batchsize": 3}}, "hyperparameters.batchsize", "batch_size?"),
    ({"method": {"type": "supervise"}}, "method.type", "did you mean 'supervised'?"),
    ({"method": {"type": "reinforcement"}}, "method.type", "there are supervised, dpo"),
    ({"method": {"type": "dpo", "supervised": {}}}, "method.supervised", "does not belong"),
    ({"suffix": "My Task"}, "suffix", "such as 'my-task'"),
    ({"seed": -1}, "seed", "greater than or equal"),
    ({"validation_file": "file-1"}, "validation_file", "val_size"),
    ({"integrations": [{"type": "wandb"}]}, "integrations", "leave them out"),
]


@pytest.mark.usefixtures("idle")
def test_what_cannot_be_trained_is_refused_with_the_place_and_the_nearest_name(
    running: Running, client: openai.OpenAI
) -> None:
    file_id = upload(client, ROWS)
    for body, param, said in WRONG:
        reply = running.client.post(PATH, json={"training_file": file_id, **body})
        error = reply.json()["error"]
        assert (reply.status_code, error["param"]) == (400, param), error
        assert said in error["message"]
    assert client.fine_tuning.jobs.list().data == []


@pytest.mark.usefixtures("idle")
def test_files_models_and_jobs_that_are_not_there_are_404(
    running: Running, client: openai.OpenAI
) -> None:
    with pytest.raises(openai.NotFoundError) as missing:
        create(client, training_file="file-nobody")
    assert (missing.value.code, missing.value.param) == ("file_not_found", "training_file")
    config = {"replay_ratio": 0.2, "replay_dataset": ["/etc/hostname"]}
    with pytest.raises(openai.NotFoundError) as replayed:
        create(client, config=config)
    assert replayed.value.param == "config.replay_dataset"
    body = {"training_file": upload(client, ROWS), "model": "gpt-4o-mini"}
    refused = running.client.post(PATH, json=body)
    assert (refused.status_code, refused.json()["error"]["param"]) == (404, "model")
    running.client.post("/v1/vector_stores", json={"name": "h", "id": "h"})
    jobs = client.fine_tuning.jobs
    calls: list[Callable[[str], Any]] = [
        *(jobs.retrieve, jobs.cancel, jobs.pause, jobs.resume),
        *(jobs.list_events, jobs.checkpoints.list),
    ]
    for call in calls:
        with pytest.raises(openai.NotFoundError) as nobody:
            call("job_nobody")
        assert nobody.value.code == "job_not_found"


@pytest.mark.usefixtures("idle")
def test_jobs_are_listed_in_pages_and_by_label(client: openai.OpenAI) -> None:
    file_id = upload(client, ROWS)
    ids = [
        create(client, training_file=file_id, metadata={"team": team}).id
        for team in ("red", "blue", "red")
    ]
    jobs = client.fine_tuning.jobs
    page = jobs.list(limit=2)
    assert (len(page.data), page.has_more) == (2, True)
    assert [job.id for job in page] == ids[::-1]  # the client goes on by itself
    assert [job.id for job in jobs.list(metadata={"team": "red"})] == [ids[2], ids[0]]
    for ask in (jobs.list, lambda after: jobs.list_events(ids[0], after=after)):
        with pytest.raises(openai.BadRequestError) as unknown:
            ask(after="nobody")
        assert unknown.value.param == "after"


@pytest.mark.usefixtures("idle")
def test_a_number_written_as_text_is_a_number_everywhere(
    running: Running, client: openai.OpenAI
) -> None:
    """YAML 1.1 reads `1e-4` as text, and a command sends what it has read."""
    job = create(client, config={"learning_rate": "1e-4", "num_train_epochs": "2"})
    stored = Jobs(running.context.database).get(job.id, tenant="default").args["config"]
    assert stored["learning_rate"] == 0.0001  # type: ignore[index, call-overload]  # JSON
    assert (job.hyperparameters.n_epochs, job.hyperparameters.learning_rate_multiplier) == (2, 0.2)
    assert [one.id for one in client.fine_tuning.jobs.list()] == [job.id]


@pytest.mark.usefixtures("idle")
def test_no_stored_job_breaks_the_list(running: Running, client: openai.OpenAI) -> None:
    keys = {"task": "t", "model_name_or_path": "tiny", "learning_rate": "fast", "seed": "x"}
    args = TrainArgs(file_id="file-1", config={**keys, "num_train_epochs": "many"})
    stored = running.context.jobs.enqueue(TRAIN, args, tenant="default")
    (job,) = client.fine_tuning.jobs.list()
    assert (job.id, job.seed, job.hyperparameters.n_epochs) == (stored.job_id, 42, "auto")


@pytest.mark.usefixtures("idle")
def test_keys_that_change_nothing_here_are_left_out(
    running: Running, client: openai.OpenAI
) -> None:
    job = create(client, config={"plot_loss": True, "eval_steps": 500, "lora_rank": 4})
    stored = Jobs(running.context.database).get(job.id, tenant="default").args["config"]
    assert stored == {
        **{"task": "colours", "model_name_or_path": "tiny"},
        **{"dataset": "colours.jsonl", "lora_rank": 4},
    }


@pytest.mark.usefixtures("idle")
def test_the_file_name_names_the_task_or_asks_for_one(client: openai.OpenAI) -> None:
    for name in ("客服.jsonl", "2024法务.jsonl", "。.jsonl"):
        with pytest.raises(openai.BadRequestError, match="suffix") as refused:
            create(client, training_file=upload(client, ROWS, name))
        assert refused.value.param == "suffix"
    file_id = upload(client, ROWS, "客服.jsonl")
    assert create(client, training_file=file_id, suffix="kefu") is not None
    assert create(client, training_file=upload(client, ROWS, "Café Zürich.jsonl")) is not None


@pytest.mark.usefixtures("idle")
def test_more_files_are_named_by_their_ids(running: Running, client: openai.OpenAI) -> None:
    more = [upload(client, ROWS, "b.jsonl"), upload(client, ROWS, "c.jsonl")]
    job = create(client, config={"dataset": more})
    args = TrainArgs.read(Jobs(running.context.database).get(job.id, tenant="default").args)
    assert args.more_file_ids == tuple(more)
    with pytest.raises(openai.NotFoundError) as missing:
        create(client, config={"dataset": ["file-nobody"]})
    assert missing.value.param == "config.dataset"


@pytest.mark.usefixtures("idle")
def test_only_what_stopped_is_resumed(client: openai.OpenAI) -> None:
    jobs = client.fine_tuning.jobs
    job = create(client)
    asked = [str(ask(job.id).status) for ask in (jobs.pause, jobs.resume, jobs.cancel)]
    assert asked == ["paused", "queued", "cancelled"]
    with pytest.raises(openai.ConflictError):
        jobs.pause(job.id)


@pytest.mark.usefixtures("idle")
def test_a_run_is_told_whole(running: Running, client: openai.OpenAI) -> None:
    file_id = upload(client, ROWS)
    config = {"task": "colours", "num_train_epochs": 1, "per_device_train_batch_size": "4"}
    body = {"training_file": file_id, "config": config, "metadata": {"team": "red"}}
    reply = running.client.post(PATH, json=body)
    told = reply.json()
    place = f"{PATH}/{told['id']}"
    assert (reply.status_code, reply.headers["location"]) == (202, place)
    assert running.client.get(place).json() == told
    assert running.client.get(PATH).json() == {"object": "list", "data": [told], "has_more": False}
    chosen = {"n_epochs": 1, "batch_size": 16, "learning_rate_multiplier": "auto"}
    created_at = told.pop("created_at")
    assert type(created_at) is int
    assert told == {
        "id": told["id"],
        "object": "fine_tuning.job",
        "model": "tiny",
        "finished_at": None,
        "estimated_finish": None,
        "status": "queued",
        "training_file": file_id,
        "validation_file": None,
        "result_files": [],
        "fine_tuned_model": None,
        "trained_tokens": None,
        "hyperparameters": chosen,
        "method": {"type": "supervised", "supervised": {"hyperparameters": chosen}},
        "seed": 42,
        "metadata": {"team": "red"},
        "integrations": [],
        "organization_id": "default",
        "error": None,
        "adapter_id": None,
        "config": {
            **{"task": "colours", "num_train_epochs": 1, "per_device_train_batch_size": 4},
            **{"model_name_or_path": "tiny", "dataset": "colours.jsonl"},
        },
        "progress": {},
        "result": None,
    }


@pytest.mark.usefixtures("idle")
def test_a_run_by_preference_is_told_with_its_own_hyperparameter(
    running: Running, client: openai.OpenAI
) -> None:
    method = {"type": "dpo", "dpo": {"hyperparameters": {"beta": 0.3}}}
    body = {"training_file": upload(client, PAIRS), "method": method}
    told = running.client.post(PATH, json=body).json()
    assert told["hyperparameters"] == {
        "n_epochs": "auto",
        "batch_size": "auto",
        "learning_rate_multiplier": "auto",
        "beta": 0.3,
    }
    assert told["method"] == {"type": "dpo", "dpo": {"hyperparameters": told["hyperparameters"]}}


@pytest.mark.usefixtures("idle")
def test_what_a_run_said_and_its_checkpoints_are_told_in_openais_words(
    running: Running, client: openai.OpenAI
) -> None:
    job_id = create(client).id
    folder = running.settings.paths.trainings / job_id
    with Journal.lock_folder(folder) as journal:
        journal.begin(task="colours", stage="sft", base_model="tiny")
        journal.record(TrainingEvent("progress", "step 1 of 4", step=1, steps=4, loss=2.5))
        journal.record(TrainingEvent("warning", "short rows"))
        checkpoint = folder / "checkpoints" / "checkpoint-1"
        checkpoint.mkdir(parents=True)
        (checkpoint / "weights").write_text("w")
        mark_complete(checkpoint)
    events = running.client.get(f"{PATH}/{job_id}/events").json()
    warned, progressed = events["data"]
    assert (events["object"], events["has_more"]) == ("list", False)
    assert type(progressed.pop("created_at")) is int
    assert progressed == {
        "id": f"ftevent-{job_id}-0",
        "object": "fine_tuning.job.event",
        "level": "info",
        "message": "step 1 of 4",
        "type": "metrics",
        "data": {
            **{"event": "progress", "step": 1, "steps": 4, "total_steps": 4},
            **{"loss": 2.5, "train_loss": 2.5},
        },
    }
    assert (warned["level"], warned["type"]) == ("warn", "message")
    (made,) = running.client.get(f"{PATH}/{job_id}/checkpoints").json()["data"]
    assert type(made.pop("created_at")) is int
    assert made == {
        "id": f"ftckpt-{job_id}-1",
        "object": "fine_tuning.job.checkpoint",
        "fine_tuning_job_id": job_id,
        "fine_tuned_model_checkpoint": "tiny:colours:ckpt-step-1",
        "servable": False,
        "step_number": 1,
        "metrics": {"step": 1, "train_loss": 2.5, "full_valid_loss": None},
    }


def test_a_failed_run_tells_all_that_its_error_names(
    running: Running, client: openai.OpenAI
) -> None:
    job = create(client, training_file=upload(client, ROWS[:3]))
    eventually(lambda: status(client, job.id) == "failed")
    error = running.client.get(f"{PATH}/{job.id}").json()["error"]
    assert {"param", "code", "message", "hint", "retryable", "status"} <= set(error)
    assert None not in error.values()
