"""How much memory and time will a run take?

Reads sizes from the base model's files; knows neither torch nor rows. Time is what the last run on
this base model measured, where there is one; else a rate per parameter measured once.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from adapters.base_models import ModelFolder
from adapters.config import TrainingConfig
from adapters.files.weights import TensorHeader, read_header
from adapters.training.journal import TrainingRun

# Weight, gradient and Adam's two moments of each LoRA parameter, all float32 (4 x 4 bytes).
BYTES_PER_LORA_PARAMETER = 16
# Korthikanti et al. 2022, section 4.1: stored by a layer for its backward pass, without attention.
BYTES_PER_TOKEN_LAYER_AND_WIDTH = 34
BYTES_PER_LOGIT = 10  # bfloat16, its float32 copy, and the gradient
RUNTIME_BYTES = 1_100_000_000  # torch, transformers and TRL in one process (own measurement)
# 310 tokens/s on 134.5 million parameters, two free cores with AMX (own measurement).
CPU_TOKENS_TIMES_PARAMETERS_PER_S = 310 * 134.5e6


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a run will take.

    Attributes:
        steps: Optimizer steps.
        tokens: Tokens trained on, all epochs together.
        memory_bytes: Most memory of the training process, within some 30 %.
        tokens_per_s: Rate the time is reckoned with.
        rate_from: `last run` on this base model, or `formula` (a CPU with two cores).
        time_s: Tokens by rate; loading and saving add some 20 s.
    """

    steps: int
    tokens: int
    memory_bytes: int
    tokens_per_s: float
    rate_from: str
    time_s: float

    def as_dict(self) -> dict[str, object]:
        """Return the estimate as plain content."""
        return asdict(self)


def estimate_run(
    config: TrainingConfig,
    base: ModelFolder,
    *,
    answers: int,
    tokens: int,
    runs: Sequence[TrainingRun],
) -> Estimate:
    """Estimate a run.

    Args:
        config: What is to be trained.
        base: The base model.
        answers: Examples of one epoch, replayed ones apart.
        tokens: Their tokens.
        runs: Runs of before, newest first.

    Raises:
        ValueError: The base model's files cannot be read.
    """
    shapes: dict[str, TensorHeader] = {}
    for file in base.folder.glob("*.safetensors"):
        shapes.update(read_header(file))
    settings = json.loads((base.folder / "config.json").read_text(encoding="utf-8"))
    settings = settings.get("text_config", settings)
    parameters = sum(_count(tensor.shape) for tensor in shapes.values())
    effective = config.per_device_train_batch_size * config.gradient_accumulation_steps
    share = 1 + config.replay_ratio
    epoch_steps = max(1, -(-round(answers * share) // effective))
    steps = config.max_steps or round(epoch_steps * config.num_train_epochs)
    sides = len(config.method.answers)  # each is read together with the prompt
    all_tokens = round(sides * tokens * share * steps / epoch_steps)
    measured = next((run.tokens_per_s for run in runs if _is_like(run, config, base)), None)
    rate = measured or CPU_TOKENS_TIMES_PARAMETERS_PER_S / parameters
    mean_length = min(
        config.cutoff_len, 2 * tokens / max(answers, 1)
    )  # twice the mean: the longest
    batch_tokens = round(sides * config.per_device_train_batch_size * mean_length)
    return Estimate(
        steps=steps,
        tokens=all_tokens,
        memory_bytes=config.num_processes
        * _memory(config, shapes, settings, parameters, batch_tokens),
        tokens_per_s=round(rate, 1),
        rate_from="last run" if measured else "formula",
        time_s=round(all_tokens / rate, 1),
    )


def _memory(
    config: TrainingConfig,
    shapes: dict[str, TensorHeader],
    settings: dict[str, int],
    parameters: int,
    batch_tokens: int,
) -> int:
    weights = parameters * (2 if config.bf16 else 4)
    layers, width = settings["num_hidden_layers"], settings["hidden_size"]
    kept_layers = 1 if config.gradient_checkpointing else layers
    activations = (
        batch_tokens * width * (BYTES_PER_TOKEN_LAYER_AND_WIDTH * kept_layers + 2 * layers)
    )
    logits = batch_tokens * settings["vocab_size"] * BYTES_PER_LOGIT
    lora = count_lora_parameters(config, shapes, layers) * BYTES_PER_LORA_PARAMETER
    return RUNTIME_BYTES + weights + lora + activations + logits


def count_lora_parameters(
    config: TrainingConfig, shapes: dict[str, TensorHeader], layers: int
) -> int:
    """Return how many parameters the LoRA layers of a configuration have."""
    first = layers - (config.freeze_trainable_layers or layers)
    total = 0
    for name, tensor in shapes.items():
        parts = name.split(".")
        numbers = [int(part) for part in parts if part.isdigit()]
        if len(tensor.shape) != 2 or parts[-1] != "weight" or not numbers or numbers[0] < first:
            continue
        if config.lora_target == "all" or parts[-2] in config.lora_target:
            total += config.lora_rank * sum(tensor.shape)
    return total


def _count(shape: Sequence[int]) -> int:
    count = 1
    for size in shape:
        count *= size
    return count


def _is_like(run: TrainingRun, config: TrainingConfig, base: ModelFolder) -> bool:
    return run.status == "succeeded" and (run.base_model, run.stage) == (base.id, config.stage)
