"""How well a frozen base model predicts texts: their perplexities, after examples of a domain.

Texts go in batches of like length, and what stands before them is read once. Knows torch; knows
neither rows nor what follows from a perplexity.
"""

import copy
import time
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from adapters.children import Emit
from adapters.evaluation.process.generation import choose_dtype

BATCH_TOKENS = 1_024  # read at a time, padding included: keeps the logits within some 300 MB
SEPARATOR = "\n\n"  # between examples, and between them and a text


def measure_perplexities(job: Mapping[str, Any], emit: Emit) -> list[float | None]:
    """Return the perplexity of each text, in their order; None for a text without tokens.

    Args:
        job: `base` (folder), `threads`, `texts`, `examples` (texts that stand before each of
            them), `most_tokens` read of a text and `most_example_tokens` of an example.
        emit: Takes what is going on.
    """
    if job["threads"]:
        torch.set_num_threads(job["threads"])
    tokenizer = AutoTokenizer.from_pretrained(job["base"])
    model = AutoModelForCausalLM.from_pretrained(job["base"], dtype=choose_dtype()).eval()
    if torch.cuda.is_available():
        model = model.to("cuda")
    before = _before(tokenizer, job["examples"], job["most_example_tokens"])
    texts = [
        tokenizer(text, add_special_tokens=False)["input_ids"][: job["most_tokens"]]
        for text in job["texts"]
    ]
    found: list[float | None] = [None] * len(texts)
    began, done, total = time.monotonic(), 0, sum(map(len, texts))
    with torch.inference_mode():
        cache = _read(model, before[:-1])
        for chosen in _batches(texts):
            batch = [[before[-1], *texts[i]] for i in chosen]
            for i, one in zip(chosen, _perplexities(model, cache, batch, len(before)), strict=True):
                found[i] = one
            done += sum(len(texts[i]) for i in chosen)
            eta_s = (time.monotonic() - began) / done * (total - done)
            message = f"{done:,} of {total:,} tokens read"
            emit({"message": message, "done": done, "total": total, "eta_s": round(eta_s, 1)})
    return found


def _before(tokenizer: Any, examples: Sequence[str], most_tokens: int) -> list[int]:
    """Return the ids that stand before every text, at least one."""
    start = tokenizer.bos_token_id
    ids = [tokenizer.eos_token_id if start is None else start]
    for example in examples:
        ids += tokenizer(example, add_special_tokens=False)["input_ids"][:most_tokens]
        ids += tokenizer(SEPARATOR, add_special_tokens=False)["input_ids"]
    return ids


def _batches(texts: Sequence[Sequence[int]]) -> list[list[int]]:
    """Return the places of the texts with tokens, in batches of like length, the longest first."""
    batches: list[list[int]] = []
    longest = 0
    for i in sorted((i for i, ids in enumerate(texts) if ids), key=lambda i: -len(texts[i])):
        if not batches or (len(batches[-1]) + 1) * longest > BATCH_TOKENS:
            batches.append([])
            longest = len(texts[i])
        batches[-1].append(i)
    return batches


def _read(model: Any, ids: Sequence[int]) -> Any:
    """Return the cache of what stands before every text; None where that is nothing."""
    if not ids:
        return None
    return model(torch.tensor([ids], device=model.device), use_cache=True).past_key_values


def _perplexities(
    model: Any, cache: Any, batch: Sequence[Sequence[int]], before: int
) -> list[float]:
    """Return the perplexity of each text; its ids follow the last of the `before` ones."""
    longest = max(map(len, batch))
    padded = torch.tensor([[*ids, *[0] * (longest - len(ids))] for ids in batch])
    mask = torch.tensor(
        [[1] * (before - 1 + len(ids)) + [0] * (longest - len(ids)) for ids in batch]
    )
    own = None
    if cache is not None:
        own = copy.deepcopy(cache)  # a model writes into the one it is given
        own.batch_repeat_interleave(len(batch))
    ids = padded.to(model.device)
    logits = model(
        input_ids=ids, attention_mask=mask.to(model.device), past_key_values=own
    ).logits  # (n_batch, longest, vocabulary)
    perplexities = []
    for row, scores, given in zip(ids, logits, batch, strict=True):
        wanted = row[1 : len(given)]
        loss = torch.nn.functional.cross_entropy(scores[: len(wanted)].float(), wanted)
        perplexities.append(round(float(loss.exp()), 4))
    return perplexities
