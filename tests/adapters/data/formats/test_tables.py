"""Tables: what cells mean in their columns, and what is no table."""

from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow
import pyarrow.parquet
import pytest

from adapters import Refusal, Row, iter_rows, load_rows
from adapters.data import Message


def write(folder: Path, content: str, encoding: str = "utf-8") -> Path:
    file = folder / "rows.csv"
    file.write_bytes(content.encode(encoding))
    return file


def read(file: Path) -> list[tuple[int, Any]]:
    """Return line and what was read: the texts of a row, or why it was refused."""
    return [
        (one.line, one.reason if isinstance(one, Refusal) else [m.content for m in one.messages])
        for one in iter_rows([file])
    ]


def test_a_line_is_that_of_the_row_s_beginning_whatever_stands_in_cells(tmp_path: Path) -> None:
    content = '问题,答案\r\n"几点\n开门？","九点，""准时"""\r\n\r\n在吗,在的\r\n'
    expected = [(2, ["几点\n开门？", '九点，"准时"']), (5, ["在吗", "在的"])]
    for encoding in ("utf-8-sig", "gb18030", "utf-16"):
        assert read(write(tmp_path, content, encoding)) == expected


def test_cells_are_read_as_what_their_columns_mean(tmp_path: Path) -> None:
    file = write(
        tmp_path,
        "instruction,output,weight,synthetic,context,distractors,train,meta,price,history\n"
        'q,a,3,是,false,2.0,1,"{""source"": ""s""}",7,"[[""h"", ""i""]]"\n'
        "q,a,,,,,否,,,\n",
    )
    one, other = load_rows([file])
    flags = {"weight": 3.0, "synthetic": True, "context": False, "distractors": 2}
    assert one.meta == {**flags, "price": "7", "source": "s"}
    assert [turn.content for turn in one.messages] == ["h", "i", "q", "a"]
    assert other.meta == {}
    assert not other.messages[-1].learned


def test_turns_in_a_cell_are_json_and_an_answer_in_json_is_a_text(tmp_path: Path) -> None:
    turns = '"[{""role"": ""user"", ""content"": ""q""}]"'
    answer = '"[{""from"": ""Berlin"", ""to"": ""Paris""}]"'
    (row,) = load_rows([write(tmp_path, f"prompt,completion\n{turns},{answer}\n")])
    assert row.messages == (
        Message("user", "q"),
        Message("assistant", '[{"from": "Berlin", "to": "Paris"}]'),
    )


@pytest.mark.parametrize(
    ("content", "line", "reason"),
    [
        ("instruction,output\na,b,c\nd,e\n", 2, "3 cells, but 2 columns"),
        ('instruction,output\na,"b" c\nd,e\n', 2, "not CSV"),
        ("instruction,output\na,\nd,e\n", 2, "an empty question or answer"),
        ("messages,output\n[oh,b\nd,e\n", 2, "messages: not JSON"),
        ("instruction,output,train\na,b,maybe\nd,e,1\n", 2, "train must be 0 or 1"),
    ],
)
def test_a_bad_row_does_not_stop_the_others(
    tmp_path: Path, content: str, line: int, reason: str
) -> None:
    first, *rest = read(write(tmp_path, content))
    assert (first[0], len(rest)) == (line, 1)
    assert reason in first[1]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ('instruction,output\na,"b\nc,d\n', "from line 2 on: a quote that opens there"),
        ("a,b\nc,d\n", "the first row must name the columns"),
        ("output,Output\nc,d\n", "several columns are named output"),
    ],
)
def test_a_table_that_cannot_be_read_is_told_once(
    tmp_path: Path, content: str, reason: str
) -> None:
    ((_, said),) = read(write(tmp_path, content))
    assert reason in said


def test_a_cell_of_other_bytes_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    file.write_bytes("问题,答案\n在吗,在的\n".encode() + "在吗,在的\n好,好\n".encode("gbk")[:10])
    (_, good), (line, said) = read(file)
    assert (good, line) == (["在吗", "在的"], 3)
    assert "save the file as UTF-8" in said


def test_every_sheet_of_an_excel_file_is_read_or_told(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append([" Instruction", "output", "date", "", "synthetic"])
    sheet.append(["几点开门？", 9, date(2026, 3, 31), "x", True])
    sheet.append([])
    sheet.append(["在吗", "=1+1"])
    sheet.append(["第一行_x000D_\n第二行", "好_x000D_的"])
    other = book.create_sheet("售后")
    other.append(["问题", "答案"])
    other.append(["能退吗", "能"])
    book.create_sheet("说明").append(["本表由客服填写"])
    file = tmp_path / "rows.xlsx"
    book.save(file)

    first, empty, broken, second, third = iter_rows([file])
    assert isinstance(broken, Row)
    assert [turn.content for turn in broken.messages] == ["第一行\n第二行", "好\n的"]
    assert isinstance(first, Row)
    assert [turn.content for turn in first.messages] == ["几点开门？", "9"]
    assert first.meta == {"date": "2026-03-31", "column_4": "x", "synthetic": True}
    assert isinstance(second, Row)
    assert (second.line, second.meta) == (2, {"sheet": "售后"})
    assert [isinstance(one, Refusal) and one.line for one in (empty, third)] == [4, 1]
    assert "sheet 说明: the first row must name the columns" in str(third)


def test_parquet_rows_are_read_with_dates_and_nulls(tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [
        {"messages": [{"role": "user", "content": "q", "weight": None}] * (i < 3), "date": None}
        for i in range(4)
    ]
    for row in rows[:3]:
        row["messages"] = [*(row["messages"] or []), {"role": "assistant", "content": "a"}]
    rows[1]["date"] = date(2026, 3, 31)
    file = tmp_path / "rows"
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), file)
    read_rows = list(iter_rows([file]))
    assert [isinstance(one, Row) for one in read_rows] == [True, True, True, False]
    assert [one.line for one in read_rows] == [1, 2, 3, 4]
    assert isinstance(read_rows[1], Row)
    assert read_rows[1].meta == {"date": "2026-03-31"}


@pytest.mark.parametrize("start", [b"PK\x03\x04", b"PAR1"])
def test_a_damaged_table_is_told(tmp_path: Path, start: bytes) -> None:
    file = tmp_path / "rows"
    file.write_bytes(start + b"nonsense")
    ((line, said),) = read(file)
    assert line == 0
    assert "damaged" in said
