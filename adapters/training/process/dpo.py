"""Direct preference optimisation with LoRA: one recipe, read from top to bottom.

TRL's DPOTrainer and PEFT do the training; the reference is the same model with the adapter off.
Knows torch and the pairs; knows no processes or registry.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from trl import DPOConfig, DPOTrainer

from adapters.config import TrainingConfig
from adapters.data import ContextCounts, Message, Pair
from adapters.training.events import TrainingEvent
from adapters.training.process.adapter_folder import (
    Timer,
    TrainedAdapter,
    to_ids,
    write_adapter_folder,
)
from adapters.training.process.lora import load_base, make_lora
from adapters.training.process.preparation import ModelTokens, load_tokenizer, prepare
from adapters.training.process.trainer import (
    Progress,
    Tell,
    follow_order,
    run_trainer,
    shared_arguments,
    to_dataset,
)

CONFIDENCE_Z = 1.96  # two-sided 95 %


def train(job: Mapping[str, Any], tell: Tell) -> None:
    """Train the adapter a job describes and write its folder; see `sft.train`."""
    config = TrainingConfig.model_validate(job["config"])
    timer = Timer()

    # The pairs, before the base model: what teaches nothing is refused within seconds.
    tokenizer = load_tokenizer(job["base"]["folder"], job["base"]["id"])
    material = prepare(config, tokenizer)
    tell(TrainingEvent("data", material.describe(), counts=material.counts))
    if left_out := material.counts["answers_left_out"]:
        tell(TrainingEvent("warning", f"{left_out} pairs have no answer within cutoff_len"))
    timer.lap("prepare")

    # The base model and the trainer.
    model = load_base(job["base"]["folder"], config, longest=max(material.lengths))
    timer.lap("load")
    trainer = DPOTrainer(
        model=model,
        processing_class=tokenizer,
        args=DPOConfig(
            **shared_arguments(config, job["run_dir"], evaluates=bool(material.held_out_examples)),
            beta=config.pref_beta,
        ),
        train_dataset=to_dataset(material.examples, config.method),
        eval_dataset=to_dataset(material.held_out_examples, config.method),
        peft_config=make_lora(config, model),
        callbacks=[Progress(tell, job["run_dir"])],
    )
    follow_order(trainer, config, material.lengths)
    timer.lap("tokenize")
    run_trainer(trainer, job, tell)
    timer.lap("train")
    if not trainer.is_world_process_zero():
        return

    # Held-out pairs, with the adapter off and on.
    measured: dict[str, Any] = {}
    if material.held_out_examples:
        tell(TrainingEvent("heartbeat", "scoring the held-out pairs"))
        measured["preference"] = judge_pairs(
            trainer.model,
            ModelTokens(tokenizer),
            material.held_out_examples,
            limit=config.cutoff_len,
        )
    timer.lap("judge")
    done = TrainedAdapter(
        trainer=trainer,
        tokenizer=tokenizer,
        material=material,
        probes=[to_ids(tokenizer, pair) for pair in material.trained_rows],
        context=ContextCounts(len(material.trained_rows), 0, 0, 0),
        measured=measured,
        extra={},
    )
    write_adapter_folder(config, job, done, timer, tell)


def judge_pairs(
    model: Any, tokens: ModelTokens, pairs: Sequence[Pair], *, limit: int
) -> dict[str, Any]:
    """Say how often a model prefers the answer that people prefer.

    Args:
        model: The base model with its adapter (PEFT).
        tokens: Of the base model.
        pairs: Held out of the training.
        limit: Most tokens of prompt and answer.

    Returns:
        `reward_accuracy`: share of pairs whose preferred answer gained more log-probability from
        the adapter than the other one. Without an adapter both gain nothing, which is 0.5.
        `likelihood_accuracy` with `before` and `after`: share of pairs whose preferred answer is
        the likelier for each token, with the adapter off and on. Each with its 95 % interval.
    """
    model.eval()
    with model.disable_adapter():
        before = [_score_pair(model, tokens, pair, limit) for pair in pairs]
    after = [_score_pair(model, tokens, pair, limit) for pair in pairs]
    gains = [(a[0][0] - b[0][0]) - (a[1][0] - b[1][0]) for a, b in zip(after, before, strict=True)]
    rewarded = sum(1.0 if gain > 0 else 0.5 if gain == 0 else 0.0 for gain in gains)
    likelier = {
        when: sum(chosen[1] > rejected[1] for chosen, rejected in scores)
        for when, scores in (("before", before), ("after", after))
    }
    n = len(pairs)
    return {
        "pairs": n,
        "reward_accuracy": rewarded / n,
        "reward_accuracy_interval": wilson_interval(rewarded, n),
        "reward_accuracy_base": 0.5,
        "reward_margin": sum(gains) / n,
        "likelihood_accuracy": {when: count / n for when, count in likelier.items()},
        "likelihood_accuracy_interval": {
            when: wilson_interval(count, n) for when, count in likelier.items()
        },
    }


def wilson_interval(hits: float, trials: int) -> tuple[float, float]:
    """Return the 95 % interval of a share, by Wilson's score (1927)."""
    share, z2 = hits / trials, CONFIDENCE_Z**2
    centre = (share + z2 / (2 * trials)) / (1 + z2 / trials)
    half = (
        CONFIDENCE_Z
        / (1 + z2 / trials)
        * math.sqrt(share * (1 - share) / trials + z2 / (4 * trials**2))
    )
    return (max(0.0, centre - half), min(1.0, centre + half))


def _score_pair(
    model: Any, tokens: ModelTokens, pair: Pair, limit: int
) -> tuple[tuple[float, float], tuple[float, float]]:
    return (
        _score(model, tokens, pair.prompt, pair.chosen, limit),
        _score(model, tokens, pair.prompt, pair.rejected, limit),
    )


def _score(
    model: Any, tokens: ModelTokens, prompt: Sequence[Message], answer: Message, limit: int
) -> tuple[float, float]:
    """Return the log-probability of an answer, in sum and for each token (natural logarithm)."""
    start = len(tokens.ids(prompt, answers_next=True))
    ids = torch.tensor([tokens.ids((*prompt, answer))[:limit]], device=model.device)
    if ids.shape[1] <= start:
        return 0.0, 0.0
    with torch.inference_mode():
        logits = model(input_ids=ids).logits[0, start - 1 : -1].float()  # (answer, vocabulary)
    taken = torch.log_softmax(logits, dim=-1).gather(1, ids[0, start:, None])
    return float(taken.sum()), float(taken.mean())
