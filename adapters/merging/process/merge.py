"""Adds an adapter's weights to its base model and measures what that changed.

Knows torch and PEFT; knows neither where the result goes nor which difference is too large.
"""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM

from adapters.effect.process.reference import log_probabilities
from adapters.errors import MergeFailed


def merge(job: Mapping[str, Any], emit: Callable[[Mapping[str, object]], None]) -> Any:
    """Write the merged model and return its log-probabilities beside those it should have.

    All three are computed in float32, so what differs is what the merge itself has changed: the
    merged weights are rounded to the precision in which the base model is stored.

    Args:
        job: `base` and `adapter` (folders), `out` (written), `probes` (token ids), `threads`.
        emit: Takes what is going on.

    Returns:
        For each probe the log-probability of every token but the first under `base`, under base
        and `adapter`, and under the `merged` model as it was written.

    Raises:
        MergeFailed: The base model is quantised.
    """
    if job["threads"]:
        torch.set_num_threads(job["threads"])
    probes = job["probes"]
    emit({"message": "loading the base model"})
    model = AutoModelForCausalLM.from_pretrained(job["base"], dtype="auto").eval()
    if getattr(model.config, "quantization_config", None) is not None:
        raise MergeFailed("the base model is quantised: merge into its unquantised weights")
    stored = model.dtype
    model = model.float()
    base = [log_probabilities(model, ids) for ids in probes]
    adapted = PeftModel.from_pretrained(model, job["adapter"]).eval()
    adapter = [log_probabilities(adapted, ids) for ids in probes]
    emit({"message": "merging and writing"})
    merged = adapted.merge_and_unload(safe_merge=True).to(stored)
    merged.save_pretrained(job["out"])
    del model, adapted, merged
    emit({"message": "comparing log-probabilities"})
    written = AutoModelForCausalLM.from_pretrained(job["out"], dtype=torch.float32).eval()
    return {
        "base": base,
        "adapter": adapter,
        "merged": [log_probabilities(written, ids) for ids in probes],
    }
