"""The training methods: what each learns from, and which recipe trains it.

A new method is one entry here, one recipe in `training/process/`, and where it needs them a row
loader in `data/`, keys in `config.py` and a field of `Method` in the service's schemas: the whole
list is in `CONTRIBUTING.md`. Knows names and rows; loads no torch.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from adapters.data import Example, Pair, Row, load_pairs, load_rows, to_examples

Rows = Sequence[Row] | Sequence[Pair]
Examples = Sequence[Example] | Sequence[Pair]


@dataclass(frozen=True, slots=True)
class Method:
    """One way to train an adapter.

    Attributes:
        stage: Its name in a training configuration, as LLaMA-Factory has it.
        openai_name: Its name in OpenAI's fine-tuning requests.
        recipe: Module in `training/process/` whose `train` trains with it.
        answers: Columns of an example that hold an answer, in TRL's names; two are compared.
        load: Reads files of its rows.
        to_examples: What the loss is computed on, of rows; told whether only the last answer of a
            conversation counts (`mask_history`).
        defaults: Defaults of a configuration that are its own.
        openai_hyperparameters: OpenAI's hyperparameters that it has alone, with our key for each.
    """

    stage: str
    openai_name: str
    recipe: str
    answers: tuple[str, ...]
    load: Callable[[Sequence[Path]], Rows]
    to_examples: Callable[[Any, bool], Examples]
    defaults: Mapping[str, Any] = field(default_factory=dict)
    openai_hyperparameters: Mapping[str, str] = field(default_factory=dict)

    @property
    def compares_answers(self) -> bool:
        """Whether an example has several answers, none of which is the right one by itself."""
        return len(self.answers) > 1


SFT = Method(
    stage="sft",
    openai_name="supervised",
    recipe="adapters.training.process.sft",
    answers=("completion",),
    load=load_rows,
    to_examples=lambda rows, mask_history: to_examples(rows, mask_history=mask_history),
)
DPO = Method(
    stage="dpo",
    openai_name="dpo",
    recipe="adapters.training.process.dpo",
    answers=("chosen", "rejected"),
    load=load_pairs,
    to_examples=lambda pairs, _mask_history: [pair for pair in pairs if pair.chosen.learned],
    # A tenth of the rate for answers: pairs are a contrast, and ten times the 5e-6 that TRL and
    # LLaMA-Factory give for whole models is their rule for LoRA.
    defaults={"learning_rate": 5e-5},
    openai_hyperparameters={"beta": "pref_beta"},
)
METHODS: Mapping[str, Method] = {method.stage: method for method in (SFT, DPO)}
DEFAULT_STAGE = SFT.stage
