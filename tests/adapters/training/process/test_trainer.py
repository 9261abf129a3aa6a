"""The loss looks at answers alone, and is the model's own loss."""

from typing import Any

import pytest

from adapters import ModelFolder


@pytest.mark.training
def test_logits_are_computed_for_answers_alone(
    tiny_base: ModelFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch
    import trl.trainer.utils as heads
    from transformers import AutoModelForCausalLM

    from adapters.training.process.trainer import score_answers_alone

    model: Any = AutoModelForCausalLM.from_pretrained(tiny_base.folder, dtype=torch.float32)
    heads.add_fused_lm_head(model)
    scored: list[int] = []
    real = heads._ChunkedLogProbFunction.apply

    def see(hidden: Any, *rest: Any) -> Any:
        scored.append(len(hidden))
        return real(hidden, *rest)

    monkeypatch.setattr(heads._ChunkedLogProbFunction, "apply", see)
    monkeypatch.setattr(heads, "_use_triton", heads._use_triton)  # puts TRL's own back afterwards
    score_answers_alone()
    ids = torch.tensor([[4, 5, 6, 7, 8, 9], [4, 5, 6, 7, 2, 2]])
    labels = torch.tensor([[-100, -100, -100, 7, 8, 9], [-100, -100, -100, 7, -100, -100]])
    found = model(input_ids=ids, labels=labels, fused_lm_head=True)
    assert scored == [4]
    assert found.loss.item() == pytest.approx(model(input_ids=ids, labels=labels).loss.item())


@pytest.mark.parametrize(("steps", "warm_up"), [(1, 0), (2, 1), (3, 2), (10, 5)])
def test_a_warm_up_leaves_a_step_to_learn(steps: int, warm_up: int) -> None:
    from transformers import TrainingArguments

    from adapters.training.process.trainer import leave_a_step_to_learn

    class Trainer:
        args = TrainingArguments(warmup_steps=0.5 if steps > 3 else 0.99, use_cpu=True)
        made: tuple[int, ...] = ()

        def create_scheduler(self, num_training_steps: int, optimizer: object = None) -> None:
            self.made = (num_training_steps, self.args.get_warmup_steps(num_training_steps))

    trainer: Any = Trainer()
    leave_a_step_to_learn(trainer)
    trainer.create_scheduler(num_training_steps=steps)
    assert trainer.made == (steps, warm_up)
