import subprocess
import sys

import pytest

from knowledge import (
    CollectionNotFound,
    DocumentNotFound,
    InvalidName,
    Knowledge,
    KnowledgeBaseExists,
    KnowledgeError,
)
from knowledge import errors as room_errors
from tests.knowledge.conftest import BASE, TENANT


def test_importing_the_room_loads_nothing_heavy() -> None:
    code = "import sys, knowledge; print({'torch', 'chromadb', 'transformers'} & set(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, env={}
    )
    assert (done.stdout.strip(), done.stderr) == ("set()", "")


def test_bases_are_listed_with_their_sizes(knowledge: Knowledge) -> None:
    knowledge.ingest(BASE, "a", "a.txt", b"red lamp", tenant=TENANT)
    knowledge.create_base("Empty", base_id="empty", tenant=TENANT)
    sizes = [
        (base.base_id, base.documents, base.chunks) for base in knowledge.list_bases(tenant=TENANT)
    ]
    assert sizes == [("handbook", 1, 1), ("empty", 0, 0)]
    assert knowledge.get_base(BASE, tenant=TENANT).text_bytes == 8
    assert knowledge.list_bases(tenant="other") == []


def test_an_id_is_taken_once_per_tenant(knowledge: Knowledge) -> None:
    with pytest.raises(KnowledgeBaseExists):
        knowledge.create_base("Again", base_id=BASE, tenant=TENANT)
    assert knowledge.create_base("Again", base_id=BASE, tenant="other").base_id == BASE
    assert knowledge.create_base("Unnamed", tenant=TENANT).base_id.startswith("kb_")
    with pytest.raises(InvalidName):
        knowledge.create_base("Bad", base_id="../etc", tenant=TENANT)


def test_what_is_not_there_is_said(knowledge: Knowledge) -> None:
    for of_a_base in (knowledge.get_base, knowledge.delete_base, knowledge.list_documents):
        with pytest.raises(CollectionNotFound):
            of_a_base("nothing", tenant=TENANT)
    for of_a_document in (
        knowledge.get_document,
        knowledge.delete_document,
        knowledge.document_text,
    ):
        with pytest.raises(DocumentNotFound):
            of_a_document(BASE, "nothing", tenant=TENANT)


def test_a_base_made_again_does_not_remember(knowledge: Knowledge) -> None:
    knowledge.ingest(BASE, "a", "a.txt", b"red lamp", tenant=TENANT)
    knowledge.delete_base(BASE, tenant=TENANT)
    knowledge.create_base("Handbook", base_id=BASE, tenant=TENANT)
    assert knowledge.retrieve("red lamp", base_ids=[BASE], tenant=TENANT).passages == ()
    assert knowledge.ingest(BASE, "a", "a.txt", b"blue lamp", tenant=TENANT).version == 1


def test_documents_are_listed_in_pages_and_named_either_way(knowledge: Knowledge) -> None:
    for name in "abc":
        knowledge.ingest(BASE, name, f"{name}.txt", f"lamp {name}".encode(), tenant=TENANT)
    one, two = knowledge.list_documents(BASE, limit=2, tenant=TENANT)
    (three,) = knowledge.list_documents(BASE, after=two.document_id, tenant=TENANT)
    assert [one.external_id, two.external_id, three.external_id] == ["a", "b", "c"]
    assert (
        knowledge.get_document(BASE, one.document_id, tenant=TENANT)
        == knowledge.get_document(BASE, "a", tenant=TENANT)
        == one
    )
    assert (one.indexed, one.bytes, one.chars, one.chunks) == (True, 6, 6, 1)
    assert knowledge.document_text(BASE, "a", tenant=TENANT).text == "lamp a"
    assert knowledge.delete_document(BASE, two.document_id, tenant=TENANT).external_id == "b"


def test_every_error_has_a_code_of_its_own_and_a_hint() -> None:
    leaves = [
        value
        for value in vars(room_errors).values()
        if isinstance(value, type) and issubclass(value, KnowledgeError)
    ]
    assert len({leaf.code for leaf in leaves}) == len(leaves) > 15
    assert all(leaf.hint and leaf.__doc__ for leaf in leaves)
