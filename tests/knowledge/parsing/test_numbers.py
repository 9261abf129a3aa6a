"""No digit is lost or glued to another, whatever it is written in; each row stands in its line."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from knowledge import parse
from tests.knowledge.parsing.documents import WRITERS, Written
from tests.repetition import times

DOCUMENTS = times(10, 200)  # of each kind
AT_ONCE = 2  # children that read


def faults(written: Written) -> list[str]:
    return written.faults(parse(written.filename, written.content).text)


@pytest.mark.parametrize("kind", WRITERS)
def test_every_number_is_read_as_it_stands_in_the_document(kind: str) -> None:
    documents = [WRITERS[kind](seed) for seed in range(DOCUMENTS)]
    with ThreadPoolExecutor(AT_ONCE) as threads:
        found = list(threads.map(faults, documents))
    assert {seed: wrong[:5] for seed, wrong in enumerate(found) if wrong} == {}


def test_a_number_that_is_lost_or_glued_or_in_another_row_is_seen() -> None:
    written = Written("a.txt", runs={"1", "25"}, marks={"123", "456", "789"})
    written.rows = [("123", ("123", "456"))]
    written.add("25\\D1")
    assert written.faults("123 | 456\n789, 25 1") == []
    assert written.faults("123 | 789\n456, 251") == [
        "251 is no number of it",
        "'456' is not where it belongs in '123 | 789'",
        "'25\\\\D1' is not there",
    ]
    assert written.faults("456 25 1") == ["123 is lost", "789 is lost", "no line holds '123'"]
