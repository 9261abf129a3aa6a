"""Writes the folder of a trained adapter: weights, settings, run.json, metrics.json, plot, card.

Knows PEFT's folder and what a later reader needs; knows nothing of how it was trained.
"""

import json
import math
import resource
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from adapters.config import PLACES, TrainingConfig
from adapters.data import ContextCounts, Pair, Row, hash_rows
from adapters.effect import MIN_SHIFT, judge_effect, read_effect_reference
from adapters.effect.process.reference import measure_effect_reference
from adapters.errors import TrainingFailed
from adapters.evaluation.trained_rows import record_trained_rows
from adapters.files.adapter_id import make_adapter_id
from adapters.files.run_json import METRICS_FILE, RUN_FILE, RUN_FORMAT, write_json
from adapters.files.weights import (
    ADAPTER_SETTINGS,
    ADAPTER_WEIGHTS,
    digest_adapter,
    hash_file,
    hash_text,
    write_metadata,
)
from adapters.training.events import TrainingEvent
from adapters.training.process.preparation import Material
from adapters.training.process.trainer import Tell
from adapters.training.report import draw_loss, write_card
from adapters.training.row_minimums import count_against_minimums

_PACKAGES = ("torch", "transformers", "peft", "trl", "accelerate", "datasets", "tokenizers")


class Timer:
    """Seconds between named moments."""

    def __init__(self) -> None:
        self._last = time.monotonic()
        self.seconds: dict[str, float] = {}

    def lap(self, name: str) -> None:
        """End the part called `name`."""
        now = time.monotonic()
        self.seconds[name] = now - self._last
        self._last = now


@dataclass(frozen=True, slots=True)
class TrainedAdapter:
    """What a recipe hands over once its trainer is done.

    Attributes:
        trainer: TRL's trainer, with the model in it.
        tokenizer: Of the base model.
        material: What was learned from.
        probes: Token ids of rows trained on, for the effect check.
        context: What the rows teach about passages.
        measured: More metrics of this method.
        extra: More of run.json of this method.
    """

    trainer: Any
    tokenizer: Any
    material: Material
    probes: Sequence[Sequence[int]]
    context: ContextCounts
    measured: Mapping[str, Any]
    extra: Mapping[str, Any]


def write_adapter_folder(
    config: TrainingConfig, job: Mapping[str, Any], done: TrainedAdapter, timer: Timer, tell: Tell
) -> None:
    """Write the adapter's folder, the last word of which is run.json.

    Raises:
        TrainingFailed: The loss is NaN, or the adapter changes nothing.
    """
    base: dict[str, Any] = job["base"]
    folder = Path(job["adapter_dir"])
    metrics = _metrics(done, timer.seconds["train"], _step_of(job["checkpoint"]))
    last = metrics["last_loss"]
    if last is not None and not math.isfinite(last):
        raise TrainingFailed(
            f"training failed: the loss is NaN at step {metrics['steps']}; "
            f"lower learning_rate ({config.learning_rate})"
        )

    # The folder, as PEFT and the engine read it; the base is named as it is served.
    tell(TrainingEvent("saving", "writing the adapter's folder"))
    model = done.trainer.model
    lora = model.peft_config["default"]
    lora.base_model_name_or_path = base["id"]
    model.save_pretrained(str(folder), save_embedding_layers=False)
    _sort_settings(folder / ADAPTER_SETTINGS)
    data_sha256 = hash_rows(done.material.trained_rows)
    _sign_weights(folder / ADAPTER_WEIGHTS, config, data_sha256)
    timer.lap("save")

    # The reference for the effect check is computed from what was written, not from memory.
    tell(TrainingEvent("effect", "computing reference log-probabilities"))
    reference = measure_effect_reference(base["folder"], folder, done.tokenizer, done.probes)
    _check_effect(reference, config, tell)
    timer.lap("effect")

    adapter_id = make_adapter_id(config.task, digest_adapter(folder))
    settings = model.config.get_text_config()
    counts = done.material.counts
    minimums = count_against_minimums(config, counts["rows"] - counts["copies"])
    run = {
        "format": RUN_FORMAT,
        "adapter_id": adapter_id,
        "task": config.task,
        "created_at": time.time(),
        "method": f"{config.stage}-{config.finetuning_type}",
        "config": {**config.model_dump(mode="json"), "lora_alpha": config.alpha},
        "base": {key: base[key] for key in ("id", "revision", "sha256", "licence", "source")},
        "chat_template_sha256": hash_text(done.tokenizer.chat_template),
        "rope_parameters": getattr(settings, "rope_parameters", None),
        "context_tokens": settings.max_position_embeddings,
        "lora": {
            "r": config.lora_rank,
            "lora_alpha": config.alpha,
            "target_modules": sorted(lora.target_modules),
            "layers": lora.layers_to_transform,
            "use_rslora": config.use_rslora,
        },
        "data": {
            "sha256": data_sha256,
            "files": [{"name": p.name, "sha256": hash_file(p)} for p in config.dataset],
            **counts,
            "floors": minimums.as_dict(),
            "context": done.context.as_dict(),
        },
        "forced": config.force and minimums.verdict == "below_pilot",
        "context_trained": done.context.is_context_trained,
        "seed": config.seed,
        "resumed_from_step": _step_of(job["checkpoint"]),
        "versions": {name: version(name) for name in _PACKAGES},
        "device": done.trainer.args.device.type,
        "threads": torch.get_num_threads(),
        "timings_s": timer.seconds,
        "tokens_per_s": metrics["tokens_per_s"],
        "peak_memory_bytes": peak_memory_bytes(),
        "effect_reference": reference,
        **done.extra,
    }
    record_trained_rows(folder, done.material.trained_rows, done.material.held_out_rows)
    draw_loss(metrics["curve"], folder)
    write_card(folder, run, metrics)
    write_json(folder / METRICS_FILE, metrics)
    write_json(folder / RUN_FILE, run)
    tell(TrainingEvent("done", f"trained {adapter_id}", adapter_id=adapter_id))


def _sign_weights(path: Path, config: TrainingConfig, data_sha256: str) -> None:
    """Write into the header of the weights what they were trained with and on.

    The adapter's id is a digest of its files: runs with other settings or other rows then have
    other ids even where they end with the same weights; the same run done again has the same.
    """
    keys = config.model_dump_json(exclude=PLACES)
    write_metadata(path, {"format": "pt", "run": hash_text(f"{keys}\n{data_sha256}")})


def _check_effect(reference: Any, config: TrainingConfig, tell: Tell) -> None:
    """Refuse an adapter that answers as its base model does; warn of one that hardly differs."""
    probes = read_effect_reference({"effect_reference": reference})
    said = judge_effect(probes, [p.base for p in probes], [p.adapter for p in probes])
    if said.reference_shift == 0:
        raise TrainingFailed(
            "training failed: the adapter answers exactly as its base model does; raise "
            f"learning_rate ({config.learning_rate}) or num_train_epochs"
        )
    if said.reference_shift < MIN_SHIFT:
        tell(
            TrainingEvent(
                "warning",
                f"the adapter differs from its base model by {said.reference_shift:.4f} nats, less "
                f"than the {MIN_SHIFT} that publishing asks for",
            )
        )


def peak_memory_bytes() -> int:
    """Return the largest resident size of this process so far."""
    size = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return size if sys.platform == "darwin" else size * 1024  # Linux counts in KiB


def to_ids(tokenizer: Any, row: Row | Pair) -> list[int]:
    """Return the token ids of a whole row; of a pair, with the answer that is preferred."""
    turns = row.messages if isinstance(row, Row) else (*row.prompt, row.chosen)
    return list(
        tokenizer.apply_chat_template([turn.as_dict() for turn in turns], return_dict=False)
    )


def _metrics(done: TrainedAdapter, train_s: float, resumed_step: int | None) -> dict[str, Any]:
    state = done.trainer.state
    curve = [_to_point(entry) for entry in state.log_history if "loss" in entry]
    held_out = [entry["eval_loss"] for entry in state.log_history if "eval_loss" in entry]
    losses = [point["loss"] for point in curve]
    tokens = int(curve[-1]["tokens"]) if curve else 0
    return {
        "steps": state.global_step,
        "epochs": state.epoch,
        "train_loss": sum(losses) / len(losses) if losses else None,
        "first_loss": losses[0] if losses else None,
        "last_loss": losses[-1] if losses else None,
        "held_out_loss": held_out[-1] if held_out else None,
        "held_out_losses": held_out,
        "tokens": tokens,
        "tokens_per_s": (tokens - _tokens_at(curve, resumed_step)) / max(train_s, 1e-9),
        "curve": curve,
        **done.measured,
    }


def _tokens_at(curve: Sequence[Mapping[str, float]], step: int | None) -> float:
    """Return the tokens an earlier attempt had done: its time is not in ours."""
    return max((point["tokens"] for point in curve if point["step"] <= (step or 0)), default=0)


def _to_point(entry: Mapping[str, Any]) -> dict[str, float]:
    return {
        "step": entry["step"],
        "loss": entry["loss"],
        "learning_rate": entry["learning_rate"],
        "grad_norm": float(entry["grad_norm"]),
        "tokens": entry["num_tokens"],
    }


def _step_of(checkpoint: str | None) -> int | None:
    return int(checkpoint.rpartition("-")[2]) if checkpoint else None


def _sort_settings(path: Path) -> None:
    """Make equal content equal bytes: PEFT writes sets in the order of their hashes."""
    settings = json.loads(path.read_text(encoding="utf-8"))
    settings["target_modules"] = sorted(settings["target_modules"])
    write_json(path, settings)
