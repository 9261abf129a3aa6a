import itertools
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine, event, func, select

from knowledge import (
    ChromaIndex,
    DocumentTooLarge,
    EmbedderMismatch,
    EmbeddingDimensionMismatch,
    EmptyDocument,
    IngestConflict,
    IngestReport,
    InvalidAttributes,
    InvalidName,
    InvalidQuery,
    Knowledge,
    KnowledgeConfig,
    NewDocument,
    NoTextLayer,
    StorageFull,
    UnknownEncoding,
    UnsupportedFile,
)
from knowledge.sql import full_text, staging
from knowledge.sql import versions as stored_versions
from knowledge.sql.bases import get_base
from knowledge.sql.tables import LEXICAL_TABLE, chunks, versions
from knowledge.sql.transaction import write_transaction
from knowledge.types import ChunkId
from tests.fakes.embedder import FakeEmbedder
from tests.fakes.files import OF_FORMAT
from tests.knowledge.conftest import BASE, TENANT, OpenKnowledge

OLD = b"# Returns\n\nLamps may be returned within thirty days.\n"
NEW = b"# Returns\n\nLamps may be returned within fourteen days.\n"


def put(knowledge: Knowledge, content: bytes, name: str = "returns") -> IngestReport:
    return knowledge.ingest(BASE, name, f"{name}.md", content, tenant=TENANT)


def texts(knowledge: Knowledge, question: str = "When may lamps be returned?") -> str:
    found = knowledge.retrieve(question, base_ids=[BASE], top_k=20, tenant=TENANT)
    return "\n".join(passage.text for passage in found.passages)


def test_a_document_is_searchable_when_ingest_returns(knowledge: Knowledge) -> None:
    report = put(knowledge, OLD)
    assert (report.version, report.chunks, report.indexed, report.unchanged) == (1, 1, True, False)
    passage = knowledge.retrieve("returned lamps", base_ids=[BASE], tenant=TENANT).passages[0]
    assert passage.document_id == report.document_id
    assert passage.retrievers == ("dense", "lexical")
    assert OLD.decode()[passage.start : passage.end] == passage.text


def test_an_encoding_that_is_named_is_read_so_and_once(knowledge: Knowledge) -> None:
    def put_text(encoding: str | None) -> IngestReport:
        content = "谢谢".encode("gbk")
        return knowledge.ingest(BASE, "a", "a.txt", content, encoding=encoding, tenant=TENANT)

    assert put_text(None).left_out[0].what == "encoding"
    reports = [put_text("gbk"), put_text("gb2312"), put_text(None)]
    assert [(one.encoding, one.unchanged) for one in reports] == [
        ("gb18030", False),
        ("gb18030", True),
        ("gb18030", True),
    ]
    assert knowledge.document_text(BASE, "a", tenant=TENANT).text == "谢谢"
    with pytest.raises(UnknownEncoding, match="klingon"):
        put_text("klingon")


def test_the_language_of_a_base_decides_where_the_bytes_leave_it_open(knowledge: Knowledge) -> None:
    content = "Coffee beans 500g x 3 (浅烘)".encode("gbk")
    encodings = []
    for name, around in (("hans", "员工每年有十五天年假。"), ("hant", "員工每年有十五天年假。")):
        knowledge.create_base(name, base_id=name, tenant=TENANT)
        knowledge.ingest(name, "a", "a.md", around.encode(), tenant=TENANT)
        report = knowledge.ingest(name, "b", "b.txt", content, tenant=TENANT)
        encodings.append(report.encoding)
    assert encodings == ["gb18030", "big5hkscs"]


@pytest.mark.parametrize(
    ("text", "question"),
    [
        ("Die Kündi\u00adgungs\u00adfrist ist kurz.", "Kündigungsfrist"),
        ("Die Kündigungsfrist ist kurz.", "Kündi\u00adgungsfrist"),
        ("Code QX\u200b77\u200b12 opens it.", "QX7712"),
        ("Code QX7712 opens it.", "QX77\u200b12"),
        ("车辆须登记。", "⻋辆"),
        ("⻋辆须登记。", "车辆"),
    ],
)
def test_unseen_and_lookalike_letters_hide_nothing(
    knowledge: Knowledge, text: str, question: str
) -> None:
    put(knowledge, OLD)
    knowledge.ingest(BASE, "b", "b.txt", text.encode(), tenant=TENANT)
    found = knowledge.retrieve(question, base_ids=[BASE], retrievers=("lexical",), tenant=TENANT)
    assert found.passages[0].external_id == "b"
    assert found.passages[0].retrievers == ("lexical",)


def test_a_question_is_asked_without_what_nobody_sees(knowledge: Knowledge) -> None:
    def scores(question: str) -> list[float]:
        found = knowledge.retrieve(question, base_ids=[BASE], retrievers=("dense",), tenant=TENANT)
        return [passage.relevance for passage in found.passages]

    put(knowledge, OLD)
    assert scores("re\u00adturned la\u200bmps") == scores("returned lamps")
    with pytest.raises(InvalidQuery, match="empty"):
        scores("\u200b")


def test_a_picture_is_read_again_only_where_the_base_wants_it_otherwise(
    knowledge: Knowledge,
) -> None:
    scan = OF_FORMAT["png"]("The pump stands still")

    def again() -> IngestReport:
        return knowledge.ingest(BASE, "a.png", "a.png", scan, tenant=TENANT)

    knowledge.change_base(BASE, tenant=TENANT, ocr="never")
    with pytest.raises(NoTextLayer, match="ocr: never"):
        again()
    assert knowledge.change_base(BASE, tenant=TENANT, ocr="auto").ocr == "auto"
    assert [again().unchanged, again().unchanged] == [False, True]
    knowledge.change_base(BASE, tenant=TENANT, ocr="always")
    assert not again().unchanged
    assert "pump" in texts(knowledge, "Which pump stands still?")


def test_the_same_content_again_changes_nothing(knowledge: Knowledge, engine: Engine) -> None:
    first, second = put(knowledge, OLD), put(knowledge, OLD)
    assert second.unchanged
    assert (second.version, second.document_id) == (first.version, first.document_id)
    with engine.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(versions)) == 1


def test_a_replaced_document_answers_with_its_new_text_only(
    knowledge: Knowledge, index: ChromaIndex
) -> None:
    put(knowledge, OLD)
    assert put(knowledge, NEW).version == 2
    assert "fourteen" in texts(knowledge)
    assert "thirty" not in texts(knowledge, "thirty days")
    (collection,) = index.collections()
    assert index.count(collection) == 1


def test_a_deleted_document_leaves_history_but_no_text(
    knowledge: Knowledge, engine: Engine, index: ChromaIndex
) -> None:
    put(knowledge, OLD)
    knowledge.delete_document(BASE, "returns", tenant=TENANT)
    assert texts(knowledge) == ""
    (collection,) = index.collections()
    assert index.count(collection) == 0
    with engine.connect() as connection:
        history = connection.execute(
            select(versions.c.version, versions.c.change, versions.c.text).order_by(versions.c.pk)
        ).all()
        lexical_rows = connection.exec_driver_sql(f"SELECT count(*) FROM {LEXICAL_TABLE}").scalar()
    assert [tuple(row) for row in history] == [(1, "added", None), (2, "deleted", None)]
    assert lexical_rows == 0


def test_a_document_may_come_back_after_its_deletion(knowledge: Knowledge) -> None:
    first = put(knowledge, OLD)
    knowledge.delete_document(BASE, "returns", tenant=TENANT)
    again = put(knowledge, OLD)
    assert (again.version, again.document_id) == (3, first.document_id)
    assert "thirty" in texts(knowledge)


def test_unchanged_passages_are_not_embedded_again(
    knowledge: Knowledge, embedder: FakeEmbedder
) -> None:
    put(knowledge, b"# A\n\nFirst fact.\n\n# B\n\nSecond fact.\n")
    embedder.embedded.clear()
    put(knowledge, b"# A\n\nFirst fact.\n\n# B\n\nAnother fact.\n")
    assert embedder.embedded == ["B\nAnother fact."]


def test_new_attributes_make_a_version_that_counts_as_no_change(knowledge: Knowledge) -> None:
    put(knowledge, OLD)
    knowledge.ingest(BASE, "returns", "returns.md", OLD, attributes={"region": "eu"}, tenant=TENANT)
    assert knowledge.get_document(BASE, "returns", tenant=TENANT).attributes == {"region": "eu"}
    assert knowledge.measure([BASE], tenant=TENANT).changes_per_week == 0


STEPS: dict[str, Callable[[pytest.MonkeyPatch], None]] = {
    "embed": lambda patch: patch.setattr(FakeEmbedder, "embed_passages", _crash),
    "stage": lambda patch: patch.setattr(staging, "stage", _crash),
    "upsert": lambda patch: patch.setattr(ChromaIndex, "upsert", _crash),
    "activate": lambda patch: patch.setattr(stored_versions, "activate", _crash),
    "lexical": lambda patch: patch.setattr(full_text, "add", _crash),
    "cleanup": lambda patch: patch.setattr(ChromaIndex, "delete", _crash),
}


def _crash(*_: object, **__: object) -> None:
    raise SystemExit("killed here")


@pytest.mark.parametrize("step", STEPS)
def test_a_crash_between_steps_leaves_a_whole_version_and_a_retry_finishes(
    knowledge: Knowledge, index: ChromaIndex, step: str
) -> None:
    put(knowledge, OLD)
    with pytest.MonkeyPatch.context() as patch:
        STEPS[step](patch)
        with pytest.raises(SystemExit):
            put(knowledge, NEW)
    before = texts(knowledge)
    assert ("thirty" in before) != ("fourteen" in before)
    put(knowledge, NEW)
    assert "fourteen" in texts(knowledge)
    assert "thirty" not in texts(knowledge)
    knowledge.reconcile_all()
    (collection,) = index.collections()
    assert index.count(collection) == 1


def test_a_version_overtaken_while_it_was_staged_is_never_seen(
    knowledge: Knowledge,
    embedder: FakeEmbedder,
    monkeypatch: pytest.MonkeyPatch,
    index: ChromaIndex,
) -> None:
    put(knowledge, b"Original words.")
    upsert = ChromaIndex.upsert

    def overtaken(self: ChromaIndex, *arguments: object) -> None:
        monkeypatch.setattr(ChromaIndex, "upsert", upsert)
        put(knowledge, NEW)
        upsert(self, *arguments)  # type: ignore[arg-type]  # passed through as they came

    monkeypatch.setattr(ChromaIndex, "upsert", overtaken)
    assert put(knowledge, OLD).version == 2
    assert knowledge.get_document(BASE, "returns", tenant=TENANT).version == 3
    assert "thirty" not in texts(knowledge)
    (collection,) = index.collections()
    assert index.count(collection) == 1


def test_a_staged_version_neither_answers_nor_takes_a_place(
    knowledge: Knowledge, monkeypatch: pytest.MonkeyPatch
) -> None:
    knowledge.ingest(BASE, "a", "a.txt", b"lamp shade", tenant=TENANT)
    seen: list[list[str]] = []
    upsert = ChromaIndex.upsert

    def look(self: ChromaIndex, *arguments: object) -> None:
        upsert(self, *arguments)  # type: ignore[arg-type]  # passed through as they came
        found = knowledge.retrieve(
            "lamp return", base_ids=[BASE], top_k=1, retrievers=["dense"], tenant=TENANT
        )
        seen.append([passage.text for passage in found.passages])

    monkeypatch.setattr(ChromaIndex, "upsert", look)
    knowledge.ingest(BASE, "b", "b.txt", b"lamp return", tenant=TENANT)
    assert seen == [["lamp shade"]]


def test_many_documents_take_the_same_path_as_one(knowledge: Knowledge) -> None:
    seen: list[tuple[int, int]] = []
    sources = [NewDocument(f"d{i}", f"d{i}.txt", f"Fact number {i}.".encode()) for i in range(262)]
    reports = knowledge.ingest_many(
        BASE, sources, progress=lambda *at: seen.append(at), tenant=TENANT
    )
    assert [report.external_id for report in reports] == [source.external_id for source in sources]
    assert seen == [(128, 262), (256, 262), (262, 262)]
    assert all(report.unchanged for report in knowledge.ingest_many(BASE, sources, tenant=TENANT))
    single = knowledge.ingest(BASE, "d3", "d3.txt", b"Fact number 3.", tenant=TENANT)
    assert single.unchanged


def test_the_later_of_two_files_of_one_name_stays(knowledge: Knowledge) -> None:
    knowledge.ingest_many(
        BASE,
        [NewDocument("a", "a.txt", b"first"), NewDocument("a", "a.txt", b"second")],
        tenant=TENANT,
    )
    assert knowledge.document_text(BASE, "a", tenant=TENANT).text == "second"


class Windows:
    """Windows of two documents; the write of the first waits until the next one is embedded."""

    def __init__(self, patch: pytest.MonkeyPatch, embedder: FakeEmbedder) -> None:
        self.overlapped: list[bool] = []
        self._begun = itertools.count()
        self._next_is_embedded = threading.Event()
        self._upsert = ChromaIndex.upsert
        patch.setattr("knowledge.ingest.WINDOW_DOCUMENTS", 2)
        patch.setattr(ChromaIndex, "upsert", lambda *arguments: self._wait(*arguments))
        embedder.before_embedding = self._embed
        self.at_second: Callable[[], None] = lambda: None

    def _wait(self, *arguments: Any) -> None:
        if not self.overlapped:
            self.overlapped.append(self._next_is_embedded.wait(5))
        self._upsert(*arguments)

    def _embed(self) -> None:
        if next(self._begun) == 1:
            self._next_is_embedded.set()
            self.at_second()


@pytest.fixture
def windows(monkeypatch: pytest.MonkeyPatch, embedder: FakeEmbedder) -> Windows:
    return Windows(monkeypatch, embedder)


def numbered(count: int) -> list[NewDocument]:
    return [NewDocument(f"d{i}", f"d{i}.txt", f"Fact number {i}.".encode()) for i in range(count)]


def names(knowledge: Knowledge) -> list[str]:
    return [document.external_id for document in knowledge.list_documents(BASE, tenant=TENANT)]


def test_a_window_is_written_while_the_next_is_embedded(
    knowledge: Knowledge, windows: Windows
) -> None:
    reports = knowledge.ingest_many(BASE, numbered(5), tenant=TENANT)
    assert windows.overlapped == [True]
    assert [report.external_id for report in reports] == names(knowledge)
    assert [report.indexed for report in reports] == [True] * 5
    assert "number 4" in texts(knowledge, "fact number 4")


def test_a_failing_embedder_leaves_the_window_that_is_being_written(
    knowledge: Knowledge, windows: Windows
) -> None:
    windows.at_second = _crash
    seen: list[tuple[int, int]] = []
    with pytest.raises(SystemExit):
        knowledge.ingest_many(
            BASE, numbered(6), progress=lambda *at: seen.append(at), tenant=TENANT
        )
    assert windows.overlapped == [True]
    assert (names(knowledge), seen) == (["d0", "d1"], [(2, 6)])
    assert "number 1" in texts(knowledge, "fact number 1")


def test_a_bad_file_in_the_second_window_leaves_the_first(
    knowledge: Knowledge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("knowledge.ingest.WINDOW_DOCUMENTS", 2)
    sources = numbered(6)
    sources[3] = NewDocument("bad", "bad.txt", b"  ")  # the shortest: the last to go in
    with pytest.raises(EmptyDocument):
        knowledge.ingest_many(BASE, sources, tenant=TENANT)
    assert names(knowledge) == ["d0", "d1", "d2", "d4"]


def test_the_longest_go_in_first_and_reports_keep_their_order(
    knowledge: Knowledge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("knowledge.ingest.WINDOW_DOCUMENTS", 1)
    bodies = {"short": b"lamp", "long": b"lamp " * 9, "middle": b"lamp " * 4}
    reports = knowledge.ingest_many(
        BASE,
        [NewDocument(name, f"{name}.txt", body) for name, body in bodies.items()],
        tenant=TENANT,
    )
    assert [report.external_id for report in reports] == list(bodies)
    added = sorted(
        knowledge.list_documents(BASE, tenant=TENANT), key=lambda document: document.updated_at
    )
    assert [document.external_id for document in added] == ["long", "middle", "short"]


def test_what_failed_first_is_what_is_raised(
    knowledge: Knowledge, windows: Windows, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> None:
        raise MemoryError("the second window")

    windows.at_second = refuse
    monkeypatch.setattr(stored_versions, "activate", _crash)
    with pytest.raises(SystemExit, match="killed here"):
        knowledge.ingest_many(BASE, numbered(4), tenant=TENANT)
    assert names(knowledge) == []


def test_the_same_name_in_the_next_window_sees_what_the_window_before_wrote(
    knowledge: Knowledge, monkeypatch: pytest.MonkeyPatch, embedder: FakeEmbedder
) -> None:
    activate = stored_versions.activate

    def slowly(*arguments: Any, **options: Any) -> list[ChunkId]:
        time.sleep(0.1)  # or the flip might be done before anybody looks
        return activate(*arguments, **options)

    monkeypatch.setattr(stored_versions, "activate", slowly)
    first = NewDocument("pay", "pay.txt", b"Pay day is Friday.", access=frozenset({"hr"}))
    again = NewDocument("pay", "pay.txt", b"Pay day is Friday.")
    later = NewDocument("pay", "pay.txt", b"Pay day is Monday.")
    reports = knowledge.ingest_many(BASE, [first, again, later], tenant=TENANT)
    assert [report.unchanged for report in reports] == [False, True, False]
    assert knowledge.get_document(BASE, "pay", tenant=TENANT).access == ("hr",)
    assert len(embedder.embedded) == 2


def test_one_overtaken_document_of_a_window_keeps_no_other_back(
    knowledge: Knowledge, monkeypatch: pytest.MonkeyPatch, index: ChromaIndex, engine: Engine
) -> None:
    upsert = ChromaIndex.upsert

    def overtaken(self: ChromaIndex, *arguments: Any) -> None:
        monkeypatch.setattr(ChromaIndex, "upsert", upsert)
        knowledge.ingest(BASE, "d1", "d1.txt", b"Newer words.", tenant=TENANT)
        knowledge.delete_document(BASE, "d2", tenant=TENANT)
        upsert(self, *arguments)

    knowledge.ingest(BASE, "d2", "d2.txt", b"Older words.", tenant=TENANT)
    monkeypatch.setattr(ChromaIndex, "upsert", overtaken)
    knowledge.ingest_many(BASE, numbered(4), tenant=TENANT)
    assert sorted(names(knowledge)) == ["d0", "d1", "d3"]
    assert knowledge.document_text(BASE, "d1", tenant=TENANT).text == "Newer words."
    (collection,) = index.collections()
    assert index.count(collection) == 3
    with engine.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(chunks)) == 3


def test_what_was_collected_while_it_was_written_is_to_be_sent_again(
    knowledge: Knowledge, monkeypatch: pytest.MonkeyPatch, engine: Engine
) -> None:
    put(knowledge, OLD)
    upsert = ChromaIndex.upsert

    def collected(self: ChromaIndex, *arguments: Any) -> None:
        upsert(self, *arguments)
        with write_transaction(engine) as connection:
            base = get_base(connection, BASE, tenant=TENANT)
            assert stored_versions.collect_stale(connection, base, older_than=time.time()) == 2

    monkeypatch.setattr(ChromaIndex, "upsert", collected)
    sources = [NewDocument("returns", "returns.md", NEW), *numbered(1)]
    with pytest.raises(IngestConflict, match="send it again"):
        knowledge.ingest_many(BASE, sources, tenant=TENANT)
    assert names(knowledge) == ["returns"]
    assert "thirty" in texts(knowledge)


@pytest.mark.parametrize(
    ("content", "attributes", "name", "error"),
    [
        (b"\x89PNG\r\n\x1a\n" + bytes(32), {}, "a", UnsupportedFile),
        (b"  ", {}, "a", EmptyDocument),
        (b"x" * 101, {}, "a", DocumentTooLarge),
        (b"x", {f"k{i}": 1 for i in range(17)}, "a", InvalidAttributes),
        (b"x", {"k": ["list"]}, "a", InvalidAttributes),
        (b"x", {}, "", InvalidName),
    ],
)
def test_bad_input_is_refused_and_nothing_is_written(
    open_knowledge: OpenKnowledge, content: bytes, attributes: object, name: str, error: type
) -> None:
    opened = open_knowledge(config=KnowledgeConfig(max_document_bytes=100))
    opened.create_base("Handbook", base_id=BASE, tenant=TENANT)
    with pytest.raises(error):
        opened.ingest(BASE, name, "a.txt", content, attributes=attributes, tenant=TENANT)  # type: ignore[arg-type]  # bad on purpose
    assert opened.list_documents(BASE, tenant=TENANT) == []


def test_another_embedder_is_refused_until_the_base_is_indexed_again(
    knowledge: Knowledge, open_knowledge: OpenKnowledge
) -> None:
    put(knowledge, OLD)
    other = open_knowledge(words=FakeEmbedder(revision="2"))
    longer = open_knowledge(words=FakeEmbedder(dimension=32))
    with pytest.raises(EmbedderMismatch, match="fingerpost kb reindex handbook"):
        put(other, NEW)
    with pytest.raises(EmbeddingDimensionMismatch, match="fingerpost kb reindex handbook"):
        longer.retrieve("lamps", base_ids=[BASE], tenant=TENANT)
    longer.reindex(BASE, tenant=TENANT)
    assert longer.retrieve("returned lamps", base_ids=[BASE], tenant=TENANT).passages[
        0
    ].retrievers == (
        "dense",
        "lexical",
    )
    with pytest.raises(EmbeddingDimensionMismatch):
        put(knowledge, NEW)


def test_chunk_ids_never_repeat_between_versions(knowledge: Knowledge, engine: Engine) -> None:
    ids: set[str] = set()
    for content in (OLD, NEW, OLD):
        put(knowledge, content)
        with engine.connect() as connection:
            ids.update(connection.scalars(select(chunks.c.chunk_id)))
    assert len(ids) == 3


def test_a_full_disk_refuses_writes_and_reads_go_on(knowledge: Knowledge, engine: Engine) -> None:
    put(knowledge, OLD)
    with engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()

    def limit(dbapi_connection: Any, *_: object) -> None:
        dbapi_connection.execute(f"PRAGMA max_page_count={pages}")

    large = NewDocument("large", "large.txt", b"many words about shades " * 4_000)
    event.listen(engine, "checkout", limit)
    with pytest.raises(StorageFull, match="free some space"):
        knowledge.ingest_many(BASE, [large], tenant=TENANT)
    assert "thirty" in texts(knowledge)
    assert [document.external_id for document in knowledge.list_documents(BASE, tenant=TENANT)] == [
        "returns"
    ]
    pages = 2**30  # room again: no restart
    assert not knowledge.ingest_many(BASE, [large], tenant=TENANT)[0].unchanged
    assert knowledge.reconcile_all().available
