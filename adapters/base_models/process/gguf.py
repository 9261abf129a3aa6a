"""Turns a GGUF file into a folder of bfloat16 safetensors; runs in a process of its own.

`python -m adapters.base_models.process.gguf FILE.gguf FOLDER`. Knows no wheels and no training.
"""

import sys
from pathlib import Path


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
    model.save_pretrained(str(into))
    tokenizer.save_pretrained(str(into))


if __name__ == "__main__":
    convert(Path(sys.argv[1]), Path(sys.argv[2]))
