"""The shortest sensible LoRA training with TRL alone: `python -m tests.benchmarks.trl_script JOB`.

What our recipe is measured against. Rows, batch, length and LoRA layers are ours; with `like_ours`
so are the precision of the weights and what is kept for the backward pass, else TRL's own defaults
hold. JOB is a JSON file of `tests.benchmarks.training`; what was measured goes to its `result`.
"""

import json
import resource
import sys
import time
from pathlib import Path
from typing import Any

import datasets
import torch
from peft import LoraConfig
from trl import SFTConfig, SFTTrainer


def main(job: dict[str, Any]) -> None:
    """Train as a job says, and write tokens, seconds and peak memory."""
    like_ours = {"gradient_checkpointing": False, "model_init_kwargs": {"dtype": "bfloat16"}}
    trainer = SFTTrainer(
        model=job["model"],
        args=SFTConfig(
            output_dir=job["folder"],
            max_steps=job["steps"],
            per_device_train_batch_size=job["batch"],
            gradient_accumulation_steps=job["accumulation"],
            max_length=job["max_length"],
            learning_rate=job["learning_rate"],
            use_cpu=not torch.cuda.is_available(),
            logging_steps=1,
            report_to="none",
            **(like_ours if job["like_ours"] else {}),
        ),
        train_dataset=datasets.load_dataset("json", data_files=job["rows"], split="train"),
        peft_config=LoraConfig(r=job["rank"], lora_alpha=job["alpha"], target_modules="all-linear"),
    )
    began = time.perf_counter()
    trainer.train()
    seconds = time.perf_counter() - began
    trainer.save_model()
    result = {
        "tokens": max(entry.get("num_tokens", 0) for entry in trainer.state.log_history),
        "train_s": seconds,
        "memory_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    }
    Path(job["result"]).write_text(json.dumps(result), encoding="utf-8")


if __name__ == "__main__":
    main(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
