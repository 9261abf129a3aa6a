"""A base is embedded again while it is searched and written, and swapped once."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pydantic import ValidationError
from sqlalchemy import Engine, func, select

from knowledge import (
    ChromaIndex,
    CollectionNotFound,
    EmbedderMismatch,
    EmbedderUnavailable,
    Filter,
    IndexReplaced,
    Knowledge,
    KnowledgeConfig,
    NewDocument,
    ReconcileReport,
    Retrieval,
    StoreRefused,
    StoreUnavailable,
    read_filter,
    reindexing,
)
from knowledge.sql.tables import chunks, next_vectors
from tests.fakes.embedder import FakeEmbedder, Vectors
from tests.knowledge.conftest import BASE, TENANT, OpenKnowledge

NOTHING = ReconcileReport()


@pytest.fixture
def newer() -> FakeEmbedder:
    return FakeEmbedder(model_id="newer", dimension=32)


@pytest.fixture
def filled(knowledge: Knowledge) -> Knowledge:
    """Return the room with the old embedder only."""
    knowledge.ingest_many(
        BASE,
        [NewDocument(f"d{i}", "d.txt", f"lamp number{i}".encode()) for i in range(30)],
        tenant=TENANT,
    )
    return knowledge


@pytest.fixture
def both(filled: Knowledge, open_knowledge: OpenKnowledge, newer: FakeEmbedder) -> Knowledge:
    """Return the same room with the old embedder and the next one."""
    return open_knowledge(next_words=newer)


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("knowledge.reindexing.BATCH_CHUNKS", 10)


def only(index: ChromaIndex) -> str:
    (collection,) = index.collections()
    return collection


def dense(room: Knowledge, question: str = "lamp number7", **options: object) -> Retrieval:
    asked = {"base_ids": [BASE], "tenant": TENANT, "retrievers": ["dense"], **options}
    return room.retrieve(question, **asked)  # type: ignore[arg-type]  # passed through


def once(action: Callable[[], object]) -> Callable[[], None]:
    """Return a call that acts the first time only."""
    left = [action]

    def act() -> None:
        if left:
            left.pop()()

    return act


def lengths(engine: Engine) -> set[int]:
    """Return how many numbers the stored vectors have."""
    with engine.connect() as connection:
        return {len(blob) // 2 for blob in connection.scalars(select(chunks.c.vector))}


def waiting(engine: Engine) -> int:
    with engine.connect() as connection:
        return int(connection.scalar(select(func.count()).select_from(next_vectors)) or 0)


def refuse() -> None:
    raise StoreRefused("Missing metadata segment")


def crash(*_: object, **__: object) -> None:
    raise SystemExit("killed here")


def test_the_old_model_answers_until_the_swap_and_the_new_one_afterwards(
    both: Knowledge, newer: FakeEmbedder, index: ChromaIndex, engine: Engine
) -> None:
    during: list[tuple[bool, str, str]] = []

    def ask() -> None:
        found = dense(both)
        made_by = both.check(BASE, tenant=TENANT).embedding_model
        during.append((found.degraded, found.passages[0].external_id, made_by))

    newer.before_embedding = ask
    create, upsert = ChromaIndex.create, ChromaIndex.upsert

    def create_and_ask(self: ChromaIndex, name: str) -> None:
        create(self, name)
        ask()

    def upsert_and_ask(self: ChromaIndex, *arguments: object) -> None:
        upsert(self, *arguments)  # type: ignore[arg-type]  # passed through as they came
        ask()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ChromaIndex, "create", create_and_ask)
        patch.setattr(ChromaIndex, "upsert", upsert_and_ask)
        report = both.reindex(BASE, tenant=TENANT)
    assert during == [(False, "d7", "fake-words")] * 3
    assert (report.collections_rebuilt, report.missing_added) == (1, 30)
    ask()
    assert during[-1] == (False, "d7", "newer")
    assert (index.count(only(index)), lengths(engine), waiting(engine)) == (30, {32}, 0)
    assert both.reconcile_all() == NOTHING


def test_rows_are_embedded_again_with_the_header_of_their_table(
    filled: Knowledge, open_knowledge: OpenKnowledge, newer: FakeEmbedder
) -> None:
    lines = "".join(f"BX-{number:03},{70 + number}\n" for number in range(200))
    table = f"Part,Price\n{lines}".encode()
    filled.ingest(BASE, "parts", "parts.csv", table, tenant=TENANT)
    open_knowledge(next_words=newer).reindex(BASE, tenant=TENANT)
    pieces = [text for text in newer.embedded if "BX-" in text]
    assert len(pieces) > 1
    assert all("Part | Price" in piece for piece in pieces)


def test_a_process_with_the_new_embedder_alone_serves_the_base_afterwards(
    both: Knowledge, filled: Knowledge, open_knowledge: OpenKnowledge, newer: FakeEmbedder
) -> None:
    after = open_knowledge(words=newer)
    with pytest.raises(EmbedderMismatch, match="run `fingerpost kb reindex handbook`"):
        dense(after)
    both.reindex(BASE, tenant=TENANT)
    assert dense(after).passages[0].external_id == "d7"
    with pytest.raises(EmbedderMismatch, match="indexed by newer .*kb reindex handbook"):
        dense(filled)


def test_what_comes_goes_and_changes_meanwhile_is_right_after_the_swap(
    both: Knowledge, newer: FakeEmbedder, index: ChromaIndex, engine: Engine
) -> None:
    def change() -> None:
        both.ingest(BASE, "late", "late.txt", b"lamp latecomer", tenant=TENANT)
        both.ingest(BASE, "d3", "d.txt", b"lamp replaced", tenant=TENANT)
        both.delete_document(BASE, "d7", tenant=TENANT)

    newer.before_embedding = once(change)
    both.reindex(BASE, tenant=TENANT)
    assert newer.embedded[-2:] == ["late\nlamp latecomer", "d\nlamp replaced"]
    assert both.check(BASE, tenant=TENANT).in_step
    assert (index.count(only(index)), lengths(engine), waiting(engine)) == (30, {32}, 0)
    assert dense(both, "latecomer").passages[0].external_id == "late"
    assert dense(both, "replaced").passages[0].text == "lamp replaced"
    everything = dense(both, "lamp number7", top_k=50).passages
    texts = {passage.text for passage in everything}
    assert texts.isdisjoint({"lamp number7", "lamp number3"})
    assert len(everything) == 30


def test_a_document_embedded_before_the_swap_and_written_after_it_is_embedded_again(
    both: Knowledge, embedder: FakeEmbedder, newer: FakeEmbedder, engine: Engine
) -> None:
    embedder.before_embedding = once(lambda: both.reindex(BASE, tenant=TENANT))
    report = both.ingest(BASE, "late", "late.txt", b"lamp latecomer", tenant=TENANT)
    assert (report.version, report.indexed) == (1, True)
    assert newer.embedded[-1] == "late\nlamp latecomer"
    assert lengths(engine) == {32}
    assert dense(both, "latecomer").passages[0].external_id == "late"


def test_a_document_that_comes_in_just_before_the_swap_has_it_wait(
    both: Knowledge, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    swap, late = (
        reindexing._swap,
        once(lambda: both.ingest(BASE, "late", "l.txt", b"latecomer", tenant=TENANT)),
    )

    def swap_late(*arguments: Any) -> Any:
        late()
        return swap(*arguments)

    monkeypatch.setattr(reindexing, "_swap", swap_late)
    both.reindex(BASE, tenant=TENANT)
    assert lengths(engine) == {32}
    assert dense(both, "latecomer").passages[0].external_id == "late"


def test_a_document_staged_before_the_swap_and_shown_after_it_is_right(
    both: Knowledge, index: ChromaIndex, engine: Engine
) -> None:
    upsert = ChromaIndex.upsert

    def swap_first(self: ChromaIndex, *arguments: object) -> None:
        patch.setattr(ChromaIndex, "upsert", upsert)
        both.reindex(BASE, tenant=TENANT)
        upsert(self, *arguments)  # type: ignore[arg-type]  # passed through as they came

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ChromaIndex, "upsert", swap_first)
        both.ingest(BASE, "late", "late.txt", b"lamp latecomer", tenant=TENANT)
    both.catch_up()
    assert (both.check(BASE, tenant=TENANT).in_step, lengths(engine)) == (True, {32})
    assert dense(both, "latecomer").passages[0].external_id == "late"


@pytest.mark.parametrize("filters", [None, read_filter({"kind": "lamp"})])
def test_a_swap_between_a_question_and_its_answer_has_it_asked_again(
    filled: Knowledge, open_knowledge: OpenKnowledge, newer: FakeEmbedder, filters: Filter | None
) -> None:
    filled.ingest(
        BASE, "marked", "d.txt", b"lamp number7", attributes={"kind": "lamp"}, tenant=TENANT
    )

    class Swapping(FakeEmbedder):
        def embed_query(self, text: str) -> Vectors:
            swap()
            return super().embed_query(text)

    room = open_knowledge(words=Swapping(), next_words=newer)
    swap = once(lambda: room.reindex(BASE, tenant=TENANT))
    found = room.retrieve("lamp number7", base_ids=[BASE], filters=filters, tenant=TENANT)
    assert (found.degraded, found.retrievers) == (False, ("dense", "lexical"))
    assert found.passages[0].text == "lamp number7"
    assert found.passages[0].relevance > 0.9


def test_a_collection_refused_while_it_is_dropped_is_not_taken_for_damaged(
    filled: Knowledge, index: ChromaIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, ask = only(index), ChromaIndex.start_query
    rebuild = once(lambda: filled.rebuild(BASE, tenant=TENANT))

    def ask_late(self: ChromaIndex, name: str, vector: Vectors, *, top_k: int) -> Any:
        if name != old:
            return ask(self, name, vector, top_k=top_k)
        rebuild()
        return refuse

    monkeypatch.setattr(ChromaIndex, "start_query", ask_late)
    found = dense(filled)
    assert (found.degraded, found.passages[0].external_id) == (False, "d7")


def test_readers_never_see_a_half_swapped_base(
    both: Knowledge, open_knowledge: OpenKnowledge, embedder: FakeEmbedder, newer: FakeEmbedder
) -> None:
    back = open_knowledge(words=newer, next_words=embedder)
    answers: list[tuple[bool, str, bool]] = []
    faults: list[Exception] = []
    stop = threading.Event()

    def read() -> None:
        while not stop.is_set():
            try:
                found = dense(both)
                best = found.passages[0]
                answers.append((found.degraded, best.external_id, best.relevance > 0.9))
            except Exception as exc:
                faults.append(exc)

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    for room in (both, back, both, back):
        room.reindex(BASE, tenant=TENANT)
    stop.set()
    for reader in readers:
        reader.join()
    assert faults == []
    assert set(answers) == {(False, "d7", True)}


@pytest.mark.usefixtures("small_batches")
def test_a_killed_reindex_goes_on_where_it_stopped(
    both: Knowledge, newer: FakeEmbedder, index: ChromaIndex, engine: Engine
) -> None:
    calls: Iterator[Callable[[], None]] = iter([lambda: None, lambda: None, crash])
    newer.before_embedding = lambda: next(calls)()
    with pytest.raises(SystemExit):
        both.reindex(BASE, tenant=TENANT)
    assert dense(both).passages[0].external_id == "d7"
    both.delete_document(BASE, "d10", tenant=TENANT)  # embedded anew already
    newer.before_embedding = lambda: None
    assert both.reconcile_all() == NOTHING  # it is not collected while somebody may go on with it
    seen: list[tuple[int, int]] = []
    both.reindex(BASE, progress=lambda *at: seen.append(at), tenant=TENANT)
    assert (len(newer.embedded), seen) == (30, [(29, 29)])
    assert both.check(BASE, tenant=TENANT).in_step
    assert (index.count(only(index)), lengths(engine), waiting(engine)) == (29, {32}, 0)


def test_a_reindex_killed_at_the_swap_is_swapped_by_the_next(
    both: Knowledge, newer: FakeEmbedder, engine: Engine
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("knowledge.sql.bases.activate_generation", crash)
        with pytest.raises(SystemExit):
            both.reindex(BASE, tenant=TENANT)
    assert (dense(both).degraded, lengths(engine)) == (False, {64})
    newer.before_embedding = crash  # nothing is left to embed
    both.reindex(BASE, tenant=TENANT)
    assert (both.check(BASE, tenant=TENANT).embedding_model, lengths(engine)) == ("newer", {32})


@pytest.fixture
def unsettled(both: Knowledge, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Knowledge:
    """Return a room whose re-index was killed just after the swap: no vector was moved yet."""
    with monkeypatch.context() as patch:
        patch.setattr(reindexing, "reconcile", crash)
        with pytest.raises(SystemExit):
            both.reindex(BASE, tenant=TENANT)
    assert (lengths(engine), waiting(engine)) == ({64}, 30)
    return both


@pytest.mark.parametrize("filters", [None, read_filter({"kind": "lamp"})])
def test_new_vectors_count_from_the_swap_on(
    unsettled: Knowledge, newer: FakeEmbedder, filters: Filter | None
) -> None:
    unsettled.ingest(
        BASE, "d7", "d.txt", b"lamp number7", attributes={"kind": "lamp"}, tenant=TENANT
    )
    assert newer.embedded.count("d\nlamp number7") == 1  # known from the vector that waits
    found = dense(unsettled, filters=filters)
    assert (found.degraded, found.passages[0].external_id) == (False, "d7")
    assert found.passages[0].relevance > 0.9


def test_catch_up_moves_what_a_swap_left_waiting(unsettled: Knowledge, engine: Engine) -> None:
    assert unsettled.index_health().pending == 30
    assert unsettled.catch_up().missing_added == 0
    assert (lengths(engine), waiting(engine)) == ({32}, 0)
    assert unsettled.catch_up() == NOTHING


@pytest.mark.parametrize("renew", ["rebuild", "reindex"])
def test_vectors_that_wait_do_not_go_with_their_generation(
    unsettled: Knowledge, newer: FakeEmbedder, engine: Engine, renew: str
) -> None:
    getattr(unsettled, renew)(BASE, tenant=TENANT)
    assert (unsettled.check(BASE, tenant=TENANT).in_step, lengths(engine), waiting(engine)) == (
        True,
        {32},
        0,
    )
    assert dense(unsettled).passages[0].relevance > 0.9


def test_a_rebuild_that_meets_a_fresh_swap_is_refused(
    both: Knowledge, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("knowledge.reconcile.move_reindexed_vectors", lambda *_: None)
        both.reindex(BASE, tenant=TENANT)
        with pytest.raises(IndexReplaced):
            both.rebuild(BASE, tenant=TENANT)
    assert waiting(engine) == 30
    both.catch_up()
    assert (both.check(BASE, tenant=TENANT).in_step, lengths(engine)) == (True, {32})


def test_what_a_given_up_reindex_left_is_collected(
    filled: Knowledge, open_knowledge: OpenKnowledge, newer: FakeEmbedder, index: ChromaIndex
) -> None:
    room = open_knowledge(config=KnowledgeConfig(orphan_grace_s=0), next_words=newer)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("knowledge.sql.bases.activate_generation", crash)
        with pytest.raises(SystemExit):
            room.reindex(BASE, tenant=TENANT)
    assert len(index.collections()) == 2
    assert room.reconcile_all().collections_dropped == 1
    assert room.reconcile_all() == NOTHING
    assert dense(filled).passages[0].external_id == "d7"


def test_a_reindex_to_another_model_gives_the_first_one_up(
    both: Knowledge, open_knowledge: OpenKnowledge, index: ChromaIndex, engine: Engine
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("knowledge.sql.bases.activate_generation", crash)
        with pytest.raises(SystemExit):
            both.reindex(BASE, tenant=TENANT)
    third = open_knowledge(next_words=FakeEmbedder(model_id="third", dimension=48))
    third.reindex(BASE, tenant=TENANT)
    assert (index.count(only(index)), lengths(engine), waiting(engine)) == (30, {48}, 0)


def test_the_slower_of_two_reindexes_ends_and_harms_nothing(
    both: Knowledge, newer: FakeEmbedder, index: ChromaIndex
) -> None:
    newer.before_embedding = once(lambda: both.reindex(BASE, tenant=TENANT))
    with pytest.raises(IndexReplaced, match="finished first"):
        both.reindex(BASE, tenant=TENANT)
    assert both.check(BASE, tenant=TENANT).in_step
    assert index.count(only(index)) == 30


def test_a_rebuild_that_a_reindex_overtakes_does_not_bring_old_vectors_back(
    both: Knowledge, index: ChromaIndex
) -> None:
    upsert = ChromaIndex.upsert

    def swap_meanwhile(self: ChromaIndex, *arguments: object) -> None:
        upsert(self, *arguments)  # type: ignore[arg-type]  # passed through as they came
        patch.setattr(ChromaIndex, "upsert", upsert)
        both.reindex(BASE, tenant=TENANT)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ChromaIndex, "upsert", swap_meanwhile)
        with pytest.raises(IndexReplaced):
            both.rebuild(BASE, tenant=TENANT)
    both.catch_up()
    found = both.check(BASE, tenant=TENANT)
    assert (found.in_step, found.embedding_model) == (True, "newer")
    assert (index.count(only(index)), dense(both).passages[0].external_id) == (30, "d7")


def test_a_reindex_survives_a_rebuild_of_the_old_generation(
    both: Knowledge, newer: FakeEmbedder, index: ChromaIndex
) -> None:
    newer.before_embedding = once(lambda: both.rebuild(BASE, tenant=TENANT))
    both.reindex(BASE, tenant=TENANT)
    found = both.check(BASE, tenant=TENANT)
    assert (found.in_step, found.embedding_model) == (True, "newer")
    assert index.count(only(index)) == 30


def test_a_base_deleted_while_it_is_reindexed_leaves_nothing(
    both: Knowledge, newer: FakeEmbedder, index: ChromaIndex
) -> None:
    newer.before_embedding = once(lambda: both.delete_base(BASE, tenant=TENANT))
    with pytest.raises(CollectionNotFound):
        both.reindex(BASE, tenant=TENANT)
    assert index.collections() == set()


def test_reindex_while_chroma_is_away_still_changes_the_model(
    filled: Knowledge, open_knowledge: OpenKnowledge, newer: FakeEmbedder
) -> None:
    room = open_knowledge(words=newer)
    assert not room.check(BASE, tenant=TENANT).embedder_fits
    with pytest.MonkeyPatch.context() as patch:
        for call in ("create", "upsert", "ids", "ping", "query"):
            patch.setattr(ChromaIndex, call, _away, raising=False)
        assert not room.reindex(BASE, tenant=TENANT).available
    assert room.check(BASE, tenant=TENANT).embedder_fits
    assert room.catch_up().missing_added == 30
    assert room.check(BASE, tenant=TENANT).in_step


def test_a_base_is_reindexed_with_the_only_embedder_there_is(
    filled: Knowledge, embedder: FakeEmbedder, index: ChromaIndex
) -> None:
    before, during = only(index), []
    embedder.embedded.clear()
    embedder.before_embedding = lambda: during.append(dense(filled).passages[0].external_id)
    report = filled.reindex(BASE, tenant=TENANT)
    assert (report.collections_rebuilt, report.missing_added) == (1, 30)
    assert (len(embedder.embedded), during, only(index) != before) == (30, ["d7"], True)


def test_bases_of_two_models_are_searched_together(
    both: Knowledge, open_knowledge: OpenKnowledge, newer: FakeEmbedder
) -> None:
    both.reindex(BASE, tenant=TENANT)
    old = open_knowledge()
    old.create_base("Second", base_id="second", tenant=TENANT)
    old.ingest("second", "a", "a.txt", b"blue lamp", tenant=TENANT)
    bases = {"base_ids": [BASE, "second"], "top_k": 2}
    found = dense(both, "blue lamp number7", **bases)
    assert {str(passage.knowledge_base) for passage in found.passages} == {BASE, "second"}
    assert {passage.external_id for passage in found.passages} == {"d7", "a"}
    assert (found.degraded, found.retrievers) == (False, ("dense",))
    config = KnowledgeConfig(min_relevance=0.1, next_min_relevance=1.0)
    strict = open_knowledge(config=config, next_words=newer)
    passages = dense(strict, "blue lamp number7", **bases).passages
    assert {p.external_id: p.is_relevant for p in passages} == {"d7": False, "a": True}


def test_each_embedder_answers_for_its_own_languages(
    both: Knowledge, open_knowledge: OpenKnowledge
) -> None:
    every = open_knowledge(next_words=FakeEmbedder(model_id="all", dimension=32, languages=["*"]))
    every.create_base(
        "Second", base_id="second", tenant=TENANT
    )  # a new base is made with the next embedder
    every.ingest("second", "leave", "leave.txt", "年假有十天".encode(), tenant=TENANT)
    found = dense(every, "年假有几天", base_ids=[BASE, "second"])
    assert [passage.external_id for passage in found.passages] == ["leave"]
    assert found.retrievers == ("dense",)
    assert [(e.retriever, e.reason) for e in found.left_out] == [
        ("dense", "language_not_read"),
        ("lexical", "not_asked"),
    ]
    assert not found.degraded


def test_a_passage_is_judged_by_the_languages_of_the_embedder_that_read_it(
    both: Knowledge, open_knowledge: OpenKnowledge
) -> None:
    every = open_knowledge(next_words=FakeEmbedder(model_id="all", dimension=32, languages=["*"]))
    every.ingest(BASE, "unread", "u.txt", "lamp lamp 年假日".encode(), tenant=TENANT)
    every.create_base("Second", base_id="second", tenant=TENANT)
    every.ingest("second", "read", "r.txt", "lamp lamp 年假期".encode(), tenant=TENANT)
    found = every.retrieve("lamp lamp zyx", base_ids=[BASE, "second"], top_k=5, tenant=TENANT)
    relevance = {passage.external_id: passage.relevance for passage in found.passages}
    assert relevance["unread"] < 0.5 * relevance["read"]


def test_check_tells_which_bases_wait_for_the_next_embedder(both: Knowledge) -> None:
    before = both.check(BASE, tenant=TENANT)
    assert (before.in_step, before.embedder_fits, before.wants_reindex) == (True, True, True)
    both.reindex(BASE, tenant=TENANT)
    assert not both.check(BASE, tenant=TENANT).wants_reindex


def test_the_same_model_named_twice_is_refused(open_knowledge: OpenKnowledge) -> None:
    with pytest.raises(EmbedderUnavailable, match="is the embedder already, fake-words"):
        open_knowledge(next_words=FakeEmbedder())
    with pytest.raises(ValidationError, match="is the embedder already"):
        KnowledgeConfig(embedder="a/b", next_embedder="a/b")
    KnowledgeConfig(embedder="a/b", next_embedder="a/b", next_embedder_revision="2")


def _away(*_: object, **__: object) -> None:
    raise StoreUnavailable("Chroma is away")
