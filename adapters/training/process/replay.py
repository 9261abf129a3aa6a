"""Rows of the base model's own answers, mixed in so that an adapter forgets less.

The base model answers general prompts greedily before it is changed; learning those answers again
beside the task keeps it close to what it was. Knows a loaded model; knows nothing of trainers.
"""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

from adapters.config import TrainingConfig
from adapters.data import Example, Message, load_rows, to_examples
from adapters.data.general_prompts import general_prompts

REPLAY_FILE = "replay.jsonl"  # in the run's folder: a resumed run learns the same answers
MAX_ANSWER_TOKENS = 96  # enough for the manner of an answer; each costs a pass through the model
BATCH = 8


def prepare_replay(
    config: TrainingConfig,
    model: Any,
    tokenizer: Any,
    *,
    examples: int,
    run_dir: Path,
    on_answers: Callable[[int, int], None],
) -> list[Example]:
    """Return the replayed rows of a run.

    Args:
        config: Says how many, and whose prompts.
        model: The base model, not yet changed.
        tokenizer: Of the base model.
        examples: How many examples of the task there are.
        run_dir: Where the answers are stored for a resumed run.
        on_answers: Told how many prompts of how many are answered.

    Returns:
        `replay_ratio` times `examples` rows; with fewer prompts than that, prompts come again.
    """
    wanted = round(config.replay_ratio * examples)
    if not wanted:
        return []
    file = run_dir / REPLAY_FILE
    if not file.exists():
        prompts = choose_prompts(config)[:wanted]
        answers = _answer(prompts, model, tokenizer, on_answers)
        draft = file.with_suffix(".new")
        draft.write_text(
            "".join(
                json.dumps({"messages": [*prompt, answer]}, ensure_ascii=False) + "\n"
                for prompt, answer in zip(prompts, answers, strict=True)
                if answer["content"].strip()
            ),
            encoding="utf-8",
        )
        draft.replace(file)
    replayed = to_examples(load_rows([file]), mask_history=True)
    return [replayed[i % len(replayed)] for i in range(wanted)]


def choose_prompts(config: TrainingConfig) -> list[list[dict[str, str]]]:
    """Return the prompts to be answered: those of `replay_dataset`, or general ones."""
    if not config.replay_dataset:
        return general_prompts()
    rows = load_rows(config.replay_dataset)
    return [[message.as_dict() for message in row.messages[:-1]] for row in rows]


def _answer(
    prompts: Sequence[list[dict[str, str]]],
    model: Any,
    tokenizer: Any,
    on_answers: Callable[[int, int], None],
) -> list[dict[str, str]]:
    """Answer greedily, several prompts at a time."""
    tokenizer.padding_side, side = "left", tokenizer.padding_side
    model.eval()
    answers: list[dict[str, str]] = []
    for start in range(0, len(prompts), BATCH):
        on_answers(start, len(prompts))
        batch = tokenizer.apply_chat_template(
            prompts[start : start + BATCH],
            add_generation_prompt=True,
            padding=True,
            return_tensors="pt",
            return_dict=True,
        ).to(model.device)
        with torch.inference_mode():
            ids = model.generate(
                input_ids=batch["input_ids"],
                attention_mask=batch["attention_mask"],
                do_sample=False,
                max_new_tokens=MAX_ANSWER_TOKENS,
                use_cache=True,
                pad_token_id=tokenizer.pad_token_id,
            )
        texts = tokenizer.batch_decode(
            ids[:, batch["input_ids"].shape[1] :], skip_special_tokens=True
        )
        answers += [Message("assistant", text.strip()).as_dict() for text in texts]
    tokenizer.padding_side = side
    model.train()
    return answers
