"""Rows of the base model's own answers, mixed in so that an adapter forgets less.

The base model answers general prompts greedily before it is changed; learning those answers again
beside the task holds it where it was. Knows a loaded model; knows nothing of trainers.
"""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

from adapters.config import TrainingConfig
from adapters.data import Example, Message, load_rows, to_examples

REPLAY_FILE = "replay.jsonl"  # in the run's folder: a resumed run learns the same answers
MOST_ANSWER_TOKENS = 96  # enough for the manner of an answer; each costs a pass through the model
BATCH = 8

PROMPTS = (
    "Hello! How are you today?",
    "What can you help me with?",
    "Explain in two sentences what a database index is for.",
    "Write a polite e-mail that moves a meeting to Thursday.",
    "Give three tips for sleeping better.",
    "What is the difference between weather and climate?",
    "Summarise the idea of supply and demand for a child.",
    "Translate into German: The train leaves at nine.",
    "Name three animals that live in the desert.",
    "Write a Python function that reverses a string.",
    "How do I boil an egg so that the yolk stays soft?",
    "What does the word 'reluctant' mean? Use it in a sentence.",
    "A shop sells pens at 3 for 2 euros. What do 12 pens cost?",
    "Write a four-line poem about the sea.",
    "Which planet is the largest in our solar system?",
    "List the steps to change the tyre of a bicycle.",
    "What should I check before I sign a rental contract?",
    "Rewrite more politely: Send me the file now.",
    "Tell me a short joke about computers.",
    "Who are you?",
    "What is photosynthesis?",
    "Give me a packing list for two rainy days in the mountains.",
    "Is the following sentence correct? 'He go to school every day.'",
    "Write a headline for an article about city gardens.",
    "Explain the rule of three in arithmetic with an example.",
    "What are the advantages and drawbacks of working from home?",
    "Sort these numbers from small to large: 14, 3, 27, 9.",
    "Describe the taste of a ripe mango to somebody who never ate one.",
    "I feel nervous about a job interview. What can I do?",
    "Write the numbers from one to five in French.",
    "请用两句话介绍一下你自己。",
    "写一封简短的邮件，感谢同事的帮助。",
    "解释一下什么是通货膨胀。",
    "把这句话翻译成英文：明天下午三点开会。",
    "给出三条节约用水的建议。",
    "一个长方形长8米、宽5米，面积是多少？",
    "推荐一个适合周末的短途活动，并说明理由。",
    "用一句话说明人工智能和机器学习的关系。",
)


def prepare_replay(
    config: TrainingConfig,
    model: Any,
    tokenizer: Any,
    *,
    learned: int,
    run_dir: Path,
    beat: Callable[[int, int], None],
) -> list[Example]:
    """Return the replayed rows of a run.

    Args:
        config: Says how many, and whose prompts.
        model: The base model, not yet changed.
        tokenizer: Of the base model.
        learned: Examples of the task.
        run_dir: Where the answers are kept for a resumed run.
        beat: Told how many prompts of how many are answered.

    Returns:
        `replay_ratio` times `learned` rows; with fewer prompts than that, prompts come again.
    """
    wanted = round(config.replay_ratio * learned)
    if not wanted:
        return []
    kept = run_dir / REPLAY_FILE
    if not kept.exists():
        prompts = _choose_prompts(config)[:wanted]
        answers = _answer(prompts, model, tokenizer, beat)
        draft = kept.with_suffix(".new")
        draft.write_text(
            "".join(
                json.dumps({"messages": [*prompt, answer]}, ensure_ascii=False) + "\n"
                for prompt, answer in zip(prompts, answers, strict=True)
                if answer["content"].strip()
            ),
            encoding="utf-8",
        )
        draft.replace(kept)
    examples = to_examples(load_rows([kept]), mask_history=True)
    return [examples[i % len(examples)] for i in range(wanted)]


def _choose_prompts(config: TrainingConfig) -> list[list[dict[str, str]]]:
    if not config.replay_dataset:
        return [[Message("user", prompt).as_dict()] for prompt in PROMPTS]
    rows = load_rows(config.replay_dataset)
    return [[message.as_dict() for message in row.messages[:-1]] for row in rows]


def _answer(
    prompts: Sequence[list[dict[str, str]]],
    model: Any,
    tokenizer: Any,
    beat: Callable[[int, int], None],
) -> list[dict[str, str]]:
    """Answer greedily, several prompts at a time."""
    tokenizer.padding_side, side = "left", tokenizer.padding_side
    model.eval()
    answers: list[dict[str, str]] = []
    for start in range(0, len(prompts), BATCH):
        beat(start, len(prompts))
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
                max_new_tokens=MOST_ANSWER_TOKENS,
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
