"""Computes the log-probabilities that tell whether a server really applies an adapter.

Base model and adapter are loaded from disk with plain Hugging Face and PEFT, so this is also the
proof that the written folder loads. Only measures; `adapters/effect/judgement.py` judges.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

from adapters.data.general_prompts import PROMPTS

TRAINED_PROBES = 3  # rows the adapter was trained on; there its effect is largest
MAX_PROBE_TOKENS = 256  # keeps the check on a CPU engine within two seconds
_GENERAL = (
    {"role": "user", "content": "Hello! What can you help me with?"},
    {"role": "assistant", "content": "Hello! I can answer your questions."},
)


def measure_effect_reference(
    base_folder: str, adapter_folder: Path, tokenizer: Any, trained: Sequence[Sequence[int]]
) -> list[dict[str, list[int] | list[float]]]:
    """Return the reference for the effect check.

    Args:
        base_folder: The base model.
        adapter_folder: The adapter, as written.
        tokenizer: Of the base model.
        trained: Token ids of the rows the adapter was trained on, prompt and answer.

    Returns:
        For each probe `token_ids` (n) and the log-probability of every token but the first under
        `base` and under `adapter` (n - 1 each, natural logarithm).
    """
    general = list(tokenizer.apply_chat_template(list(_GENERAL), return_dict=False))
    probes = [*_choose(trained), general[:MAX_PROBE_TOKENS]]
    model = AutoModelForCausalLM.from_pretrained(base_folder, dtype=torch.bfloat16)
    model.eval()
    base = [log_probabilities(model, ids) for ids in probes]
    adapted = PeftModel.from_pretrained(model, str(adapter_folder))
    adapted.eval()
    adapter = [log_probabilities(adapted, ids) for ids in probes]
    return [
        {"token_ids": ids, "base": without, "adapter": with_it}
        for ids, without, with_it in zip(probes, base, adapter, strict=True)
    ]


def measure_imported(job: Mapping[str, Any], _emit: object) -> Any:
    """Return the reference of an adapter that was trained elsewhere.

    Args:
        job: `base` and `adapter` (folders), `rows` (lists of chat turns, none takes requests of
            our own) and `threads`.
    """
    if job["threads"]:
        torch.set_num_threads(job["threads"])
    tokenizer = AutoTokenizer.from_pretrained(job["base"])
    rows = job["rows"] or [[{"role": "user", "content": prompt}] for prompt in PROMPTS]
    ids = [list(tokenizer.apply_chat_template(turns, return_dict=False)) for turns in rows]
    return measure_effect_reference(job["base"], Path(job["adapter"]), tokenizer, ids)


def _choose(trained: Sequence[Sequence[int]]) -> list[list[int]]:
    """Return a few short rows, spread over the order of the data."""
    fitting = [ids for ids in trained if len(ids) <= MAX_PROBE_TOKENS]
    rows = fitting or [min(trained, key=len)]
    step = max(1, len(rows) // TRAINED_PROBES)
    return [list(ids[:MAX_PROBE_TOKENS]) for ids in rows[::step][:TRAINED_PROBES]]


def log_probabilities(model: Any, token_ids: Sequence[int]) -> list[float]:
    """Return the log-probability of every token but the first, n - 1 (natural logarithm)."""
    ids = torch.tensor([token_ids], device=model.device)
    with torch.inference_mode():
        logits = model(input_ids=ids).logits[0, :-1].float()  # (n - 1, vocabulary) float32
    log_probabilities = torch.log_softmax(logits, dim=-1)
    taken = log_probabilities.gather(1, ids[0, 1:, None])[:, 0]
    return [round(value, 5) for value in taken.tolist()]
