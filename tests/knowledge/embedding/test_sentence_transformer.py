"""The real embedder; only these tests load it, and only where a prepared one is at hand."""

import time
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from knowledge import EmbedderUnavailable, SentenceTransformerEmbedder
from service.settings import home_folder

PREPARED = sorted((home_folder() / "models").glob("**/modules.json"))


@pytest.fixture(scope="module")
def embedder() -> SentenceTransformerEmbedder:
    assert PREPARED, "run `bash deploy/test.sh`: it prepares the embedder"
    return SentenceTransformerEmbedder.load(PREPARED[0].parent)


@pytest.mark.timeout(300)
def test_vectors_have_length_one_and_the_declared_dimension(
    embedder: SentenceTransformerEmbedder,
) -> None:
    seen: list[tuple[int, int]] = []
    vectors = embedder.embed_passages(["a lamp", "a kettle"], lambda *at: seen.append(at))
    assert vectors.shape == (2, embedder.dimension)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx([1, 1], abs=1e-3)
    assert seen == [(2, 2)]
    assert embedder.embed_passages([]).shape == (0, embedder.dimension)


@pytest.mark.timeout(300)
def test_meaning_is_nearer_than_words(embedder: SentenceTransformerEmbedder) -> None:
    near, far = embedder.embed_passages(
        ["You can send goods back for thirty days.", "The return of the king is a film."]
    )
    question = embedder.embed_query("How long may I return a purchase?")
    assert question @ near > question @ far


@pytest.mark.timeout(300)
def test_each_row_is_its_own_text_however_long_the_texts_are(
    embedder: SentenceTransformerEmbedder,
) -> None:
    texts = [f"lamp {i} " * (1 + i * 7 % 11) for i in range(67)]
    rows = embedder.embed_passages(texts)
    for at in (0, 5, 64, 66):
        assert embedder.embed_passages([texts[at]])[0] @ rows[at] > 0.999
        assert int(np.argmax(rows @ embedder.embed_passages([texts[at]])[0])) == at


@pytest.mark.timeout(300)
def test_tokens_are_counted_uncut(embedder: SentenceTransformerEmbedder) -> None:
    assert embedder.count_tokens("word " * 1000) == 1000


@pytest.mark.timeout(300)
def test_counting_beside_questions_gives_the_same_count(
    embedder: SentenceTransformerEmbedder,
) -> None:
    with ThreadPoolExecutor(4) as pool:
        asked = [pool.submit(embedder.embed_query, f"question {i}") for i in range(20)]
        counts = list(pool.map(embedder.count_tokens, ["word " * 1000] * 20))
        assert {len(each.result()) for each in asked} == {embedder.dimension}
    assert set(counts) == {1000}


@pytest.mark.timeout(300)
def test_the_tokenizer_has_one_user_at_a_time(embedder: SentenceTransformerEmbedder) -> None:
    with ThreadPoolExecutor(2) as pool:
        with embedder._reading:
            counted = pool.submit(embedder.count_tokens, "two words")
            asked = pool.submit(embedder.embed_query, "two words")
            assert not wait([counted], timeout=0.5).done
            assert not asked.done()
        assert counted.result(timeout=60) == 2


@pytest.mark.timeout(300)
def test_many_threads_get_the_same_vectors(embedder: SentenceTransformerEmbedder) -> None:
    texts = [f"question number {i} " * (1 + i % 7) for i in range(40)]
    alone = [embedder.embed_query(text) for text in texts]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(embedder.embed_query, texts))
    assert np.allclose(alone, together, atol=1e-4)


def prompted_model(folder: Path) -> Any:
    """Write a real model with random weights that was trained with prompts, and return it."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import Whitespace
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    words = {word: n for n, word in enumerate(("[PAD]", "[UNK]", "lamps", "ask", "passage", ":"))}
    plain = Tokenizer(WordLevel(words, unk_token="[UNK]"))
    plain.pre_tokenizer = Whitespace()
    bare = str(folder / "bare")
    PreTrainedTokenizerFast(
        tokenizer_object=plain, pad_token="[PAD]", unk_token="[UNK]"
    ).save_pretrained(bare)
    size = BertConfig(
        vocab_size=len(words),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        initializer_range=1.0,
    )
    torch.manual_seed(1)  # some random weights tell no prompts apart
    BertModel(size).save_pretrained(bare)
    transformer = Transformer(bare)
    model = SentenceTransformer(
        modules=[transformer, Pooling(transformer.get_embedding_dimension())],
        prompts={"query": "ask: ", "document": "passage: "},
        device="cpu",
    )
    model.save(str(folder / "model"))
    return model


@pytest.mark.timeout(180)  # torch is imported
def test_questions_and_passages_get_the_prompts_of_the_model(tmp_path: Path) -> None:
    model = prompted_model(tmp_path)
    embedder = SentenceTransformerEmbedder.load(tmp_path / "model", precision="float32")

    def expected(prompt: str) -> Any:
        vector = model.encode(prompt + "lamps", prompt="")
        return vector / np.linalg.norm(vector)

    question, passage = embedder.embed_query("lamps"), embedder.embed_passages(["lamps"])[0]
    assert question == pytest.approx(expected("ask: "), abs=1e-5)
    assert passage == pytest.approx(expected("passage: "), abs=1e-5)
    assert not np.allclose(question, passage, atol=1e-2)
    assert not np.allclose(question, expected(""), atol=1e-2)


@pytest.mark.timeout(180)
@pytest.mark.parametrize("turns_at", [4, 60])
def test_a_model_that_decides_by_the_question_decides_for_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, turns_at: int
) -> None:
    from sentence_transformers.sentence_transformer.modules import Pooling

    model, pool = prompted_model(tmp_path), Pooling.forward

    def turning(self: Any, features: Any) -> Any:
        found = pool(self, features)
        sign = -1 if features["input_ids"].shape[1] > turns_at else 1
        return {**found, "sentence_embedding": sign * found["sentence_embedding"]}

    monkeypatch.setattr(Pooling, "forward", turning)
    embedder = SentenceTransformerEmbedder.load(tmp_path / "model", precision="float32")
    for words in (1, 30, 100):
        question = "lamps " * words
        expected = model.encode_query(question)
        assert embedder.embed_query(question) @ expected / np.linalg.norm(expected) > 0.999


@pytest.mark.timeout(180)
def test_a_question_of_any_length_goes_through_without_the_models_python(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sentence_transformers.sentence_transformer.modules import Pooling

    model = prompted_model(tmp_path)
    embedder = SentenceTransformerEmbedder.load(tmp_path / "model", precision="float32")
    questions = ["lamps " * words for words in (1, 2, 9, 400)]
    expected = [model.encode_query(question) for question in questions]
    monkeypatch.delattr(Pooling, "forward")
    for question, vector in zip(questions, expected, strict=True):
        assert embedder.embed_query(question) @ vector / np.linalg.norm(vector) > 0.999


def test_nothing_loadable_is_a_typed_error(tmp_path: Path) -> None:
    with pytest.raises(EmbedderUnavailable, match="holds no"):
        SentenceTransformerEmbedder.load(tmp_path)


@pytest.mark.timeout(300)
def test_both_scripts_of_chinese_have_one_vector_and_japanese_keeps_its_letters(
    embedder: SentenceTransformerEmbedder,
) -> None:
    assert np.array_equal(embedder.embed_query("東門在哪裡"), embedder.embed_query("东门在哪里"))
    traditional, simplified = embedder.embed_passages(["東門在哪裡", "东门在哪里"])
    assert traditional @ simplified > 0.9999
    japanese, folded = embedder.embed_passages(["東京は広い。", "东京は広い。"])
    assert japanese @ folded < 0.9999


@pytest.mark.timeout(180)
@pytest.mark.parametrize("slow", ["float32", "bfloat16"])
def test_the_precision_is_the_one_in_which_this_processor_is_faster(
    slow: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    prompted_model(tmp_path)
    multiply = torch.mm

    def slowed(rows: Any, weights: Any) -> Any:
        if str(rows.dtype).endswith(slow):
            time.sleep(0.2)
        return multiply(rows[:1], weights[:, :1])

    monkeypatch.setattr(torch, "mm", slowed)
    chosen = SentenceTransformerEmbedder.load(tmp_path / "model")._model.dtype
    assert chosen == (torch.bfloat16 if slow == "float32" else torch.float32)


@pytest.mark.timeout(300)
def test_a_question_asked_again_is_not_embedded_again(
    embedder: SentenceTransformerEmbedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = embedder.embed_query("Is it embedded once?")
    monkeypatch.setattr(embedder, "_forward", lambda _features: pytest.fail("embedded again"))
    assert embedder.embed_query("Is it embedded once?") is first
    with pytest.raises(ValueError, match="read-only"):
        first[0] = 1.0
