"""Signatures: alike in every process of a database, different for every other text and purpose."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.access_errors import InvalidKey
from service.stores.access.signing import Signer
from service.stores.access.worker_requests import caller_of_worker, worker_key
from service.stores.database import Database
from tests.fakes.context import open_migrated


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = open_migrated(f"sqlite:///{tmp_path}/state.db")
    yield opened
    opened.dispose()


def test_two_gateways_of_a_database_sign_alike(database: Database) -> None:
    signature = Signer(database, "links").sign(["a", "b"])
    assert Signer(database, "links").is_signed(["a", "b"], signature)


def test_another_text_or_purpose_has_another_signature(database: Database) -> None:
    signer = Signer(database, "links")
    signature = signer.sign(["ab", "c"])
    for other in (["a", "bc"], ["abc"], ["ab", "c", ""], ["ab", "d"]):
        assert not signer.is_signed(other, signature)
    assert not Signer(database, "worker").is_signed(["ab", "c"], signature)
    assert not signer.is_signed(["ab", "c"], "é")


def test_the_worker_asks_for_its_tenant_for_a_minute(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    signer = Signer(database, "worker")
    key = worker_key(signer, "acme", "key_1")
    caller = caller_of_worker(key, signer)
    assert (caller.tenant, caller.key_id, caller.scopes) == ("acme", "key_1", frozenset({"chat"}))
    assert caller_of_worker(worker_key(signer, "acme", None), signer).key_id is None
    with pytest.raises(InvalidKey):
        caller_of_worker(key.replace("key_1", "key_2"), signer)
    with pytest.raises(InvalidKey):
        caller_of_worker(key.replace("acme", "other"), signer)
    for broken in ("worker:", "worker:acme", "worker:acme:x:y"):
        with pytest.raises(InvalidKey):
            caller_of_worker(broken, signer)
    for jump_s in (61, -90):
        now = time.time() + jump_s
        monkeypatch.setattr("service.stores.access.worker_requests.time.time", lambda now=now: now)
        with pytest.raises(InvalidKey):
            caller_of_worker(key, signer)
        monkeypatch.undo()
