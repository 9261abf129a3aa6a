"""The review queue: what is added, decided, counted, and read back by the data check."""

from pathlib import Path
from typing import Any

import pytest

from adapters import Row, digest_of, row_as_dict
from adapters.data import Message
from service.repeat_errors import AlreadyReviewed
from service.stores.database import Database
from service.stores.review.items import Decision, ReviewItemNotFound, ReviewItems

MINE: dict[str, Any] = {"tenant": "acme"}


def row(number: int, answer: str = "可以") -> Row:
    turns = (Message("user", f"问题{number}"), Message("assistant", answer))
    return Row(turns, {"source": "faq"}, Path("客服.jsonl"), number)


@pytest.fixture
def items(database: Database) -> ReviewItems:
    store = ReviewItems(database)
    assert store.add([row(n) for n in range(1, 4)], "客服", **MINE) == 3
    return store


def ids(store: ReviewItems, **chosen: Any) -> list[str]:
    return [item.item_id for item in store.list(**{**MINE, **chosen})]


def test_rows_come_in_order_and_each_once_in_a_batch(items: ReviewItems) -> None:
    assert items.add([row(3), row(4), row(4)], "客服", **MINE) == 1
    found = items.list(**MINE)
    assert [item.row["line"] for item in found] == [1, 2, 3, 4]
    assert found[0].row == row_as_dict(row(1))
    assert items.add([row(1)], "another", **MINE) == 1
    assert items.list(tenant="bolt") == ()


def test_pages_and_states(items: ReviewItems) -> None:
    first, second, third = ids(items)
    items.decide(second, Decision("accepted", "key_1"), **MINE)
    assert ids(items, status="pending") == [first, third]
    assert ids(items, after=first, limit=1) == [second]
    assert ids(items, batch="none") == []
    assert items.count(**MINE) == {
        "客服": {"pending": 2, "accepted": 1, "edited": 0, "rejected": 0}
    }


def test_a_decision_is_kept_with_who_and_why(items: ReviewItems) -> None:
    [first, *_] = ids(items)
    changed = row(1, "七天内可以")
    done = items.decide(first, Decision("edited", "key_1", "太短", changed), **MINE)
    assert (done.status, done.reviewed_by, done.note) == ("edited", "key_1", "太短")
    assert done.edited == row_as_dict(changed)
    assert done.row == row_as_dict(row(1))
    assert done.reviewed_at is not None


def test_a_second_decision_must_say_that_it_replaces_the_first(items: ReviewItems) -> None:
    [first, *_] = ids(items)
    items.decide(first, Decision("edited", None, edited=row(1, "不行")), **MINE)
    with pytest.raises(AlreadyReviewed, match="edited already"):
        items.decide(first, Decision("accepted", None), **MINE)
    done = items.decide(first, Decision("accepted", None, again=True), **MINE)
    assert (done.status, done.edited, done.edited_sha256) == ("accepted", None, None)


def test_what_people_decided_is_known_by_the_text_of_a_row(items: ReviewItems) -> None:
    first, second, third = ids(items)
    items.decide(first, Decision("accepted", None), **MINE)
    items.decide(second, Decision("edited", None, edited=row(2, "七天内可以")), **MINE)
    items.decide(third, Decision("rejected", None), **MINE)
    asked = [*(row(n) for n in range(1, 5)), row(2, "七天内可以")]
    found = items.by_hand(asked, **MINE)
    assert found.accepted == {digest_of(row(1)), digest_of(row(2, "七天内可以"))}
    assert found.refused == {digest_of(row(2)), digest_of(row(3))}
    assert items.by_hand(asked, tenant="bolt").accepted == frozenset()


def test_more_rows_than_one_statement_takes(items: ReviewItems) -> None:
    many = [row(n) for n in range(1, 1203)]
    assert items.add(many, "客服", **MINE) == 1199
    items.decide(ids(items, limit=2000)[-1], Decision("accepted", None), **MINE)
    assert items.by_hand(many, **MINE).accepted == {digest_of(row(1202))}


def test_ids_of_others_and_of_nobody_are_not_found(items: ReviewItems) -> None:
    [first, *_] = ids(items)
    for item_id, tenant in ((first, "bolt"), ("rev_none", "acme")):
        with pytest.raises(ReviewItemNotFound):
            items.get(item_id, tenant=tenant)
        with pytest.raises(ReviewItemNotFound):
            items.decide(item_id, Decision("accepted", None), tenant=tenant)
    with pytest.raises(ReviewItemNotFound):
        items.delete_batch("客服", tenant="bolt")
    assert items.delete_batch("客服", **MINE) == 3
    assert ids(items) == []
