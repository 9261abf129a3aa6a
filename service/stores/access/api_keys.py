"""API keys: made, listed, rotated, revoked, and found by the prefix that each begins with.

It keeps the SHA-256 of a key, never the key. It knows who a key speaks for; what an endpoint needs
stands in `api/http/scopes.py`.
"""

import hashlib
import hmac
import re
import secrets
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import JSON, Column, Float, String, Table, inspect, select, update

from service.access import LOOPBACK_CALLER, Caller, Scope
from service.access_errors import InvalidKey, KeyExpired, KeyNotFound, KeyRevoked, UnknownScope
from service.errors import InvalidRequest
from service.stores.database import Database
from service.stores.requests.audit_log import audit_log
from service.stores.tables import metadata

KEY = re.compile(r"fp_([0-9a-f]{16})_[A-Za-z0-9_-]{43}")
TENANT_PATTERN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
SECRET_BYTES = 32  # 256 bits: nobody finds one by trying, so a plain hash suffices
CREATION = "keys create"  # as the audit log names it
GRACE_S = 24 * 3600.0  # how long the old key stays valid: time to exchange it everywhere

api_keys = Table(
    "api_keys",
    metadata,
    Column("key_id", String(32), primary_key=True),
    Column("tenant", String(64), nullable=False, index=True),
    Column("name", String(120), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("previous_digest", String(64), nullable=True),
    Column("previous_until", Float, nullable=True),
    Column("scopes", JSON, nullable=False),
    Column("use_cases", JSON, nullable=True),
    Column("knowledge_bases", JSON, nullable=True),
    Column("access_labels", JSON, nullable=True),
    Column("created_at", Float, nullable=False),
    Column("rotated_at", Float, nullable=True),
    Column("expires_at", Float, nullable=True),
    Column("revoked_at", Float, nullable=True),
)


@dataclass(frozen=True, slots=True)
class NewKey:
    """What a key is to be allowed.

    Attributes:
        name: For people.
        tenant: Whose data it reads and writes.
        scopes: What may be done with it.
        use_cases: The only use cases it may use; None: all.
        knowledge_bases: The only knowledge bases it may use; None: all.
        access_labels: Labels that its callers hold; None with scope `labels`: any.
        expires_at: Seconds since 1970; None: never.
    """

    name: str
    tenant: str = LOOPBACK_CALLER.tenant
    scopes: tuple[str, ...] = ()
    use_cases: tuple[str, ...] | None = None
    knowledge_bases: tuple[str, ...] | None = None
    access_labels: tuple[str, ...] | None = None
    expires_at: float | None = None


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key as it is kept; the digests are of the whole key, in hexadecimal."""

    key_id: str
    digest: str
    previous_digest: str | None
    previous_until: float | None
    allowed: NewKey
    created_at: float
    rotated_at: float | None
    revoked_at: float | None

    @property
    def prefix(self) -> str:
        """What the key begins with."""
        return f"fp_{self.key_id.removeprefix('key_')}"

    @property
    def status(self) -> str:
        """Return active, expired or revoked, as of now."""
        if self.revoked_at is not None:
            return "revoked"
        expires_at = self.allowed.expires_at
        return "expired" if expires_at is not None and expires_at <= time.time() else "active"

    def caller(self) -> Caller:
        """Return who a request with this key comes from."""
        allowed = self.allowed
        labels = _set(allowed.access_labels)
        if labels is None and Scope.LABELS not in allowed.scopes:
            labels = frozenset()
        return Caller(
            tenant=allowed.tenant,
            scopes=frozenset(allowed.scopes),
            key_id=self.key_id,
            access_labels=labels,
            use_cases=_set(allowed.use_cases),
            knowledge_bases=_set(allowed.knowledge_bases),
        )

    def require_valid(self, key: str) -> None:
        """Refuse a key that is not this one, or no longer valid.

        Raises:
            InvalidKey: It is another key.
            KeyRevoked, KeyExpired: It was valid once.
        """
        digest = digest_of(key)
        is_new = hmac.compare_digest(digest, self.digest)
        is_old = hmac.compare_digest(digest, self.previous_digest or "")
        if not is_new and not is_old:
            raise InvalidKey(f"There is no API key {self.prefix}… with this secret part.")
        self.require_active(is_previous=not is_new)

    def require_active(self, *, is_previous: bool = False) -> None:
        """Refuse a key that is revoked or expired; an old one after its grace time too.

        Raises:
            KeyRevoked, KeyExpired: As named.
        """
        if self.revoked_at is not None:
            raise KeyRevoked(f"The API key {self.prefix}… was revoked at {_told(self.revoked_at)}.")
        ends = [self.allowed.expires_at, self.previous_until or 0.0 if is_previous else None]
        ended = [end for end in ends if end is not None and end <= time.time()]
        if ended:
            raise KeyExpired(f"The API key {self.prefix}… expired at {_told(min(ended))}.")


class ApiKeys:
    """The keys of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def exist(self) -> bool:
        """Return whether a key was ever made: one that is revoked opens nothing again.

        Nor does the deletion of the tenant that had it: the audit log still knows.
        """
        kept = select(api_keys.c.key_id).limit(1)
        noted = select(audit_log.c.seq).where(audit_log.c.action == CREATION).limit(1)
        with self._database.connect() as connection:
            return any(connection.execute(query).first() is not None for query in (kept, noted))

    def create(self, new: NewKey) -> tuple[ApiKey, str]:
        """Keep a new key; return it with the key itself, which cannot be read again.

        Raises:
            UnknownScope: A scope does not exist.
            InvalidRequest: The name or the tenant is not valid.
        """
        _require_valid(new)
        identifier = secrets.token_hex(8)
        key = _new_secret(identifier)
        made = ApiKey(f"key_{identifier}", digest_of(key), None, None, new, time.time(), None, None)
        row = {
            "key_id": made.key_id,
            "tenant": new.tenant,
            "name": new.name,
            "digest": made.digest,
            "scopes": sorted(set(new.scopes)),
            "use_cases": _list(new.use_cases),
            "knowledge_bases": _list(new.knowledge_bases),
            "access_labels": _list(new.access_labels),
            "created_at": made.created_at,
            "expires_at": new.expires_at,
        }
        with self._database.execution_options(write=True).begin() as connection:
            connection.execute(api_keys.insert().values(row))
        return made, key

    def list(self, *, tenant: str | None = None) -> Sequence[ApiKey]:
        """Return the keys of a tenant, or of all, oldest first."""
        query = select(api_keys).order_by(api_keys.c.created_at, api_keys.c.key_id)
        if tenant is not None:
            query = query.where(api_keys.c.tenant == tenant)
        with self._database.connect() as connection:
            return tuple(_of(row) for row in connection.execute(query))

    def find(self, key_id: str) -> ApiKey | None:
        """Return a key by its id, None where there is none."""
        with self._database.connect() as connection:
            row = connection.execute(
                select(api_keys).where(api_keys.c.key_id == key_id)
            ).one_or_none()
        return None if row is None else _of(row)

    def get(self, key_id: str) -> ApiKey:
        """Return a key by its id or its prefix.

        Raises:
            KeyNotFound: There is none.
        """
        found = self.find(_id_of(key_id))
        if found is None:
            raise KeyNotFound(f"There is no API key {key_id!r}.")
        return found

    def rotate(
        self, key_id: str, *, grace_s: float = GRACE_S, expires_at: float | None = None
    ) -> tuple[ApiKey, str]:
        """Exchange the secret of a key; the old one is valid for `grace_s` longer.

        Args:
            key_id: Its id or prefix, which stay.
            grace_s: Seconds; 0 ends the old one at once.
            expires_at: When the new one expires, in seconds since 1970; None: as the old one.

        Raises:
            KeyNotFound: There is none.
            KeyRevoked: It was revoked.
        """
        found = self.get(key_id)
        if found.revoked_at is not None:
            found.require_active()
        key = _new_secret(found.key_id.removeprefix("key_"))
        now = time.time()
        ends = [end for end in (now + grace_s, found.allowed.expires_at) if end is not None]
        values = {
            "digest": digest_of(key),
            "previous_digest": found.digest,
            "previous_until": min(ends),
            "rotated_at": now,
            "expires_at": found.allowed.expires_at if expires_at is None else expires_at,
        }
        self._change(found.key_id, **values)
        return self.get(found.key_id), key

    def revoke(self, key_id: str) -> ApiKey:
        """End a key for good, and its old secret with it; a second time changes nothing.

        Raises:
            KeyNotFound: There is none.
        """
        found = self.get(key_id)
        if found.revoked_at is None:
            self._change(found.key_id, revoked_at=time.time())
        return self.get(found.key_id)

    def _change(self, key_id: str, **values: object) -> None:
        with self._database.execution_options(write=True).begin() as connection:
            connection.execute(update(api_keys).where(api_keys.c.key_id == key_id).values(**values))


def keys_exist(database: Database) -> bool:
    """Return whether a key was ever made; in a database without the table none was."""
    tables = inspect(database)
    is_new = tables.has_table(api_keys.name) and tables.has_table(audit_log.name)
    return is_new and ApiKeys(database).exist()


def key_id_of(key: str) -> str:
    """Return the id of the key that a request sent.

    Raises:
        InvalidKey: It is not in the form of our keys.
    """
    found = KEY.fullmatch(key)
    if found is None:
        raise InvalidKey("The API key is malformed: keys are `fp_`, 16 digits, `_` and 43 letters.")
    return f"key_{found[1]}"


def digest_of(key: str) -> str:
    """Return the SHA-256 of a key, in hexadecimal."""
    return hashlib.sha256(key.encode()).hexdigest()


def _new_secret(identifier: str) -> str:
    return f"fp_{identifier}_{secrets.token_urlsafe(SECRET_BYTES)}"


def _require_valid(new: NewKey) -> None:
    unknown = sorted(set(new.scopes) - set(Scope))
    if unknown:
        raise UnknownScope(
            f"There is no scope {unknown[0]!r}; the scopes are {', '.join(Scope)}.", param="scopes"
        )
    if not 0 < len(new.name.strip()) <= 120:
        raise InvalidRequest("The name of a key has 1 to 120 characters.", param="name")
    if not TENANT_PATTERN.fullmatch(new.tenant):
        raise InvalidRequest(
            f"{new.tenant!r} is no tenant: 1 to 64 letters, digits, `.`, `_` and `-`, the first "
            "a letter or a digit.",
            param="tenant",
        )
    if new.expires_at is not None and new.expires_at <= time.time():
        raise InvalidRequest("The key would be expired at once.", param="expires")


def _id_of(named: str) -> str:
    """Return the id where a prefix is named, as `keys ls` shows both."""
    return f"key_{named.removeprefix('fp_')}" if named.startswith("fp_") else named


def _of(row: object) -> ApiKey:
    values = row._mapping  # type: ignore[attr-defined]  # a row of the table
    allowed = NewKey(
        name=values["name"],
        tenant=values["tenant"],
        scopes=tuple(values["scopes"]),
        use_cases=_tuple(values["use_cases"]),
        knowledge_bases=_tuple(values["knowledge_bases"]),
        access_labels=_tuple(values["access_labels"]),
        expires_at=values["expires_at"],
    )
    return ApiKey(
        values["key_id"],
        values["digest"],
        values["previous_digest"],
        values["previous_until"],
        allowed,
        values["created_at"],
        values["rotated_at"],
        values["revoked_at"],
    )


def _tuple(values: Collection[str] | None) -> tuple[str, ...] | None:
    return None if values is None else tuple(values)


def _set(values: Collection[str] | None) -> frozenset[str] | None:
    return None if values is None else frozenset(values)


def _list(values: Collection[str] | None) -> list[str] | None:
    return None if values is None else sorted(set(values))


def _told(at: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(at))
