"""How near are rows to a description of their domain, and how near are others?

`python -m tests.benchmarks.domain_rows [--data FOLDER] [--model FOLDER] [--rows N] [--json]`
embeds rows of two tasks, and Wikipedia questions, and prints for each description and each floor
of similarity which share of the task's own rows and of the others it keeps. The floors in
`service/fine_tuning/data_checks.py` are chosen from this.
"""

import argparse
import json
import random
import sys
from pathlib import Path
from typing import Any

import numpy as np

from knowledge import SentenceTransformerEmbedder
from tests.benchmarks.corpora import DATA, find_embedder, read_rows

DESCRIPTIONS = {
    "sft/support_style_en.jsonl": (
        "Customer support of an online shop: orders, delivery, payment, refunds, accounts",
        "customer support",
        "You are a polite support agent. Help customers with their orders, refunds and accounts.",
    ),
    "sft/facts_json_en.jsonl": (
        "Descriptions of restaurants: name, food, price range, area, customer rating",
        "restaurants",
        "Extract the restaurant facts from the user's text.",
    ),
}
QUESTIONS = "rag_en/queries.jsonl"
FLOORS = (0.10, 0.15, 0.20, 0.25, 0.30)


def texts_of(file: Path, count: int) -> list[str]:
    """Return `count` rows of a file as texts, drawn with a fixed seed."""
    rows = random.Random(0).sample(read_rows(file), count)
    if file.name == Path(QUESTIONS).name:
        return [f"{row['question']}\n{row['answers'][0]}" for row in rows]
    spoken = [[turn for turn in row["messages"] if turn["role"] != "system"] for row in rows]
    return ["\n".join(turn["content"] for turn in turns) for turns in spoken]


def measure(data: Path, embedder: SentenceTransformerEmbedder, count: int) -> list[dict[str, Any]]:
    """Return one row for each description: the shares kept at every floor."""
    names = (*DESCRIPTIONS, QUESTIONS)
    vectors = {name: embedder.embed_passages(texts_of(data / name, count)) for name in names}
    measured = []
    for task, descriptions in DESCRIPTIONS.items():
        for description, vector in zip(
            descriptions, embedder.embed_passages(descriptions), strict=True
        ):
            own = vectors[task] @ vector
            others = np.concatenate([vectors[name] @ vector for name in names if name != task])
            kept = {
                f"{floor:.2f}": [round(float((c >= floor).mean()), 3) for c in (own, others)]
                for floor in FLOORS
            }
            measured.append({"task": task, "description": description, "kept": kept})
    return measured


def main() -> None:
    """Print the shares."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the data sets")
    parser.add_argument("--model", help="folder or id of the embedder; default: the prepared one")
    parser.add_argument("--rows", type=int, default=80, help="rows of each file")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    model = find_embedder(args.model)
    if model is None or not (args.data / QUESTIONS).exists():
        sys.stdout.write("no embedder, or no data\n")
        return
    measured = measure(args.data, SentenceTransformerEmbedder.load(model), args.rows)
    if args.json:
        sys.stdout.write(json.dumps(measured) + "\n")
        return
    for row in measured:
        sys.stdout.write(f"{row['task']}: {row['description']}\n")
        for floor, (own, others) in row["kept"].items():
            sys.stdout.write(f"  {floor}  own {own:.3f}  others {others:.3f}\n")


if __name__ == "__main__":
    main()
