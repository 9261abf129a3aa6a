"""Signatures of links and of the worker's own requests: HMAC with a secret kept in the database.

Every gateway that shares the database signs alike. It knows texts and times; it does not know
what is signed.
"""

import hashlib
import hmac
import secrets
import time
from collections.abc import Sequence

from sqlalchemy import Column, Float, LargeBinary, String, Table, select
from sqlalchemy.exc import IntegrityError

from service.stores.database import Database
from service.stores.tables import metadata

SECRET_BYTES = 32

signing_secrets = Table(
    "signing_secrets",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("secret", LargeBinary(), nullable=False),
    Column("created_at", Float, nullable=False),
)


class Signer:
    """Signs and checks texts for one purpose; another purpose has another secret."""

    def __init__(self, database: Database, purpose: str) -> None:
        self._database = database
        self._purpose = purpose
        self._secret: bytes | None = None

    def prepare(self) -> None:
        """Read the secret, or make it, so that no request waits for the database."""
        self._key()

    def sign(self, parts: Sequence[str]) -> str:
        """Return the signature of texts in their order, 64 hexadecimal digits."""
        return hmac.new(self._key(), _message(parts), hashlib.sha256).hexdigest()

    def is_signed(self, parts: Sequence[str], signature: str) -> bool:
        """Return whether a signature is that of these texts; compared in constant time."""
        return hmac.compare_digest(self.sign(parts).encode(), signature.encode())

    def _key(self) -> bytes:
        if self._secret is None:
            self._secret = self._read() or self._make()
        return self._secret

    def _read(self) -> bytes | None:
        query = select(signing_secrets.c.secret).where(signing_secrets.c.name == self._purpose)
        with self._database.connect() as connection:
            found: bytes | None = connection.execute(query).scalar_one_or_none()
        return found

    def _make(self) -> bytes:
        row = {
            "name": self._purpose,
            "secret": secrets.token_bytes(SECRET_BYTES),
            "created_at": time.time(),
        }
        try:
            with self._database.execution_options(write=True).begin() as connection:
                connection.execute(signing_secrets.insert().values(row))
        except IntegrityError:  # another process was quicker
            pass
        found = self._read()
        assert found is not None
        return found


def _message(parts: Sequence[str]) -> bytes:
    """Return texts as bytes from which each can be told: its length stands before it."""
    return b"".join(b"%d:%b" % (len(raw), raw) for raw in (part.encode() for part in parts))
