"""Who may read a document that comes without labels, and which attributes it has.

It knows what earlier versions had and which of them a new one follows; it does not know how
versions are written (`sql.staging`) nor who holds which label (`search.query`).

Labels that come with a document always count, no labels among them (everybody). One that brings
none follows its place (the external id, also once deleted) and its content: what the same bytes or
the same text had anywhere in the base, live or deleted, or else the guarded document that it is
most like. Guarded wins over open; two different guards are an `AccessConflict`.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from knowledge.errors import AccessConflict, ExternalIdTaken, InvalidAttributes, LabelsNotHeld
from knowledge.sql.bases import Base
from knowledge.sql.fingerprints import ALIKE, find_alike, fingerprint, likeness
from knowledge.sql.labels import (
    EarlierVersion,
    last_version,
    last_versions,
    may_read,
    text_of_version,
    versions_of_content,
)
from knowledge.sql.staging import Draft, active_versions
from knowledge.types import MAX_ATTRIBUTES, Attributes, NewDocument

MAX_KEY_CHARS = 64  # keys of 64 and values of 512 characters, as OpenAI's vector store files
MAX_ACCESS_LABELS = 64
MAX_VALUE_CHARS = 512


def check_attributes(attributes: Attributes) -> None:
    """Raise `InvalidAttributes` unless they keep the limits."""
    if len(attributes) > MAX_ATTRIBUTES:
        raise InvalidAttributes(f"{len(attributes)} attributes; at most {MAX_ATTRIBUTES}")
    for key, value in attributes.items():
        if not 0 < len(key) <= MAX_KEY_CHARS:
            raise InvalidAttributes(f"attribute key {key[:80]!r}: 1 to {MAX_KEY_CHARS} characters")
        if not isinstance(value, str | int | float | bool):
            raise InvalidAttributes(f"attribute {key!r} must be text, a number or a boolean")
        if isinstance(value, str) and len(value) > MAX_VALUE_CHARS:
            raise InvalidAttributes(f"attribute {key!r}: at most {MAX_VALUE_CHARS} characters")


def check_access(labels: Collection[str]) -> None:
    """Raise `InvalidAttributes` unless the access labels keep the limits."""
    if len(labels) > MAX_ACCESS_LABELS:
        raise InvalidAttributes(f"{len(labels)} access labels; at most {MAX_ACCESS_LABELS}")
    for label in labels:
        if not 0 < len(label) <= MAX_KEY_CHARS:
            raise InvalidAttributes(f"access label {label[:80]!r}: 1 to {MAX_KEY_CHARS} characters")


@dataclass(frozen=True, slots=True)
class _Sources:
    """What a draft without labels or attributes may follow: its place, and its content."""

    place: EarlierVersion | None
    copies: list[EarlierVersion]


def settle(
    connection: Connection, base: Base, sources: Sequence[NewDocument], drafts: Sequence[Draft]
) -> list[Draft]:
    """Return the drafts with the labels and attributes that they are written with.

    Args:
        connection: A write transaction, so that nothing changes until they are written.
        base: Where to.
        sources: The documents as they came, in the order of the drafts.
        drafts: Documents written together; one without labels follows another of them, too.

    Raises:
        AccessConflict: Place and content, or two of the same content, are guarded by other labels.
        LabelsNotHeld: It would be guarded by labels that whoever sends it does not hold.
    """
    pairs = list(zip(sources, drafts, strict=True))
    asking = [d for s, d in pairs if s.access is None or s.attributes is None]
    if not asking:
        return list(drafts)
    places = last_versions(connection, base, [draft.external_id for draft in asking])
    known = versions_of_content(
        connection,
        base,
        [draft.content_hash for draft in asking],
        [draft.fingerprint.text_hash for draft in asking],
    )
    known += [
        _as_earlier(draft, -no) for no, (source, draft) in enumerate(pairs, 1) if source.access
    ]
    settled: list[Draft] = []
    for source, draft in pairs:
        copies = [one for one in known if _is_same(one, draft)]
        found = _Sources(places.get(draft.external_id), copies)
        if source.access is None:
            found = _with_alike(connection, base, draft, found)
            draft = replace(draft, access=_labels(draft, found, source.held))
        if source.attributes is None:
            draft = replace(draft, attributes=_attributes(found, source.held))
        settled.append(draft)
    return settled


def _is_same(earlier: EarlierVersion, draft: Draft) -> bool:
    return (
        earlier.content_hash == draft.content_hash
        or earlier.text_hash == draft.fingerprint.text_hash
    )


def require_writable(connection: Connection, base: Base, sources: Sequence[NewDocument]) -> None:
    """Raise where whoever writes a document may not read it, or not the one that it replaces.

    A deleted document keeps its external id: who takes it would be told of its history.

    Raises:
        ExternalIdTaken: Of the one that is or was there; nothing is said of it.
        LabelsNotHeld: Of the new one.
    """
    bound = [source for source in sources if source.held is not None]
    if not bound:
        return
    names = [source.external_id for source in bound]
    last, live = last_versions(connection, base, names), active_versions(connection, base, names)
    for source in bound:
        if not may_read(source.access or (), source.held):
            raise LabelsNotHeld(
                f"{source.external_id!r} names access labels, and whoever sends it holds none of "
                "them"
            )
        version = live.get(source.external_id) or last.get(source.external_id)
        if version is not None and not may_read(version.access, source.held):
            raise ExternalIdTaken(
                f"the external id {source.external_id!r} is taken in {base.base_id!r}"
            )


def _labels(draft: Draft, found: _Sources, held: frozenset[str] | None) -> frozenset[str]:
    place = found.place
    if place is not None and place.is_live and _is_same(place, draft):
        return place.access  # nothing changes, whatever its copies have
    guarding = _guarding(found.copies)
    if place is not None and place.access:
        others = [one for one in guarding if one.document_pk != place.document_pk]
        guarding = [place, *others]
    guards = {one.access: one for one in reversed(guarding)}
    if not all(may_read(labels, held) for labels in guards):
        raise LabelsNotHeld(
            f"{draft.external_id!r} came without access labels, and its text is guarded elsewhere "
            "by labels that whoever sends it does not hold"
        )
    if len(guards) > 1:
        raise AccessConflict(
            f"{draft.external_id!r} came without access labels, and what it follows disagrees: "
            f"{'; '.join(_told(one) for one in guarding)}. Send it with the labels it is to have."
        )
    return next(iter(guards), frozenset())


def _guarding(copies: Sequence[EarlierVersion]) -> list[EarlierVersion]:
    """Return the copies whose labels count: the last of each document, live ones before others.

    A guard that was taken off a document or exchanged on purpose is gone from the same content
    that was guarded so before and is deleted or replaced by now; never from one that is live.
    """
    last = {one.document_pk: one for one in copies}
    ended = [
        (one.access, last[one.document_pk].pk)
        for one in copies
        if one.access and last[one.document_pk].access != one.access
    ]
    guarded = [one for one in last.values() if one.access]
    live = [one for one in guarded if one.is_live]
    return live or [
        one for one in guarded if not any(one.access == was and one.pk < pk for was, pk in ended)
    ]


def _with_alike(connection: Connection, base: Base, draft: Draft, found: _Sources) -> _Sources:
    """Add the guarded document that a changed text comes from, unless it has a nearer origin.

    Those are: the same content, and the document's own last text, where the new one is an edit of
    it.
    """
    if found.copies:
        return found
    document_pk = find_alike(connection, base, draft.fingerprint.sample)
    if document_pk is None or _is_edit(connection, draft, found.place):
        return found
    origin = last_version(connection, base.pk, document_pk)
    return found if origin is None else replace(found, copies=[origin])


def _is_edit(connection: Connection, draft: Draft, place: EarlierVersion | None) -> bool:
    text = None if place is None else text_of_version(connection, place.pk)
    return (
        text is not None and likeness(fingerprint(text).sample, draft.fingerprint.sample) >= ALIKE
    )


def _attributes(found: _Sources, held: frozenset[str] | None) -> Attributes:
    if found.place is not None:
        return found.place.attributes
    copies = [one for one in found.copies if may_read(one.access, held)]
    last = max(copies, key=lambda one: (one.is_live, one.pk), default=None)
    return {} if last is None else last.attributes


def _told(one: EarlierVersion) -> str:
    return f"{one.external_id!r} has {', '.join(sorted(one.access))}"


def _as_earlier(draft: Draft, pk: int) -> EarlierVersion:
    """Return a draft that is written in the same transaction as if it had been before."""
    return EarlierVersion(
        pk=pk,
        document_pk=pk,
        external_id=draft.external_id,
        is_live=True,
        content_hash=draft.content_hash,
        text_hash=draft.fingerprint.text_hash,
        access=draft.access,
        attributes=draft.attributes,
    )
