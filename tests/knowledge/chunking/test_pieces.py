"""How blocks are packed into chunks, and cut where their kind allows."""

from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.chunking import chunk
from knowledge.chunking.size import CHARS_PER_TOKEN
from knowledge.config import Chunking, ChunkingStrategy
from knowledge.parsing import ParsedText
from knowledge.parsing.blocks import (
    Block,
    Caption,
    Code,
    Heading,
    ListItem,
    PageStart,
    Paragraph,
    SheetStart,
    Table,
    render,
)
from knowledge.types import Chunk
from tests.fakes.embedder import FakeEmbedder
from tests.repetition import times

count_tokens = FakeEmbedder().count_tokens


def parsed(*blocks: Block) -> ParsedText:
    made = render(blocks)
    return ParsedText(made.text, "docx", "utf-8", made.page_starts, made.blocks, made.sheets)


def cut(
    document: ParsedText, size: int = 24, *, strategy: ChunkingStrategy = "markdown"
) -> list[Chunk]:
    chunking = Chunking(
        strategy=strategy,
        chunk_tokens=size,
        overlap_tokens=0 if strategy == "parent_child" else size // 5,
        parent_tokens=3 * size,
    )
    return chunk(document, chunking, count_tokens=count_tokens)


def table(rows: int, *, title: str = "", width: int = 3) -> Table:
    head = tuple(f"name{column}" for column in range(width))
    body = tuple(tuple(f"r{row}c{column}" for column in range(width)) for row in range(rows))
    return Table((head, *body), 1, title)


def test_a_table_inside_an_item_tells_its_header_once_in_each_piece() -> None:
    rows = "".join(f"    | r{row} | {row} |\n" for row in range(30))
    text = f"- See:\n  - the list\n\n    | Part | Price |\n    |---|---|\n{rows}"
    chunks = cut(ParsedText(text, "markdown", "utf-8"))
    tables = [piece for piece in chunks if "r" in piece.text and "|" in piece.text]
    assert len(tables) > 2
    assert [f"{piece.lead}{piece.text}".count("Part") for piece in tables] == [1] * len(tables)


def test_every_piece_of_a_table_has_whole_rows_and_its_header_and_title() -> None:
    document = parsed(Heading("Motors"), table(30, title="Table 3: motors"))
    chunks = cut(document)
    assert len(chunks) > 4
    rows = [line for piece in chunks for line in piece.text.split("\n") if line.startswith("r")]
    assert rows == [f"r{row}c0 | r{row}c1 | r{row}c2" for row in range(30)]
    assert [piece.lead for piece in chunks] == [
        "",
        *["Table 3: motors\nname0 | name1 | name2"] * (len(chunks) - 1),
    ]
    assert {piece.heading for piece in chunks} == {"Motors"}
    for piece in chunks:
        assert piece.tokens + count_tokens(piece.lead) <= 24


def test_a_row_longer_than_a_chunk_is_cut_between_its_cells() -> None:
    document = parsed(table(3, width=40))
    chunks = cut(document)
    words = [word for piece in chunks for word in piece.text.replace("|", " ").split()]
    assert [word for word in words if word.startswith("r")] == [
        f"r{row}c{column}" for row in range(3) for column in range(40)
    ]
    assert max(piece.tokens for piece in chunks) <= 24
    assert all(count_tokens(piece.lead) <= 12 for piece in chunks)


def test_a_small_table_stays_with_the_sentence_that_announces_it() -> None:
    prose = Paragraph("One two three four five six seven eight nine ten. " * 3)
    document = parsed(prose, Paragraph("These rooms are free:"), table(3))
    first, second = cut(document, 40)
    assert second.text.startswith("These rooms are free:\n\nname0")
    assert "free" not in first.text


def test_a_caption_goes_with_what_it_names() -> None:
    prose = Paragraph("One two three four five six seven eight nine ten. " * 3)
    _, second = cut(parsed(prose, Caption("Rooms of the house"), table(3)), 40)
    assert second.text.startswith("Rooms of the house\n\nname0")


def test_a_heading_is_never_cut_off_from_what_stands_under_it() -> None:
    long = Paragraph("One two three four five six seven. " * 8)
    for strategy in ("markdown", "recursive"):
        chunks = cut(parsed(long, Heading("Fees"), long), strategy=strategy)
        assert not [piece.text for piece in chunks if piece.text.strip() == "# Fees"]
        assert [piece.heading for piece in chunks if "# Fees" in piece.text] == ["Fees"]


def test_code_is_cut_between_lines_and_keeps_its_indentation() -> None:
    lines = [f"    call_{number}(first, second)" for number in range(20)]
    document = parsed(Heading("Run"), Code("def f():\n" + "\n".join(lines)))
    chunks = cut(document)
    assert len(chunks) > 3
    found = [line for piece in chunks for line in piece.text.split("\n") if "call" in line]
    assert [line.strip() for line in found] == [line.strip() for line in lines]
    assert all(a.end <= b.start for a, b in zip(chunks, chunks[1:], strict=False))


def test_items_of_a_list_are_not_cut() -> None:
    items = [ListItem(f"Turn the key number {n} to the left.", f"{n}.") for n in range(1, 13)]
    chunks = cut(parsed(Paragraph("Do this:"), *items), 30)
    assert len(chunks) > 2
    whole = {f"{item.mark} {item.text}" for item in items} | {"Do this:"}
    assert {line for piece in chunks for line in piece.text.split("\n") if line} == whole


def test_a_word_without_a_break_is_cut_by_its_letters() -> None:
    digest = "4283fefc63f0cd0e873a" * 200
    text = f"The reset code is 5512.\n\nDigest: {digest}"
    chunks = cut(ParsedText(text, "text", "utf-8"))
    assert max(len(piece.text) for piece in chunks) <= 24 * CHARS_PER_TOKEN
    assert "5512" in chunks[0].text
    assert sum(len(piece.text) for piece in chunks) >= len(digest)


def test_a_sentence_over_a_page_break_stays_whole_and_names_both_pages() -> None:
    document = parsed(
        PageStart(),
        Paragraph("Guarantee. If the seal leaks, the customer receives"),
        PageStart(),
        Paragraph("a new pump free of charge. Shipping is paid by us.", continues=True),
        PageStart(),
        Paragraph("Another matter."),
    )
    whole, other = cut(document, 40)
    assert "the customer receives\na new pump" in whole.text
    assert (whole.page, whole.page_end) == (1, 2)
    assert (other.text, other.page, other.page_end) == ("Another matter.", 3, None)


def test_a_table_over_a_page_break_keeps_its_header() -> None:
    rows = tuple((f"VT-{n}", f"{n}") for n in range(8))
    document = parsed(
        PageStart(),
        Table((("Model", "Noise"), *rows[:4]), 1),
        PageStart(),
        Table(rows[4:], continues=True),
    )
    chunks = cut(document, 16)
    last = chunks[-1]
    assert (last.page, last.lead) == (2, "Model | Noise")
    assert "VT-7 | 7" in last.text


def test_a_chunk_names_its_sheet() -> None:
    document = parsed(SheetStart("2024"), table(2), SheetStart("2025"), table(2))
    assert [(piece.sheet, piece.heading) for piece in cut(document, 60)] == [
        ("2024", "2024"),
        ("2025", "2025"),
    ]


BLOCKS = st.one_of(
    st.builds(Heading, st.sampled_from(["Fees", "Rooms"]), st.integers(1, 3)),
    st.integers(1, 40).map(lambda words: Paragraph("word one. " * words)),
    st.integers(1, 30).map(lambda words: Paragraph("年假十五天。" * words)),
    st.integers(1, 9).map(lambda words: ListItem("turn it " * words, "1.")),
    st.builds(table, st.integers(1, 12), width=st.integers(2, 9)),
    st.integers(1, 12).map(lambda lines: Code("\n".join(["  x = 1"] * lines))),
    st.integers(1, 600).map(lambda letters: Paragraph("x" * letters)),
    st.just(PageStart()),
)


@settings(max_examples=times(100, 2_000), deadline=None)
@given(
    st.lists(BLOCKS, min_size=1, max_size=12),
    st.sampled_from(["markdown", "recursive", "sentence", "fixed", "parent_child"]),
)
def test_no_letter_is_lost_and_no_chunk_too_long(
    blocks: Sequence[Block], strategy: ChunkingStrategy
) -> None:
    document = parsed(*blocks)
    covered: set[int] = set()
    chunks = cut(document, 24, strategy=strategy)
    for piece in chunks:
        assert piece.text == document.text[piece.start : piece.end]
        assert piece.tokens + count_tokens(piece.lead) <= 24
        assert len(piece.text) <= 24 * CHARS_PER_TOKEN
        covered.update(range(piece.start, piece.end))
    assert all(letter.isspace() or at in covered for at, letter in enumerate(document.text))
    assert [piece.ordinal for piece in chunks] == list(range(len(chunks)))
