"""A quote out of place takes no rows into its cell, and is told."""

import pytest

from knowledge.errors import DamagedFile
from knowledge.parsing import parse
from knowledge.parsing.delimited import MAX_FIELD_CHARS, read_rows


def _rows(text: str, separator: str = ",") -> list[list[str]]:
    return read_rows("a.csv", text, separator).rows


def _joined(rows: list[list[str]]) -> str:
    return "/".join("|".join(row) for row in rows)


@pytest.mark.parametrize(
    ("text", "rows"),  # cells joined by |, rows by /
    [
        ('id,size\n1,5" pipe\n2,6\n3,7', '1|5" pipe/2|6/3|7'),
        ('id,size\n1,"5 inch\n2,6\n3,7', '1|"5 inch/2|6/3|7'),
        ('id,size\n1,"5 inch\n2,6\n3,"7 inch\n4,8', '1|"5 inch/2|6/3|"7 inch/4|8'),
        ('id,size\n1,"5 inch\n2,6\n3,7"\n4,8', '1|"5 inch/2|6/3|7"/4|8'),
        ('id,size\n1,"5 inch\n2,6\n3,"7"\n4,8', '1|"5 inch/2|6/3|7/4|8'),
        ('id,size\n1,"Deluxe" lamp\n2,6', '1|"Deluxe" lamp/2|6'),
        ('id,size\n1,"12" monitor"\n2,6', '1|12" monitor/2|6'),
        ('id,size\n1,"19"",\n2,6', '1|"19""|/2|6'),
        ('id,size\n1,""5""\n2,6', '1|""5""/2|6'),
        ('编号,尺寸\n一,"五寸\n二,六寸\n三,七寸', '一|"五寸/二|六寸/三|七寸'),
        ('id,say\n1,"she said \\"yes\\", twice"\n2,6', '1|she said "yes", twice/2|6'),
        ('id,a,b\n1,"x, 2\n2,y,3', '1|"x|2/2|y|3'),
    ],
)
def test_a_stray_quote_is_a_letter(text: str, rows: str) -> None:
    assert _joined(_rows(text)[1:]) == rows


@pytest.mark.parametrize(
    ("text", "rows"),  # cells joined by |, rows by /
    [
        ('id,size\n1,"a, b"\n2,"say ""hi"""', '1|a, b/2|say "hi"'),
        ('id,note\n1,"first line\nsecond line"\n2,x', "1|first line second line/2|x"),
        (
            'id,note\n1,"Dear all,\nthe lift, alas, is out"\n2,x',
            "1|Dear all, the lift, alas, is out/2|x",
        ),
        ('id, size\n1, "a, b"\n2, 6', "1|a, b/2|6"),
        ('id,size\n"1" ,"6" \n"2","7"', "1|6/2|7"),
        ('id,path\n1,"C:\\tools\\"\n2,x', "1|C:\\tools\\/2|x"),
        ('id,size\n1,""\n2,6', "1|/2|6"),
    ],
)
def test_cells_in_quotes_are_read_as_before_and_nothing_is_told(text: str, rows: str) -> None:
    read = read_rows("a.csv", text, ",")
    assert _joined(read.rows[1:]) == rows
    assert read.not_read == ()


def test_a_stray_quote_beside_a_cell_of_two_lines_leaves_both_whole() -> None:
    text = 'id,note\n1,"two\nlines"\n2,"5 inch\n3,"good, whole"\n4,x'
    assert _rows(text)[1:] == [
        ["1", "two lines"],
        ["2", '"5 inch'],
        ["3", "good, whole"],
        ["4", "x"],
    ]


@pytest.mark.parametrize("separator", ["\t", ";", "|"])
def test_other_separators_have_the_same_rule(separator: str) -> None:
    text = '1,"5 inch\n2,6\n3,"a b"'.replace(",", separator)
    assert _rows(text, separator) == [["1", '"5 inch'], ["2", "6"], ["3", "a b"]]


def test_a_stray_quote_is_told_with_its_line() -> None:
    parsed = parse("a.csv", b'id,size\n1,"5 inch\n2,6\n3,"7 inch\n4,"a, b"\n')
    assert parsed.text == 'id | size\n1 | "5 inch\n2 | 6\n3 | "7 inch\n4 | a, b'
    (told,) = parsed.left_out
    assert (told.what, told.where) == ("quotes", "line 2 and 1 more")


def test_a_single_stray_quote_is_told_with_nothing_more() -> None:
    (told,) = read_rows("a.csv", 'id,size\n1,"5 inch\n2,6', ",").not_read
    assert told.where == "line 2"


def test_many_stray_quotes_take_no_longer_than_their_lines() -> None:
    rows = _rows('1,"5 inch\n' * 50_000)
    assert rows == [["1", '"5 inch']] * 50_000


def test_a_cell_longer_than_any_is_refused_with_stray_quotes_as_well() -> None:
    with pytest.raises(DamagedFile, match="more than 1,000,000 characters"):
        _rows(f'1,"5 inch\n2,{"x" * (MAX_FIELD_CHARS + 1)}')
