"""The OpenAPI document: what FastAPI derives, with what only we know.

It knows documents; the endpoints and their schemas say everything in it themselves.
"""

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from service.api.http.error_replies import error_media_type
from service.api.schemas.answers import DecisionEventReply, DeltaEventReply, PassagesEventReply
from service.api.schemas.documents import DocumentUpload, InlineDocument
from service.api.schemas.openai import ChunkReply
from service.api.schemas.responses import EVENTS

TAGS = {
    "documentation": "Entry point.",
    "chat": "Answer a question, or only decide.",
    "advice": "What to build for a use case, and what it needs.",
    "decisions": "Why a request was answered the way it was.",
    "OpenAI": "The same answers, compatible with OpenAI's chat completions.",
    "use cases": "What a team declares about one task of the model.",
    "data checks": "Whether training rows are good enough.",
    "review": "Training rows that people accept, edit or reject.",
    "knowledge": "Knowledge bases, their documents and their index.",
    "files": "Uploaded files of training rows and documents.",
    "fine-tuning": "OpenAI-compatible fine-tuning jobs.",
    "adapters": "Trained adapters: list, publish, roll back, withdraw, retire.",
    "compare": "Compare the strategies on your own questions.",
    "jobs": "Background jobs: status, result, cancellation.",
    "audit": "Who changed what, and when.",
    "health": "Liveness and readiness.",
}
# Named in the document by reference alone: bodies that an endpoint reads itself, and events.
NAMED: tuple[type[BaseModel], ...] = (
    InlineDocument,
    DocumentUpload,
    DecisionEventReply,
    PassagesEventReply,
    DeltaEventReply,
    ChunkReply,
    *dict.fromkeys(EVENTS.values()),
)
METHODS = ("get", "put", "post", "delete", "patch")
FIRST_ERROR = 400


class DescribedApp(FastAPI):
    """An application whose OpenAPI document is complete."""

    def openapi(self) -> dict[str, Any]:
        """Return the document, made once."""
        if self.openapi_schema is None:
            self.openapi_schema = _complete(super().openapi())
        return self.openapi_schema


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield path, method and description of every endpoint, in the document's order."""
    for path, methods in document["paths"].items():
        for method in METHODS:
            if method in methods:
                yield path, method, methods[method]


def _complete(document: dict[str, Any]) -> dict[str, Any]:
    named = [(model, _mode(model)) for model in NAMED]
    _, made = models_json_schema(named, ref_template="#/components/schemas/{model}")
    for name, schema in made["$defs"].items():
        document["components"]["schemas"].setdefault(name, schema)
    document["tags"] = [{"name": name, "description": text} for name, text in TAGS.items()]
    for path, _, operation in operations(document):
        _say_in_short(operation)
        operation["responses"] = dict(sorted(operation["responses"].items()))
        _name_error_type(operation["responses"], error_media_type(path))
    return document


def _mode(model: type[BaseModel]) -> Any:
    return "validation" if model in (InlineDocument, DocumentUpload) else "serialization"


def _say_in_short(operation: dict[str, Any]) -> None:
    """Make the first line of the docstring the summary, and what follows the description."""
    summary, _, rest = operation.pop("description", operation["summary"]).partition("\n\n")
    operation["summary"] = " ".join(summary.split()).removesuffix(".")
    if rest.strip():
        operation["description"] = rest.strip()


def _name_error_type(replies: dict[str, Any], media_type: str) -> None:
    """Give errors the media type that they come with, whatever the endpoint's own is."""
    for status, reply in replies.items():
        for media in list(reply.get("content", {}).values()):
            is_error = media.get("schema", {}).get("$ref", "").endswith("/ErrorReply")
            if int(status) >= FIRST_ERROR and is_error:
                reply["content"] = {media_type: media}
