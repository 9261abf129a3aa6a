"""Values of JSON files: a broken one is told and the next one read."""

import io
import json
from typing import Any

import pytest

from adapters.data.formats import json_values
from adapters.data.formats.json_values import MAX_ROW_BYTES, read_values, split_values
from adapters.data.formats.refusals import BadRow, UnreadableFile
from adapters.data.formats.sources import Source, recognise


def values(content: bytes) -> list[tuple[int, Any]]:
    source = Source.of_content(content, "rows.jsonl")
    read = read_values(source, recognise(source))
    return [(line, str(one) if isinstance(one, BadRow) else one) for line, one in read]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030"])
def test_lines_are_counted_whatever_ends_them(end: str, encoding: str) -> None:
    text = end.join(['{"a": "问题在哪里"}', "", '{"a": "答案在这里"}', ""])
    read = values(text.encode(encoding))
    assert read == [(1, {"a": "问题在哪里"}), (3, {"a": "答案在这里"})]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"a": oh}', "not JSON"),
        (b'{"a": "\\ud83d"}', "half a character (\\ud83d)"),
        (b'{"a": NaN}', "write null"),
        (b'{"a": ' + b"[" * 5000 + b"]" * 5000 + b"}", "nested too deeply"),
        ('{"a": "问"}'.encode("gbk"), "not UTF-8 text (byte 7 of the row)"),
        (b'{"a": "' + b"x" * MAX_ROW_BYTES + b'"}', "more than 4 MiB"),
    ],
)
@pytest.mark.parametrize("is_list", [False, True])
def test_a_broken_value_is_told_and_the_next_one_read(
    line: bytes, reason: str, is_list: bool
) -> None:
    good = '{"b": "在这里，谢谢"}'.encode()
    lines = [good, good, line, good]
    content = b"[" + b",".join(lines) + b"]" if is_list else b"\n".join(lines)
    first, second, (place, said), last = values(content)
    assert (first[0], second[0], place, last) == (1, 2, 3, (4, {"b": "在这里，谢谢"}))
    assert reason in said


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[]", []),
        (" [ ] ", []),
        ('[1, "a,]", {"b": [2, "}"]},]', ["1", '"a,]"', '{"b": [2, "}"]}']),
        ('{"a": 1}\n{"a": "}"}{}', ['{"a": 1}', '{"a": "}"}', "{}"]),
        ('["a\\"]", "\\\\"]', ['"a\\"]"', '"\\\\"']),
        ('[{"a": 1}', ["a quote or bracket is not closed"]),
        ('[{"a": 1},', ['{"a": 1}', "the list is not closed: the file may be cut"]),
        ('[1, {"a": "x', ["1", "a quote or bracket is not closed"]),
        ("[1] more", ["1", "text after the end of the list"]),
    ],
)
@pytest.mark.parametrize("chunk", [1, 3, 1000])
def test_values_are_split_wherever_the_reading_stops(
    monkeypatch: pytest.MonkeyPatch, text: str, expected: list[str], chunk: int
) -> None:
    monkeypatch.setattr(json_values, "CHUNK", chunk)
    assert [str(value) for value in split_values(io.StringIO(text))] == expected


def test_a_long_list_is_split_as_json_reads_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_values, "CHUNK", 100)
    rows = [{"text": '"' + "\\" * (i % 7) + f"[{i}]", "n": [i, {"a": None}]} for i in range(300)]
    split = split_values(io.StringIO(json.dumps(rows, indent=1)))
    assert [json.loads(str(value)) for value in split] == rows


def test_a_quote_without_end_does_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_values, "MAX_ROW_BYTES", 1000)
    with pytest.raises(UnreadableFile, match="a quote is not closed"):
        list(split_values(io.StringIO('[{"a": "' + "x" * 2_000_000)))


def test_a_file_that_breaks_off_within_a_letter_keeps_its_rows() -> None:
    content = '{"a": "问"}\n{"a": "答"}\n'.encode("utf-16")[:-1]
    with pytest.raises(UnreadableFile, match="the rest is not utf-16 text"):
        values(content)
