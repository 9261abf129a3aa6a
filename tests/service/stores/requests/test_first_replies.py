"""A request that is sent again gets its first reply, for ten minutes."""

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import event, func, select, update
from sqlalchemy.exc import IntegrityError

from service.repeat_errors import IdempotencyInProgress, IdempotencyKeyReused
from service.stores.database import Database, create_tables, open_database
from service.stores.requests.first_replies import (
    CLAIM_S,
    KEPT_S,
    MOST_BYTES,
    FirstReplies,
    FirstReply,
    RepeatableRequest,
    first_replies,
)
from service.stores.tables import metadata

REQUEST = RepeatableRequest("acme", "key_1", "order-7", "a" * 64, user="ann")
REPLY = FirstReply(200, {"content-type": "application/json"}, b'{"answer":"yes"}')


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = open_database(f"sqlite:///{tmp_path}/replies.db")
    create_tables(opened, metadata)
    yield opened
    opened.dispose()


@pytest.fixture
def replies(database: Database) -> FirstReplies:
    return FirstReplies(database)


def count(database: Database) -> int:
    with database.connect() as connection:
        return connection.execute(select(func.count()).select_from(first_replies)).scalar_one()


def age(database: Database, seconds: float) -> None:
    with database.begin() as connection:
        connection.execute(update(first_replies).values(changed_at=time.time() - seconds))


def test_the_second_time_the_first_reply_is_returned(replies: FirstReplies) -> None:
    assert replies.claim(REQUEST) is None
    replies.save(REQUEST, REPLY)
    assert replies.claim(REQUEST) == REPLY


def test_a_request_that_another_gateway_claims_meanwhile_is_in_progress(
    database: Database, replies: FirstReplies
) -> None:
    def claimed_elsewhere(*arguments: object) -> None:
        if str(arguments[2]).startswith("INSERT INTO first_replies"):
            raise IntegrityError("the row of another transaction", {}, Exception())

    event.listen(database, "before_cursor_execute", claimed_elsewhere)
    with pytest.raises(IdempotencyInProgress):
        replies.claim(REQUEST)
    event.remove(database, "before_cursor_execute", claimed_elsewhere)
    assert replies.claim(REQUEST) is None


def test_another_body_under_the_same_key_is_refused(replies: FirstReplies) -> None:
    replies.claim(REQUEST)
    for saved in (False, True):
        if saved:
            replies.save(REQUEST, REPLY)
        with pytest.raises(IdempotencyKeyReused):
            replies.claim(replace(REQUEST, sha256="b" * 64))


def test_while_the_first_is_answered_the_second_is_told_so(replies: FirstReplies) -> None:
    replies.claim(REQUEST)
    with pytest.raises(IdempotencyInProgress):
        replies.claim(REQUEST)


def test_a_released_request_is_answered_again(replies: FirstReplies) -> None:
    replies.claim(REQUEST)
    replies.release(REQUEST)
    assert replies.claim(REQUEST) is None


def test_a_saved_reply_is_not_released(replies: FirstReplies) -> None:
    replies.claim(REQUEST)
    replies.save(REQUEST, REPLY)
    replies.release(REQUEST)
    assert replies.claim(REQUEST) == REPLY


@pytest.mark.parametrize("other", [{"tenant": "bolt"}, {"key_id": "key_2"}, {"key_id": None}])
def test_another_tenant_or_key_has_its_own_replies(
    replies: FirstReplies, other: dict[str, str | None]
) -> None:
    replies.claim(REQUEST)
    replies.save(REQUEST, REPLY)
    assert replies.claim(replace(REQUEST, **other)) is None  # type: ignore[arg-type]  # of two fields


def test_after_ten_minutes_the_reply_is_gone(replies: FirstReplies, database: Database) -> None:
    replies.claim(REQUEST)
    replies.save(REQUEST, REPLY)
    age(database, KEPT_S - 5)
    replies.clean(time.time())
    assert replies.claim(REQUEST) == REPLY
    age(database, KEPT_S + 1)
    assert replies.claim(REQUEST) is None
    replies.save(REQUEST, REPLY)
    age(database, KEPT_S + 1)
    replies.clean(time.time())
    assert count(database) == 0


def test_a_reply_from_before_the_clock_was_set_back_is_not_kept_for_long(
    replies: FirstReplies, database: Database
) -> None:
    replies.claim(REQUEST)
    replies.save(REQUEST, REPLY)
    age(database, -KEPT_S - 60)
    replies.clean(time.time())
    assert count(database) == 0


def test_the_claim_of_a_dead_process_ends(replies: FirstReplies, database: Database) -> None:
    FirstReplies(database).claim(REQUEST)
    age(database, CLAIM_S + 1)
    assert replies.claim(REQUEST) is None


def test_a_process_renews_its_own_claims(replies: FirstReplies, database: Database) -> None:
    replies.claim(REQUEST)
    age(database, CLAIM_S - 1)
    replies.clean(time.time())
    later = time.time() + CLAIM_S - 1
    FirstReplies(database).clean(later)
    assert count(database) == 1


def test_a_reply_that_is_too_long_is_not_stored(replies: FirstReplies, database: Database) -> None:
    replies.claim(REQUEST)
    replies.save(REQUEST, replace(REPLY, body=b"x" * (MOST_BYTES + 1)))
    assert count(database) == 0


def test_the_user_and_no_idempotency_key_is_stored(
    replies: FirstReplies, database: Database
) -> None:
    replies.claim(REQUEST)
    with database.connect() as connection:
        row = connection.execute(select(first_replies)).one()
    assert row.user == "ann"
    assert "order-7" not in str(row)


def test_a_claim_whose_reply_cannot_be_stored_is_not_renewed(
    database: Database, replies: FirstReplies
) -> None:
    def full(*arguments: object) -> None:
        if str(arguments[2]).startswith("UPDATE first_replies"):
            raise OSError("no space left on device")

    assert replies.claim(REQUEST) is None
    event.listen(database, "before_cursor_execute", full)
    with pytest.raises(OSError, match="no space"):
        replies.save(REQUEST, REPLY)
    event.remove(database, "before_cursor_execute", full)
    age(database, CLAIM_S + 1)
    replies.clean(time.time())
    assert replies.claim(REQUEST) is None
