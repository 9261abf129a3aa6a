"""Password-protected files: read by the gateway, so that no password reaches a job.

It knows how a file and its text are packed into one payload; it does not know jobs.
"""

from dataclasses import dataclass
from typing import Final

from pydantic import TypeAdapter

from knowledge import Ocr, ParsedText, ParseLimits, parse

_PARSED: Final = TypeAdapter(ParsedText)


@dataclass(frozen=True, slots=True)
class UnlockedFile:
    """A password-protected file as it was uploaded, and its text."""

    content: bytes
    parsed: ParsedText


def read_locked(
    filename: str, content: bytes, password: str, *, limits: ParseLimits, ocr: Ocr
) -> bytes:
    """Return a payload: the text of the file as one line of JSON, then the file itself.

    Raises:
        WrongPassword: It does not open the file.
        PasswordRequired: The file cannot be decrypted here.
        KnowledgeError: As `parse`.
    """
    parsed = parse(filename, content, password=password, limits=limits, ocr=ocr)
    return _PARSED.dump_json(parsed) + b"\n" + content


def unpack(payload: bytes) -> UnlockedFile:
    """Return what `read_locked` packed."""
    header, _, content = payload.partition(b"\n")
    return UnlockedFile(content, _PARSED.validate_json(header))
