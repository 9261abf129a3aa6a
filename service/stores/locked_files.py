"""A locked file on its way to the worker: read at once, so that its password goes no further.

It knows how a file and what it says travel in one payload; it does not know jobs.
"""

import json
from dataclasses import asdict, dataclass

from knowledge import ParsedText, ParseLimits, parse


@dataclass(frozen=True, slots=True)
class Opened:
    """A locked file as it came, and what it says."""

    content: bytes
    parsed: ParsedText


def read_locked(filename: str, content: bytes, password: str, *, limits: ParseLimits) -> bytes:
    """Return a payload: what the file says as one line of JSON, then the file as it came.

    Raises:
        WrongPassword: It does not open the file; PasswordRequired: nothing opens it here.
        KnowledgeError: Whatever else `parse` finds wrong.
    """
    parsed = parse(filename, content, password=password, limits=limits)
    return json.dumps(asdict(parsed)).encode() + b"\n" + content


def unpack(payload: bytes) -> Opened:
    """Return what `read_locked` packed."""
    said, _, content = payload.partition(b"\n")
    fields = json.loads(said)
    return Opened(content, ParsedText(**{**fields, "page_starts": tuple(fields["page_starts"])}))
