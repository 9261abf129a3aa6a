"""A table in a text file has its header, its title and every figure."""

import pytest

from knowledge.errors import DamagedFile, ParseLimitExceeded
from knowledge.parsing.blocks import Block, Paragraph, Table, render
from knowledge.parsing.delimited import MAX_FIELD_CHARS
from knowledge.parsing.tables import read_table


def _blocks(text: str) -> list[Block]:
    return list(read_table("a.csv", text, 5_000_000).blocks)


def _table(text: str) -> Table:
    table = _blocks(text)[-1]
    assert isinstance(table, Table)
    return table


@pytest.mark.parametrize(
    "text",
    [
        "Part,Price (EUR)\nBX-001,13\nBX-002,14",
        "Part\tPrice\nBX-001\t1,50",
        "Part|Price\na, b|1\nc|2",
        "Teil;Preis\nA;1,50\nB;2,30",
        "sep=;\nTeil;Preis\nA;1",
        ",Mon,Tue\nHall,1,2",
        "Region,2024,2025\nNorth,1,2",
        "Region,2024-01,2024-02\nNorth,1,2",
        "员工编号,年假天数\nE0001,6\nE0002,7",
        "a,b,c\n1,2\n1,2,3\n1,2,3,4,5",
        'a,"b\nc"\n1,2',
        "#id,name\n1,a\n2,b",
        "\n\nPart,Price\nBX-001,13",
    ],
)
def test_the_first_row_that_names_the_columns_is_the_header(text: str) -> None:
    assert _table(text).header_rows == 1


@pytest.mark.parametrize(
    "text",
    [
        "1,2\n3,4",
        "A;1,50;2,30\nB;2,50;3,30",
        "E149,printer jam\nE150,paper out",
        "E149,printer jam\nE150,paper out\nE151,no ink\nnone,dust",
        "2026-03,Ann\n2026-04,Ben",
        "name\nAnn\nBen",
        "Part,Price",
    ],
)
def test_a_table_without_names_has_no_header(text: str) -> None:
    assert _table(text).header_rows == 0


def test_figures_with_a_comma_stay_whole() -> None:
    assert _table("A;1,50;2,30\nB;2,50;3,30").rows == (("A", "1,50", "2,30"), ("B", "2,50", "3,30"))


def test_what_stands_above_a_table_is_its_title_or_a_remark() -> None:
    remark, table = _blocks("# made by hand\nPrices 2026\n\nPart;Price\nA;1\nB;2\n")
    assert remark == Paragraph("made by hand")
    assert table == Table((("Part", "Price"), ("A", "1"), ("B", "2")), 1, "Prices 2026")


def test_a_title_keeps_the_commas_that_cut_it() -> None:
    assert _table("# Stock, by hall\nPart,Hall,Count\nA,1,20\nB,2,30").title == "Stock, by hall"


@pytest.mark.parametrize(
    "text",
    [
        "Part|Where\na, b|1, x\nc, d|2, y",
        "sep=|\nPart|Where\na, b|1, x\nc, d|2, y",
        '"SEP=|"\nPart|Where\na, b|1, x\nc, d|2, y',
        "#Part|Where\na, b|1, x\nc, d|2, y",
    ],
)
def test_cells_are_cut_at_the_separator_and_hold_neither_it_nor_a_sign(text: str) -> None:
    assert _table(text).rows == (("Part", "Where"), ("a, b", "1, x"), ("c, d", "2, y"))


def test_the_separator_that_is_named_is_taken() -> None:
    table = _table("sep=|\na;b|c;d\n1;2|3;4")
    assert table.rows == (("a;b", "c;d"), ("1;2", "3;4"))


def test_names_of_columns_behind_a_blank_line_begin_another_table() -> None:
    first, second = _blocks("Part,Price\nA,13\nB,14\n\nCode,Colour\nX,red\nY,blue\n")
    assert first == Table((("Part", "Price"), ("A", "13"), ("B", "14")), 1)
    assert second == Table((("Code", "Colour"), ("X", "red"), ("Y", "blue")), 1)


def test_a_blank_line_parts_tables_only_where_another_begins() -> None:
    first, second = _blocks("a,b\n1,2\n\n3,4\n\nSecond\nx,y,z\n1,2,3")
    assert first == Table((("a", "b"), ("1", "2"), ("3", "4")), 1)
    assert second == Table((("x", "y", "z"), ("1", "2", "3")), 1, "Second")


def test_one_column_is_lines() -> None:
    assert render(_blocks("Ann\nBen, too\nCarl\n")).text == "Ann\nBen | too\nCarl"


def test_a_quote_that_is_never_closed_takes_no_rows() -> None:
    table = _table('id,size\n1,"5 inch\n2,6\n3,7')
    assert table.rows == (("id", "size"), ("1", '"5 inch'), ("2", "6"), ("3", "7"))


def test_wide_tables_and_long_cells_are_read() -> None:
    row = ",".join(f"c{n}x" for n in range(2_000))
    assert len(_table(f"{row}\n{row}").rows[0]) == 2_000
    assert len(_table(f"a,b\n1,{'x' * MAX_FIELD_CHARS}").rows[1][1]) == MAX_FIELD_CHARS


def test_a_cell_without_end_is_refused() -> None:
    with pytest.raises(DamagedFile, match="more than 1,000,000 characters, or a quote"):
        _blocks(f"a,b\n1,{'x' * (MAX_FIELD_CHARS + 1)}")


def test_more_text_than_allowed_is_refused() -> None:
    with pytest.raises(ParseLimitExceeded):
        read_table("a.csv", "a,b\n1,2", 5)


def test_an_empty_table_has_no_blocks() -> None:
    assert _blocks("\n,,\n") == []
