"""Two tiny adapters of one task whose answers tell which of them spoke.

Each is trained as a user would, by `fingerpost train run`, on questions that all have one answer.
`python -m tests.benchmarks.twins JOB.json` is the reference: what Hugging Face and PEFT hold to be
the next token, in a process of its own. Knows neither gateway nor engine.
"""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

TASK = "twins"
WORDS = ("amber", "cobalt")
THINGS = ("lamp", "chair", "shelf", "desk", "mirror", "carpet", "sofa", "stool", "clock", "vase")
TRAINED_ROWS = 60  # above the pilot line of 50
TRAINING: Mapping[str, Any] = {  # overfits within seconds
    "task": TASK,
    "model_name_or_path": "smollm2-135m-instruct",
    "lora_rank": 8,
    "cutoff_len": 128,
    "per_device_train_batch_size": 5,
    "gradient_accumulation_steps": 1,
    "learning_rate": 2e-3,
    "max_steps": 12,
    "save_steps": 12,
}


@dataclass(frozen=True, slots=True)
class Twin:
    """A registered adapter, and the word with which it begins every answer."""

    adapter_id: str
    word: str
    folder: Path


def question(number: int) -> str:
    """Return one of many questions that are alike and never the same."""
    return f"Which colour has the {THINGS[number % len(THINGS)]} number {number}?"


def train_twins(home: Path, scratch: Path, environment: Mapping[str, str]) -> tuple[Twin, Twin]:
    """Train and register both in `home`, where no gateway runs yet; about 20 s each."""
    first, second = (_train(word, home, scratch, environment) for word in WORDS)
    return first, second


def _train(word: str, home: Path, scratch: Path, environment: Mapping[str, str]) -> Twin:
    answer = f"{word.capitalize()}, said the keeper of the house, is its colour."
    rows = [
        {
            "messages": [
                {"role": "user", "content": question(number)},
                {"role": "assistant", "content": answer},
            ]
        }
        for number in range(TRAINED_ROWS)
    ]
    file = scratch / f"{word}.jsonl"
    file.write_text("\n".join(json.dumps(row) for row in rows))
    config = scratch / f"{word}.yaml"
    config.write_text(json.dumps({**TRAINING, "dataset": str(file)}))  # JSON is YAML
    done = subprocess.run(
        [sys.executable, "-m", "service.cli", "train", "run", str(config), "--json"],
        env=dict(environment),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"training {word} failed: {done.stdout[-2000:]}{done.stderr[-2000:]}")
    adapter_id = str(json.loads(done.stdout.splitlines()[-1])["adapter_id"])
    return Twin(adapter_id, word, home / "adapters" / adapter_id)


def next_token_reference(
    base: Path, twins: Sequence[Twin], token_ids: Sequence[int], scratch: Path
) -> dict[str, np.ndarray[Any, np.dtype[np.float32]]]:
    """Return each adapter's next-token probabilities after `token_ids`: (vocabulary,) float32."""
    job, out = scratch / "reference.json", scratch / "reference.npz"
    folders = {twin.adapter_id: str(twin.folder) for twin in twins}
    values = {"base": str(base), "adapters": folders, "token_ids": list(token_ids), "to": str(out)}
    job.write_text(json.dumps(values))
    subprocess.run([sys.executable, "-m", "tests.benchmarks.twins", str(job)], check=True)
    with np.load(out) as stored:
        return {name: stored[name] for name in stored.files}


def _write_reference(job: Mapping[str, Any]) -> None:
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    found = {}
    for name, folder in job["adapters"].items():
        model = AutoModelForCausalLM.from_pretrained(job["base"], dtype=torch.bfloat16)
        adapted = PeftModel.from_pretrained(model, folder).eval()
        with torch.inference_mode():
            logits = adapted(input_ids=torch.tensor([job["token_ids"]])).logits[0, -1].float()
        found[name] = torch.softmax(logits, dim=-1).numpy()
    np.savez(job["to"], allow_pickle=False, **found)


if __name__ == "__main__":
    _write_reference(json.loads(Path(sys.argv[1]).read_text()))
