"""JSON keeps every key and value, a row or turn in one block."""

import json
from typing import Any

import pytest

from knowledge.errors import DamagedFile, ParseLimitExceeded
from knowledge.parsing.blocks import Block, Paragraph, Table
from knowledge.parsing.chat import MAX_DEPTH, read_json


def _blocks(value: Any) -> list[Block]:
    return list(read_json("a.json", json.dumps(value), 100_000, lines=False))


def _texts(value: Any) -> list[str]:
    return [block.text for block in _blocks(value) if isinstance(block, Paragraph)]


def test_a_row_is_one_block_with_every_key_and_value() -> None:
    row = {"type": "article", "title": "Lamps", "content": "x" * 99, "limit": 500, "no": None}
    more = {
        "name": "Chair",
        "text": "Oak.",
        "tags": ["a", "b"],
        "size": {"w": 1, "on": True},
        "e": [],
    }
    assert _texts([row, more]) == [
        f"type: article\ntitle: Lamps\ncontent: {'x' * 99}\nlimit: 500\nno: null",
        "name: Chair\ntext: Oak.\ntags: a, b\nsize > w: 1\nsize > on: true\ne:",
    ]


def test_small_rows_with_the_same_keys_are_a_table() -> None:
    rows = [
        {"user": "张工", "message": "停机", "min": 45},
        {"user": "李工", "message": "恢复", "min": 0},
    ]
    table = Table((("user", "message", "min"), ("张工", "停机", "45"), ("李工", "恢复", "0")), 1)
    assert _blocks(rows) == [table]
    lines = "\n".join(json.dumps(row) for row in rows)
    assert list(read_json("a.jsonl", lines, 1_000, lines=True)) == [table]


@pytest.mark.parametrize(
    "rows",
    [
        [{"a": "x" * 61, "b": 1}] * 2,
        [{"a": 1, "b": {"c": 2}}] * 2,
        [{f"k{n}": n for n in range(13)}] * 2,
        [{"a": 1, "b": 2}, {"a": 1}],
        [{"role": "user", "content": "hi"}] * 2,
        [{"messages": [{"from": "ann", "value": "hi"}] * 2}] * 2,
    ],
)
def test_other_rows_are_no_table(rows: list[Any]) -> None:
    assert all(isinstance(block, Paragraph) for block in _blocks(rows))


def test_lists_inside_a_row_say_which_row_it_is() -> None:
    order = {
        "order": 5,
        "lines": [{"sku": "a", "n": 1}, {"sku": "b", "n": 2}],
        "log": [{"x": [{"y": 3}]}],
    }
    assert _blocks([order, {"order": 6}]) == [
        Paragraph("order: 5"),
        Table((("sku", "n"), ("a", "1"), ("b", "2")), 1, "order: 5 > lines"),
        Paragraph("order: 5 > log > x:\ny: 3"),
        Paragraph("order: 6"),
    ]


def test_parts_of_a_whole_are_blocks_with_their_name() -> None:
    assert _texts({"basic": {"fee": 10}, "pro": {"fee": 25}}) == [
        "basic:\nfee: 10",
        "pro:\nfee: 25",
    ]


def test_a_turn_keeps_what_else_is_told_of_it() -> None:
    said = [{"type": "text", "text": "Here."}, {"type": "image_url", "image_url": {"url": "u"}}]
    turns = [
        {"role": "user", "content": "Where?", "time": "10:20"},
        {
            "author": {"role": "assistant", "name": "Kai"},
            "content": {"parts": ["Here."], "lang": "en"},
        },
        {"role": "assistant", "content": said},
    ]
    assert _texts({"id": 7, "messages": turns}) == [
        "id: 7",
        "user: Where?\ntime: 10:20",
        'assistant: Here.\nauthor: {"name": "Kai"}\ncontent: {"lang": "en"}',
        'assistant: Here.\ncontent: [{"type": "image_url", "image_url": {"url": "u"}}]',
    ]


def test_anybody_may_speak_in_a_list_of_turns() -> None:
    assert _texts({"dialog": [{"from": "张工", "value": "停机"}]}) == ["张工: 停机"]
    assert _texts([{"from": "Ulm", "value": "9", "to": {"x": 1}}]) == [
        "from: Ulm\nvalue: 9\nto > x: 1"
    ]


def test_numbers_stay_as_they_are_written() -> None:
    text = '{"a": 1.10, "b": 1e3, "c": 12345678901234567890, "d": [0.50, -0]}'
    (row,) = read_json("a.json", text, 1_000, lines=False)
    assert row == Paragraph("a: 1.10\nb: 1e3\nc: 12345678901234567890\nd: 0.50, -0")


def test_lists_of_values_are_lines() -> None:
    assert _texts([[1, 2], [3], "a", [[4, [5]]]]) == ["1, 2", "3", "a", "4", "5"]


def test_deep_json_is_refused() -> None:
    value: Any = 1
    for _ in range(MAX_DEPTH + 2):
        value = {"a": [value], "b": 1}
    with pytest.raises(DamagedFile, match="deeper than 32"):
        _blocks(value)
    for _ in range(MAX_DEPTH + 2):
        value = {"a": value, "b": 1}
    with pytest.raises(DamagedFile, match="deeper than 32"):
        _blocks(value)


@pytest.mark.parametrize("rows", [[{"a": "xxxxxxxx"}, {"b": "y"}], [{"a": "xxxx", "b": "y"}] * 2])
def test_more_text_than_allowed_is_refused(rows: list[Any]) -> None:
    with pytest.raises(ParseLimitExceeded):
        read_json("a.json", json.dumps(rows), 12, lines=False)
