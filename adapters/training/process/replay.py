"""Rows of the base model's own answers, mixed in so that an adapter forgets less.

The base model answers general prompts greedily before it is changed; learning those answers again
beside the task holds it where it was. Knows a loaded model; knows nothing of trainers.
"""

import json
from collections.abc import Callable, Sequence
from itertools import chain, zip_longest
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


_CITE = "Answer with the passages and name those you use by number, such as [2]."
_CITE_ZH = "请用资料作答，并写出所用资料的编号，例如[2]。"
_ONLY = "Use nothing but the passages. Where they do not tell, say that you do not know."
_ONLY_ZH = "只能使用资料里的内容；资料里没有说的，就说不知道。"

WITH_PASSAGES = (
    (_CITE, ("The pool is closed on Mondays.", "A swim costs four euros."), "What costs a swim?"),
    (_ONLY, ("The hotel has two lifts.", "Breakfast is at eight."), "Is there a sauna?"),
    (_CITE_ZH, ("药店晚上九点关门。", "药店在二楼。"), "药店在几楼？"),
    (_CITE, ("The report is due in June.", "Ada writes the report."), "When is the report due?"),
    (_ONLY_ZH, ("体育馆有六个羽毛球场。", "场地需要提前预订。"), "体育馆是谁设计的？"),
    (_CITE, ("The kiln reaches 1,200 degrees.", "It cools for a day."), "How hot is the kiln?"),
    (_ONLY, ("The train has a dining car.", "It stops in Graz."), "Who drives the train?"),
    (_CITE_ZH, ("快递柜可以保管三天。", "取件码会用短信发送。"), "快递柜可以保管多久？"),
    (_CITE, ("The garden is free.", "Dogs are kept on a lead."), "Must dogs be on a lead?"),
    (_ONLY, ("The phone weighs 180 grams.", "It comes in blue."), "How long does it charge?"),
    (_CITE_ZH, ("食堂周末不开。", "午餐有三种套餐。"), "食堂周末开吗？"),
    (_CITE, ("Tickets are sold at gate 3.", "Gate 5 is for guests."), "Where are tickets sold?"),
    (_ONLY_ZH, ("这款相机防水。", "相机附带一条肩带。"), "这款相机多少钱？"),
    (_CITE, ("The lecture is in room 12.", "It lasts two hours."), "How long is the lecture?"),
    (_CITE_ZH, ("打印机在走廊尽头。", "打印纸由前台发放。"), "打印纸在哪里领？"),
    (_ONLY, ("The museum shows glass.", "Its café is upstairs."), "When was the museum opened?"),
)
"""System message, passages, question. The other prompts alone let the habit of citing go: 6 of 20
guard items by the base, 2 after 300 rows of another task, 1 with replay of those."""


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
        prompts = choose_prompts(config)[:wanted]
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


def choose_prompts(config: TrainingConfig) -> list[list[dict[str, str]]]:
    """Return the prompts to be answered: those of `replay_dataset`, or a small set of ours."""
    if not config.replay_dataset:
        return _own_prompts()
    rows = load_rows(config.replay_dataset)
    return [[message.as_dict() for message in row.messages[:-1]] for row in rows]


def _own_prompts() -> list[list[dict[str, str]]]:
    """Return both kinds by turns, so that the first few hold some of each."""
    plain = [[Message("user", prompt)] for prompt in PROMPTS]
    shown = [
        [Message("system", told), Message("user", _lay_out(passages, question))]
        for told, passages, question in WITH_PASSAGES
    ]
    by_turns = chain.from_iterable(zip_longest(shown, plain))
    return [[message.as_dict() for message in turns] for turns in by_turns if turns]


def _lay_out(passages: Sequence[str], question: str) -> str:
    lines = "\n".join(f"[{place}] {text}" for place, text in enumerate(passages, start=1))
    if question.isascii():
        return f"Passages:\n{lines}\n\nQuestion: {question}"
    return f"资料：\n{lines}\n\n问题：{question}"


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
