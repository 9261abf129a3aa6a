"""Paths that name nothing: parent folders, control characters, broken UTF-8, a hidden slash.

Every id of a path is covered, before any endpoint reads it. Ids in bodies are their endpoints' own;
the name of a file, which becomes the id of a document, is held to the same.
"""

import re
from urllib.parse import unquote_to_bytes

from service.errors import InvalidRequest, NotFound, ServiceError

# Below these an id may hold a slash, written as it is or as %2F.
ID_WITH_SLASHES = re.compile(rb"/v1/vector_stores/[^/]+/documents/|/sources/[^/]+/|/v1/models/")
_DOCUMENT = re.compile(rb"/v1/vector_stores/[^/]+/documents/")
_CONTROLS = re.compile(r"[\x00-\x1f\x7f]")


def require_plain_path(raw: bytes) -> None:
    """Refuse a path that a file system, a proxy or a log could read in another way.

    Args:
        raw: The path as it was sent, percent-encoded.

    Raises:
        InvalidRequest: No document can have this id.
        NotFound: Nothing else has such an id.
    """
    reason = fault_of_path(raw)
    if reason is not None:
        kind: type[ServiceError] = InvalidRequest if _DOCUMENT.match(raw) else NotFound
        raise kind(f"The path {reason}.")


def fault_of_path(raw: bytes) -> str | None:
    """Return what is wrong with a path, in words that follow "The path", or None."""
    if b"%" not in raw and b"." not in raw:
        return None
    prefix = ID_WITH_SLASHES.match(raw)
    ids = raw if prefix is None else prefix[0]
    if b"%2f" in ids.lower():
        return "has an encoded slash in an id that has none"
    try:
        text = unquote_to_bytes(raw).decode()
    except UnicodeDecodeError:
        return "is not UTF-8"
    return fault_of_name(text)


def fault_of_name(text: str) -> str | None:
    """Return why no path can lead to what has this name, in words that follow "The name"."""
    if _CONTROLS.search(text):
        return "has a control character"
    if {".", ".."} & set(re.split(r"[/\\]", text)):
        return "has a part `.` or `..`"
    return None
