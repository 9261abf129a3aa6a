"""Supervised fine-tuning with LoRA: one recipe, read from top to bottom.

TRL's SFTTrainer and PEFT do the training; this file chooses their settings, says how far they
are, and writes the adapter's folder. Knows torch and the rows; knows no processes or registry.
"""

import json
import time
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import datasets
import torch
from peft import LoraConfig
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
)
from trl import SFTConfig, SFTTrainer

from adapters.config import TrainingConfig
from adapters.data import Example, count_context, hash_rows, hold_out, load_rows, to_examples
from adapters.errors import BaseModelNotFound, InvalidTrainingData
from adapters.evaluation.samples import keep_rows
from adapters.training.events import TrainingEvent
from adapters.training.probes import measure_effect_reference
from adapters.training.report import draw_loss, write_card
from adapters.weights import ADAPTER_SETTINGS, digest_adapter, hash_file, hash_text

RUN_FORMAT = 1  # of run.json
LEAST_EVENT_GAP_S = 0.5  # between two progress events: a person cannot read faster
_PACKAGES = ("torch", "transformers", "peft", "trl", "accelerate", "datasets", "tokenizers")

Emit = Callable[[TrainingEvent], None]


def train(job: dict[str, Any], emit: Emit) -> None:
    """Train the adapter a job describes and write its folder.

    Args:
        job: `config`, `base`, `adapter_dir`, `scratch_dir` and `threads`, as run.py writes them.
        emit: Takes what is going on.

    Raises:
        InvalidTrainingData: No row is left after cutting, or too few to train on.
        BaseModelNotFound: The base model has no chat template.
    """
    config = TrainingConfig.model_validate(job["config"])
    base: dict[str, Any] = job["base"]
    folder = Path(job["adapter_dir"])
    started = time.monotonic()
    if job["threads"]:
        torch.set_num_threads(job["threads"])
    datasets.disable_progress_bars()
    datasets.disable_caching()

    # The base model, in the precision it is served in.
    tokenizer = AutoTokenizer.from_pretrained(base["folder"])
    if not tokenizer.chat_template:
        raise BaseModelNotFound(f"{base['id']} has no chat template, so it cannot be taught chats")
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    model = AutoModelForCausalLM.from_pretrained(
        base["folder"], dtype=torch.bfloat16 if config.bf16 else torch.float32
    )
    model.config.use_cache = False
    loaded = time.monotonic()

    # The rows; held-out ones are set apart by source before they become examples.
    rows = load_rows(config.dataset)
    kept, held = hold_out(rows, config.val_size, seed=config.seed)
    examples = to_examples(kept, mask_history=config.mask_history)
    held_examples = to_examples(held, mask_history=config.mask_history)
    context = count_context(kept)

    # The trainer. Loss is on the answers alone; telemetry and checkpoints are off.
    trainer = SFTTrainer(
        model=model,
        processing_class=tokenizer,
        args=_make_arguments(config, job["scratch_dir"], evaluates=bool(held_examples)),
        train_dataset=_to_dataset(examples),
        eval_dataset=_to_dataset(held_examples) if held_examples else None,
        peft_config=_make_lora(config, model),
        callbacks=[_Progress(emit)],
    )
    lengths = [len(ids) for ids in trainer.train_dataset["input_ids"]]
    dropped = len(examples) - len(lengths)
    cut = sum(length >= config.cutoff_len for length in lengths)
    if not lengths:
        raise InvalidTrainingData(
            f"all {dropped} rows have prompts of cutoff_len ({config.cutoff_len}) tokens or more; "
            "no answer is left to learn"
        )
    emit(
        TrainingEvent(
            "data",
            f"{len(kept)} rows, {len(lengths)} answers, {sum(lengths)} tokens"
            + (f", {cut} cut at {config.cutoff_len} tokens" if cut else "")
            + (f", {dropped} left out: no answer after cutting" if dropped else ""),
        )
    )
    prepared = time.monotonic()
    outcome = trainer.train()
    trained = time.monotonic()

    # The folder, as PEFT and the engine read it; the base is named as it is served.
    emit(TrainingEvent("saving", "writing the adapter's folder"))
    lora = trainer.model.peft_config["default"]
    lora.base_model_name_or_path = base["id"]
    trainer.model.save_pretrained(str(folder), save_embedding_layers=False)
    _sort_settings(folder / ADAPTER_SETTINGS)
    saved = time.monotonic()

    # The reference for the effect check is computed from what was written, not from memory.
    emit(TrainingEvent("effect", "computing reference log-probabilities"))
    settings = model.config.get_text_config()
    probes = [_to_ids(tokenizer, example) for example in examples]
    reference = measure_effect_reference(base["folder"], folder, tokenizer, probes)
    measured = time.monotonic()

    history = trainer.state.log_history
    curve = [_to_point(entry) for entry in history if "loss" in entry]
    held_out_losses = [entry["eval_loss"] for entry in history if "eval_loss" in entry]
    tokens = int(curve[-1]["tokens"]) if curve else 0
    metrics = {
        "steps": trainer.state.global_step,
        "epochs": trainer.state.epoch,
        "train_loss": outcome.training_loss,
        "first_loss": curve[0]["loss"] if curve else None,
        "last_loss": curve[-1]["loss"] if curve else None,
        "held_out_loss": held_out_losses[-1] if held_out_losses else None,
        "held_out_losses": held_out_losses,
        "tokens": tokens,
        "tokens_per_s": tokens / max(trained - prepared, 1e-9),
        "curve": curve,
    }
    adapter_id = f"{config.task}@{digest_adapter(folder)[:8]}"
    run = {
        "format": RUN_FORMAT,
        "adapter_id": adapter_id,
        "task": config.task,
        "created_at": time.time(),
        "method": "sft-lora",
        "config": {**config.model_dump(mode="json"), "lora_alpha": config.alpha},
        "base": {key: base[key] for key in ("id", "revision", "sha256", "licence", "source")},
        "chat_template_sha256": hash_text(tokenizer.chat_template),
        "rope_parameters": getattr(settings, "rope_parameters", None),
        "context_tokens": settings.max_position_embeddings,
        "lora": {
            "r": config.lora_rank,
            "lora_alpha": config.alpha,
            "target_modules": sorted(lora.target_modules),
            "use_rslora": config.use_rslora,
        },
        "data": {
            "sha256": hash_rows(kept),
            "files": [{"name": p.name, "sha256": hash_file(p)} for p in config.dataset],
            "rows": len(rows),
            "trained_rows": len(kept),
            "held_out_rows": len(held),
            "answers": len(lengths),
            "answers_cut": cut,
            "answers_left_out": dropped,
            "tokens": sum(lengths),
            "context": context.as_dict(),
        },
        "context_trained": context.is_context_trained,
        "seed": config.seed,
        "versions": {name: version(name) for name in _PACKAGES},
        "device": trainer.args.device.type,
        "threads": torch.get_num_threads(),
        "timings_s": {
            "load": loaded - started,
            "prepare": prepared - loaded,
            "train": trained - prepared,
            "save": saved - trained,
            "effect": measured - saved,
        },
        "tokens_per_s": metrics["tokens_per_s"],
        "effect_reference": reference,
    }
    keep_rows(folder, kept)
    draw_loss(curve, folder)
    write_card(folder, run, metrics)
    _write_json(folder / "metrics.json", metrics)
    _write_json(folder / "run.json", run)
    emit(TrainingEvent("done", f"trained {adapter_id}", adapter_id=adapter_id))


def _make_arguments(config: TrainingConfig, scratch_dir: str, *, evaluates: bool) -> SFTConfig:
    return SFTConfig(
        output_dir=scratch_dir,
        max_length=config.cutoff_len,
        completion_only_loss=True,
        loss_type="nll",
        learning_rate=config.learning_rate,
        num_train_epochs=config.num_train_epochs,
        max_steps=config.max_steps or -1,
        per_device_train_batch_size=config.per_device_train_batch_size,
        per_device_eval_batch_size=config.per_device_train_batch_size,
        gradient_accumulation_steps=config.gradient_accumulation_steps,
        gradient_checkpointing=config.gradient_checkpointing,
        lr_scheduler_type=config.lr_scheduler_type,
        warmup_steps=config.warmup_ratio,  # transformers 5 reads a number below 1 as a share
        weight_decay=config.weight_decay,
        max_grad_norm=config.max_grad_norm,
        train_sampling_strategy="group_by_length" if config.group_by_length else "random",
        bf16=config.bf16,
        use_cpu=not torch.cuda.is_available(),
        dataloader_pin_memory=torch.cuda.is_available(),
        logging_steps=config.logging_steps,
        eval_strategy="epoch" if evaluates else "no",
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
        seed=config.seed,
        data_seed=config.seed,
    )


def _make_lora(config: TrainingConfig, model: Any) -> LoraConfig:
    modules = _name_linear_layers(model) if config.lora_target == "all" else config.lora_target
    return LoraConfig(
        r=config.lora_rank,
        lora_alpha=config.alpha,
        lora_dropout=config.lora_dropout,
        use_rslora=config.use_rslora,
        target_modules=list(modules),
        task_type="CAUSAL_LM",
    )


def _name_linear_layers(model: Any) -> list[str]:
    """Return the last names of all linear layers but the output's, as LLaMA-Factory's `all`.

    PEFT's own "all-linear" writes the full path of every layer into `adapter_config.json`.
    """
    output = model.get_output_embeddings()
    linear = [
        name.rsplit(".", 1)[-1]
        for name, module in model.named_modules()
        if isinstance(module, torch.nn.Linear) and module is not output
    ]
    return sorted(set(linear))


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


def _to_ids(tokenizer: Any, example: Example) -> list[int]:
    turns = [message.as_dict() for message in (*example.prompt, example.completion)]
    return list(tokenizer.apply_chat_template(turns, return_dict=False))


def _to_point(entry: dict[str, Any]) -> dict[str, float]:
    return {
        "step": entry["step"],
        "loss": entry["loss"],
        "learning_rate": entry["learning_rate"],
        "grad_norm": float(entry["grad_norm"]),
        "tokens": entry["num_tokens"],
    }


def _sort_settings(path: Path) -> None:
    """Make equal content equal bytes: PEFT writes sets in the order of their hashes."""
    settings = json.loads(path.read_text(encoding="utf-8"))
    settings["target_modules"] = sorted(settings["target_modules"])
    _write_json(path, settings)


def _write_json(path: Path, value: object) -> None:
    text = json.dumps(value, indent=2, ensure_ascii=False, default=str)
    path.write_text(text + "\n", encoding="utf-8")


class _Progress(TrainerCallback):  # type: ignore[misc]  # transformers is untyped for mypy here
    """Turns the trainer's log entries into progress events."""

    def __init__(self, emit: Emit) -> None:
        self._emit = emit
        self._started = time.monotonic()
        self._told = 0.0

    def on_train_begin(
        self, _a: TrainingArguments, state: TrainerState, _c: TrainerControl, **_: object
    ) -> None:
        """Start the clock."""
        self._started = time.monotonic()
        self._emit(TrainingEvent("progress", "training", step=0, steps=state.max_steps))

    def on_log(
        self,
        _a: TrainingArguments,
        state: TrainerState,
        _c: TrainerControl,
        logs: dict[str, float] | None = None,
        **_: object,
    ) -> None:
        """Tell step, loss, rate and time left."""
        now = time.monotonic()
        is_last = state.global_step >= state.max_steps
        if not logs or "loss" not in logs or (now - self._told < LEAST_EVENT_GAP_S and not is_last):
            return
        self._told = now
        elapsed = now - self._started
        left = state.max_steps - state.global_step
        self._emit(
            TrainingEvent(
                "progress",
                f"step {state.global_step} of {state.max_steps}, loss {logs['loss']:.3f}",
                step=state.global_step,
                steps=state.max_steps,
                loss=logs["loss"],
                tokens_per_s=round(logs.get("num_tokens", 0) / elapsed, 1),
                eta_s=round(elapsed / max(state.global_step, 1) * left, 1),
            )
        )
