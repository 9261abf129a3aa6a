"""What the hashes of the audit log cover."""

from dataclasses import replace
from typing import Any

import pytest

from service.stores.requests.chain import (
    BEGINNING,
    AuditRow,
    Change,
    digest_of_names,
    hash_of,
    verify,
)

CHANGE = Change("acme", None, "command", "adapters import", "adapters", "helpdesk@1")


def row(seq: int = 1, previous: str = BEGINNING, change: Change = CHANGE) -> AuditRow:
    made = AuditRow(
        seq=seq,
        created_at=1.5,
        via=change.via,
        action=change.action,
        kind=change.kind,
        redacts=change.redacts,
        names_sha256=digest_of_names("salt", change),
        previous=previous,
        hash="",
        salt="salt",
        tenant=change.tenant,
        key_id=change.key_id,
        object_id=change.object_id,
        before=change.before,
        after=change.after,
        redacted_by=None,
    )
    return replace(made, hash=hash_of(made))


def test_an_empty_log_is_in_order() -> None:
    assert (verify([]).rows, verify([]).head) == (0, BEGINNING)


def test_the_same_names_have_another_digest_under_another_salt() -> None:
    assert digest_of_names("a", CHANGE) != digest_of_names("b", CHANGE)


@pytest.mark.parametrize("field", ["via", "action", "kind", "names_sha256", "previous"])
def test_the_hash_covers_what_is_never_redacted(field: str) -> None:
    other: dict[str, Any] = {field: "other"}
    assert hash_of(replace(row(), **other)) != row().hash


@pytest.mark.parametrize("field", ["salt", "tenant", "object_id", "before", "after"])
def test_the_hash_does_not_cover_what_is_redacted(field: str) -> None:
    nothing: dict[str, Any] = {field: None}
    assert hash_of(replace(row(), **nothing)) == row().hash


def test_rows_that_change_places_are_found() -> None:
    first = row()
    second = row(2, first.hash)
    assert verify([first, second]).first_changed is None
    swapped = [replace(second, seq=1), replace(first, seq=2)]
    assert verify(swapped).first_changed == 1


def test_a_row_with_a_new_hash_of_its_own_breaks_the_chain_at_the_next() -> None:
    first = row()
    second = row(2, first.hash)
    forged = row(change=replace(CHANGE, action="adapters merge"))
    found = verify([forged, second])
    assert (found.first_changed, found.rows) == (2, 1)
    assert "row before it" in (found.problem or "")


def test_rows_cut_off_at_the_end_leave_another_head() -> None:
    first = row()
    second = row(2, first.hash)
    assert verify([first]).head != verify([first, second]).head
