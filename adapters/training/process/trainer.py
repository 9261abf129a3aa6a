"""What every recipe's trainer has in common: settings, order of the rows, progress, checkpoints.

Knows transformers' Trainer; knows neither rows nor what the loss is.
"""

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import datasets
import torch
import trl.trainer.utils
from accelerate import PartialState
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments
from transformers.trainer_pt_utils import get_length_grouped_indices

from adapters.config import TrainingConfig
from adapters.methods import Method
from adapters.training.events import TrainingEvent
from adapters.training.journal import CHECKPOINTS, mark_complete
from adapters.training.process.loss_monitor import LossMonitor
from adapters.training.report import draw_live_loss

MIN_EVENT_GAP_S = 0.5  # between two progress events: a person cannot read faster
HEARTBEAT_S = 5.0  # at most this long without an event, as long as parts of a step get done
LIVE_PLOT_S = 10.0  # drawing takes 0.1 s
MAX_CHECKPOINTS = 2  # the one being written may turn out to be half of one

Tell = Callable[[TrainingEvent], None]
"""Sends one event to the parent."""


def shared_arguments(config: TrainingConfig, run_dir: str, *, evaluates: bool) -> dict[str, Any]:
    """Return the settings that TRL's trainers share. Telemetry is off."""
    return {
        "output_dir": str(Path(run_dir) / CHECKPOINTS),
        "max_length": config.cutoff_len,
        "learning_rate": config.learning_rate,
        "num_train_epochs": config.num_train_epochs,
        "max_steps": config.max_steps or -1,
        "per_device_train_batch_size": config.per_device_train_batch_size,
        "per_device_eval_batch_size": config.per_device_train_batch_size,
        "gradient_accumulation_steps": config.gradient_accumulation_steps // config.num_processes,
        "ddp_find_unused_parameters": False,  # every LoRA layer takes part in every step
        "gradient_checkpointing": config.gradient_checkpointing,
        "lr_scheduler_type": config.lr_scheduler_type,
        "warmup_steps": config.warmup_ratio,  # transformers 5 reads a number below 1 as a share
        "weight_decay": config.weight_decay,
        "max_grad_norm": config.max_grad_norm,
        "bf16": config.bf16,
        "use_cpu": not torch.cuda.is_available(),
        "dataloader_pin_memory": torch.cuda.is_available(),
        "logging_steps": config.logging_steps,
        "logging_nan_inf_filter": False,  # NaN is reported, not smoothed away
        "eval_strategy": "epoch" if evaluates else "no",
        "save_strategy": "steps",
        "save_steps": config.save_steps if config.save_steps < 1 else int(config.save_steps),
        "save_total_limit": MAX_CHECKPOINTS,
        "report_to": config.report_to,
        "disable_tqdm": True,
        "seed": config.seed,
        "data_seed": config.seed,
    }


def to_dataset(examples: Sequence[Any], method: Method) -> datasets.Dataset | None:
    """Return examples with the columns that TRL's trainer of a method reads; none of none."""
    rows = [
        {
            "prompt": [turn.as_dict() for turn in example.prompt],
            **{name: [getattr(example, name).as_dict()] for name in method.answers},
        }
        for example in examples
    ]
    return datasets.Dataset.from_list(rows) if rows else None


@contextmanager
def first_process_first(config: TrainingConfig) -> Iterator[None]:
    """Let the first process do the block before the others, which find what it left."""
    if config.num_processes == 1:
        yield
        return
    with PartialState().main_process_first():
        yield


class SeededOrder(torch.utils.data.Sampler[int]):
    """The order of the rows, a function of seed and epoch, so that a resumed run has it too.

    The library's own sampler for rows of like length draws from the global state of random
    numbers, which a resumed run does not have at the start of the epoch it goes on with.
    """

    def __init__(self, lengths: Sequence[int], *, batch: int, seed: int, grouped: bool) -> None:
        self._lengths = list(lengths)
        self._batch = batch
        self._seed = seed
        self._grouped = grouped
        self._epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch whose order comes next; accelerate calls this."""
        self._epoch = epoch

    def __len__(self) -> int:
        return len(self._lengths)

    def __iter__(self) -> Iterator[int]:
        generator = torch.Generator().manual_seed(self._seed + self._epoch)
        if self._grouped:
            return iter(get_length_grouped_indices(self._lengths, self._batch, generator=generator))
        return iter(torch.randperm(len(self._lengths), generator=generator).tolist())


def follow_order(trainer: Any, config: TrainingConfig, lengths: Sequence[int]) -> None:
    """Make a trainer take its rows in `SeededOrder`."""
    order = SeededOrder(
        lengths,
        batch=config.per_device_train_batch_size * config.gradient_accumulation_steps,
        seed=config.seed,
        grouped=config.group_by_length,
    )
    trainer._get_train_sampler = lambda *_: order


def leave_a_step_to_learn(trainer: Any) -> None:
    """Keep the warm-up shorter than the run, however short the run is.

    The rate of the first step of a warm-up is 0, and the library rounds a share of the steps up:
    a run of one step would be warm-up alone, and its adapter would do nothing.
    """
    create = trainer.create_scheduler

    def create_scheduler(num_training_steps: int, *more: Any, **named: Any) -> Any:
        arguments = trainer.args
        if arguments.get_warmup_steps(num_training_steps) >= num_training_steps:
            arguments.warmup_steps = num_training_steps - 1
        return create(num_training_steps, *more, **named)

    trainer.create_scheduler = create_scheduler


def score_answers_alone() -> None:
    """Have TRL compute the logits of the answers' tokens alone, whatever the device.

    Where there is no Triton, TRL 1.16 computes those of prompts and padding too and leaves them out
    afterwards, so that a compiler meets tiles of one shape. Nothing is compiled here, and on a CPU
    this was half of a step: 1.7 against 0.3 processor seconds for 500 tokens, 225 of them answers.
    """
    trl.trainer.utils._use_triton = lambda _device: True


def run_trainer(trainer: Any, job: Mapping[str, Any], tell: Tell) -> Any:
    """Train, from the job's checkpoint where it names one, and return the trainer's output."""
    score_answers_alone()
    leave_a_step_to_learn(trainer)
    checkpoint = job["checkpoint"]
    if checkpoint is None:
        return trainer.train()
    known = TrainerState.load_from_json(str(Path(checkpoint) / "trainer_state.json"))
    tell(TrainingEvent("resumed", f"from step {known.global_step}", step=known.global_step))
    counted = [entry["num_tokens"] for entry in known.log_history if "num_tokens" in entry]
    trainer._total_train_tokens = int(counted[-1]) if counted else 0  # TRL counts from 0 again
    return trainer.train(resume_from_checkpoint=checkpoint)


class Progress(TrainerCallback):  # type: ignore[misc]  # transformers is untyped for mypy here
    """Turns what the trainer does into events, and says when a checkpoint is complete."""

    def __init__(self, tell: Tell, run_dir: str) -> None:
        self._tell = tell
        self._run_dir = Path(run_dir)
        self._monitor = LossMonitor()
        self._began = self._told = self._drawn = self._last_heartbeat = time.monotonic()
        self._began_at_step = 0
        self._began_at_tokens = 0.0

    def on_train_begin(
        self, _a: TrainingArguments, state: TrainerState, _c: TrainerControl, **_: object
    ) -> None:
        """Start the clock."""
        self._began = self._drawn = time.monotonic()
        self._began_at_step = state.global_step
        counted = [entry["num_tokens"] for entry in state.log_history if "num_tokens" in entry]
        self._began_at_tokens = counted[-1] if counted else 0.0
        self._tell(
            TrainingEvent("progress", "training", step=state.global_step, steps=state.max_steps)
        )

    def on_substep_end(
        self, _a: TrainingArguments, state: TrainerState, _c: TrainerControl, **_: object
    ) -> None:
        """Send a heartbeat within a long step."""
        self._send_heartbeat(state)

    def on_prediction_step(
        self, _a: TrainingArguments, state: TrainerState, _c: TrainerControl, **_: object
    ) -> None:
        """Send a heartbeat while the held-out rows are read."""
        self._send_heartbeat(state)

    def _send_heartbeat(self, state: TrainerState) -> None:
        now = time.monotonic()
        if now - max(self._last_heartbeat, self._told) >= HEARTBEAT_S:
            self._last_heartbeat = now
            self._tell(TrainingEvent("heartbeat", step=state.global_step, steps=state.max_steps))

    def on_save(
        self, args: TrainingArguments, state: TrainerState, _c: TrainerControl, **_: object
    ) -> None:
        """Mark the checkpoint as complete once every process has written its part."""
        PartialState().wait_for_everyone()
        if not state.is_world_process_zero:
            return
        mark_complete(Path(args.output_dir) / f"checkpoint-{state.global_step}")
        self._tell(
            TrainingEvent(
                "checkpoint", f"checkpoint at step {state.global_step}", step=state.global_step
            )
        )

    def on_log(
        self,
        _a: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, float] | None = None,
        **_: object,
    ) -> None:
        """Report step, loss, rate and time left, and what is wrong with the loss."""
        step, said = state.global_step, logs or {}
        if "eval_loss" in said:
            self._report_held_out(step, said["eval_loss"])
        if "loss" not in said:
            return
        loss = float(said["loss"])
        for warning in self._monitor.check(step, loss, said.get("grad_norm")):
            self._tell(TrainingEvent("warning", warning, step=step))
        if not math.isfinite(loss):
            control.should_training_stop = True  # a loss that is NaN stays NaN
        now = time.monotonic()
        if now - self._told < MIN_EVENT_GAP_S and step < state.max_steps:
            return
        self._told = now
        elapsed = now - self._began
        done = max(step - self._began_at_step, 1)
        tokens = said.get("num_tokens", 0.0) - self._began_at_tokens
        self._tell(
            TrainingEvent(
                "progress",
                f"step {step} of {state.max_steps}, loss {loss:.3f}",
                step=step,
                steps=state.max_steps,
                loss=loss,
                tokens_per_s=round(tokens / elapsed, 1),
                eta_s=round(elapsed / done * (state.max_steps - step), 1),
            )
        )
        if state.is_world_process_zero and now - self._drawn >= LIVE_PLOT_S:
            self._drawn = now
            draw_live_loss(state.log_history, self._run_dir)

    def _report_held_out(self, step: int, loss: float) -> None:
        self._tell(
            TrainingEvent(
                "held_out", f"held-out loss {loss:.3f}", step=step, held_out_loss=round(loss, 5)
            )
        )
        for warning in self._monitor.check_held_out(step, loss):
            self._tell(TrainingEvent("warning", warning, step=step))
