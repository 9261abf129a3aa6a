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
        "assistant: Here.\nauthor > name: Kai\ncontent > lang: en",
        "assistant: Here.",
        "id: 7 > messages > assistant > content:\ntype: image_url\nimage_url > url: u",
    ]


def test_nothing_of_a_turn_is_too_small_to_keep() -> None:
    turn = {"role": "user", "content": "Hi", "ok": False, "n": None, "w": 0, "tags": [], "by": "张"}
    assert _texts([turn]) == ["user: Hi\nok: false\nn: null\nw: 0\ntags:\nby: 张"]
    call = {"role": "assistant", "content": None, "calls": [{"name": "f", "id": 1}]}
    assert _texts([turn, call])[1:] == [
        "role: assistant\ncontent: null",
        "role: assistant > calls:\nname: f\nid: 1",
    ]


@pytest.mark.parametrize(
    "turns",
    [
        [{"role": "user", "content": "Q"}, {"role": "Assistant", "content": "A"}],
        [{"role": "user", "parts": [{"text": "Q"}]}, {"role": "Assistant", "parts": ["A"]}],
        [{"from": "user", "value": "Q"}, {"from": "Assistant", "value": "A"}],
        [{"author": {"role": "user"}, "text": "Q"}, {"author": {"role": "Assistant"}, "text": "A"}],
        [{"speaker": "user", "text": "Q"}, {"speaker": "Assistant", "text": "A"}],
    ],
)
def test_a_list_is_a_conversation_by_its_name_or_by_all_its_items(turns: list[Any]) -> None:
    assert _texts({"messages": turns}) == ["user: Q", "Assistant: A"]
    if "speaker" not in turns[0]:
        assert _texts({"chosen": turns}) == ["chosen:\nuser: Q", "chosen:\nAssistant: A"]
        assert _texts(turns) == ["user: Q", "Assistant: A"]


@pytest.mark.parametrize(
    "rows",
    [
        [{"title": "X", "author": "user", "content": "Text"}] * 2,
        [{"role": "user", "text": "may read", "level": 1}] * 2,
        [{"speaker": "agent", "message": "Sold", "price": 5}] * 2,
        [{"role": "user", "content": "x"}, {"role": "buyer", "content": "y"}],
    ],
)
def test_rows_with_a_role_or_an_author_keep_their_keys(rows: list[dict[str, Any]]) -> None:
    cells = tuple(tuple(map(str, row.values())) for row in rows)
    assert _blocks({"rows": rows}) == [Table((tuple(rows[0]), *cells), 1, "rows")]


def test_an_object_alone_is_a_turn_only_as_a_message() -> None:
    said = {"role": "assistant", "content": "Hi"}
    assert _texts({"choices": [{"index": 0, "message": said}]}) == [
        "choices:\nindex: 0",
        "assistant: Hi",
    ]
    assert _texts({"user": said}) == ["user:\nrole: assistant\ncontent: Hi"]
    assert _texts({"code": 5, "message": {"text": "disk full"}}) == [
        "code: 5",
        "code: 5 > message:\ntext: disk full",
    ]
    authors = [
        {"author": {"name": "Ann"}, "text": "Oak"},
        {"author": {"name": "Bo"}, "text": "Ash"},
    ]
    assert _texts(authors)[0] == "author > name: Ann\ntext: Oak"


def test_anybody_may_speak_in_a_list_of_turns() -> None:
    assert _texts({"dialog": [{"from": "张工", "value": "停机"}]}) == ["张工: 停机"]
    assert _texts([{"from": "Ulm", "value": "9", "to": {"x": 1}}]) == [
        "from: Ulm\nvalue: 9\nto > x: 1"
    ]


def test_numbers_stay_as_they_are_written() -> None:
    text = '{"a": 1.10, "b": 1e3, "c": 12345678901234567890, "d": [0.50, -0]}'
    (row,) = read_json("a.json", text, 1_000, lines=False)
    assert row == Paragraph("a: 1.10\nb: 1e3\nc: 12345678901234567890\nd: 0.50, -0")


def test_what_is_no_number_in_json_is_kept_too() -> None:
    (row,) = read_json("a.json", '{"a": NaN, "b": -Infinity}', 1_000, lines=False)
    assert row == Paragraph("a: NaN\nb: -Infinity")


def test_a_key_that_comes_twice_keeps_both_values() -> None:
    blocks = read_json("a.json", '{"a": 1, "b": 2, "a": [3, 4]}', 1_000, lines=False)
    assert blocks == [Paragraph("b: 2"), Paragraph("b: 2 > a: 1"), Paragraph("b: 2 > a: 3, 4")]


def test_lists_of_values_are_lines() -> None:
    assert _texts([[1, 2], [3], "a", [[4, [5]]]]) == ["1, 2", "3", "a", "4", "5"]
    assert _texts({"a": {"b": [["x, y"], "z"]}}) == ["a > b:\n- x, y", "a > b: z"]
    assert _texts([["x, y", "z"]]) == ["- x, y\n- z"]
    steps = {"steps": ["Open it, then wait", "合上"], "tags": ["a", None, True]}
    assert _texts(steps) == ["steps:\n- Open it, then wait\n- 合上\ntags: a, null, true"]


def test_a_key_with_nothing_in_it_is_kept() -> None:
    assert _texts({"a": 1, "b": [[""], []], "c": [{}]}) == ["a: 1", "a: 1 > b:", "a: 1 > c:"]


def test_rows_that_are_lists_are_a_table() -> None:
    rows = [["part", "price"], ["BX", 71], ["BY", None]]
    grid = (("part", "price"), ("BX", "71"), ("BY", "null"))
    assert _blocks(rows) == [Table(grid, 1)]
    assert _blocks({"m": [[1, 2], [3, 4]]}) == [Table((("1", "2"), ("3", "4")), 0, "m")]
    split = {"title": "Parts", "columns": rows[0], "data": rows[1:]}
    assert _blocks(split) == [Paragraph("title: Parts"), Table(grid, 1, "title: Parts")]
    assert _blocks({"columns": ["a", "b"], "data": [[1]]}) == [
        Paragraph("columns: a, b"),
        Paragraph("columns: a, b > data: 1"),
    ]


def test_columns_that_are_long_lists_are_a_table() -> None:
    names, prices = list("abcde"), [1, 2, 3, 4, 5]
    rows = tuple(zip(names, map(str, prices), strict=True))
    assert _blocks({"part": names, "price": prices}) == [Table((("part", "price"), *rows), 1)]
    assert _texts({"part": names[:3], "price": prices[:3]}) == ["part: a, b, c\nprice: 1, 2, 3"]


def test_lists_inside_a_row_are_named_by_what_names_the_row() -> None:
    row = {
        "type": "article",
        "tags": [],
        "title": "Lamps",
        "notes": [{"by": "Ann", "n": [{"x": 1}]}],
    }
    assert _texts(row) == [
        "type: article\ntags:\ntitle: Lamps",
        "title: Lamps > notes:\nby: Ann",
        "title: Lamps > notes > by: Ann > n:\nx: 1",
    ]


@pytest.mark.parametrize("lines", [True, False])
@pytest.mark.parametrize(
    "text",
    [
        '{"a": 1}\n\n{"b": 2}\n',
        '{"a": 1}{"b": 2}',
        '\x1e{"a": 1}\n\x1e{"b": 2}',
        '{\n "a": 1\n}\r\n{"b": 2}',
        '[{"a": 1},\n {"b": 2}]',
    ],
)
def test_values_may_stand_one_after_the_other(text: str, lines: bool) -> None:
    found = list(read_json("a.json", text, 1_000, lines=lines))
    assert found == [Paragraph("a: 1"), Paragraph("b: 2")]


def test_a_row_is_not_named_by_what_many_rows_have() -> None:
    rows = {"note": None, "vip": True, "city": "Ulm", "staff": [{"role": "Manager", "ext": 8021}]}
    assert _texts(rows)[1] == "city: Ulm > staff:\nrole: Manager\next: 8021"
    assert _texts(rows | {"city": False})[1] == "staff:\nrole: Manager\next: 8021"


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('{"a": 1}\n{"b": }', "line 2, column 7"),
        ('{"a": 1}\n rest', "line 2, column 2"),
        ('{"a": 1,}', "line 1, column 9"),
        ("  ", "line 1, column 3"),
        ('{"a": 1}\n' + "[" * 100_000, "line 2: nested"),
    ],
)
def test_an_error_says_where(text: str, place: str) -> None:
    with pytest.raises(DamagedFile, match=place):
        read_json("a.jsonl", text, 1_000, lines=True)


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


def test_a_log_of_a_single_turn_is_one() -> None:
    text = '{"role": "user", "content": "Where is the key?"}'
    assert read_json("a.jsonl", text, 1_000, lines=True) == [Paragraph("user: Where is the key?")]


def test_values_behind_record_signs_are_read() -> None:
    blocks = read_json("a.json", '\x1e{"a": 1}\n\x1e{"b": 2}\n', 1_000, lines=False)
    assert blocks == [Paragraph("a: 1"), Paragraph("b: 2")]


def test_an_author_without_a_role_speaks_by_name() -> None:
    turns = {"messages": [{"author": {"name": "Ann"}, "content": "The key is at the desk."}]}
    assert _texts(turns) == ["Ann: The key is at the desk."]


@pytest.mark.parametrize("key", ["columns", "header", "headers", "fields"])
def test_rows_beside_their_names_are_a_table(key: str) -> None:
    value = {key: ["part", "count"], "rows": [["BX", 2], ["BY", 3]]}
    assert _blocks(value) == [Table((("part", "count"), ("BX", "2"), ("BY", "3")), 1)]
