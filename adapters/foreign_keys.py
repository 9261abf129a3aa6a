"""Keys of LLaMA-Factory and the Trainer that change nothing here: told, and passed over.

Knows names and values; what a key of ours means stands in `config.py`.
"""

from collections.abc import Mapping
from typing import Any

_OWN_TEMPLATE = "the base model's own chat template is used"
_ON_STEPS = "rows held out by val_size are read after each epoch"
_SPEED = "how rows are read has no setting here"
_FOLDER = "every run has a folder of its own, and its loss plot"
_RESUMED = "`train resume` goes on with a run"

# Whatever their value is, the adapter is the same.
_WITHOUT_EFFECT: Mapping[str, str] = {
    "trust_remote_code": "code of a model is never run",
    "do_train": "`train run` trains",
    "template": _OWN_TEMPLATE,
    "overwrite_cache": _SPEED,
    "preprocessing_num_workers": _SPEED,
    "preprocessing_batch_size": _SPEED,
    "dataloader_num_workers": _SPEED,
    "dataloader_pin_memory": _SPEED,
    "use_fast_tokenizer": _SPEED,
    "cache_dir": _SPEED,
    "low_cpu_mem_usage": _SPEED,
    "ddp_timeout": _SPEED,
    "ddp_find_unused_parameters": _SPEED,
    "plot_loss": _FOLDER,
    "overwrite_output_dir": _FOLDER,
    "save_only_model": _FOLDER,
    "save_total_limit": _FOLDER,
    "logging_dir": _FOLDER,
    "run_name": _FOLDER,
    "include_num_input_tokens_seen": _FOLDER,
    "per_device_eval_batch_size": _ON_STEPS,
    "eval_strategy": _ON_STEPS,
    "evaluation_strategy": _ON_STEPS,
    "eval_steps": _ON_STEPS,
}
# They would change the adapter, but not with these values.
_WITH_VALUES: Mapping[str, tuple[object, ...]] = {
    "resume_from_checkpoint": (None, False),
    "packing": (None, False),
    "neat_packing": (None, False),
    "streaming": (None, False),
    "train_on_prompt": (None, False),
    "load_best_model_at_end": (None, False),
    "push_to_hub": (None, False),
    "do_predict": (None, False),
    "predict_with_generate": (None, False),
    "fp16": (None, False),
    "pure_bf16": (None, False),
    "quantization_bit": (None,),
    "deepspeed": (None,),
    "adapter_name_or_path": (None,),
    "optim": ("adamw_torch", "adamw_torch_fused"),
    "save_strategy": ("steps",),
    "logging_strategy": ("steps",),
    "loraplus_lr_ratio": (None,),
    "neftune_noise_alpha": (None,),
}
_REFUSED: Mapping[str, str] = {
    "resume_from_checkpoint": _RESUMED,
    "dataset_dir": "`dataset` names files, relative to the configuration's own folder",
    "fp16": "bf16 is what is trained in",
}
KNOWN_ELSEWHERE = frozenset({*_WITHOUT_EFFECT, *_WITH_VALUES, *_REFUSED})


def passed_over(values: Mapping[str, Any]) -> dict[str, str]:
    """Return the keys of a configuration that change nothing here, each with the reason."""
    found = {}
    for key, value in values.items():
        if key in _WITHOUT_EFFECT:
            found[key] = _WITHOUT_EFFECT[key]
        elif value in _WITH_VALUES.get(key, ()):
            found[key] = "it is so anyway"
    return found


def explain_refusal(key: str) -> str | None:
    """Return why a known key of LLaMA-Factory cannot be used; none of a key not known there."""
    if key not in KNOWN_ELSEWHERE:
        return None
    return _REFUSED.get(key, "this is not done here; leave it out")
