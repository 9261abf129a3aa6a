"""The base model, and the LoRA layers put on it.

Knows torch and PEFT; knows neither rows nor trainers.
"""

from typing import Any

import torch
from peft import LoraConfig
from transformers import AutoModelForCausalLM

from adapters.config import TrainingConfig
from adapters.errors import InvalidTrainingConfig

# Processor time of attention in a step, forward and back, fused against plain: 14 to 4 ms for rows
# of 115 tokens, 38 to 22 for 300, 223 to 792 for 1024 (bfloat16, 4 rows, own measurement). Plain
# attention keeps its scores, so memory grows with the square of the length.
MAX_PLAIN_ATTENTION_TOKENS = 256


def load_base(folder: str, config: TrainingConfig, *, longest: int) -> Any:
    """Return the base model in the precision it is trained in.

    Args:
        folder: Of the model.
        config: Says the precision.
        longest: Tokens of the longest row, which decides how attention is computed on a CPU.
    """
    is_plain = not torch.cuda.is_available() and longest <= MAX_PLAIN_ATTENTION_TOKENS
    model = AutoModelForCausalLM.from_pretrained(
        folder,
        dtype=torch.bfloat16 if config.bf16 else torch.float32,
        attn_implementation="eager" if is_plain else None,
    )
    model.config.use_cache = False
    return model


def make_lora(config: TrainingConfig, model: Any) -> LoraConfig:
    """Return PEFT's settings for a configuration.

    Raises:
        InvalidTrainingConfig: The base model has fewer layers than are to be trained.
    """
    modules = name_linear_layers(model) if config.lora_target == "all" else config.lora_target
    return LoraConfig(
        r=config.lora_rank,
        lora_alpha=config.alpha,
        lora_dropout=config.lora_dropout,
        use_rslora=config.use_rslora,
        target_modules=list(modules),
        layers_to_transform=_top_layers(config, model),
        task_type="CAUSAL_LM",
    )


def name_linear_layers(model: Any) -> list[str]:
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


def _top_layers(config: TrainingConfig, model: Any) -> list[int] | None:
    wanted = config.freeze_trainable_layers
    if wanted is None:
        return None
    layers = int(model.config.get_text_config().num_hidden_layers)
    if wanted > layers:
        raise InvalidTrainingConfig(
            f"freeze_trainable_layers: {wanted}, but the base model has {layers} layers"
        )
    return list(range(layers - wanted, layers))
