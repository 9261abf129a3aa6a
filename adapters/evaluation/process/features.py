"""What a frozen base model makes of prompts, and how well a linear layer tells labels by it.

Features are the mean of the last hidden states over a prompt's tokens. A logistic regression is
fitted on four fifths of the rows and guesses the others, in turn. Knows torch and scikit-learn;
knows no scores.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from transformers import AutoModel, AutoTokenizer

from adapters.errors import BaseModelNotFound
from adapters.evaluation.process.generation import choose_dtype

BATCH = 16  # prompts at a time
MAX_STEPS = 2_000  # of the solver; some hundred are usual

Emit = Callable[[Mapping[str, object]], None]


def guess_labels(job: Mapping[str, Any], emit: Emit) -> dict[str, list[str]]:
    """Guess the label of every row by a layer that was fitted without the row and its source.

    Args:
        job: `base` (folder), `threads`, `prompts` (lists of chat turns), `labels`, `groups` (rows
            of one group are never split), `folds`, `seed` and `most_tokens` of a prompt.
        emit: Takes what is going on.

    Returns:
        `guesses` of the linear layer and of `majority`, the most frequent label of the rows
        fitted on; both in the order of the rows.

    Raises:
        BaseModelNotFound: The base model has no chat template.
    """
    if job["threads"]:
        torch.set_num_threads(job["threads"])
    features = _features(job, emit)
    folds = StratifiedGroupKFold(job["folds"], shuffle=True, random_state=job["seed"])
    learners = {
        "guesses": make_pipeline(StandardScaler(), LogisticRegression(max_iter=MAX_STEPS)),
        "majority": DummyClassifier(strategy="most_frequent"),
    }
    return {
        name: cross_val_predict(
            learner, features, job["labels"], groups=job["groups"], cv=folds
        ).tolist()
        for name, learner in learners.items()
    }


def _features(job: Mapping[str, Any], emit: Emit) -> npt.NDArray[np.float32]:
    """Return (n, hidden size) float32: one mean of last hidden states for each prompt."""
    tokenizer = AutoTokenizer.from_pretrained(job["base"], padding_side="right")
    if not tokenizer.chat_template:
        raise BaseModelNotFound(
            f"{job['base']} has no chat template, which is needed to read prompts"
        )
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    model = AutoModel.from_pretrained(job["base"], dtype=choose_dtype()).eval()
    if torch.cuda.is_available():
        model = model.to("cuda")
    ids = [
        list(tokenizer.apply_chat_template(turns, add_generation_prompt=True, return_dict=False))
        for turns in job["prompts"]
    ]
    ids = [prompt[-job["most_tokens"] :] for prompt in ids]  # the question stands at the end
    order = sorted(range(len(ids)), key=lambda i: len(ids[i]))
    found: list[npt.NDArray[np.float32]] = [np.empty(0, np.float32)] * len(ids)
    began, tokens, left = time.monotonic(), 0, sum(len(prompt) for prompt in ids)
    for start in range(0, len(order), BATCH):
        chosen = order[start : start + BATCH]
        means = _means(model, tokenizer, [ids[i] for i in chosen])
        for i, mean in zip(chosen, means, strict=True):
            found[i] = mean
        done = sum(len(ids[i]) for i in chosen)
        tokens, left = tokens + done, left - done
        eta_s = (time.monotonic() - began) / tokens * left
        message = f"{start + len(chosen)} of {len(ids)} prompts read"
        told = {"message": message, "done": start + len(chosen), "total": len(ids)}
        emit({**told, "eta_s": round(eta_s, 1)})
    return np.stack(found)


def _means(model: Any, tokenizer: Any, prompts: Sequence[Sequence[int]]) -> npt.NDArray[np.float32]:
    batch = tokenizer.pad({"input_ids": list(prompts)}, return_tensors="pt").to(model.device)
    with torch.inference_mode():
        states = model(**batch).last_hidden_state.float()
    mask = batch["attention_mask"].unsqueeze(-1)
    means: npt.NDArray[np.float32] = ((states * mask).sum(1) / mask.sum(1)).cpu().numpy()
    return means
