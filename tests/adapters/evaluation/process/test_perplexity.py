"""Batches and the cache give the same perplexity as one text read alone."""

import math

import pytest

from adapters import ModelFolder

TEXTS = ["what is the colour of a sky", "grass", "", "a house is blue", "json of a grass"]
EXAMPLES = ["the sky is blue", "what is a house"]


@pytest.mark.parametrize("examples", [[], EXAMPLES])
def test_texts_are_measured_alike_alone_and_in_a_batch(
    tiny_base: ModelFolder, examples: list[str]
) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from adapters.effect.process.reference import log_probabilities
    from adapters.evaluation.process.perplexity import SEPARATOR, measure_perplexities

    job = {
        "base": str(tiny_base.folder),
        "threads": 1,
        "texts": TEXTS,
        "examples": examples,
        "most_tokens": 4,
        "most_example_tokens": 3,
    }
    found = measure_perplexities(job, lambda _event: None)
    tokenizer = AutoTokenizer.from_pretrained(tiny_base.folder)
    model = AutoModelForCausalLM.from_pretrained(tiny_base.folder).eval()

    def ids_of(text: str, most: int) -> list[int]:
        return list(tokenizer(text, add_special_tokens=False)["input_ids"][:most])

    start = tokenizer.bos_token_id
    before = [tokenizer.eos_token_id if start is None else start]
    for example in examples:
        before += ids_of(example, 3) + ids_of(SEPARATOR, 9)
    for text, perplexity in zip(TEXTS, found, strict=True):
        own = ids_of(text, 4)
        if not own:
            assert perplexity is None
            continue
        taken = log_probabilities(model, [*before, *own])[-len(own) :]
        assert perplexity == pytest.approx(math.exp(-sum(taken) / len(taken)), rel=0.02)
    assert len(set(found)) > 3
