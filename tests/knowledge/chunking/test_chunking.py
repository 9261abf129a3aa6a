from typing import Any, get_args

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from knowledge.chunking import chunk, embedded_text
from knowledge.config import Chunking, ChunkingStrategy
from knowledge.parsing import ParsedText
from knowledge.types import Chunk
from tests.fakes.embedder import FakeEmbedder
from tests.repetition import times

count_tokens = FakeEmbedder().count_tokens
HANDBOOK = """Preface.

# Returns

## Deadlines

Thirty days. Sale items: seven days.

```
# no heading
```

## Costs
Free above fifty euros.
"""


def cut(
    text: str,
    *,
    size: int = 20,
    overlap: int = 4,
    form: str = "markdown",
    strategy: ChunkingStrategy = "markdown",
) -> list[Chunk]:
    parsed = ParsedText(text=text, format=form, encoding="utf-8")
    chunking = Chunking(
        strategy=strategy,
        chunk_tokens=size,
        overlap_tokens=0 if strategy == "parent_child" else overlap,
        parent_tokens=3 * size,
    )
    return chunk(parsed, chunking, count_tokens=count_tokens)


PIECES = st.sampled_from(
    [
        "# A\n",
        "## B\n",
        "word ",
        "The end. ",
        "年假十五天。",
        "\n\n",
        "\n",
        "  ",
        "，",
        "x" * 30,
        "é",
    ]
)


@example("# A\n" * 4 + "年假十五天。# A\n  \nword 年假十五天。" + "# A\n" * 5, "text")
@settings(max_examples=times(150, 3_000), deadline=None)
@given(
    st.lists(PIECES, min_size=1, max_size=60).map("".join), st.sampled_from(["markdown", "text"])
)
def test_chunks_are_exact_slices_and_lose_no_word(text: str, form: str) -> None:
    chunks = cut(text, form=form)
    covered: set[int] = set()
    for piece in chunks:
        assert piece.text == text[piece.start : piece.end]
        covered.update(range(piece.start, piece.end))
    assert all(letter.isspace() or at in covered for at, letter in enumerate(text))
    assert [piece.ordinal for piece in chunks] == list(range(len(chunks)))


def test_no_chunk_is_longer_than_asked() -> None:
    chunks = cut("Some words stand here. " * 40 + "年假十五天。" * 40, form="text")
    assert len(chunks) > 10
    assert max(piece.tokens for piece in chunks) <= 20


def test_chunks_of_a_section_overlap_by_whole_sentences() -> None:
    first, second, *_ = cut("One two three four. " * 12, size=16, overlap=5, form="text")
    assert second.start < first.end
    assert second.text.startswith("One two three four.")


def test_markdown_is_cut_at_headings_and_keeps_their_path() -> None:
    headings = [piece.heading for piece in cut(HANDBOOK, size=60)]
    assert headings == ["", "Returns > Deadlines", "Returns > Costs"]


def test_a_heading_in_a_code_fence_is_text() -> None:
    deadlines = cut(HANDBOOK, size=60)[1]
    assert "# no heading" in deadlines.text
    assert deadlines.text.startswith("# Returns")


def test_chinese_sentences_are_not_cut_in_the_middle() -> None:
    chunks = cut("这是第一句话吗？" * 3 + "这是一个陈述句子。" * 6, size=24, overlap=0, form="text")
    assert len(chunks) > 2
    assert all(piece.text[-1] in "？。" for piece in chunks)


def test_the_embedder_sees_headings_once() -> None:
    assert embedded_text("", "Returns > Costs", "## Costs\nFree.") == "Returns > Costs\nFree."
    assert embedded_text("", "", "Plain.") == "Plain."


def test_whole_sentences_are_packed_whatever_the_lines() -> None:
    text = "One two three.\n\nFour five six. Seven eight nine. 年假有十五天。申请要提前两周。"
    chunks = cut(text, size=16, overlap=0, form="text", strategy="sentence")
    assert [piece.text for piece in chunks] == [
        "One two three.\n\nFour five six. Seven eight nine. 年假有十五天。",
        "申请要提前两周。",
    ]


def test_fixed_chunks_are_as_full_as_they_can_be_and_overlap_by_words() -> None:
    text = " ".join(f"w{number}." for number in range(100))
    chunks = cut(text, size=20, overlap=4, form="text", strategy="fixed")
    assert {piece.tokens for piece in chunks[1:-1]} == {20}
    assert chunks[1].text.split()[:4] == chunks[0].text.split()[-4:]


def test_a_recursive_cut_pays_no_heed_to_headings() -> None:
    assert {piece.heading for piece in cut(HANDBOOK, size=60, strategy="recursive")} == {""}


def test_children_lie_within_parents_and_parents_within_sections() -> None:
    text = "# A\n" + "One two three four. " * 30 + "\n# B\n" + "Five six seven. " * 30
    chunks = cut(text, size=16, strategy="parent_child")
    assert max(piece.tokens for piece in chunks) <= 16
    border = text.index("# B")
    for piece in chunks:
        assert piece.parent_start is not None
        assert piece.parent_end is not None
        assert piece.parent_start <= piece.start < piece.end <= piece.parent_end
        assert (piece.parent_start < border) == (piece.parent_end <= border)
        assert count_tokens(text[piece.parent_start : piece.parent_end]) <= 48
    assert len({piece.parent_start for piece in chunks}) < len(chunks)


@pytest.mark.parametrize(
    "sizes",
    [
        {"strategy": "parent_child", "chunk_tokens": 240, "parent_tokens": 240},
        {"chunk_tokens": 60, "overlap_tokens": 31},
        {"chunk_tokens": 8},
        {"strategy": "semantic"},
    ],
)
def test_sizes_that_do_not_fit_are_refused(sizes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Chunking(**sizes)


@pytest.mark.parametrize("strategy", get_args(ChunkingStrategy))
def test_no_chunk_spans_two_pages(strategy: ChunkingStrategy) -> None:
    pages = ["One two three.\n", "Four five six.\n", "Seven eight nine.\n"]
    starts = (len(pages[0]), len(pages[0] + pages[1]))
    parsed = ParsedText("".join(pages), "pdf", "", starts)
    chunking = Chunking(strategy=strategy, chunk_tokens=60, overlap_tokens=4, parent_tokens=120)
    chunks = chunk(parsed, chunking, count_tokens=count_tokens)
    assert [(piece.text, piece.page) for piece in chunks] == [
        (page.strip(), number) for number, page in enumerate(pages, start=1)
    ]


def test_a_comment_in_code_is_not_taken_for_a_heading() -> None:
    code = "# install the package\npip install flodar"
    assert embedded_text("", "Install", code) == f"Install\n{code}"
    assert embedded_text("", "Install > Config", "Config\n======\nPort 8099.") == (
        "Install > Config\nConfig\n======\nPort 8099."
    )


def test_the_embedder_sees_the_header_of_a_table_that_goes_on() -> None:
    assert embedded_text("", "Parts", "BX-2 | 7", "Part | Price") == "Parts\nPart | Price\nBX-2 | 7"


def test_the_embedder_sees_folders_and_a_files_name_where_no_heading_stands() -> None:
    assert embedded_text("hr/2024/pay", "Pay", "Ten.") == "hr/2024 > Pay\nTen."
    assert embedded_text("pay", "Pay", "Ten.") == "Pay\nTen."
    assert embedded_text("hr/pay", "", "Ten.") == "hr/pay\nTen."
