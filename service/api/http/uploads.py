"""A document on its way in: multipart/form-data, or JSON with its text.

It knows the two forms of the body; it does not know what becomes of the document.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TypeVar

import orjson
from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import JsonValue, ValidationError
from python_multipart.multipart import parse_options_header
from starlette.datastructures import FormData, UploadFile

from knowledge import UnsupportedFile, encoding_name
from service.api.http.json_bodies import read_json
from service.api.schemas.documents import MAX_SOURCE_CHARS, InlineDocument
from service.api.schemas.shapes import JsonObject
from service.errors import InvalidRequest

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Upload:
    """A document as it came; its attributes are checked by whoever stores them.

    Attributes:
        attributes: None: none were given, as with `access_labels`.
        access_labels: None: those that the document or its text has or had.
        password: Opens a locked file; nobody keeps it.
        synced_from: The folder whose sync sends it; empty: none does.
        encoding: Of its text; None: as detected.
    """

    filename: str
    content: bytes
    attributes: JsonObject | None
    access_labels: Sequence[str] | None
    password: str | None = field(default=None, repr=False)
    synced_from: str = ""
    encoding: str | None = None


async def read_upload(request: Request, external_id: str) -> Upload:
    """Return the document in a request's body.

    Args:
        request: The request, its body not read yet.
        external_id: Names the file where the upload does not.

    Raises:
        UnsupportedFile: The body is neither multipart/form-data nor JSON.
        RequestValidationError: The JSON body is malformed.
        InvalidRequest: A part of the multipart body is missing or not what it should be.
        UnknownEncoding: Nothing can be read in an encoding of that name.
    """
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if kind == "application/json":
        body = _read_document(await request.body())
        attributes: JsonObject | None = None if body.attributes is None else dict(body.attributes)
        return Upload(
            body.filename,
            body.content.encode(),
            attributes,
            body.access_labels,
            synced_from=body.synced_from,
        )
    if kind != "multipart/form-data":
        raise UnsupportedFile(
            f"A document comes as multipart/form-data with a part `file`, or as application/json "
            f"with filename and content; not as {kind or 'an unnamed type'}."
        )
    async with form_of(request, max_fields=8) as form:
        return await _read_form(form, external_id)


@asynccontextmanager
async def form_of(request: Request, *, max_fields: int) -> AsyncIterator[FormData]:
    """Open a form with one file.

    Raises:
        UnknownEncoding: Its fields are written in no encoding of text that is read here; some
            that Python knows give half characters, which nothing can store.
    """
    _, options = parse_options_header(request.headers.get("content-type"))
    encoding_name(options.get(b"charset", b"utf-8").decode("latin-1"))
    async with request.form(max_files=1, max_fields=max_fields) as form:
        yield form


def _read_document(sent: bytes) -> InlineDocument:
    value: object = None
    try:
        value = read_json(sent)
        return InlineDocument.model_validate(value)
    except orjson.JSONDecodeError as exc:
        fault = {"type": "json_invalid", "loc": ("body", exc.pos), "ctx": {"error": exc.msg}}
        raise RequestValidationError([fault]) from exc
    except ValidationError as exc:
        faults = [{**fault, "loc": ("body", *fault["loc"])} for fault in exc.errors()]
        raise RequestValidationError(faults, body=value) from exc


async def _read_form(form: FormData, external_id: str) -> Upload:
    upload = form.get("file")
    if not isinstance(upload, UploadFile):
        raise InvalidRequest("The multipart body has no part `file`.", param="file")
    attributes = _json_field(form, "attributes", dict)
    labels = _json_field(form, "access_labels", list)
    if not all(isinstance(label, str) for label in labels or ()):
        raise InvalidRequest(
            "`access_labels` must be a JSON list of strings.", param="access_labels"
        )
    password, encoding = form.get("password"), form.get("encoding")
    return Upload(
        upload.filename or external_id,
        await upload.read(),
        attributes,
        labels,
        password if isinstance(password, str) and password else None,
        _source(form),
        encoding_name(encoding) if isinstance(encoding, str) and encoding else None,
    )


def _source(form: FormData) -> str:
    source = form.get("synced_from", "")
    if not isinstance(source, str) or len(source) > MAX_SOURCE_CHARS:
        raise InvalidRequest(
            f"`synced_from` must be text of at most {MAX_SOURCE_CHARS:,} characters.",
            param="synced_from",
        )
    return source


def _json_field(form: FormData, name: str, kind: type[T]) -> T | None:
    """Return a form field that holds JSON of one kind, None where it is not there."""
    field = form.get(name)
    if not isinstance(field, str):
        return None
    try:
        value: JsonValue = read_json(field.encode())
    except orjson.JSONDecodeError as exc:
        raise InvalidRequest(f"`{name}` is not JSON.", param=name) from exc
    if not isinstance(value, kind):
        shape = "an object" if kind is dict else "a list"
        raise InvalidRequest(f"`{name}` must be {shape} in JSON.", param=name)
    return value
