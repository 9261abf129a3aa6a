"""`service/api/README.md` made from the OpenAPI document: `python -m tests.references`.

It knows Markdown; what it lists stands in the endpoints and their schemas.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from service.api.docs.document import FIRST_ERROR, operations
from service.api.http.error_replies import ERRORS

README = Path(__file__).parents[1] / "README.md"
OPENING = """# The HTTP endpoints

Made from the OpenAPI document by `python -m tests.references`; a test compares the two.
A running gateway shows every field at `/docs`, and the document itself at `/openapi.json`.

Every error has one body, `ErrorReply`: RFC 9457 with an OpenAI error envelope in it.
Any endpoint may answer 403 (not a loopback host), 413 or 500; the table names the other errors.
Under `/v1` an error comes as `application/json`, elsewhere as `application/problem+json`.
Files: one per noun, their bodies in `schemas/`. In `http/`,
`dependencies.py` gives an endpoint context and caller, `error_replies.py` answers errors, and
`guard.py` sees every request first.
"""


def reference(document: dict[str, Any]) -> str:
    """Return the list of all endpoints as Markdown, by tag."""
    return "\n".join([OPENING, *_sections(document)])


def _sections(document: dict[str, Any]) -> Iterator[str]:
    for tag in document["tags"]:
        rows = [
            _row(path, method, operation)
            for path, method, operation in operations(document)
            if tag["name"] in operation["tags"]
        ]
        yield f"## {tag['name'][0].upper()}{tag['name'][1:]}\n\n{tag['description']}\n"
        yield "| endpoint | what it does | body | reply | errors |"
        yield "|---|---|---|---|---|"
        yield from rows
        yield ""


def _row(path: str, method: str, operation: dict[str, Any]) -> str:
    replies = operation["responses"].items()
    made = [(status, _names(reply)) for status, reply in replies if int(status) < FIRST_ERROR]
    first, *others = made
    shown = [first[1], *(f"{status}: {names}" for status, names in others)]
    faults = " ".join(
        status for status, _ in replies if int(status) >= FIRST_ERROR and int(status) not in ERRORS
    )
    body = _names(operation.get("requestBody", {}))
    cells = (f"`{method.upper()} {path}`", operation["summary"], body, ", ".join(shown), faults)
    return f"| {' | '.join(cells)} |"


def _names(part: dict[str, Any]) -> str:
    """Return the schemas, or else the media types, of a body."""
    names = [
        name
        for kind, media in part.get("content", {}).items()
        for name in _schema_names(media.get("schema", {})) or [f"`{kind}`"]
    ]
    return " or ".join(dict.fromkeys(names))


def _schema_names(schema: dict[str, Any]) -> list[str]:
    """Return the name of the schema, or the names of those of which it is one."""
    names = map(_name, schema.get("anyOf", [schema]))
    return [name for name in names if name]


def _name(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        listed = name.removeprefix("ListReply_").removesuffix("_")
        return f"`{name}`" if listed == name else f"list of `{listed}`"
    return f"`{schema['title']}`" if "title" in schema else ""
