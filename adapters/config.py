"""Settings of this room, and the configuration of one training run.

Knows names, types, ranges and where a default comes from; does not know how training is done,
and reads no environment. A training configuration uses LLaMA-Factory's key names, so that a
file written for it is mostly understood here.
"""

import difflib
import re
from collections.abc import Mapping, Sequence
from itertools import groupby, islice
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import pydantic
import yaml
from pydantic import Field, field_validator, model_validator

from adapters.errors import InvalidTrainingConfig
from adapters.foreign_keys import explain_refusal, passed_over
from adapters.methods import DEFAULT_STAGE, METHODS, Method, Rows

MOST_SHOWN_CHARS = 40  # of a value that is refused
WANTED = {
    "a whole number": ("int_type", "int_parsing", "int_from_float"),
    "a number": ("float_type", "float_parsing"),
    "true or false": ("bool_type", "bool_parsing"),
    "text": ("string_type",),
    "a list": ("list_type", "tuple_type"),
    "a map": ("dict_type", "mapping_type"),
    "a path": ("path_type",),
}  # in place of a value of the wrong type, by pydantic's name of the fault


class AdaptersConfig(pydantic.BaseModel):
    """Settings of adapters/.

    Attributes:
        max_lora_rank: Largest rank the engine was started for (`--max-lora-rank`); 32 covers
            the ranks of common recipes, 8 to 32.
        training_threads: CPU threads of a training process; none leaves it to torch (all cores).
        training_nice: Niceness of a training process, 0 to 19, so that serving goes first; at 10
            the Linux scheduler gives it a ninth of what a busy engine gets (weights 110 to 1024).
        stop_grace_s: How long a stopped training process may tidy up before it is killed.
        gate_policy: File of the gate's thresholds; none takes the one that ships.
    """

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)

    max_lora_rank: Annotated[int, Field(ge=1, le=512)] = 32
    training_threads: Annotated[int, Field(ge=1)] | None = None
    training_nice: Annotated[int, Field(ge=0, le=19)] = 10
    stop_grace_s: Annotated[float, Field(gt=0)] = 10.0
    gate_policy: Path | None = None


PLACES = {"dataset", "replay_dataset", "output_dir"}  # keys: where, not what
TASK_NAME = r"^[a-z0-9][a-z0-9-]{0,47}$"
Scheduler = Literal["linear", "cosine", "constant", "constant_with_warmup", "polynomial"]
LongText = Literal["head", "tail", "windows"]
TaskType = Literal["classification", "qa", "dialogue", "code"]


class TrainingConfig(pydantic.BaseModel):
    """One training run, in LLaMA-Factory's key names.

    What is not LLaMA-Factory's: `task` (first part of the adapter's id), `task_type`, `domain`,
    `force`, `long_text`, `replay_ratio`, `replay_dataset`, `num_processes` and
    `gradient_checkpointing`. `template`
    is left out: the base model's own chat template is used, the same one the engine uses. Whether
    the adapter is context-trained is found in the rows, never declared.

    Attributes:
        task: Name of what is learned, lower-case letters, digits and hyphens.
        model_name_or_path: Id or folder of the base model.
        dataset: Files of training rows: JSON Lines, JSON, CSV, Excel or Parquet.
        max_samples: Most rows of each file, from its beginning; none takes all (LLaMA-Factory).
        stage: Method: `sft` learns answers, `dpo` which of two answers is preferred.
        task_type: Kind of task, which says how many rows are needed; none: the method alone.
        domain: `finance` and `legal` need 30 % more rows.
        force: Train with fewer rows than a pilot needs; recorded in run.json.
        finetuning_type: `lora` is the only one the engine loads while running.
        lora_rank: 16 reached slot-F1 0.75 on 600 rows (own measurement).
        lora_alpha: Twice the rank by default (LLaMA-Factory).
        lora_target: `all` linear layers (own measurement), or module names; q_proj and v_proj
            alone are cheaper on a CPU.
        lora_dropout: 0 (LLaMA-Factory).
        freeze_trainable_layers: LoRA on this many layers at the top alone; none for all layers.
        use_rslora: Scale by the root of the rank, which helps from rank 32 on.
        use_dora: Known, so that it can be refused with its reason.
        pissa_init: Known, so that it can be refused with its reason.
        additional_target: Known, so that it can be refused with its reason.
        add_special_tokens: Known, so that it can be refused with its reason.
        cutoff_len: Longest row in tokens (1024: TRL); what is beyond is cut and counted.
        long_text: What is kept of a prompt that makes a row too long: its `head`, its `tail`, or
            all of it as overlapping `windows`, each a row of its own with the same answer.
        mask_history: Learn only the last answer of a conversation, not every answer.
        val_size: Held-out rows, a share below 1 or a number; rows of one `source` stay together.
        do_eval: Judge the adapter on the held-out rows once it is trained; needs `val_size`.
        pref_beta: How strongly `dpo` keeps close to the base model (0.1: LLaMA-Factory, TRL).
        replay_ratio: Rows of the base model's own answers mixed in, as a share of the rows
            trained on; against forgetting.
        replay_dataset: Files whose prompts are answered for it; none takes general ones.
        learning_rate: 5e-4 (own measurement on the embedded base model), a tenth for `dpo`.
        num_train_epochs: 3 (Hugging Face).
        max_steps: Stop after so many steps whatever the epochs; none or -1 for no such limit.
        per_device_train_batch_size: With `gradient_accumulation_steps` an effective batch of 16.
        gradient_accumulation_steps: See `per_device_train_batch_size`.
        lr_scheduler_type: `cosine` (LLaMA-Factory's examples).
        warmup_ratio: 0.1 (LLaMA-Factory's examples).
        weight_decay: 0 (Hugging Face).
        max_grad_norm: 1.0 (Hugging Face).
        group_by_length: Batches of rows of like length; less padding.
        gradient_checkpointing: Less memory for about a fifth more time (TRL).
        bf16: bfloat16 weights and autocast; 310 tokens/s against 194 in float32 (own measurement).
        logging_steps: Steps between two points of the loss curve.
        save_steps: Steps between two checkpoints, or a share of the run below 1 (0.1).
        report_to: `tensorboard` writes its files into the run's folder.
        seed: Random seed of held-out rows, LoRA weights and order.
        num_processes: Processes that share the rows, on as many GPUs or on the CPU; the effective
            batch stays, so it must divide `gradient_accumulation_steps`.
        output_dir: Where the adapter's folder is made; none leaves it to the caller.
    """

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True, protected_namespaces=())

    task: Annotated[str, Field(pattern=TASK_NAME)]
    model_name_or_path: Annotated[str, Field(min_length=1)]
    dataset: Annotated[tuple[Path, ...], Field(min_length=1)]

    max_samples: Annotated[int, Field(ge=1)] | None = None
    stage: str = DEFAULT_STAGE
    task_type: TaskType | None = None
    domain: Literal["general", "finance", "legal"] = "general"
    force: bool = False
    finetuning_type: Literal["lora"] = "lora"
    lora_rank: Annotated[int, Field(ge=1)] = 16
    lora_alpha: Annotated[int, Field(ge=1)] | None = None
    lora_target: Literal["all"] | Annotated[tuple[str, ...], Field(min_length=1)] = "all"
    lora_dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    freeze_trainable_layers: Annotated[int, Field(ge=1)] | None = None
    use_rslora: bool = False
    use_dora: bool = False
    pissa_init: bool = False
    additional_target: tuple[str, ...] = ()
    add_special_tokens: tuple[str, ...] = ()

    cutoff_len: Annotated[int, Field(ge=16)] = 1024
    long_text: LongText = "head"
    mask_history: bool = False
    val_size: Annotated[float, Field(ge=0)] = 0.0
    do_eval: bool = False
    pref_beta: Annotated[float, Field(gt=0)] = 0.1
    replay_ratio: Annotated[float, Field(ge=0, le=1)] = 0.0
    replay_dataset: tuple[Path, ...] = ()
    learning_rate: Annotated[float, Field(gt=0, lt=1)] = 5e-4
    num_train_epochs: Annotated[float, Field(gt=0)] = 3.0
    max_steps: Annotated[int, Field(ge=1)] | None = None
    per_device_train_batch_size: Annotated[int, Field(ge=1)] = 4
    gradient_accumulation_steps: Annotated[int, Field(ge=1)] = 4
    lr_scheduler_type: Scheduler = "cosine"
    warmup_ratio: Annotated[float, Field(ge=0, lt=1)] = 0.1
    weight_decay: Annotated[float, Field(ge=0)] = 0.0
    max_grad_norm: Annotated[float, Field(gt=0)] = 1.0
    group_by_length: bool = True
    gradient_checkpointing: bool = False
    bf16: bool = True
    logging_steps: Annotated[int, Field(ge=1)] = 1
    save_steps: Annotated[float, Field(gt=0)] = 0.1
    report_to: Literal["none", "tensorboard"] = "none"
    seed: Annotated[int, Field(ge=0)] = 42
    num_processes: Annotated[int, Field(ge=1)] = 1
    output_dir: Path | None = None

    @model_validator(mode="before")
    @classmethod
    def _defaults_of_stage(cls, values: Any) -> Any:
        stage = values.get("stage", DEFAULT_STAGE) if isinstance(values, dict) else None
        method = METHODS.get(stage) if isinstance(stage, str) else None
        return {**method.defaults, **values} if method is not None else values

    @field_validator("stage")
    @classmethod
    def _known_stage(cls, stage: str) -> str:
        if stage not in METHODS:
            raise ValueError(f"there is no method {stage!r}; known are {', '.join(METHODS)}")
        return stage

    @field_validator("dataset", "replay_dataset", mode="before")
    @classmethod
    def _one_file_is_a_list(cls, value: object) -> object:
        return (value,) if isinstance(value, str | Path) else value

    @field_validator("lora_target", "additional_target", "add_special_tokens", mode="before")
    @classmethod
    def _names_may_be_one_text(cls, value: object) -> object:
        if isinstance(value, str) and value != "all":
            return tuple(name.strip() for name in value.split(",") if name.strip())
        return value

    @field_validator("max_steps", mode="before")
    @classmethod
    def _minus_one_is_no_limit(cls, value: object) -> object:
        return None if value == -1 else value

    @model_validator(mode="after")
    def _share_or_number(self) -> Self:
        if self.val_size >= 1 and self.val_size != int(self.val_size):
            raise ValueError("val_size must be a share below 1 or a whole number of rows")
        if self.do_eval and not self.val_size:
            raise ValueError("do_eval needs held-out rows: set val_size, such as 0.1")
        if self.save_steps >= 1 and self.save_steps != int(self.save_steps):
            raise ValueError("save_steps must be a share below 1 or a whole number of steps")
        if self.gradient_accumulation_steps % self.num_processes:
            raise ValueError(
                f"num_processes ({self.num_processes}) must divide gradient_accumulation_steps "
                f"({self.gradient_accumulation_steps}), which the processes share"
            )
        if self.replay_ratio and self.method.compares_answers:
            raise ValueError(
                f"replay_ratio cannot be used with stage {self.stage}, whose pref_beta keeps the "
                "adapter close to the base model"
            )
        return self

    def as_job(self) -> dict[str, Any]:
        """Return plain content for another process: paths of rows are absolute."""
        content = self.model_dump(mode="json")
        for key in ("dataset", "replay_dataset"):
            content[key] = [str(Path(path).resolve()) for path in content[key]]
        return content

    def load_rows(self) -> Rows:
        """Read the rows of the run, in the order of the files.

        Raises:
            InvalidTrainingData: A file cannot be read, holds nothing, or holds bad rows.
        """
        rows: Sequence[Any] = self.method.load(self.dataset)
        if self.max_samples is None:
            return rows
        files = groupby(rows, key=lambda row: row.file)
        return [row for _, of_file in files for row in islice(of_file, self.max_samples)]

    @property
    def method(self) -> Method:
        """How it is trained."""
        return METHODS[self.stage]

    @property
    def alpha(self) -> int:
        """`lora_alpha`, or twice the rank where none was given."""
        return self.lora_alpha if self.lora_alpha is not None else 2 * self.lora_rank


def parse_training_config(
    values: Mapping[str, Any], *, folder: Path | None = None, name: str = "configuration"
) -> TrainingConfig:
    """Return the training configuration that `values` describe.

    Args:
        values: Keys and values as read from a file or a request.
        folder: Where relative `dataset` and `output_dir` paths start; none leaves them.
        name: What to call the configuration in messages.

    Raises:
        InvalidTrainingConfig: A key is unknown (the nearest known one is named) or a value wrong.
            Keys of LLaMA-Factory that change nothing here are none of them.
    """
    try:
        config = TrainingConfig.model_validate(without_passed_over(values))
    except pydantic.ValidationError as exc:
        problems = "; ".join(dict.fromkeys(_explain(error) for error in exc.errors()))
        first = [str(part) for part in exc.errors()[0]["loc"][:1]]
        raise InvalidTrainingConfig(f"{name}: {problems}", key="".join(first) or None) from exc
    if folder is None:
        return config
    return config.model_copy(
        update={
            "dataset": tuple(folder / path for path in config.dataset),
            "replay_dataset": tuple(folder / path for path in config.replay_dataset),
            "output_dir": folder / config.output_dir if config.output_dir else None,
        }
    )


def without_passed_over(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the keys and values that count here; see `passed_over`."""
    ignored = passed_over(values)
    return {key: value for key, value in values.items() if key not in ignored}


def check_task(task: str) -> None:
    """Refuse (InvalidTrainingConfig) what cannot be the first part of an adapter's id."""
    if not re.fullmatch(TASK_NAME, task):
        raise InvalidTrainingConfig(
            f"task: {task!r} is not a task name: use lower-case letters, digits and hyphens, "
            "at most 48"
        )


def load_training_config(path: Path) -> TrainingConfig:
    """Read a training configuration from a YAML file; relative paths start at its folder.

    Raises:
        InvalidTrainingConfig: The file is missing or no YAML mapping, or a key is wrong.
    """
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as exc:
        raise InvalidTrainingConfig(f"{path} cannot be read: {exc}") from exc
    except yaml.YAMLError as exc:
        raise InvalidTrainingConfig(f"{path} is not YAML: {exc}") from exc
    if not isinstance(values, dict):
        raise InvalidTrainingConfig(f"{path} must hold keys and values, such as `task: support`")
    return parse_training_config(values, folder=path.parent, name=str(path))


def _explain(error: Any) -> str:
    """Return what is wrong with one key, in plain words."""
    key = str(error["loc"][0]) if error["loc"] else "configuration"
    kind, value = error["type"], repr(error["input"])[:MOST_SHOWN_CHARS]
    if kind == "extra_forbidden":
        if why := explain_refusal(key):
            return f"{key}: {why}"
        near = difflib.get_close_matches(key, TrainingConfig.model_fields, n=1)
        return f"{key}: unknown key" + (f", did you mean {near[0]}?" if near else "")
    for words, kinds in WANTED.items():
        if kind in kinds:
            return f"{key}: must be {words}, not {value}"
    if "Input should be" in error["msg"]:
        return f"{key}: {error['msg'].replace('Input should be', 'must be')}, not {value}"
    return f"{key}: {error['msg'].removeprefix('Value error, ')}"
