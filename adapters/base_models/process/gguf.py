"""Turns a GGUF file into a folder of bfloat16 safetensors; runs in a process of its own.

`python -m adapters.base_models.process.gguf FILE.gguf FOLDER`. Knows no wheels and no training.
"""

import sys
from pathlib import Path
from typing import Any

PROBES = (
    "Within how many days may a lamp be returned? Within 30 days.",
    "法国的首都是哪里？法国的首都是巴黎。",
    "def add(a, b):\n    return a + b\n",
)
MOST_DIVERGENCE = 0.05  # nats a token; Qwen2.5-Coder-0.5B has 0.0014 with its Q8_0 for its Q5_0


def convert(gguf: Path, into: Path) -> None:
    """Write the model and tokenizer of `gguf` as a Hugging Face folder."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

    model = AutoModelForCausalLM.from_pretrained(
        str(gguf.parent),
        gguf_file=gguf.name,
        quantization_config=GgufConfig(dequantize=True),
        dtype=torch.bfloat16,
    )
    tokenizer = AutoTokenizer.from_pretrained(str(gguf.parent), gguf_file=gguf.name)
    if not model.config.tie_word_embeddings:
        tie(model, tokenizer)
    model.save_pretrained(str(into))
    tokenizer.save_pretrained(str(into))


def tie(model: Any, tokenizer: Any) -> bool:
    """Use the output matrix as the input matrix too, where the file holds one matrix twice.

    A GGUF may hold the one matrix of such a model in two precisions, the output's the finer one;
    tied, it is stored, loaded and trained once. Left as it was where the model would say something
    else: another likeliest token, or more than `MOST_DIVERGENCE` on average.

    Returns:
        Whether the matrices are one now.
    """
    given, output = model.get_input_embeddings().weight, model.get_output_embeddings().weight
    if given.shape != output.shape:
        return False
    before = _log_probabilities(model, tokenizer)
    apart = given.data
    given.data = output.data
    if not _is_alike(before, _log_probabilities(model, tokenizer)):
        given.data = apart
        return False
    model.config.tie_word_embeddings = True
    model.tie_weights()
    return True


def _log_probabilities(model: Any, tokenizer: Any) -> list[Any]:
    import torch

    with torch.inference_mode():
        return [
            torch.log_softmax(
                model(**tokenizer(text, return_tensors="pt")).logits[0].float(), dim=-1
            )
            for text in PROBES
        ]


def _is_alike(before: list[Any], after: list[Any]) -> bool:
    import torch

    one, other = torch.cat(before), torch.cat(after)
    divergence = (one.exp() * (one - other)).sum(dim=-1).mean()
    return bool(divergence <= MOST_DIVERGENCE)


if __name__ == "__main__":
    convert(Path(sys.argv[1]), Path(sys.argv[2]))
