"""Keys are shown once, found by their prefix, exchanged and ended."""

import re
import time
from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest
from sqlalchemy import select

from service.access_errors import InvalidKey, KeyExpired, KeyNotFound, KeyRevoked, UnknownScope
from service.errors import InvalidRequest
from service.stores.access.api_keys import (
    KEY,
    ApiKeys,
    NewKey,
    api_keys,
    digest_of,
    key_id_of,
    keys_exist,
)
from service.stores.access.known_keys import STALE_S, KnownKeys
from service.stores.database import Database, open_database
from tests.fakes.context import open_migrated

CHAT = NewKey(name="shop", tenant="acme", scopes=("chat",))


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = open_migrated(f"sqlite:///{tmp_path}/state.db")
    yield opened
    opened.dispose()


@pytest.fixture
def keys(database: Database) -> ApiKeys:
    return ApiKeys(database)


def test_a_key_has_256_random_bits_and_only_its_digest_is_kept(
    keys: ApiKeys, database: Database
) -> None:
    made, key = keys.create(CHAT)
    assert KEY.fullmatch(key)
    assert key.startswith(f"{made.prefix}_")
    assert len(key.split("_", 2)[2]) * 6 >= 256
    assert key_id_of(key) == made.key_id
    with database.connect() as connection:
        row = connection.execute(select(api_keys)).one()
    assert row.digest == digest_of(key)
    assert key not in str(row)
    assert keys.create(CHAT)[1] != key


def test_a_key_says_who_calls(keys: ApiKeys) -> None:
    bound = NewKey(name="n", tenant="t", scopes=("chat",), use_cases=("a",), knowledge_bases=("b",))
    caller = keys.create(bound)[0].caller()
    assert (caller.tenant, caller.scopes) == ("t", frozenset({"chat"}))
    assert (caller.use_cases, caller.knowledge_bases) == (frozenset({"a"}), frozenset({"b"}))
    assert caller.access_labels == frozenset()
    assert not caller.may("admin")


def test_only_with_scope_labels_no_labels_are_any_label(keys: ApiKeys) -> None:
    trusted = NewKey(name="n", scopes=("chat", "labels"))
    assert keys.create(trusted)[0].caller().access_labels is None
    held = NewKey(name="n", scopes=("chat", "labels"), access_labels=("hr",))
    assert keys.create(held)[0].caller().access_labels == frozenset({"hr"})


def test_another_secret_with_the_same_prefix_is_refused(keys: ApiKeys) -> None:
    made, key = keys.create(CHAT)
    made.require_valid(key)
    with pytest.raises(InvalidKey):
        made.require_valid(key[:-1] + ("A" if key[-1] != "A" else "B"))


def test_after_a_rotation_both_are_valid_until_the_grace_time_ends(
    keys: ApiKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, old = keys.create(CHAT)
    rotated, new = keys.rotate(made.prefix, grace_s=60)
    assert rotated.key_id == made.key_id
    rotated.require_valid(old)
    rotated.require_valid(new)
    later = time.time() + 61
    monkeypatch.setattr("service.stores.access.api_keys.time.time", lambda: later)
    rotated.require_valid(new)
    with pytest.raises(KeyExpired):
        rotated.require_valid(old)


def test_without_grace_the_old_one_ends_at_once_and_so_does_the_one_before(keys: ApiKeys) -> None:
    made, first = keys.create(CHAT)
    keys.rotate(made.key_id, grace_s=60)
    rotated, _ = keys.rotate(made.key_id, grace_s=0)
    with pytest.raises(InvalidKey):
        rotated.require_valid(first)


def test_an_expired_key_stays_expired_in_its_grace_time(keys: ApiKeys) -> None:
    made, key = keys.create(NewKey(name="n", expires_at=time.time() + 0.05))
    rotated, new = keys.rotate(made.key_id, grace_s=60, expires_at=time.time() + 60)
    time.sleep(0.06)
    rotated.require_valid(new)
    with pytest.raises(KeyExpired):
        rotated.require_valid(key)
    assert rotated.status == "active"


def test_a_revoked_key_is_refused_with_its_old_secret_and_is_never_rotated(keys: ApiKeys) -> None:
    made, old = keys.create(CHAT)
    _, new = keys.rotate(made.key_id)
    revoked = keys.revoke(made.key_id)
    assert revoked.status == "revoked"
    for key in (old, new):
        with pytest.raises(KeyRevoked):
            revoked.require_valid(key)
    with pytest.raises(KeyRevoked):
        keys.rotate(made.key_id)
    assert keys.revoke(made.key_id).revoked_at == revoked.revoked_at


@pytest.mark.parametrize(
    "key", ["", "sk-1", "fp_", f"fp_{'0' * 16}_{'a' * 42}", f"fp_{'0' * 16}_{'a' * 43}\n", "x" * 99]
)
def test_what_is_no_key_is_malformed(key: str) -> None:
    with pytest.raises(InvalidKey, match="malformed"):
        key_id_of(key)


def test_what_a_key_may_be_is_checked(keys: ApiKeys) -> None:
    with pytest.raises(UnknownScope, match=re.escape("no scope 'root'; the scopes are chat, kb:")):
        keys.create(NewKey(name="n", scopes=("chat", "root")))
    for wrong in (
        NewKey(name=" "),
        NewKey(name="n", tenant="../x"),
        NewKey(name="n", expires_at=time.time() - 1),
    ):
        with pytest.raises(InvalidRequest):
            keys.create(wrong)
    with pytest.raises(KeyNotFound):
        keys.revoke("key_0")
    assert keys.list() == ()


def test_keys_are_listed_by_tenant(keys: ApiKeys) -> None:
    first = keys.create(CHAT)[0]
    keys.create(NewKey(name="other", tenant="umbrella"))
    assert [key.key_id for key in keys.list(tenant="acme")] == [first.key_id]
    assert len(keys.list()) == 2


def test_a_revoked_key_still_counts_as_a_key(keys: ApiKeys, database: Database) -> None:
    assert not keys_exist(database)
    keys.revoke(keys.create(CHAT)[0].key_id)
    assert keys_exist(database)


def test_a_database_without_tables_has_no_keys(tmp_path: Path) -> None:
    empty = open_database(f"sqlite:///{tmp_path}/empty.db")
    assert not keys_exist(empty)
    empty.dispose()


@pytest.mark.anyio
async def test_a_gateway_that_has_seen_a_key_stays_closed(
    keys: ApiKeys, database: Database
) -> None:
    known = KnownKeys(database)
    assert not await known.exist()
    keys.create(CHAT)
    later = KnownKeys(database)
    assert await later.exist()
    with database.execution_options(write=True).begin() as connection:
        connection.execute(api_keys.delete())
    await anyio.sleep(STALE_S)
    assert await later.exist()


def test_a_key_follows_the_clock_and_a_revoked_one_does_not(
    keys: ApiKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.time()
    made, key = keys.create(NewKey(name="n", expires_at=now + 60))
    ended, dead = keys.create(NewKey(name="m", expires_at=now + 60))
    keys.revoke(ended.key_id)
    for jump_s, is_valid in ((61, False), (0, True), (-86_400, True), (7 * 86_400, False)):
        told = now + jump_s
        monkeypatch.setattr("service.stores.access.api_keys.time.time", lambda told=told: told)
        assert keys.get(made.key_id).status == ("active" if is_valid else "expired")
        if is_valid:
            keys.get(made.key_id).require_valid(key)
        else:
            with pytest.raises(KeyExpired):
                keys.get(made.key_id).require_valid(key)
        with pytest.raises(KeyRevoked):
            keys.get(ended.key_id).require_valid(dead)
