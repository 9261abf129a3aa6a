"""Kept versions: compared, taken back as new ones, read by whom, and gone when they should be."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from knowledge import (
    DocumentNotFound,
    InvalidQuery,
    Knowledge,
    NewDocument,
    ParsedText,
    TextNotKept,
    VersionNotFound,
)
from knowledge.parsing import NotRead
from knowledge.sql.tables import versions
from tests.fakes.files import pdf
from tests.knowledge.conftest import BASE, TENANT, OpenKnowledge

FIRST = (
    b"# Pay\n\nThe zanzibar lamp costs nine euros.\n\n| item | price |\n|---|---|\n| bulb | 3 |\n"
)
SECOND = b"# Pay\n\nThe lamp costs ten euros.\n"
WORD = "zanzibar"


@pytest.fixture
def kept(knowledge: Knowledge) -> Knowledge:
    """Return a base that keeps two versions, with a document of two."""
    knowledge.versions.keep(BASE, 2, tenant=TENANT)
    for content in (FIRST, SECOND):
        knowledge.ingest(BASE, "pay.md", "pay.md", content, tenant=TENANT)
    return knowledge


def text(knowledge: Knowledge, number: int, **access: frozenset[str]) -> str:
    return knowledge.versions.text(BASE, "pay.md", number, tenant=TENANT, **access).text


def found(knowledge: Knowledge, question: str) -> list[str]:
    retrieval = knowledge.retrieve(question, base_ids=[BASE], tenant=TENANT)
    return [passage.text for passage in retrieval.passages]


def test_a_base_keeps_no_text_of_a_replaced_version_by_default(knowledge: Knowledge) -> None:
    assert knowledge.get_base(BASE, tenant=TENANT).keep_versions == 0
    for content in (FIRST, SECOND):
        knowledge.ingest(BASE, "pay.md", "pay.md", content, tenant=TENANT)
    with pytest.raises(TextNotKept, match="keeps 0 replaced versions") as caught:
        text(knowledge, 1)
    assert "--keep-versions" in caught.value.hint
    entries = knowledge.versions.history(BASE, "pay.md", tenant=TENANT)
    assert [(entry.version, entry.has_text) for entry in entries] == [(2, True), (1, False)]


def test_the_newest_replaced_versions_keep_their_text(kept: Knowledge) -> None:
    for number in (3, 4):
        kept.ingest(BASE, "pay.md", "pay.md", f"Lamp {number}.".encode(), tenant=TENANT)
    entries = kept.versions.history(BASE, "pay.md", tenant=TENANT)
    assert [entry.version for entry in entries if entry.has_text] == [4, 3, 2]
    with pytest.raises(TextNotKept):
        text(kept, 1)
    with pytest.raises(VersionNotFound):
        text(kept, 9)
    told = [kept.versions.text(BASE, "pay.md", number, tenant=TENANT) for number in (4, 3)]
    assert [one.is_active for one in told] == [True, False]
    assert [one.changed_at for one in told] == [entry.changed_at for entry in entries[:2]]


def test_versions_of_one_content_take_one_place(kept: Knowledge, engine: Engine) -> None:
    kept.versions.keep(BASE, 1, tenant=TENANT)
    for labels in ({"hr"}, {"staff"}, {"hr"}):
        kept.ingest(BASE, "pay.md", "pay.md", SECOND, access=frozenset(labels), tenant=TENANT)
    entries = kept.versions.history(BASE, "pay.md", tenant=TENANT)
    assert [(entry.version, entry.has_text) for entry in entries] == [
        (number, True) for number in (5, 4, 3, 2, 1)
    ]
    with engine.connect() as connection:
        stored = connection.scalars(select(versions.c.text).where(versions.c.text.is_not(None)))
        assert len(stored.all()) == 2
    assert WORD in text(kept, 1)
    assert text(kept, 2) == text(kept, 5)
    report = kept.versions.roll_back(BASE, "pay.md", 3, tenant=TENANT)
    assert (report.version, report.unchanged) == (5, True)
    kept.ingest(BASE, "pay.md", "pay.md", b"Lamp three.", tenant=TENANT)
    assert "ten euros" in text(kept, 3)
    with pytest.raises(TextNotKept):
        text(kept, 1)
    assert kept.versions.roll_back(BASE, "pay.md", 2, tenant=TENANT).version == 7
    assert text(kept, 7) == SECOND.decode()
    assert kept.check(BASE, tenant=TENANT).in_step


def test_the_labels_of_a_version_guard_a_text_that_a_newer_one_has(kept: Knowledge) -> None:
    guarded = frozenset({"hr"})
    for labels in (guarded, frozenset[str]()):
        kept.ingest(BASE, "pay.md", "pay.md", b"Lamp three.", access=labels, tenant=TENANT)
    with pytest.raises(DocumentNotFound):
        text(kept, 3, access=frozenset())
    assert text(kept, 3, access=guarded) == "Lamp three."


def test_a_kept_text_is_not_searched(kept: Knowledge) -> None:
    assert WORD in text(kept, 1)
    passages = found(kept, "What does the zanzibar lamp cost?")
    assert passages
    assert all(WORD not in passage for passage in passages)


def test_a_diff_compares_with_the_active_version_where_no_other_is_named(kept: Knowledge) -> None:
    diff = kept.versions.diff(BASE, "pay.md", 1, tenant=TENANT)
    assert (diff.old, diff.new) == (1, 2)
    assert diff.lines[0].startswith("--- pay.md (version 1, ")
    assert diff.lines[1].startswith("+++ pay.md (version 2, ")
    assert "-The zanzibar lamp costs nine euros." in diff.lines
    assert "+The lamp costs ten euros." in diff.lines
    assert kept.versions.diff(BASE, "pay.md", 2, 2, tenant=TENANT).lines == ()


def test_a_rollback_is_a_new_version_with_the_old_text(kept: Knowledge) -> None:
    first = kept.get_document(BASE, "pay.md", tenant=TENANT)
    report = kept.versions.roll_back(BASE, "pay.md", 1, tenant=TENANT)
    assert (report.version, report.unchanged, report.indexed) == (3, False, True)
    newest, *_ = kept.versions.history(BASE, "pay.md", tenant=TENANT)
    assert (newest.change, newest.replaces, newest.restores) == ("replaced", 2, 1)
    assert text(kept, 3) == text(kept, 1)
    (passage,) = found(kept, "What does the zanzibar lamp cost?")
    assert WORD in passage
    assert "| bulb | 3 |" in passage
    again = kept.ingest(BASE, "pay.md", "pay.md", FIRST, tenant=TENANT)
    assert again.unchanged, "the same file as before"
    assert kept.get_document(BASE, "pay.md", tenant=TENANT).created_at == first.created_at
    assert kept.check(BASE, tenant=TENANT).in_step


def test_a_rollback_brings_back_how_a_file_was_read(kept: Knowledge) -> None:
    missing = NotRead("page", "page 2", "a picture")
    for content, text in ((b"1", "The old pump stands still."), (b"2", "Nothing.")):
        scan = ParsedText(text, "png", "binary", left_out=(missing,), recognised=((1, 0.93),))
        kept.ingest(BASE, "a.png", "a.png", content, parsed=scan, tenant=TENANT)
    assert not kept.get_document(BASE, "a.png", tenant=TENANT).is_outdated
    kept.change_base(BASE, tenant=TENANT, ocr="always")
    kept.versions.roll_back(BASE, "a.png", 1, tenant=TENANT)
    document = kept.get_document(BASE, "a.png", tenant=TENANT)
    assert (document.encoding, document.left_out) == ("binary", (missing,))
    assert document.is_outdated, "it was read while the base said `auto`"
    (passage,) = kept.retrieve("old pump", base_ids=[BASE], tenant=TENANT).passages[:1]
    assert (passage.ocr, passage.ocr_confidence) == (True, 0.93)


def test_a_text_that_two_versions_share_keeps_how_it_was_read(kept: Knowledge) -> None:
    scan = ParsedText("The old pump stands still.", "png", "binary")
    for labels in ({"hr"}, {"staff"}):
        labelled = frozenset(labels)
        kept.ingest(BASE, "a.png", "a.png", b"1", access=labelled, parsed=scan, tenant=TENANT)
        kept.change_base(BASE, tenant=TENANT, ocr="always")
    kept.ingest(BASE, "a.png", "a.png", b"2", parsed=scan, tenant=TENANT)
    kept.versions.roll_back(BASE, "a.png", 1, tenant=TENANT)
    assert not kept.get_document(BASE, "a.png", tenant=TENANT).is_outdated


def test_a_rollback_to_the_active_version_changes_nothing(kept: Knowledge) -> None:
    report = kept.versions.roll_back(BASE, "pay.md", 2, tenant=TENANT)
    assert (report.version, report.unchanged) == (2, True)


def test_a_rollback_that_is_repeated_pushes_no_kept_text_out(kept: Knowledge) -> None:
    kept.versions.roll_back(BASE, "pay.md", 1, tenant=TENANT)
    for _ in range(2):
        report = kept.versions.roll_back(BASE, "pay.md", 1, tenant=TENANT)
        assert (report.version, report.unchanged) == (3, True)
    assert "ten euros" in text(kept, 2)


OLD = {
    "a page": NewDocument(
        "pay", "wages.html", "<p>谢谢, nine lamps</p><video src='a.mp4'></video>".encode("gbk")
    ),
    "pages": NewDocument("pay", "pay.pdf", pdf("Nine lamps are paid.", "Ten lamps are paid.")),
    "a long table": NewDocument(
        "pay",
        "pay.md",
        b"# Lamps\n\n| lamp | price |\n|---|---|\n"
        + b"".join(b"| lamp of brass %d | nine euros |\n" % number for number in range(200)),
    ),
    "a file of the same text": NewDocument("pay", "pay.txt", b"Ten lamps are paid.\r\n"),
}
TOLD = ("filename", "encoding", "content_hash", "bytes", "tokens", "chunks", "left_out")


@pytest.mark.parametrize("old", OLD.values(), ids=OLD.keys())
def test_a_rollback_brings_back_all_that_was_told_of_the_version(
    knowledge: Knowledge, old: NewDocument
) -> None:
    knowledge.versions.keep(BASE, 2, tenant=TENANT)

    def told() -> tuple[object, ...]:
        document = knowledge.get_document(BASE, "pay", tenant=TENANT)
        passages = knowledge.retrieve("lamps paid", base_ids=[BASE], tenant=TENANT).passages
        shown = [(p.source, p.text, p.page_end, p.sheet, p.score, p.relevance) for p in passages]
        return [getattr(document, name) for name in TOLD], document.is_outdated, sorted(shown)

    knowledge.ingest_many(BASE, [old], tenant=TENANT)
    before = told()
    new = NewDocument("pay", "new.txt", b"Ten lamps are paid.\n")
    knowledge.ingest_many(BASE, [new], tenant=TENANT)
    assert told() != before
    knowledge.versions.roll_back(BASE, "pay", 1, tenant=TENANT)
    assert told() == before


UTF8 = "谢谢，灯".encode()


@pytest.mark.parametrize(
    ("first", "other"),
    [
        (NewDocument("pay", "pay.txt", UTF8), NewDocument("pay", "wages.txt", UTF8)),
        (
            NewDocument("pay", "pay.txt", UTF8),
            NewDocument("pay", "pay.txt", b"\xef\xbb\xbf" + UTF8),
        ),
    ],
    ids=["name", "bytes"],
)
def test_a_rollback_brings_back_a_version_that_differs_in_one_thing(
    knowledge: Knowledge, first: NewDocument, other: NewDocument
) -> None:
    knowledge.versions.keep(BASE, 2, tenant=TENANT)
    for number, document in enumerate((first, other), 1):
        (written,) = knowledge.ingest_many(BASE, [document], tenant=TENANT)
        assert written.version == number
    report = knowledge.versions.roll_back(BASE, "pay", 1, tenant=TENANT)
    assert (report.version, report.unchanged) == (3, False)


def test_a_rollback_keeps_the_labels_and_attributes_of_now(kept: Knowledge) -> None:
    guarded = {"access": frozenset({"hr"}), "attributes": {"team": "pay"}}
    kept.ingest(BASE, "pay.md", "pay.md", b"Lamp three.", tenant=TENANT, **guarded)  # type: ignore[arg-type]
    assert kept.versions.roll_back(BASE, "pay.md", 1, tenant=TENANT).access == ("hr",)
    now = kept.get_document(BASE, "pay.md", tenant=TENANT)
    assert (now.access, dict(now.attributes)) == (("hr",), {"team": "pay"})
    assert found(kept, "What does the zanzibar lamp cost?") == []


def test_a_rollback_does_not_open_a_text_that_was_guarded(kept: Knowledge) -> None:
    secret = frozenset({"hr"})
    kept.ingest(BASE, "pay.md", "pay.md", b"Secret lamp.", access=secret, tenant=TENANT)
    kept.ingest(BASE, "pay.md", "pay.md", b"Nothing to see.", access=(), tenant=TENANT)
    assert kept.versions.roll_back(BASE, "pay.md", 3, tenant=TENANT).access == ("hr",)


def test_who_may_not_read_the_document_may_not_read_its_versions(kept: Knowledge) -> None:
    kept.ingest(BASE, "pay.md", "pay.md", SECOND, access={"hr"}, tenant=TENANT)
    assert WORD in text(kept, 1, access=frozenset({"hr"}))
    for labels in (frozenset[str](), frozenset({"staff"})):
        with pytest.raises(DocumentNotFound):
            text(kept, 1, access=labels)
        with pytest.raises(DocumentNotFound):
            kept.versions.diff(BASE, "pay.md", 1, 3, access=labels, tenant=TENANT)
    kept.ingest(BASE, "pay.md", "pay.md", b"Open lamp.", access=(), tenant=TENANT)
    assert text(kept, 4, access=frozenset()) == "Open lamp."
    with pytest.raises(DocumentNotFound):
        text(kept, 3, access=frozenset())
    for old, new in ((3, 4), (4, 3)):
        with pytest.raises(DocumentNotFound):
            kept.versions.diff(BASE, "pay.md", old, new, access=(), tenant=TENANT)


def test_another_tenants_versions_are_not_there(kept: Knowledge) -> None:
    with pytest.raises(Exception, match="no knowledge base"):
        kept.versions.text(BASE, "pay.md", 1, tenant="elsewhere")


def test_a_document_deleted_during_a_rollback_stays_deleted(
    kept: Knowledge, monkeypatch: pytest.MonkeyPatch
) -> None:
    draft = "knowledge.history.versions._draft"
    from knowledge.history.versions import _draft

    def delete_first(*of: object) -> object:
        kept.delete_document(BASE, "pay.md", tenant=TENANT)
        return _draft(*of)  # type: ignore[arg-type]

    monkeypatch.setattr(draft, delete_first)
    with pytest.raises(DocumentNotFound, match="was deleted"):
        kept.versions.roll_back(BASE, "pay.md", 1, tenant=TENANT)
    assert kept.list_documents(BASE, tenant=TENANT) == []


@pytest.mark.parametrize("most", [-1, 1_001])
def test_a_number_of_versions_out_of_bounds_is_refused(kept: Knowledge, most: int) -> None:
    with pytest.raises(InvalidQuery):
        kept.versions.keep(BASE, most, tenant=TENANT)
    with pytest.raises(InvalidQuery):
        kept.create_base("Other", keep_versions=most, tenant=TENANT)


def lower(knowledge: Knowledge) -> None:
    assert knowledge.versions.keep(BASE, 0, tenant=TENANT) == 1


GONE: dict[str, Callable[[Knowledge], object]] = {
    "document": lambda k: k.delete_document(BASE, "pay.md", tenant=TENANT),
    "base": lambda k: k.delete_base(BASE, tenant=TENANT),
    "tenant": lambda k: k.delete_tenant(TENANT),
    "lowered": lower,
}


def files_with(word: str, home: Path) -> list[str]:
    """Return the files below a folder whose bytes hold a word, in any case.

    Chroma runs in this process here and writes unused memory of it into its `data_level0.bin`; a
    server of its own is given ids and vectors alone.
    """
    return sorted(
        path.relative_to(home).as_posix()
        for path in home.rglob("*")
        if path.is_file() and path.suffix != ".bin" and word.encode() in path.read_bytes().lower()
    )


@pytest.mark.parametrize("how", GONE)
def test_no_file_of_the_home_holds_a_word_of_what_was_deleted(
    kept: Knowledge, tmp_path: Path, how: str
) -> None:
    kept.ingest(BASE, "other.md", "other.md", b"Quite another lamp.", tenant=TENANT)
    assert files_with(WORD, tmp_path), "the word is looked for in the wrong place"
    GONE[how](kept)
    assert files_with(WORD, tmp_path) == []


def test_of_deletions_in_a_row_the_later_ones_are_erased_soon(
    kept: Knowledge, tmp_path: Path, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept.ingest(BASE, "b.md", "b.md", b"A quagga lamp.", tenant=TENANT)
    kept.delete_document(BASE, "pay.md", tenant=TENANT)
    kept._eraser._rests_until = float("inf")
    kept.delete_document(BASE, "b.md", tenant=TENANT)
    assert found(kept, "quagga") == []
    kept._eraser._rests_until = 0.0
    kept.catch_up()
    assert files_with("quagga", tmp_path) == []


def test_texts_of_a_lowered_number_are_erased_though_erasing_rests(
    kept: Knowledge, tmp_path: Path
) -> None:
    kept._eraser._rests_until = float("inf")
    lower(kept)
    assert files_with(WORD, tmp_path) == []


def test_what_a_stopped_process_deleted_is_erased_by_the_next(
    kept: Knowledge, tmp_path: Path, open_knowledge: OpenKnowledge
) -> None:
    kept._eraser._rests_until = float("inf")
    kept.delete_document(BASE, "pay.md", tenant=TENANT)
    assert files_with(WORD, tmp_path)
    open_knowledge().catch_up()
    assert files_with(WORD, tmp_path) == []


def test_erasing_leaves_connections_as_patient_as_they_were(
    kept: Knowledge, engine: Engine
) -> None:
    def patience() -> int:
        with engine.connect() as connection:
            found: int = connection.exec_driver_sql("PRAGMA busy_timeout").scalar_one()
        return found

    before = patience()
    kept._eraser.erase(at_once=True)
    assert patience() == before > 1_000


def test_erasing_rests_ten_times_as_long_as_it_took(
    kept: Knowledge, monkeypatch: pytest.MonkeyPatch
) -> None:
    times = iter((100.0, 102.0))
    kept._eraser._rests_until = 0.0
    monkeypatch.setattr("knowledge.sql.history.erasing.time.monotonic", lambda: next(times))
    kept._eraser.erase()
    assert kept._eraser._rests_until == 122.0


def test_a_reader_of_the_database_delays_erasing_and_does_not_prevent_it(
    kept: Knowledge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("knowledge.sql.history.erasing.PATIENCE_MS", 10)
    reader = sqlite3.connect(tmp_path / "state.db", isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM kb_versions").fetchone()
    kept.delete_document(BASE, "pay.md", tenant=TENANT)
    reader.execute("COMMIT")
    reader.close()
    kept._eraser._rests_until = 0.0  # some seconds later
    kept.catch_up()
    assert files_with(WORD, tmp_path) == []
