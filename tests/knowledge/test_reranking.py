from pathlib import Path

import pytest

from knowledge import CrossEncoderReranker, Knowledge, KnowledgeConfig, RerankerUnavailable
from tests.fakes.reranker import ByLength
from tests.knowledge.conftest import BASE, TENANT, OpenKnowledge


def test_the_reranker_orders_what_the_retrievers_found(
    knowledge: Knowledge, open_knowledge: OpenKnowledge
) -> None:
    for number in range(8):
        text = "Lamps are lit. " * (number + 1)
        knowledge.ingest(BASE, f"d{number}", f"d{number}.txt", text.encode(), tenant=TENANT)
    reranker = ByLength()
    config = KnowledgeConfig(rerank_candidates=6)
    found = open_knowledge(config=config, reranker=reranker).retrieve(
        "Are lamps lit?", base_ids=[BASE], top_k=2, tenant=TENANT
    )
    assert len(reranker.read) == 6
    longest = sorted(reranker.read, key=len, reverse=True)[:2]
    assert [passage.text for passage in found.passages] == longest
    assert [passage.score for passage in found.passages] == [float(len(t)) for t in longest]


slow = pytest.mark.timeout(180)  # torch is imported


def tiny_cross_encoder(folder: Path, *, outputs: int) -> str:
    """Write a real CrossEncoder with random weights."""
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import Whitespace
    from transformers import (
        BertConfig,
        BertForSequenceClassification,
        PreTrainedTokenizerFast,
    )

    words = {"[PAD]": 0, "[UNK]": 1, "lamps": 2, "kettles": 3}
    plain = Tokenizer(WordLevel(words, unk_token="[UNK]"))
    plain.pre_tokenizer = Whitespace()
    PreTrainedTokenizerFast(
        tokenizer_object=plain, pad_token="[PAD]", unk_token="[UNK]"
    ).save_pretrained(folder)
    size = BertConfig(
        vocab_size=len(words),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        num_labels=outputs,
        initializer_range=1.0,
    )
    BertForSequenceClassification(size).save_pretrained(folder)
    return str(folder)


@slow
def test_a_cross_encoder_scores_each_pair(tmp_path: Path) -> None:
    reranker = CrossEncoderReranker.load(tiny_cross_encoder(tmp_path, outputs=1))
    scores = reranker.score("lamps", ["kettles", "lamps", "kettles"])
    assert scores[0] == pytest.approx(scores[2])
    assert scores[0] != pytest.approx(scores[1], abs=1e-9)
    assert reranker.score("lamps", []) == []


@slow
def test_a_model_that_is_no_reranker_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RerankerUnavailable, match="3 outputs"):
        CrossEncoderReranker.load(tiny_cross_encoder(tmp_path, outputs=3))


@slow
def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RerankerUnavailable, match="cannot load"):
        CrossEncoderReranker.load(str(tmp_path / "nowhere"))
