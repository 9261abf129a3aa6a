"""Supervised fine-tuning with LoRA: one recipe, read from top to bottom.

TRL's SFTTrainer and PEFT do the training; this file chooses what is the method's own. Knows torch
and the rows; knows no processes or registry.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from trl import SFTConfig, SFTTrainer

from adapters.config import TrainingConfig
from adapters.data import count_context
from adapters.training.events import TrainingEvent
from adapters.training.process.adapter_folder import (
    Timer,
    TrainedAdapter,
    to_ids,
    write_adapter_folder,
)
from adapters.training.process.lora import load_base, make_lora
from adapters.training.process.preparation import load_tokenizer, prepare
from adapters.training.process.replay import prepare_replay
from adapters.training.process.trainer import (
    Progress,
    Tell,
    first_process_first,
    follow_order,
    run_trainer,
    shared_arguments,
    to_dataset,
)


def train(job: Mapping[str, Any], tell: Tell) -> None:
    """Train the adapter a job describes and write its folder.

    Args:
        job: `config`, `base`, `adapter_dir`, `run_dir`, `checkpoint` and `threads`, as run.py
            writes them.
        tell: Sends events.

    Raises:
        InvalidTrainingData: No row is left after cutting, or too few to train on.
        BaseModelNotFound: The base model has no chat template.
        TrainingFailed: The loss is NaN.
    """
    config = TrainingConfig.model_validate(job["config"])
    timer = Timer()

    # The rows, before the base model: what teaches nothing is refused within seconds.
    tokenizer = load_tokenizer(job["base"]["folder"], job["base"]["id"])
    material = prepare(config, tokenizer)
    tell(TrainingEvent("data", material.describe(), counts=material.counts))
    if left_out := material.counts["answers_left_out"]:
        tell(TrainingEvent("warning", f"{left_out} rows have no answer within cutoff_len"))
    timer.lap("prepare")

    # The base model, in the precision it is served in; its own answers, before it changes.
    model = load_base(job["base"]["folder"], config, longest=max(material.lengths))
    timer.lap("load")
    with first_process_first(config):
        replayed = prepare_replay(
            config,
            model,
            tokenizer,
            examples=len(material.examples),
            run_dir=Path(job["run_dir"]),
            on_answers=lambda i, of: tell(
                TrainingEvent("heartbeat", f"replay: {i} of {of} prompts")
            ),
        )
    timer.lap("replay")

    # The trainer. Loss is on the answers alone.
    trainer = SFTTrainer(
        model=model,
        processing_class=tokenizer,
        args=SFTConfig(
            **shared_arguments(config, job["run_dir"], evaluates=bool(material.held_out_examples)),
            completion_only_loss=True,
            loss_type="nll",
        ),
        train_dataset=to_dataset([*material.examples, *replayed], config.method),
        eval_dataset=to_dataset(material.held_out_examples, config.method),
        peft_config=make_lora(config, model),
        callbacks=[Progress(tell, job["run_dir"])],
    )
    follow_order(trainer, config, [len(ids) for ids in trainer.train_dataset["input_ids"]])
    timer.lap("tokenize")
    run_trainer(trainer, job, tell)
    timer.lap("train")
    if not trainer.is_world_process_zero():
        return

    done = TrainedAdapter(
        trainer=trainer,
        tokenizer=tokenizer,
        material=material,
        probes=[to_ids(tokenizer, row) for row in material.trained_rows],
        context=count_context(material.trained_rows),
        measured={},
        extra={"replay": {"rows": len(replayed), "distinct": len(set(replayed))}},
    )
    write_adapter_folder(config, job, done, timer, tell)
