from typing import Any

import pytest

from adapters.base_models.process.gguf import tie


@pytest.fixture
def model() -> Any:
    from transformers import Qwen2Config, Qwen2ForCausalLM

    config = Qwen2Config(
        vocab_size=64,
        hidden_size=32,
        intermediate_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        num_key_value_heads=2,
        tie_word_embeddings=False,
    )
    return Qwen2ForCausalLM(config).eval()


def tokenize(text: str, return_tensors: str) -> dict[str, Any]:
    import torch

    return {"input_ids": torch.tensor([[ord(letter) % 64 for letter in text]])}


@pytest.mark.training
def test_a_matrix_held_twice_becomes_one_the_outputs(model: Any) -> None:
    import torch

    output = model.get_output_embeddings().weight.data
    model.get_input_embeddings().weight.data = output + 1e-5 * torch.randn_like(output)
    expected = output.clone()
    assert tie(model, tokenize)
    assert model.config.tie_word_embeddings
    torch.testing.assert_close(model.get_input_embeddings().weight.data, expected)
    assert model.get_input_embeddings().weight is model.get_output_embeddings().weight


@pytest.mark.training
def test_two_matrices_stay_two(model: Any) -> None:
    import torch

    given = model.get_input_embeddings().weight.data.clone()
    model.get_output_embeddings().weight.data *= 40
    assert not tie(model, tokenize)
    assert not model.config.tie_word_embeddings
    torch.testing.assert_close(model.get_input_embeddings().weight.data, given, rtol=0, atol=0)
