"""The loss plot and the model card of an adapter.

Knows numbers and how to show them; knows nothing of training. Draws without a display.
"""

import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

SMOOTHING = 0.6  # weight of the past in the smoothed line, as TensorBoard's default


def draw_loss(curve: Sequence[Mapping[str, float]], folder: Path) -> None:
    """Draw the training loss by step as `loss.svg` and `loss.png`."""
    from matplotlib.figure import Figure  # takes 0.3 s: only where something is drawn

    steps = [point["step"] for point in curve]
    losses = [point["loss"] for point in curve]
    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    axes.plot(steps, losses, alpha=0.35, color="tab:blue", label="loss")
    axes.plot(steps, _smooth(losses), color="tab:blue", label="smoothed")
    axes.set_xlabel("step")
    axes.set_ylabel("training loss")
    axes.grid(visible=True, alpha=0.3)
    axes.legend()
    figure.savefig(folder / "loss.svg", metadata={"Date": None})
    figure.savefig(folder / "loss.png", dpi=120)


def draw_live_loss(log: Sequence[Mapping[str, Any]], folder: Path) -> None:
    """Draw the loss so far as `loss.svg`, from the trainer's own log; readers never see half."""
    points = [entry for entry in log if "loss" in entry]
    draft = folder / ".loss"
    draft.mkdir(exist_ok=True)
    draw_loss(points, draft)
    os.replace(draft / "loss.svg", folder / "loss.svg")
    shutil.rmtree(draft, ignore_errors=True)


def write_card(folder: Path, run: Mapping[str, Any], metrics: Mapping[str, Any]) -> None:
    """Write the model card, `README.md`, with what a later reader needs to trust the adapter."""
    base, data, lora = run["base"], run["data"], run["lora"]
    context = data["context"]
    held_out = metrics["held_out_loss"]
    lines = [
        "---",
        "library_name: peft",
        f"base_model: {base['id']}",
        "pipeline_tag: text-generation",
        f"tags: [lora, {run['config']['stage']}, fingerpost]",
        "---",
        "",
        f"# {run['adapter_id']}",
        "",
        f"A LoRA adapter for **{base['id']}** ({base['revision']}), task `{run['task']}`. "
        "It works only with this base model and revision.",
        "",
        "| | |",
        "| --- | --- |",
        f"| rows | {data['trained_rows']} trained on, {data['held_out_rows']} held out |",
        f"| rows with passages | {context['with_context']} "
        f"({context['with_distractors']} with distractors, {context['refusals']} refusals) |",
        f"| answers found in their passages | {_share(context['answer_share'])} |",
        f"| context-trained | {'yes' if run['context_trained'] else 'no'} |",
        f"| prompts shortened | {data['rows_shortened']}, {data['tokens_cut']} tokens cut |",
        f"| rank, alpha | {lora['r']}, {lora['lora_alpha']} |",
        f"| modules | {', '.join(lora['target_modules'])} |",
        f"| steps | {metrics['steps']} |",
        f"| loss, first to last | {_number(metrics['first_loss'])} to "
        f"{_number(metrics['last_loss'])} |",
        f"| loss on held-out rows | {_number(held_out)} |",
        *_preference_lines(metrics),
        f"| tokens, rate | {metrics['tokens']}, {metrics['tokens_per_s']:.0f} tokens/s "
        f"on {run['device']} |",
        f"| licence of the base model | {base['licence']} |",
        "",
        "![training loss](loss.svg)",
        "",
        "`run.json` has the full configuration, data hash, versions and seeds. A low loss means "
        "that the rows were learned, not that the answers are good: evaluate before publishing.",
        "",
    ]
    (folder / "README.md").write_text("\n".join(lines), encoding="utf-8")


def _preference_lines(metrics: Mapping[str, Any]) -> list[str]:
    pairs = metrics.get("preference")
    if not pairs:
        return []
    low, high = pairs["reward_accuracy_interval"]
    return [
        f"| reward accuracy on {pairs['pairs']} held-out pairs | {pairs['reward_accuracy']:.3f} "
        f"({low:.3f} to {high:.3f}; the base model alone: 0.5) |"
    ]


def _smooth(values: Sequence[float]) -> list[float]:
    smoothed: list[float] = []
    for value in values:
        last = smoothed[-1] if smoothed else value
        smoothed.append(SMOOTHING * last + (1 - SMOOTHING) * value)
    return smoothed


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.0%}"


def _number(value: float | None) -> str:
    return "not measured" if value is None else f"{value:.3f}"
