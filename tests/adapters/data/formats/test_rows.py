import json
from pathlib import Path

import pytest

from adapters import InvalidTrainingData, load_rows
from adapters.data.formats import MAX_PROBLEMS

QUESTION, ANSWER = ("user", "When do you open?"), ("assistant", "At nine.")
SYSTEM = ("system", "Be brief.")
TURNS = [{"role": "user", "content": QUESTION[1]}, {"role": "assistant", "content": ANSWER[1]}]


def write(folder: Path, *rows: object) -> Path:
    file = folder / "rows.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return file


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"messages": TURNS}, [QUESTION, ANSWER]),
        (
            {
                "conversations": [
                    {"from": "human", "value": QUESTION[1]},
                    {"from": "gpt", "value": ANSWER[1]},
                ],
                "system": SYSTEM[1],
            },
            [SYSTEM, QUESTION, ANSWER],
        ),
        ({"conversations": TURNS}, [QUESTION, ANSWER]),
        (
            {"instruction": "When do you", "input": "open?", "output": "At nine."},
            [("user", "When do you\n\nopen?"), ANSWER],
        ),
        (
            {
                "instruction": QUESTION[1],
                "output": ANSWER[1],
                "system": SYSTEM[1],
                "history": [["Hi", "Hello"]],
            },
            [SYSTEM, ("user", "Hi"), ("assistant", "Hello"), QUESTION, ANSWER],
        ),
        (
            {"instruction": QUESTION[1], "context": "Hours: 9", "response": ANSWER[1]},
            [("user", QUESTION[1] + "\n\nHours: 9"), ANSWER],
        ),
        ({"prompt": QUESTION[1], "completion": ANSWER[1]}, [QUESTION, ANSWER]),
        ({"prompt": TURNS[:1], "completion": TURNS[1:]}, [QUESTION, ANSWER]),
    ],
)
def test_each_format_becomes_the_same_row(
    tmp_path: Path, row: object, expected: list[tuple[str, str]]
) -> None:
    (read,) = load_rows([write(tmp_path, row)])
    assert [(m.role, m.content) for m in read.messages] == expected


def test_metadata_is_kept_and_keys_of_the_format_are_not(tmp_path: Path) -> None:
    row = {"messages": TURNS, "kind": "fact", "meta": {"source": "hours.md", "context": True}}
    (read,) = load_rows([write(tmp_path, row)])
    assert read.meta == {"kind": "fact", "source": "hours.md", "context": True}


def test_a_json_list_and_a_byte_order_mark_are_read(tmp_path: Path) -> None:
    file = tmp_path / "rows.json"
    file.write_text("\ufeff" + json.dumps([{"messages": TURNS}] * 3), encoding="utf-8")
    assert [row.line for row in load_rows([file])] == [1, 2, 3]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ([1], "must be an object"),
        ({"text": "hello"}, "no known format"),
        ({"prompt": "p", "chosen": "a", "rejected": "b"}, "preference pair"),
        ({"messages": []}, "at least one turn"),
        ({"messages": TURNS[:1]}, "must alternate"),
        ({"messages": TURNS[1:]}, "must alternate"),
        ({"messages": [*TURNS, *TURNS[1:]]}, "must alternate"),
        ({"messages": [{"role": "tool", "content": "x"}, TURNS[1]]}, "role 'tool'"),
        ({"messages": [TURNS[0], {"role": "assistant", "content": None}]}, "must be text"),
        ({"messages": [TURNS[0], {"role": "assistant", "content": " "}]}, "empty"),
        ({"instruction": 3, "output": "x"}, "instruction must be text"),
        ({"instruction": "a", "output": "x", "history": ["b"]}, "pairs"),
        ({"messages": TURNS, "meta": 3}, "meta must be"),
    ],
)
def test_a_bad_row_is_refused_with_file_line_and_reason(
    tmp_path: Path, row: object, reason: str
) -> None:
    file = write(tmp_path, {"messages": TURNS}, row)
    with pytest.raises(InvalidTrainingData, match=reason) as caught:
        load_rows([file])
    (problem,) = caught.value.problems
    assert problem.startswith(f"{file}:2: ")


def test_many_bad_rows_are_counted_and_the_first_are_named(tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text("nonsense\n" * 30)
    with pytest.raises(InvalidTrainingData, match="30 of 30 rows") as caught:
        load_rows([file])
    assert len(caught.value.problems) == MAX_PROBLEMS
    assert "and 10 more" in str(caught.value)


def test_a_file_without_rows_or_of_other_bytes_is_refused(tmp_path: Path) -> None:
    empty, binary = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    empty.write_text("\n\n")
    binary.write_bytes(b"\xff\xfe\x00")
    for file, reason in (
        (empty, "no training rows"),
        (binary, "not UTF-8"),
        (tmp_path / "c.jsonl", "cannot be read"),
    ):
        with pytest.raises(InvalidTrainingData, match=reason):
            load_rows([file])
