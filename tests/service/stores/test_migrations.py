"""The migration steps lead to the tables that the code declares."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, insert, inspect, select, text

from adapters import AdapterRegistry
from knowledge.sql import full_text
from knowledge.sql.chunks import has_access_labels
from knowledge.sql.fingerprints import fingerprint
from knowledge.sql.terms import weigh
from knowledge.sql.tokens import query_terms
from service.access import LOOPBACK_CALLER
from service.stores.database import create_tables, open_database
from service.stores.job_kinds import Lane
from service.stores.leases import Leases
from service.stores.migrations import METADATAS, TABLES, upgrade
from service.stores.tables import metadata
from service.stores.use_cases import UseCase, UseCases

NAMED = {"base_id": "b", "name": "b"}
PLACED = {"base_pk": 7, "document_id": "d", "external_id": "d"}


@pytest.fixture
def migrated(tmp_path: Path) -> Iterator[Engine]:
    opened = open_database(f"sqlite:///{tmp_path}/migrated.db")
    upgrade(opened)
    yield opened
    opened.dispose()


@pytest.fixture
def declared(tmp_path: Path) -> Iterator[Engine]:
    opened = open_database(f"sqlite:///{tmp_path}/declared.db")
    create_tables(opened, *METADATAS)
    yield opened
    opened.dispose()


def shape(database: Engine) -> dict[str, Any]:
    """Return every table with its columns, keys, indexes and constraints."""
    look = inspect(database)
    return {
        name: {
            "columns": sorted(
                (column["name"], str(column["type"]), column["nullable"])
                for column in look.get_columns(name)
            ),
            "key": look.get_pk_constraint(name)["constrained_columns"],
            "indexes": sorted(
                (index["name"] or "", index["column_names"], bool(index["unique"]))
                for index in look.get_indexes(name)
            ),
            "unique": sorted(
                tuple(constraint["column_names"])
                for constraint in look.get_unique_constraints(name)
            ),
            "references": sorted(
                (tuple(key["constrained_columns"]), key["referred_table"], str(key["options"]))
                for key in look.get_foreign_keys(name)
            ),
        }
        for name in look.get_table_names()
        if name != "alembic_version"
    }


def virtual_tables(database: Engine) -> dict[str, str]:
    query = text("SELECT name, sql FROM sqlite_master WHERE sql LIKE 'CREATE VIRTUAL TABLE%'")
    with database.connect() as connection:
        return {
            name: " ".join(sql.replace("IF NOT EXISTS ", "").split())
            for name, sql in connection.execute(query)
        }


def test_the_steps_make_the_tables_that_the_code_declares(
    migrated: Engine, declared: Engine
) -> None:
    made, meant = shape(migrated), shape(declared)
    assert made.keys() == meant.keys()
    for name, table in meant.items():
        assert made[name] == table, name


def test_the_steps_make_the_same_full_text_table(migrated: Engine, declared: Engine) -> None:
    assert virtual_tables(migrated) == virtual_tables(declared)
    assert list(virtual_tables(migrated)) == ["kb_lexical"]


def test_the_steps_make_the_same_triggers(migrated: Engine, declared: Engine) -> None:
    query = text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' ORDER BY name")
    with migrated.connect() as made, declared.connect() as meant:
        triggers = [tuple(row) for row in made.execute(query)]
        assert triggers == [tuple(row) for row in meant.execute(query)]
    assert len(triggers) == 3


def test_every_table_of_the_service_is_known_to_the_migrations() -> None:
    assert {table.name for table in TABLES} == set(metadata.tables)


def test_upgrading_again_changes_nothing_and_loses_nothing(migrated: Engine) -> None:
    UseCases(migrated).put(UseCase(id="demo"), tenant="default")
    before = shape(migrated)
    upgrade(migrated)
    assert shape(migrated) == before
    assert UseCases(migrated).get("demo", tenant="default").id == "demo"


def test_a_database_of_the_first_step_keeps_its_rows(tmp_path: Path) -> None:
    opened = open_database(f"sqlite:///{tmp_path}/old.db")
    upgrade(opened, "0001")
    old = metadata.tables["jobs"]
    row = {column.name: "x" for column in old.c if column.name not in ("subject", "key_id")}
    row |= dict.fromkeys(("sequence", "attempts", "cancel_asked", "created_at", "updated_at"), 0)  # type: ignore[arg-type]  # numbers beside texts
    row |= {"lane": "ingest", "status": "queued", "args": {}, "progress": {}, "payload": b"p"}  # type: ignore[dict-item]  # as above
    row |= {"lease_until": 0.0, "tenant": "default"}  # type: ignore[dict-item]  # as above
    with opened.execution_options(write=True).begin() as connection:
        connection.execute(insert(old).values(row))
    upgrade(opened)
    claimed = Leases(opened, lease_s=1.0, max_attempts=3).claim(Lane.INGEST, "w1")
    assert claimed is not None
    assert claimed.job_id == "x"
    with opened.connect() as connection:
        assert connection.execute(select(old.c.subject)).scalar_one() is None
    opened.dispose()


def test_old_changes_count_as_if_they_had_ended_every_chunk(tmp_path: Path) -> None:
    opened = open_database(f"sqlite:///{tmp_path}/old.db")
    upgrade(opened, "0003")
    owner = {"pk": 1, "tenant": "default", "created_at": 0}
    names = {"content_hash": "h", "filename": "f", "format": "md", "chunking": "markdown"}
    sizes = {"attributes": "{}", "bytes": 0, "chars": 0, "tokens": 0, "created_at": 0}
    life = [("added", 3), (None, 7), ("replaced", 5), ("deleted", 0), ("replaced", 4)]
    with opened.execution_options(write=True).begin() as connection:
        _insert(connection, "kb_bases", {**owner, "base_id": "b", "name": "b"})
        document = {"base_pk": 1, "document_id": "d", "external_id": "d"}
        _insert(connection, "kb_documents", {**owner, **document})
        for number, (change, chunks) in enumerate(life, start=1):
            at = None if change is None else float(number)  # overtaken by another: never in force
            version = {"pk": number, "tenant": "default", "base_pk": 1, "document_pk": 1}
            version |= {"version": number, "state": "retired", "change": change, "chunks": chunks}
            _insert(connection, "kb_versions", {**version, **names, **sizes, "activated_at": at})
    upgrade(opened)
    query = text("SELECT chunks_outdated FROM kb_versions ORDER BY pk")
    with opened.connect() as connection:
        assert list(connection.scalars(query)) == [0, None, 3, 5, 0]
    opened.dispose()


def test_documents_of_an_older_database_have_no_known_origin_and_no_kept_texts(
    tmp_path: Path,
) -> None:
    opened = open_database(f"sqlite:///{tmp_path}/old.db")
    upgrade(opened, "0013")
    owner = {"tenant": "default", "created_at": 0}
    names = {"content_hash": "h", "filename": "f", "format": "md", "chunking": "markdown"}
    sizes = {"attributes": "{}", "bytes": 0, "chars": 0, "tokens": 0, "chunks": 0}
    with opened.execution_options(write=True).begin() as connection:
        _insert(connection, "kb_bases", {**owner, "pk": 7, **NAMED})
        _insert(connection, "kb_documents", {**owner, "pk": 3, **PLACED})
        version = {**owner, "pk": 1, "base_pk": 7, "document_pk": 3, "version": 1}
        _insert(connection, "kb_versions", {**version, **names, **sizes, "state": "active"})
    upgrade(opened)
    with opened.connect() as connection:
        base = connection.execute(text("SELECT keep_versions, citations_since FROM kb_bases")).one()
        assert base.keep_versions == 0
        assert base.citations_since > 0
        origin = text("SELECT synced_from, restores, layout FROM kb_versions")
        assert connection.execute(origin).one() == (None, None, None)
    opened.dispose()


def test_texts_of_an_older_database_are_known_again(tmp_path: Path) -> None:
    opened = open_database(f"sqlite:///{tmp_path}/old.db")
    upgrade(opened, "0010")
    owner = {"tenant": "default", "created_at": 0}
    names = {"content_hash": "h", "filename": "f", "format": "md", "chunking": "markdown"}
    sizes = {"attributes": "{}", "bytes": 0, "chars": 0, "tokens": 0, "chunks": 0}
    with opened.execution_options(write=True).begin() as connection:
        _insert(connection, "kb_bases", {**owner, "pk": 7, **NAMED})
        _insert(connection, "kb_documents", {**owner, "pk": 3, **PLACED})
        for number, state, content in ((1, "retired", None), (2, "active", "Pay: 9000")):
            version = {**owner, "pk": number, "base_pk": 7, "document_pk": 3, "version": number}
            guard = {"state": state, "access": '["hr"]', "text": content}
            _insert(connection, "kb_versions", {**version, **names, **sizes, **guard})
    upgrade(opened)
    made = fingerprint("pay 9000")
    with opened.connect() as connection:
        hashes = connection.scalars(text("SELECT text_hash FROM kb_versions ORDER BY pk"))
        assert list(hashes) == [None, made.text_hash]
        pieces = connection.execute(
            text("SELECT document_pk, base_pk, piece FROM kb_guarded_pieces")
        )
        assert list(pieces) == [(3, 7, *made.sample)]
    opened.dispose()


def test_words_and_labels_of_an_older_database_are_found_by_their_base(tmp_path: Path) -> None:
    opened = open_database(f"sqlite:///{tmp_path}/old.db")
    upgrade(opened, "0007")
    with opened.execution_options(write=True).begin() as connection:
        _insert(connection, "kb_bases", {"pk": 7, "tenant": "t", "created_at": 0} | NAMED)
        _insert(connection, "kb_documents", {"pk": 1, "tenant": "t", "created_at": 0} | PLACED)
        version = {"pk": 5, "tenant": "t", "base_pk": 7, "document_pk": 1, "version": 1}
        version |= {"content_hash": "h", "filename": "f", "format": "md", "chunking": "markdown"}
        version |= {"attributes": "{}", "bytes": 0, "chars": 0, "tokens": 0, "created_at": 0}
        version |= {"chunks": 1, "chunks_outdated": 0, "state": "active"}
        _insert(connection, "kb_versions", version)
        _insert(connection, "kb_access", {"version_pk": 5, "label": "board"})
        for pk, scope in ((3, "kbscope7"), (4, "kbscope12")):
            words = {"scope": scope, "title": "", "heading": "", "body": f"lamp {pk}"}
            _insert(connection, "kb_lexical", {"rowid": pk} | words)
    upgrade(opened)
    with opened.connect() as connection:
        for base_pk, expected in ((7, [3]), (12, [4]), (1, [])):
            hits = full_text.search(connection, ["lamp"], base_pks=[base_pk], top_k=5)
            assert [hit.chunk_pk for hit in hits] == expected
        assert has_access_labels(connection, [7])
        assert not has_access_labels(connection, [12])
    opened.dispose()


def test_codes_and_traditional_chinese_of_an_older_database_are_found(tmp_path: Path) -> None:
    opened = open_database(f"sqlite:///{tmp_path}/old.db")
    upgrade(opened, "0010")
    with opened.execution_options(write=True).begin() as connection:
        _insert(connection, "kb_bases", {"pk": 7, "tenant": "t", "created_at": 0} | NAMED)
        document = PLACED | {"pk": 1, "tenant": "t", "created_at": 0, "active_version": 5}
        document["external_id"] = "releases/list.md"
        _insert(connection, "kb_documents", document)
        version = {"pk": 5, "tenant": "t", "base_pk": 7, "document_pk": 1, "version": 1}
        version |= {"content_hash": "h", "filename": "list.md", "format": "md"}
        version |= {"attributes": "{}", "bytes": 0, "chars": 0, "tokens": 0, "created_at": 0}
        version |= {"chunks": 2, "chunks_outdated": 0, "state": "active", "chunking": "markdown"}
        _insert(connection, "kb_versions", version)
        texts = ((3, "2.1 adds import, the IT desk tests it"), (4, "2.10 adds C++, 退貨運費"))
        for pk, words in texts:
            chunk = {"pk": pk, "tenant": "t", "base_pk": 7, "document_pk": 1, "version_pk": 5}
            chunk |= {"chunk_id": str(pk), "ordinal": pk, "text": words, "start": 0, "end": 9}
            _insert(connection, "kb_chunks", chunk | {"heading": "", "tokens": 9, "vector": b""})
            old = {"title": "list", "heading": "", "body": words.lower().replace("c++", "c")}
            _insert(connection, "kb_lexical", {"rowid": (7 << full_text.CHUNK_BITS) | pk} | old)
    upgrade(opened)
    with opened.connect() as connection:
        asked = [("2.10", [4]), ("C++", [4]), ("IT", [3]), ("list", [3, 4])]
        asked += [("releases", [3, 4]), ("运费", [4])]
        for question, expected in asked:
            terms = weigh(connection, query_terms(question), base_pks=[7], total=2)
            hits = full_text.search(connection, terms.tokens, base_pks=[7], top_k=5)
            assert sorted(hit.chunk_pk for hit in hits) == expected
    opened.dispose()


@pytest.mark.parametrize(
    ("state", "verdict", "published_at", "states"),
    [
        ("trained", None, None, ["trained"]),
        ("trained", "REJECTED", None, ["trained", "evaluated"]),
        ("trained", None, 5.0, ["trained", "published"]),
        ("live", "IMPROVED", 5.0, ["trained", "evaluated", "published", "live"]),
        ("retired", None, None, ["trained", "retired"]),
    ],
)
def test_adapters_of_before_have_the_states_that_their_rows_tell(
    tmp_path: Path, state: str, verdict: str | None, published_at: float | None, states: list[str]
) -> None:
    opened = open_database(f"sqlite:///{tmp_path}/old.db")
    upgrade(opened, "0007")
    evaluation = json.dumps({"verdict": verdict, "created_at": 2.0}) if verdict else None
    names = dict.fromkeys(("base_model", "base_revision", "folder", "sha256", "run", "metrics"), "")
    row = {"tenant": "default", "adapter_id": "a@1", "task": "a", **names, "run": "{}"}
    row |= {"metrics": "{}", "context_trained": 0, "state": state, "created_at": 1.0}  # type: ignore[dict-item]  # numbers beside texts
    row |= {"published_at": published_at, "evaluation": evaluation}  # type: ignore[dict-item]  # as above
    with opened.execution_options(write=True).begin() as connection:
        _insert(connection, "adapter_adapters", row)
    upgrade(opened)
    registry = AdapterRegistry(opened, tmp_path)
    assert [
        change.state.value for change in registry.history("a@1", tenant=LOOPBACK_CALLER.tenant)
    ] == states
    assert registry.get("a@1", tenant=LOOPBACK_CALLER.tenant).state == states[-1]
    opened.dispose()


def _insert(connection: Connection, table: str, row: dict[str, Any]) -> None:
    """Write a row into a table of an older step, which the code no longer declares."""
    columns = ", ".join(row)
    marks = ", ".join(f":{name}" for name in row)
    connection.execute(text(f"INSERT INTO {table} ({columns}) VALUES ({marks})"), row)
