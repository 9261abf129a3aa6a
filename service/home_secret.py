"""The secret of a home: 32 random bytes that only its own processes read, made once.

It knows the file; what is derived from the secret is its readers' own: each derives a key of its
own purpose by `derive`, so that one tells nothing of another.
"""

import hmac
import os
import secrets
import tempfile
from hashlib import sha256
from pathlib import Path

from service.home import Home

SECRET_BYTES = 32
FILE = "secret.key"


def home_secret(home: Home) -> bytes:
    """Return the secret; of several processes that start at once, one makes it for all."""
    file = home.root / FILE
    if not file.exists():
        _make(file)
    return file.read_bytes()


def derive(secret: bytes, purpose: str, subject: str) -> str:
    """Return 64 hex digits for `subject` that say nothing of it, nor of the secret."""
    message = f"{purpose}\0{subject}".encode()
    return hmac.new(secret, message, sha256).hexdigest()


def _make(file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    handle, draft = tempfile.mkstemp(dir=file.parent, prefix=".secret-")  # readable by its owner
    try:
        with os.fdopen(handle, "wb") as opened:
            opened.write(secrets.token_bytes(SECRET_BYTES))
            opened.flush()
            os.fsync(opened.fileno())
        os.link(draft, file)  # fails where another process was first, and leaves its file
    except FileExistsError:
        return
    finally:
        os.unlink(draft)
