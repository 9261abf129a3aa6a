"""What a passage carries: what is found of a chunk is what is shown and cited."""

import csv
import io
from dataclasses import replace

import pytest

from knowledge import Chunking, Knowledge, KnowledgeConfig, Passage
from knowledge.parsing import NotRead, ParsedText
from knowledge.parsing.blocks import Block, PageStart, Paragraph, SheetStart, Table, render
from tests.fakes.embedder import FakeEmbedder
from tests.knowledge.conftest import BASE, TENANT, OpenKnowledge

HEADER = "Part | Load | Price"


def rows(count: int) -> bytes:
    text = io.StringIO()
    table = csv.writer(text)
    table.writerow(("Part", "Load", "Price"))
    table.writerows((f"BX-{n:03}", 1000 + n, 70 + n) for n in range(1, count + 1))
    return text.getvalue().encode()


def parsed(*blocks: Block) -> ParsedText:
    made = render(blocks)
    left_out = (NotRead("picture", "page 2", "it has no description"),)
    return ParsedText(
        made.text, "pdf", "binary", made.page_starts, made.blocks, made.sheets, left_out
    )


def first(knowledge: Knowledge, question: str, **options: object) -> Passage:
    found = knowledge.retrieve(question, base_ids=[BASE], tenant=TENANT, **options)  # type: ignore[arg-type]  # of several kinds
    return found.passages[0]


@pytest.fixture
def parts(knowledge: Knowledge) -> Knowledge:
    knowledge.ingest(BASE, "parts.csv", "parts.csv", rows(120), tenant=TENANT)
    return knowledge


def test_a_row_is_shown_with_the_header_of_its_table(parts: Knowledge) -> None:
    found = first(parts, "price of BX-117")
    assert found.text.startswith(f"{HEADER}\n")
    assert "BX-117 | 1117 | 187" in found.text
    assert found.text.count(HEADER) == 1
    stored = parts.document_text(BASE, "parts.csv", tenant=TENANT).text
    assert f"{HEADER}\n{stored[found.start : found.end]}" == found.text
    assert first(parts, "price of BX-001").text.count(HEADER) == 1


def test_the_header_of_a_later_piece_is_searched_and_embedded(
    parts: Knowledge, embedder: FakeEmbedder
) -> None:
    assert len([text for text in embedder.embedded if HEADER in text]) == len(embedder.embedded) > 1
    found = parts.retrieve("load", base_ids=[BASE], top_k=50, retrievers=["lexical"], tenant=TENANT)
    assert len(found.passages) == len(embedder.embedded)


def test_a_parent_shows_the_header_of_its_table_once(open_knowledge: OpenKnowledge) -> None:
    sizes = Chunking(strategy="parent_child", chunk_tokens=24, parent_tokens=60)
    knowledge = open_knowledge(config=KnowledgeConfig(chunking=sizes))
    knowledge.create_base("Handbook", base_id=BASE, tenant=TENANT)
    knowledge.ingest(BASE, "parts.csv", "parts.csv", rows(40), tenant=TENANT)
    for part, row in (("BX-004", "BX-004 | 1004 | 74"), ("BX-033", "BX-033 | 1033 | 103")):
        found = first(knowledge, f"price of {part}")
        assert (found.text.startswith(HEADER), found.text.count(HEADER)) == (True, 1)
        assert row in found.text


def test_the_header_counts_in_the_token_budget(parts: Knowledge, embedder: FakeEmbedder) -> None:
    whole = first(parts, "price of BX-117")
    tokens = embedder.count_tokens(whole.text)
    question, bases = "price of BX-117", [BASE]
    fits = parts.retrieve(question, base_ids=bases, max_tokens=tokens, tenant=TENANT)
    assert fits.passages[0].text == whole.text
    short = parts.retrieve(question, base_ids=bases, max_tokens=tokens - 1, tenant=TENANT)
    assert short.passages == ()


@pytest.mark.parametrize("year", ["2024", "2025", "2026"])
def test_files_of_one_name_are_told_apart_by_their_folders(knowledge: Knowledge, year: str) -> None:
    for number in ("2024", "2025", "2026"):
        text = "The annual ticket costs some euros."
        knowledge.ingest(
            BASE,
            f"{number}/prices.txt",
            "prices.txt",
            f"{text}{number[-1]}".encode(),
            tenant=TENANT,
        )
    found = first(knowledge, f"annual ticket {year}", retrievers=["lexical"])
    assert (found.path, found.source) == (f"{year}/prices.txt", f"{year}/prices.txt")


def test_a_passage_names_its_pages_sheet_and_headings(knowledge: Knowledge) -> None:
    crossing = parsed(
        PageStart(),
        Paragraph("If the seal leaks, the customer receives"),
        PageStart(),
        Paragraph("a new pump.", continues=True),
    )
    knowledge.ingest(BASE, "a.pdf", "a.pdf", b"a", parsed=crossing, tenant=TENANT)
    sheets = parsed(SheetStart("Year 2025"), Table((("Line", "Output"), ("line 97", "1097")), 1))
    knowledge.ingest(BASE, "b.xlsx", "b.xlsx", b"b", parsed=sheets, tenant=TENANT)
    pump, line = first(knowledge, "seal leaks"), first(knowledge, "output of line 97")
    assert (pump.page, pump.page_end, pump.sheet) == (1, 2, None)
    assert pump.source == "a.pdf, pages 1-2"
    assert (line.sheet, line.heading, line.page) == ("Year 2025", "Year 2025", None)


def test_a_passage_from_a_scan_says_so_with_its_page_and_confidence(knowledge: Knowledge) -> None:
    pages = parsed(
        PageStart(), Paragraph("One pump stands."), PageStart(), Paragraph("Two seals leak.")
    )
    scanned = replace(pages, recognised=((2, 0.93),))
    knowledge.ingest(BASE, "a.pdf", "a.pdf", b"a", parsed=scanned, tenant=TENANT)
    picture = replace(parsed(PageStart(), Paragraph("Three gates open.")), recognised=((1, 0.81),))
    knowledge.ingest(BASE, "b.png", "b.png", b"b", parsed=picture, tenant=TENANT)
    found = [first(knowledge, words) for words in ("pump stands", "seals leak", "gates open")]
    assert [(one.page, one.ocr, one.ocr_confidence) for one in found] == [
        (1, False, None),
        (2, True, 0.93),
        (1, True, 0.81),
    ]


def test_what_was_not_read_is_kept_with_the_document(knowledge: Knowledge) -> None:
    content = parsed(Paragraph("One lamp."))
    reports = [
        knowledge.ingest(BASE, "a.pdf", "a.pdf", b"a", parsed=content, tenant=TENANT)
        for _ in range(2)
    ]
    (listed,) = knowledge.list_documents(BASE, tenant=TENANT)
    read_back = knowledge.document_text(BASE, "a.pdf", tenant=TENANT).document
    assert [report.unchanged for report in reports] == [False, True]
    told = [(each.left_out, each.encoding) for each in reports]
    told += [(each.left_out, each.encoding) for each in (listed, read_back)]
    assert told == [(content.left_out, "binary")] * 4
