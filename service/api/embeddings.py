"""`/v1/embeddings`: vectors of the embedder that knowledge bases are indexed with.

It knows OpenAI's form of a request and of a vector; it does not know how a text is embedded.
"""

import base64
from collections.abc import Sequence
from functools import partial

import numpy as np
import numpy.typing as npt
import orjson
from anyio import to_thread
from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import JsonValue

from knowledge import Embedder
from service.api.http.dependencies import Caller, Context
from service.api.http.error_replies import errors
from service.api.http.json_bodies import JsonRoute
from service.api.http.limited import user_of
from service.api.schemas.embeddings import MAX_INPUTS, EmbeddingRequest, EmbeddingsReply
from service.errors import InvalidRequest, ModelNotFound
from service.limits.counters import PROMPT_TOKENS

api = APIRouter(route_class=JsonRoute, prefix="/v1", tags=["OpenAI"])

QUERY_SUFFIX = ":query"
SHOWN_CHARS = 40
CHARS_PER_TOKEN = 100  # no embedder's tokens are that long: a longer text is refused uncounted


@api.post(
    "/embeddings",
    response_model=None,
    responses={**errors(400, 404, 422), 200: {"model": EmbeddingsReply}},
)
async def create_embeddings(context: Context, caller: Caller, body: EmbeddingRequest) -> Response:
    """Embed texts as passages, or with `MODEL:query` as questions.

    Their tokens count to the caller's limit of prompt tokens, by the embedder's tokenizer.
    """
    embedder = context.knowledge.embedder
    as_query = _is_for_queries(body.model, embedder)
    texts = texts_of(body.input)
    if body.dimensions not in (None, embedder.dimension):
        raise InvalidRequest(
            f"{embedder.model_id!r} makes vectors of {embedder.dimension} dimensions, not of "
            f"{body.dimensions}; leave `dimensions` out.",
            param="dimensions",
        )
    limits, user = context.limits, user_of(caller)
    await limits.require(PROMPT_TOKENS, user)
    embed = partial(_embed, texts, body, embedder, as_query=as_query)
    tokens, reply = await to_thread.run_sync(embed)
    await limits.add_tokens(user, prompt=tokens, completion=0)
    return Response(reply, media_type="application/json")


def texts_of(given: JsonValue) -> tuple[str, ...]:
    """Return the texts of `input`, at least one.

    Raises:
        InvalidRequest: It is neither a text nor a list of texts, or one of them is empty.
    """
    texts = given if isinstance(given, list) else [given]
    if not 1 <= len(texts) <= MAX_INPUTS:
        raise InvalidRequest(
            f"`input` has {len(texts):,} texts; 1 to {MAX_INPUTS:,} are embedded at once.",
            param="input",
        )
    read: list[str] = []
    for number, text in enumerate(texts):
        if isinstance(text, int | list):
            raise InvalidRequest(
                "`input` holds token numbers, which belong to another model's tokenizer; "
                "send the texts as strings.",
                param="input",
            )
        if not isinstance(text, str):
            raise InvalidRequest(
                f"Text {number} of `input` is not a string; send a string or a list of strings.",
                param="input",
            )
        if not text.strip():
            raise InvalidRequest(f"Text {number} of `input` is empty.", param="input")
        read.append(text)
    return tuple(read)


def _is_for_queries(name: str, embedder: Embedder) -> bool:
    """Return whether a model name asks for vectors of questions. Raises `ModelNotFound`."""
    names = (embedder.model_id, f"{embedder.model_id}{QUERY_SUFFIX}")
    if name not in names:
        raise ModelNotFound(
            f"There is no embedding model {name!r}; {names[0]!r} embeds passages, "
            f"{names[1]!r} questions.",
            param="model",
        )
    return name == names[1]


def _embed(
    texts: Sequence[str], body: EmbeddingRequest, embedder: Embedder, *, as_query: bool
) -> tuple[int, bytes]:
    """Return how many tokens were embedded, and the body of the reply.

    Its floats are written as float32, as they were computed.
    """
    tokens = _count_tokens(texts, embedder)
    if as_query:
        vectors = np.stack([embedder.embed_query(text) for text in texts])
    else:
        vectors = embedder.embed_passages(texts)
    as_base64 = body.encoding_format == "base64"
    data = [
        {
            "object": "embedding",
            "index": index,
            "embedding": _base64(vector) if as_base64 else vector,
        }
        for index, vector in enumerate(vectors)
    ]
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    reply = {"object": "list", "model": body.model, "data": data, "usage": usage}
    return tokens, orjson.dumps(reply, option=orjson.OPT_SERIALIZE_NUMPY)


def _base64(vector: npt.NDArray[np.float32]) -> str:
    return base64.b64encode(vector.astype("<f4").tobytes()).decode()


def _count_tokens(texts: Sequence[str], embedder: Embedder) -> int:
    """Return the tokens of all texts.

    Raises:
        InvalidRequest: The embedder would read only the beginning of one.
    """
    total = 0
    for number, text in enumerate(texts):
        is_huge = len(text) > embedder.max_tokens * CHARS_PER_TOKEN
        tokens = 0 if is_huge else embedder.count_tokens(text)
        if is_huge or tokens > embedder.max_tokens:
            size = f"{len(text):,} characters" if is_huge else f"{tokens:,} tokens"
            raise InvalidRequest(
                f"Text {number} of `input` ({text[:SHOWN_CHARS]!r}…) has {size}; this model's "
                f"maximum context length is {embedder.max_tokens} tokens. Split the text.",
                param="input",
            )
        total += tokens
    return total
