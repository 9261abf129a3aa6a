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
