"""Answers of a model to many prompts, on the machine at hand, by plain transformers.

Greedy, in batches of like length padded on the left. An adapter is merged into its base model
first: on a CPU it then answers as fast as the base. Knows torch and chat turns; knows no metric.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

from adapters.errors import BaseModelNotFound

BATCH = 32  # prompts at a time; own choice, some hundred MB of cache for a small base model
MIN_NEW_TOKENS = 16
MAX_NEW_TOKENS = 512
NEW_TOKENS_SHARE = 1.25  # of the longest wanted answer: a model that goes on is wrong by then
MIN_EVENT_GAP_S = 0.5

Emit = Callable[[Mapping[str, object]], None]


def generate_all(job: Mapping[str, Any], emit: Emit) -> dict[str, Any]:
    """Answer the prompts of every arm.

    Args:
        job: `base` (folder), `threads` and `arms`: each `name`, `adapter` (folder or none),
            `prompts` (lists of chat turns) and `wanted` (texts) or `max_new_tokens`.
        emit: Takes what is going on.

    Returns:
        `dtype` and for each arm `answers` (texts in the order of the prompts), `tokens`
        generated, `took_s`, and `cut` prompts that were longer than the model reads.

    Raises:
        BaseModelNotFound: The base model has no chat template.
    """
    if job["threads"]:
        torch.set_num_threads(job["threads"])
    tokenizer = AutoTokenizer.from_pretrained(job["base"], padding_side="left")
    if not tokenizer.chat_template:
        raise BaseModelNotFound(
            f"{job['base']} has no chat template, which is needed to answer prompts"
        )
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    progress = _Progress(sum(len(arm["prompts"]) for arm in job["arms"]), emit)
    arms: dict[str, Any] = {}
    loaded: str | None = ""
    model: Any = None
    for arm in job["arms"]:
        if arm["adapter"] != loaded:
            model = None  # two models at once would double the memory
            model = load_model(job["base"], arm["adapter"])
            loaded = arm["adapter"]
        arms[arm["name"]] = _answer(model, tokenizer, arm, progress)
    return {"dtype": str(model.dtype).removeprefix("torch."), "arms": arms}


def load_model(base: str, adapter: str | None) -> Any:
    """Return the base model, with the adapter merged into it if one is given."""
    model = AutoModelForCausalLM.from_pretrained(base, dtype=choose_dtype())
    if torch.cuda.is_available():
        model = model.to("cuda")
    if adapter is not None:
        model = PeftModel.from_pretrained(model, str(Path(adapter))).merge_and_unload()
    return model.eval()


def choose_dtype() -> torch.dtype:
    """Return bfloat16 where the processor multiplies it in hardware, else float32."""
    if torch.cuda.is_available():
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
    able = torch.cpu.get_capabilities()
    fast = any(able.get(name) for name in ("amx_bf16", "avx512_bf16", "bf16"))
    return torch.bfloat16 if fast else torch.float32


def _answer(
    model: Any, tokenizer: Any, arm: Mapping[str, Any], progress: "_Progress"
) -> dict[str, Any]:
    limit = arm.get("max_new_tokens") or _limit(tokenizer, arm["wanted"])
    room = max(model.config.get_text_config().max_position_embeddings - limit, 1)
    ids = [
        list(tokenizer.apply_chat_template(turns, add_generation_prompt=True, return_dict=False))
        for turns in arm["prompts"]
    ]
    cut = sum(len(prompt) > room for prompt in ids)
    ids = [prompt[-room:] for prompt in ids]
    order = sorted(range(len(ids)), key=lambda i: len(ids[i]), reverse=True)
    answers = [""] * len(ids)
    tokens, began = 0, time.monotonic()
    for start in range(0, len(order), BATCH):
        chosen = order[start : start + BATCH]
        made = _generate(model, tokenizer, [ids[i] for i in chosen], limit)
        for i, answer in zip(chosen, made, strict=True):
            answers[i] = tokenizer.decode(answer, skip_special_tokens=True).strip()
            tokens += len(answer)
        progress.tell(arm["name"], len(chosen))
    took_s = time.monotonic() - began
    return {"answers": answers, "tokens": tokens, "took_s": took_s, "cut": cut}


def _generate(
    model: Any, tokenizer: Any, prompts: Sequence[Sequence[int]], limit: int
) -> list[list[int]]:
    """Return the token ids of each answer without its end mark."""
    batch = tokenizer.pad({"input_ids": list(prompts)}, return_tensors="pt").to(model.device)
    with torch.inference_mode():
        made = model.generate(
            **batch,
            max_new_tokens=limit,
            do_sample=False,
            temperature=None,
            top_p=None,
            top_k=None,
            pad_token_id=tokenizer.pad_token_id,
        )
    ends = _end_marks(model, tokenizer)
    return [_until(ends, row) for row in made[:, batch["input_ids"].shape[1] :].tolist()]


def _end_marks(model: Any, tokenizer: Any) -> set[int]:
    told = model.generation_config.eos_token_id
    marks = told if isinstance(told, list) else [told]
    return {mark for mark in (*marks, tokenizer.eos_token_id) if mark is not None}


def _until(ends: set[int], ids: Sequence[int]) -> list[int]:
    length = next((i for i, token in enumerate(ids) if token in ends), len(ids))
    return list(ids[:length])


def _limit(tokenizer: Any, wanted: Sequence[str]) -> int:
    """Return how many tokens an answer may have: somewhat more than the longest wanted one."""
    longest = max(len(tokenizer.encode(text, add_special_tokens=False)) for text in wanted)
    return min(MAX_NEW_TOKENS, max(MIN_NEW_TOKENS, int(NEW_TOKENS_SHARE * longest) + 1))


class _Progress:
    """Tells how many prompts are answered, at most twice a second."""

    def __init__(self, total: int, emit: Emit) -> None:
        self._total = total
        self._emit = emit
        self._done = 0
        self._began = self._told = time.monotonic()

    def tell(self, arm: str, answered: int) -> None:
        self._done += answered
        now = time.monotonic()
        if now - self._told < MIN_EVENT_GAP_S and self._done < self._total:
            return
        self._told = now
        left_s = (now - self._began) / self._done * (self._total - self._done)
        message = f"{arm}: {self._done} of {self._total} answers, {left_s:.0f} s left"
        self._emit({"message": message, "done": self._done, "total": self._total, "eta_s": left_s})
