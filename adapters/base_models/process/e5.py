"""Turns multilingual-e5-small in 4-bit blocks into a sentence-transformers folder.

`python -m adapters.base_models.process.e5 FILE.bin FOLDER`, with `tokenizer.json` beside the file;
runs in a process of its own. Knows no wheels, and not how the file is laid out.
"""

import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from adapters.base_models.process.e5_file import Floats, Shape, Tensor, read_tensors
from adapters.base_models.process.question_graph import GRAPH_FILE, question_graph

PROMPTS = {"query": "query: ", "document": "passage: "}
"""What the model was trained with (its model card)."""
SPECIAL = {
    "bos_token": "<s>",
    "eos_token": "</s>",
    "cls_token": "<s>",
    "sep_token": "</s>",
    "unk_token": "<unk>",
    "pad_token": "<pad>",
    "mask_token": "<mask>",
}
LAYER = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}
EMBEDDINGS = {
    "emb.word": "embeddings.word_embeddings.weight",
    "emb.pos": "embeddings.position_embeddings.weight",
    "emb.type": "embeddings.token_type_embeddings.weight",
    "emb.ln.w": "embeddings.LayerNorm.weight",
    "emb.ln.b": "embeddings.LayerNorm.bias",
}


def state(shape: Shape, tensors: Mapping[str, Tensor]) -> dict[str, Floats]:
    """Return the weights under the names, and in the shapes, of a `BertModel`."""
    named = {EMBEDDINGS[name]: tensors[name] for name in EMBEDDINGS}
    for layer in range(shape.layers):
        for short, long in LAYER.items():
            for end, word in (("w", "weight"), ("b", "bias")):
                named[f"encoder.layer.{layer}.{long}.{word}"] = tensors[f"l{layer}.{short}.{end}"]
    return {name: _matrix(name, value.weights(), shape) for name, value in named.items()}


def _matrix(name: str, value: Floats, shape: Shape) -> Floats:
    if "LayerNorm" in name or name.endswith("bias"):
        return value
    inputs = shape.inner if "output.dense" in name and "attention" not in name else shape.hidden
    return value.reshape(-1, inputs)


def convert(file: Path, into: Path) -> None:
    """Write the model as a sentence-transformers folder: mean pooling, normalised, both prompts."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    shape, epsilon, tensors = read_tensors(file.read_bytes())
    config = BertConfig(
        hidden_size=shape.hidden,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        intermediate_size=shape.inner,
        vocab_size=shape.vocabulary,
        max_position_embeddings=shape.positions,
        type_vocab_size=shape.types,
        layer_norm_eps=epsilon,
        pad_token_id=0,
    )
    model = BertModel(config)
    weights = {
        name: torch.from_numpy(value.copy()) for name, value in state(shape, tensors).items()
    }
    # BertModel's own pooler is not part of this model and its output is not used: zeros, so that
    # no random weights are written and the folder has one hash on every machine
    pooler = {
        f"pooler.{name}": torch.zeros_like(of) for name, of in model.pooler.named_parameters()
    }
    model.load_state_dict(weights | pooler)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_file=str(file.parent / "tokenizer.json"),
        model_max_length=shape.positions,
        **SPECIAL,
    )
    with tempfile.TemporaryDirectory(dir=file.parent) as bare:
        model.save_pretrained(bare)
        tokenizer.save_pretrained(bare)
        transformer = Transformer(bare, max_seq_length=shape.positions)
    parts = [transformer, Pooling(shape.hidden, pooling_mode="mean"), Normalize()]
    SentenceTransformer(modules=parts, prompts=PROMPTS).save(str(into))
    (into / GRAPH_FILE).write_bytes(question_graph(shape, epsilon, tensors))


if __name__ == "__main__":
    convert(Path(sys.argv[1]), Path(sys.argv[2]))
