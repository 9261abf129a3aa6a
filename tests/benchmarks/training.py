"""Our training against TRL's own script: `python -m tests.benchmarks.training [--json]`.

Both learn the same rows of facts_json_en in child processes, one after the other and each first by
turns, so that a slow spell of the machine hits both. TRL's script (`trl_script.py`) runs twice
over: with TRL's own defaults, and with our precision and without recomputing in the backward pass.
Tokens are what the model read, without padding; seconds are those of `trainer.train()`; memory is
the largest of the whole process, our effect check included. Exit code 1 if TRL's faster way is
faster than ours or its leaner way leaner, 0 where rows or base model are absent.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from adapters import (
    AdaptersConfig,
    ModelFolder,
    TrainingConfig,
    describe_base_model,
    load_rows,
    parse_training_config,
    run_training,
)
from tests.benchmarks.corpora import DATA

ROWS = "sft/facts_json_en.jsonl"
TASK = "benchmark"
MEMORY_NOISE = 0.01  # peaks of the same run differ by less: pages the allocator gave back or kept
WAYS = ("ours", "trl", "trl_like_ours")
Figures = dict[str, float]


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print; 1 if TRL's script is faster or leaner."""
    options = _options(argv)
    source, base = options.rows_file or options.data / ROWS, _find_base(options.base)
    if not source.is_file() or base is None:
        missing = "no base model" if source.is_file() else f"{source} is not there"
        sys.stdout.write(json.dumps({"skipped": missing}) + "\n")
        return 0
    figures = measure(source, base, steps=options.steps, rounds=options.rounds)
    if options.json:
        sys.stdout.write(json.dumps(figures) + "\n")
    else:
        _print(figures)
    return 0 if all(figures["reached"].values()) else 1


def measure(source: Path, base: ModelFolder, *, steps: int, rounds: int) -> dict[str, Any]:
    """Return the figures of each way, and how ours stand to TRL's better ones."""
    runs: dict[str, list[Figures]] = {way: [] for way in WAYS}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        config = _configure(source, base, folder, steps)
        ways: dict[str, Callable[[], Figures]] = {
            "ours": lambda: _train_ours(config, base, folder),
            "trl": lambda: _train_trl(config, base, folder, like_ours=False),
            "trl_like_ours": lambda: _train_trl(config, base, folder, like_ours=True),
        }
        for number in range(rounds):
            for way in WAYS if number % 2 == 0 else reversed(WAYS):
                _say(f"round {number + 1} of {rounds}: {way}")
                runs[way].append(ways[way]())
    found: dict[str, Any] = {way: _sum_up(runs[way]) for way in WAYS}
    theirs = [found["trl"], found["trl_like_ours"]]
    found["speed_ratio"] = found["ours"]["tokens_per_s"] / max(t["tokens_per_s"] for t in theirs)
    found["memory_ratio"] = found["ours"]["memory_mb"] / min(t["memory_mb"] for t in theirs)
    found["reached"] = {
        "speed": found["speed_ratio"] >= 1.0,
        "memory": found["memory_ratio"] <= 1.0 + MEMORY_NOISE,
    }
    return found


def _configure(source: Path, base: ModelFolder, folder: Path, steps: int) -> TrainingConfig:
    """Write as many rows as the steps learn once, in the two forms, and return our settings."""
    values = {"task": TASK, "model_name_or_path": base.id, "dataset": "rows.jsonl"}
    config = parse_training_config({**values, "max_steps": steps, "force": True}, folder=folder)
    count = steps * config.per_device_train_batch_size * config.gradient_accumulation_steps
    turns = [[turn.as_dict() for turn in row.messages] for row in load_rows([source])[:count]]
    _write_rows(folder / "rows.jsonl", [{"messages": row} for row in turns])
    _write_rows(
        folder / "trl.jsonl", [{"prompt": row[:-1], "completion": row[-1:]} for row in turns]
    )
    return config


def _train_ours(config: TrainingConfig, base: ModelFolder, folder: Path) -> Figures:
    before = _children_s()
    result = run_training(
        config,
        base=base,
        into=folder / "adapters",
        environment=dict(os.environ),
        settings=AdaptersConfig(training_nice=0),
    )
    metrics: Mapping[str, Any] = result.metrics
    run: Mapping[str, Any] = result.run
    return {
        "tokens": metrics["tokens"],
        "train_s": run["timings_s"]["train"],
        "memory_mb": run["peak_memory_bytes"] / 1e6,
        "processor_s": _children_s() - before,
    }


def _train_trl(
    config: TrainingConfig, base: ModelFolder, folder: Path, *, like_ours: bool
) -> Figures:
    job = {
        "model": str(base.folder),
        "rows": str(folder / "trl.jsonl"),
        "folder": str(folder / "trl"),
        "result": str(folder / "result.json"),
        "steps": config.max_steps,
        "batch": config.per_device_train_batch_size,
        "accumulation": config.gradient_accumulation_steps,
        "max_length": config.cutoff_len,
        "learning_rate": config.learning_rate,
        "rank": config.lora_rank,
        "alpha": config.alpha,
        "like_ours": like_ours,
    }
    (folder / "job.json").write_text(json.dumps(job), encoding="utf-8")
    before = _children_s()
    quiet = {"HF_HUB_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.trl_script", str(folder / "job.json")],
        env={**os.environ, **quiet, "HF_DATASETS_CACHE": str(folder / "cache")},
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise SystemExit(f"TRL's script failed:\n{done.stderr[-2000:]}")
    result = json.loads((folder / "result.json").read_text(encoding="utf-8"))
    return {
        "tokens": result["tokens"],
        "train_s": result["train_s"],
        "memory_mb": result["memory_bytes"] / 1e6,
        "processor_s": _children_s() - before,
    }


def _sum_up(runs: Sequence[Figures]) -> Figures:
    tokens, seconds = sum(run["tokens"] for run in runs), sum(run["train_s"] for run in runs)
    return {
        "tokens_per_s": tokens / seconds,
        "memory_mb": max(run["memory_mb"] for run in runs),
        "processor_s": sum(run["processor_s"] for run in runs),
        "tokens": tokens,
        "train_s": seconds,
    }


def _print(figures: Mapping[str, Any]) -> None:
    names = ("tokens_per_s", "memory_mb", "processor_s", "tokens", "train_s")
    out = [f"{'':<16}" + "".join(f"{name:>14}" for name in names)]
    out += [
        f"{way:<16}" + "".join(f"{figures[way][name]:>14.1f}" for name in names) for way in WAYS
    ]
    for name in ("speed", "memory"):
        verdict = "reached" if figures["reached"][name] else "missed"
        out.append(f"{name} ratio {figures[f'{name}_ratio']:.2f}: {verdict}")
    sys.stdout.write("\n".join(out) + "\n")


def _find_base(given: Path | None) -> ModelFolder | None:
    """Return the given base model, or the first prepared one, or None where there is none."""
    if given is not None:
        return describe_base_model(given)
    home = Path(os.environ.get("FINGERPOST_HOME", ".fingerpost"))
    found = sorted(path.parent for path in home.glob("models/*/tokenizer_config.json"))
    models = [path for path in found if not (path / "modules.json").exists()]
    return describe_base_model(models[0]) if models else None


def _write_rows(path: Path, rows: Sequence[Mapping[str, object]]) -> None:
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    path.write_text(text, encoding="utf-8")


def _children_s() -> float:
    """Return the processor seconds of all child processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _say(text: str) -> None:
    sys.stderr.write(text + "\n")


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tests.benchmarks.training", description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--rows-file", type=Path, help=f"rows to train on; default: DATA/{ROWS}")
    parser.add_argument("--base", type=Path, help="folder of the base model; default: prepared one")
    parser.add_argument("--steps", type=int, default=3, help="optimizer steps of each run")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--json", action="store_true")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
