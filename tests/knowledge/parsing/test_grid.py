"""Merged cells are filled wherever they stand, and say nothing twice that is one."""

from collections.abc import Sequence

from knowledge.parsing.blocks import Table
from knowledge.parsing.grid import Grid

Cell = tuple[str, int, int]  # text, columns, rows


def _table(rows: Sequence[Sequence[Cell]]) -> Table:
    grid = Grid(lambda text: None)
    for row in rows:
        grid.begin_row()
        for text, columns, spans in row:
            grid.add(text, columns=columns, rows=spans)
        grid.end_row()
    return grid.table()


def test_a_cell_from_above_is_filled_behind_the_end_of_a_short_row() -> None:
    table = _table([[("1", 1, 1), ("2", 1, 1), ("A", 1, 2)], [("3", 1, 1)]])
    assert table.rows == (("1", "2", "A"), ("3", "", "A"))


def test_columns_in_which_no_cell_begins_are_left_out() -> None:
    table = _table([[("1", 2, 1), ("2", 3, 1)], [("3", 2, 1), ("4", 3, 1)]])
    assert table.rows == (("1", "2"), ("3", "4"))


def test_a_row_of_one_cell_over_all_columns_says_it_once() -> None:
    table = _table([[("1", 1, 1), ("2", 1, 1)], [("A", 9, 1)], [("3", 1, 1), ("4", 1, 1)]])
    assert table.rows == (("1", "2"), ("A",), ("3", "4"))


def test_cells_left_out_keep_those_from_above_in_their_column() -> None:
    grid = Grid(lambda text: None)
    grid.begin_row()
    for text in "1A3":
        grid.add(text, rows=2 if text == "A" else 1)
    grid.end_row()
    grid.begin_row()
    grid.skip_to(2)
    grid.add("4")
    grid.end_row()
    assert grid.table().rows == (("1", "A", "3"), ("", "A", "4"))


def test_no_cell_reaches_into_another_group_of_rows() -> None:
    grid = Grid(lambda text: None)
    for rows in (9, 1):
        grid.begin_group()
        grid.begin_row()
        grid.add("A" if rows == 9 else "B", rows=rows)
        grid.add("1")
        grid.end_row()
    assert grid.table().rows == (("A", "1"), ("B", "1"))


def test_empty_cells_that_fill_others_are_counted_too() -> None:
    told: list[str] = []
    grid = Grid(told.append)
    grid.begin_row()
    grid.add("", columns=5)
    grid.end_row()
    assert len("".join(told)) == 4


def test_a_first_row_of_equal_cells_is_no_title() -> None:
    grid = Grid(lambda _: None)
    for row in (("0", "0"), ("1", "2"), ("3", "4")):
        grid.begin_row()
        for cell in row:
            grid.add(cell)
        grid.end_row()
    assert grid.table() == Table((("0", "0"), ("1", "2"), ("3", "4")), 0, "")
