"""What a repeated request is found by: a digest of whose it is and of the caller's own name for it.

It knows texts; which of them make a request the same is said by whoever asks.
"""

import hashlib
import json


def request_name(*parts: str | None) -> str:
    """Return SHA-256 of texts in their order, 64 hexadecimal digits whatever their length."""
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()
