"""Supervised fine-tuning with LoRA: one recipe, read from top to bottom.

TRL's SFTTrainer and PEFT do the training; this file chooses what is the method's own. Knows torch
and the rows; knows no processes or registry.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import datasets
from trl import SFTConfig, SFTTrainer

from adapters.config import TrainingConfig
from adapters.data import Example, count_context
from adapters.training.events import TrainingEvent
from adapters.training.process.adapter_folder import Stopwatch, Trained, to_ids, write_outcome
from adapters.training.process.lora import load_base, make_lora
from adapters.training.process.preparation import load_tokenizer, prepare_answers
from adapters.training.process.replay import prepare_replay
from adapters.training.process.trainer import (
    Emit,
    Progress,
    first_process_first,
    follow_order,
    run_trainer,
    shared_arguments,
)


def train(job: dict[str, Any], emit: Emit) -> None:
    """Train the adapter a job describes and write its folder.

    Args:
        job: `config`, `base`, `adapter_dir`, `run_dir`, `checkpoint` and `threads`, as run.py
            writes them.
        emit: Takes what is going on.

    Raises:
        InvalidTrainingData: No row is left after cutting, or too few to train on.
        BaseModelNotFound: The base model has no chat template.
        TrainingFailed: The loss ended as no number.
    """
    config = TrainingConfig.model_validate(job["config"])
    watch = Stopwatch()

    # The rows, before the base model: what teaches nothing is refused within seconds.
    tokenizer = load_tokenizer(job["base"]["folder"], job["base"]["id"])
    material = prepare_answers(config, tokenizer)
    emit(TrainingEvent("data", material.describe(), counts=material.counts))
    if left_out := material.counts["answers_left_out"]:
        emit(TrainingEvent("warning", f"{left_out} rows have no answer within cutoff_len"))
    watch.lap("prepare")

    # The base model, in the precision it is served in; its own answers, before it changes.
    model = load_base(job["base"]["folder"], config, longest=max(material.lengths))
    watch.lap("load")
    with first_process_first(config):
        replayed = prepare_replay(
            config,
            model,
            tokenizer,
            learned=len(material.learned),
            run_dir=Path(job["run_dir"]),
            beat=lambda i, of: emit(TrainingEvent("heartbeat", f"replay: {i} of {of} prompts")),
        )
    watch.lap("replay")

    # The trainer. Loss is on the answers alone.
    trainer = SFTTrainer(
        model=model,
        processing_class=tokenizer,
        args=SFTConfig(
            **shared_arguments(config, job["run_dir"], evaluates=bool(material.held_out)),
            completion_only_loss=True,
            loss_type="nll",
        ),
        train_dataset=_to_dataset([*material.learned, *replayed]),
        eval_dataset=_to_dataset(material.held_out) if material.held_out else None,
        peft_config=make_lora(config, model),
        callbacks=[Progress(emit, job["run_dir"])],
    )
    follow_order(trainer, config, [len(ids) for ids in trainer.train_dataset["input_ids"]])
    watch.lap("tokenize")
    run_trainer(trainer, job, emit)
    watch.lap("train")
    if not trainer.is_world_process_zero():
        return

    done = Trained(
        method="sft-lora",
        trainer=trainer,
        tokenizer=tokenizer,
        material=material,
        probes=[to_ids(tokenizer, row) for row in material.kept],
        context=count_context(material.kept),
        measured={},
        extra={"replay": {"rows": len(replayed), "distinct": len(set(replayed))}},
    )
    write_outcome(config, job, done, watch, emit)


def _to_dataset(examples: Sequence[Example]) -> datasets.Dataset:
    return datasets.Dataset.from_list(
        [
            {
                "prompt": [message.as_dict() for message in example.prompt],
                "completion": [example.completion.as_dict()],
            }
            for example in examples
        ]
    )
