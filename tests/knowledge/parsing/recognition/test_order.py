"""In which order the words of a page are read."""

from collections.abc import Iterable

from knowledge.parsing.recognition.order import Placed, reading_order


def line(text: str, left: float, top: float, width: float) -> Placed:
    return Placed(text, left, top, left + width, top + 20)


def read(pieces: Iterable[Placed]) -> list[str]:
    return [" ".join(piece.text for piece in row) for row in reading_order(list(pieces))]


def column(name: str, left: float, count: int, top: float = 100) -> list[Placed]:
    return [line(f"{name}{n}", left, top + 30 * n, 380) for n in range(count)]


def test_two_columns_of_prose_are_read_one_after_the_other() -> None:
    found = read([*column("b", 450, 4), *column("a", 0, 4)])
    assert found == ["a0", "a1", "a2", "a3", "b0", "b1", "b2", "b3"]


def test_a_title_over_both_columns_parts_what_is_above_from_what_is_below() -> None:
    title = line("title", 0, 240, 830)
    found = read([title, *column("a", 0, 4), *column("b", 450, 4), *column("c", 0, 4, 300)])
    assert found[:9] == ["a0", "a1", "a2", "a3", "b0", "b1", "b2", "b3", "title"]


def test_three_columns_are_read_one_after_the_other() -> None:
    pieces = [*column("c", 900, 3), *column("a", 0, 3), *column("b", 450, 3)]
    assert read(pieces) == ["a0", "a1", "a2", "b0", "b1", "b2", "c0", "c1", "c2"]


def test_cells_of_a_table_are_read_row_by_row() -> None:
    cells = [line(f"{n}{m}", 250 * m, 100 + 30 * n, 60) for m in range(3) for n in range(5)]
    assert read(cells)[:2] == ["00 01 02", "10 11 12"]


def test_the_same_pieces_in_any_order_are_read_alike() -> None:
    pieces = [*column("a", 0, 5), *column("b", 450, 5)]
    assert read(reversed(pieces)) == read(pieces)
    assert reading_order([]) == []
