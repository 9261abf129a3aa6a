"""What a reader knows a passage's document by."""

import pytest

from knowledge.types import document_title
from tests.fakes.passages import passage


@pytest.mark.parametrize(
    ("external_id", "filename", "title"),
    [
        ("2024/prices.md", "prices.md", "2024/prices.md"),
        ("2024/prices", "prices.md", "2024/prices"),
        ("returns", "returns.md", "returns"),
        ("doc-8123", "returns.md", "returns.md"),
        ("hr/2024", "prices.md", "hr/2024/prices.md"),
        ("v2.10", "v2.10.md", "v2.10"),
        ("价格/2024.md", "2024.md", "价格/2024.md"),
    ],
)
def test_a_document_is_known_by_its_path_or_else_its_file(
    external_id: str, filename: str, title: str
) -> None:
    assert document_title(external_id, filename) == title


def test_a_source_names_path_headings_and_pages() -> None:
    found = passage("Ten euros.", external_id="2024/prices.md", filename="prices.md")
    assert found.source == "2024/prices.md"
    placed = {"external_id": "a.pdf", "filename": "a.pdf", "heading": "Pro plan > Fee"}
    assert passage("x", **placed, page=3).source == "a.pdf > Pro plan > Fee, page 3"
    assert passage("x", **placed, page=3, page_end=4).source == "a.pdf > Pro plan > Fee, pages 3-4"
