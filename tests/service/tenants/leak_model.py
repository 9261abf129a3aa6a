"""Who may know which word: a plain model of two tenants, their keys, and the rows of their stores.

Every name, text, label, use case and adapter has a word of its own, which nothing else has. The
model knows no endpoint; what may be read it works out from labels alone.
"""

import hashlib
import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from sqlalchemy import Engine, select

from knowledge.sql.tables import bases, documents, versions
from service.access import Scope

PLANTED = re.compile(r"zq[a-z]{8}|doc_[0-9a-f]{24}|[0-9a-f]{64}")
ACME, BOLT = "acme", "bolt"
TENANTS = (ACME, BOLT)
SCOPES = (
    (Scope.CHAT, Scope.KB_READ),
    (Scope.KB_READ, Scope.KB_WRITE),
    (Scope.CHAT, Scope.KB_WRITE, Scope.TRAIN, Scope.EXPERIMENTS),
    tuple(scope for scope in Scope if scope is not Scope.LABELS),
)
Labels = frozenset[str]


@dataclass(frozen=True)
class Key:
    """An API key, and what it is bound to; None: to nothing."""

    tenant: str
    secret: str
    scopes: tuple[Scope, ...]
    labels: Labels | None
    bases: frozenset[str] | None
    use_cases: frozenset[str] | None

    def reads(self, needed: Labels) -> bool:
        """Return whether the key may read what has these labels."""
        return not needed or self.labels is None or bool(needed & self.labels)

    def uses(self, base: str) -> bool:
        """Return whether the key may use a base."""
        return self.bases is None or base in self.bases


@dataclass
class Document:
    """A document of one base: its labels now (once deleted: the last), and those of each text."""

    tenant: str
    base: str
    name: str
    document_id: str
    labels: Labels = frozenset()
    texts: set[tuple[str, Labels]] = field(default_factory=set)  # SHA-256, labels


@dataclass
class Model:
    """The words that were planted, and who may know each."""

    database: Engine
    rng: random.Random
    rules: dict[str, Callable[[Key], bool]] = field(default_factory=dict)
    digests: dict[str, str] = field(default_factory=dict)  # the word of a text, by its SHA-256
    documents: list[Document] = field(default_factory=list)
    labels: dict[str, tuple[str, ...]] = field(default_factory=dict)
    told: dict[str, set[str]] = field(default_factory=dict)  # secret of a key: words that it sent

    def word(self, rule: Callable[[Key], bool]) -> str:
        """Return a new word that whoever `rule` says may know."""
        word = "zq" + "".join(self.rng.choices("abcdefghijklmnoprstuvwxy", k=8))
        self.rules[word] = rule
        return word

    def of_tenant(self, tenant: str) -> str:
        """Return a new word for all keys of a tenant."""
        return self.word(lambda key: key.tenant == tenant)

    def name(self, tenant: str) -> str:
        """Return a new word that names a document."""
        made = self.word(lambda key: self._knows(key, tenant, lambda one: one.name == f"{made}.md"))
        return made

    def text(self, tenant: str) -> str:
        """Return a new text; its word and its SHA-256 are known to whoever may read it."""
        made = self.word(lambda key: self._reads_text(key, tenant, digest))
        filler = (self.rng.choices("abcdefghijklmnoprstuvwxy", k=9) for _ in range(12))
        text = f"Sold {made} {' '.join(map(''.join, filler))}."
        digest = hashlib.sha256(text.encode()).hexdigest()
        self.digests[digest] = made
        return text

    def label(self, tenant: str) -> str:
        """Return a new access label."""
        made = self.word(
            lambda key: (
                key.tenant == tenant
                and (
                    key.labels is None
                    or made in key.labels
                    or any(made in one.labels and key.reads(one.labels) for one in self.documents)
                )
            )
        )
        return made

    def refresh(self) -> None:
        """Read anew which labels each document and each of its texts has."""
        found: dict[int, Document] = {}
        with self.database.connect() as connection:
            for row in connection.execute(_VERSIONS):
                labels = frozenset(row.access or ())
                of = (row.tenant, row.base_id, row.external_id, row.document_id)
                document = found.setdefault(row.document_pk, Document(*of))
                document.labels = labels
                document.texts.add((row.content_hash, labels))
                if row.document_id not in self.rules:
                    self.rules[row.document_id] = self._id_rule(row.document_id)
        self.documents = list(found.values())

    def leaks(self, key: Key, sent: str, told: str, *, keeps: bool) -> list[str]:
        """Return the words of a reply that its key may not know.

        Args:
            key: Whose request it was.
            sent: The request.
            told: The reply.
            keeps: Whether it was a write: the key's own job tells later what was so then.
        """
        own, now = self.told.setdefault(key.secret, set()), set(PLANTED.findall(sent))
        found = {self.digests.get(one, one) for one in PLANTED.findall(told)}
        if keeps:
            own |= now
            for one in self.readable(key):
                if found.union(now) & {one.document_id, one.name.removesuffix(".md")}:
                    own |= {one.document_id, *one.labels}
        leaked = found - own - now
        return [one for one in sorted(leaked) if one in self.rules and not self.rules[one](key)]

    def readable(self, key: Key) -> Iterator[Document]:
        """Yield the documents that a key may know."""
        for one in self.documents:
            if one.tenant == key.tenant and key.uses(one.base) and key.reads(one.labels):
                yield one

    def _id_rule(self, document_id: str) -> Callable[[Key], bool]:
        return lambda key: any(one.document_id == document_id for one in self.readable(key))

    def _knows(self, key: Key, tenant: str, is_it: Callable[[Document], bool]) -> bool:
        """Return whether a key may know a name; one that no document has yet is its tenant's."""
        if key.tenant != tenant:
            return False
        has = any(one.tenant == tenant and is_it(one) for one in self.documents)
        return not has or any(is_it(one) for one in self.readable(key))

    def _reads_text(self, key: Key, tenant: str, digest: str) -> bool:
        """Return whether a key may read a text; one that no document has yet is its tenant's."""
        if key.tenant != tenant:
            return False
        if not any(digest == text for one in self.documents for text, _ in one.texts):
            return True
        return any(
            digest == text and key.reads(labels)
            for one in self.readable(key)
            for text, labels in one.texts
        )


_VERSIONS = (
    select(
        bases.c.tenant,
        bases.c.base_id,
        documents.c.external_id,
        documents.c.document_id,
        versions.c.document_pk,
        versions.c.content_hash,
        versions.c.access,
    )
    .join(documents, documents.c.base_pk == bases.c.pk)
    .join(versions, versions.c.document_pk == documents.c.pk)
    .where(versions.c.state != "tombstone", versions.c.change.is_not(None))
    .order_by(versions.c.pk)
)
