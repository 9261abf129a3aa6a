"""The openai client embeds texts with the embedder of the knowledge bases."""

import base64
from collections.abc import Iterator
from typing import Any

import numpy as np
import openai
import pytest

from tests.service.conftest import Running

MODEL, QUERY = "fake-words", "fake-words:query"
PATH = "/v1/embeddings"


@pytest.fixture
def client(running: Running) -> Iterator[openai.OpenAI]:
    base_url = f"{running.client.base_url}/v1"
    with openai.OpenAI(base_url=base_url, api_key="none", max_retries=0) as made:
        yield made


def test_texts_are_embedded_in_their_order(running: Running, client: openai.OpenAI) -> None:
    texts = ["red lamp", "a blue chair", "红色的灯"]
    made = client.embeddings.create(model=MODEL, input=texts)  # the client asks for base64
    wanted = running.context.knowledge.embedder.embed_passages(texts)
    np.testing.assert_array_equal([row.embedding for row in made.data], wanted)
    assert [row.index for row in made.data] == [0, 1, 2]
    assert (made.model, made.usage.prompt_tokens, made.usage.total_tokens) == (MODEL, 9, 9)


@pytest.mark.parametrize("wished", ["float", "base64"])
def test_both_formats_hold_the_same_float32(running: Running, wished: str) -> None:
    body = {"model": MODEL, "input": "red lamp", "encoding_format": wished}
    (row,) = running.client.post(PATH, json=body).json()["data"]
    vector = row["embedding"]
    if wished == "base64":
        vector = np.frombuffer(base64.b64decode(vector), dtype="<f4")
    wanted = running.context.knowledge.embedder.embed_query("red lamp")
    np.testing.assert_array_equal(np.asarray(vector, dtype=np.float32), wanted)


def test_the_second_model_embeds_questions(
    running: Running, client: openai.OpenAI, monkeypatch: pytest.MonkeyPatch
) -> None:
    embedder: Any = running.context.knowledge.embedder
    monkeypatch.setattr(embedder, "embed_query", lambda text: embedder._embed(f"query {text}"))
    as_question = client.embeddings.create(model=QUERY, input="lamp").data[0].embedding
    as_passage = client.embeddings.create(model=MODEL, input="lamp").data[0].embedding
    np.testing.assert_array_equal(as_question, embedder._embed("query lamp"))
    np.testing.assert_array_equal(as_passage, embedder._embed("lamp"))


@pytest.mark.parametrize("model", ["text-embedding-3-small", f"{MODEL}:", f"{MODEL}:passage", ""])
def test_an_unknown_model_is_told_the_two_there_are(client: openai.OpenAI, model: str) -> None:
    with pytest.raises(openai.NotFoundError) as refused:
        client.embeddings.create(model=model, input="lamp")
    assert (refused.value.code, refused.value.param) == ("model_not_found", "model")
    assert f"'{MODEL}' embeds passages, '{QUERY}' questions" in refused.value.message


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("", "Text 0 of `input` is empty"),
        (["lamp", " \n"], "Text 1 of `input` is empty"),
        ([], "0 texts"),
        (["lamp"] * 2049, "2,049 texts; 1 to 2,048"),
        ([1, 2], "send the texts as strings"),
        ([[1, 2], [3]], "send the texts as strings"),
        (None, "not a string"),
        ({"text": "lamp"}, "not a string"),
        (["lamp", None], "Text 1 of `input` is not a string"),
        ("lamp " * 257, "maximum context length is 256 tokens"),
    ],
)
def test_what_cannot_be_embedded_is_refused_in_words(
    running: Running, given: object, said: str
) -> None:
    reply = running.client.post(PATH, json={"model": MODEL, "input": given})
    error = reply.json()["error"]
    assert (reply.status_code, error["param"]) == (400, "input")
    assert said in error["message"]


def test_a_huge_text_is_refused_without_counting_its_tokens(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    def count(text: str) -> int:
        raise AssertionError("questions wait while the tokenizer reads a long text")

    monkeypatch.setattr(running.context.knowledge.embedder, "count_tokens", count)
    reply = running.client.post(PATH, json={"model": MODEL, "input": "x" * 25_601})
    assert reply.status_code == 400
    assert "25,601 characters" in reply.json()["detail"]


def test_the_most_inputs_are_taken(client: openai.OpenAI) -> None:
    made = client.embeddings.create(model=MODEL, input=["lamp"] * 2048)
    assert (len(made.data), made.usage.total_tokens) == (2048, 2048)


def test_only_the_embedders_own_dimensions_are_taken(client: openai.OpenAI) -> None:
    made = client.embeddings.create(model=MODEL, input="a", dimensions=64)
    assert len(made.data[0].embedding) == 64
    with pytest.raises(openai.BadRequestError, match="64 dimensions, not of 32") as refused:
        client.embeddings.create(model=MODEL, input="a", dimensions=32)
    assert refused.value.param == "dimensions"


def test_null_for_an_optional_field_is_as_without_it(running: Running) -> None:
    body = {"model": MODEL, "input": "a", "encoding_format": None, "dimensions": None, "user": None}
    reply = running.client.post(PATH, json=body)
    assert reply.status_code == 200, reply.text
    assert isinstance(reply.json()["data"][0]["embedding"], list)
