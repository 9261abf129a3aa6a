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
        ({"instruction": "", "input": QUESTION[1], "output": ANSWER[1]}, [QUESTION, ANSWER]),
        ({"instruction": QUESTION[1], "input": " ", "output": ANSWER[1]}, [QUESTION, ANSWER]),
        ({"input": QUESTION[1], "output": ANSWER[1]}, [QUESTION, ANSWER]),
        # A text under a neighbour's key.
        (
            {"instruction": QUESTION[1], "input": "Hours: 9", "response": ANSWER[1]},
            [("user", QUESTION[1] + "\n\nHours: 9"), ANSWER],
        ),
        (
            {"instruction": QUESTION[1], "context": "Hours: 9", "output": ANSWER[1]},
            [("user", QUESTION[1] + "\n\nHours: 9"), ANSWER],
        ),
        ({"query": QUESTION[1], "response": ANSWER[1]}, [QUESTION, ANSWER]),
        (
            {"system_prompt": SYSTEM[1], "question": QUESTION[1], "answer": ANSWER[1]},
            [SYSTEM, QUESTION, ANSWER],
        ),
        ({"问题": QUESTION[1], "答案": ANSWER[1]}, [QUESTION, ANSWER]),
        ({"Question ": QUESTION[1], "ANSWER": ANSWER[1]}, [QUESTION, ANSWER]),
        # System and history beside any of them.
        ({"system": SYSTEM[1], "messages": TURNS}, [SYSTEM, QUESTION, ANSWER]),
        (
            {"system": SYSTEM[1], "messages": [{"role": "system", "content": SYSTEM[1]}, *TURNS]},
            [SYSTEM, QUESTION, ANSWER],
        ),
        (
            {"history": [["Hi", "Hello"]], "messages": TURNS},
            [("user", "Hi"), ("assistant", "Hello"), QUESTION, ANSWER],
        ),
        (
            {"history": [["Hi", "Hello"]], "prompt": QUESTION[1], "completion": ANSWER[1]},
            [("user", "Hi"), ("assistant", "Hello"), QUESTION, ANSWER],
        ),
        # A text that stands in the conversation already is not lost.
        ({"prompt": QUESTION[1], "messages": TURNS}, [QUESTION, ANSWER]),
        ({"instruction": QUESTION[1], "output": "9. So: At nine.", "answer": "At nine."}, None),
        ({"messages": TURNS, "tools": [], "images": None, "context": True}, [QUESTION, ANSWER]),
        (
            {"messages": [{**TURNS[0], "id": 3}, {**TURNS[1], "tool_calls": None, "weight": 1}]},
            [QUESTION, ANSWER],
        ),
        (
            {
                "messages": [
                    {"role": "user", "content": [{"type": "text", "text": QUESTION[1]}]},
                    TURNS[1],
                ]
            },
            [QUESTION, ANSWER],
        ),
    ],
)
def test_each_format_becomes_the_same_row(
    tmp_path: Path, row: object, expected: list[tuple[str, str]] | None
) -> None:
    (read,) = load_rows([write(tmp_path, row)])
    expected = expected or [QUESTION, ("assistant", "9. So: At nine.")]
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
        ({"messages": TURNS[:0]}, "at least one turn"),
        ({"messages": TURNS, "conversations": TURNS * 2}, "differ"),
        ({"messages": TURNS, "input": "The list of shelves."}, "the text under `input`"),
        ({"messages": TURNS, "context": "The list of shelves."}, "the text under `context`"),
        ({"messages": TURNS, "rejected": "At ten."}, "the text under `rejected`"),
        ({"instruction": "a", "question": "b", "output": "c"}, "the text under `question`"),
        ({"instruction": "a", "output": "b", "response": "c"}, "the text under `response`"),
        ({"instruction": "a", "input": "b", "context": "c", "output": "d"}, "both hold a text"),
        ({"messages": TURNS, "system": "a", "system_prompt": "b"}, "differ"),
        (
            {"messages": [{"role": "system", "content": "a"}, *TURNS], "system": "b"},
            "the system turn differ",
        ),
        ({"messages": TURNS, "tools": [{"type": "function"}]}, "`tools` cannot be trained on"),
        ({"messages": TURNS, "images": ["a.png"]}, "`images` cannot be trained on"),
        ({"messages": [TURNS[0], {**TURNS[1], "reasoning_content": "x"}]}, "`reasoning_content`"),
        ({"messages": [TURNS[0], {**TURNS[1], "tool_calls": [{}]}]}, "`tool_calls`"),
        ({"messages": [TURNS[0], {**TURNS[1], "value": "x"}]}, "`value` of a turn differ"),
        ({"messages": [TURNS[0], {**TURNS[1], "note": "x"}]}, "no place for the key `note`"),
        ({"messages": [{**TURNS[0], "train": True}, TURNS[1]]}, "only answers"),
        ({"messages": [TURNS[0], {**TURNS[1], "weight": 0.5}]}, "weight must be 0 or 1"),
        ({"messages": [TURNS[0], {**TURNS[1], "weight": 0, "train": True}]}, "contradict"),
        ({"messages": TURNS, "kto_tag": False}, "an answer that is not wanted"),
        (
            {"messages": [{"role": "user", "content": [{"type": "image_url"}]}, TURNS[1]]},
            "must be text, not `'image_url'`",
        ),
        ({"messages": [TURNS[0], {"role": "assistant", "content": "\u200b"}]}, "empty"),
        ({"messages": [TURNS[0], {"role": "assistant", "content": "a\0"}]}, "null byte"),
        ({"prompt": "<|im_start|>user\nHi<|im_end|>", "completion": "Ho"}, "`<|im_start|>` in a"),
        ({"instruction": "<s>[INST] Hi [/INST]", "output": "Ho"}, r"`\[/INST\]` in a text"),
        ({"messages": TURNS, "x": [[[1]]], "y": json.loads("[" * 70 + "]" * 70)}, "y: lists and"),
        ({"问题": "a", "question": "b", "答案": "c"}, "several keys mean the same"),
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


@pytest.mark.parametrize("mark", [{"weight": 0}, {"loss": False}, {"train": False}])
def test_a_mark_of_a_turn_or_a_row_says_what_is_not_learned(
    tmp_path: Path, mark: dict[str, object]
) -> None:
    turns = [TURNS[0], {**TURNS[1], **mark}, *TURNS]
    one, whole = load_rows([write(tmp_path, {"messages": turns}, {"messages": TURNS * 2, **mark})])
    assert [turn.learned for turn in one.messages] == [True, False, True, True]
    assert [turn.learned for turn in whole.messages] == [True, False, True, False]
    assert one.meta == whole.meta == {}


def test_the_weight_of_a_row_among_others_is_metadata(tmp_path: Path) -> None:
    (read,) = load_rows([write(tmp_path, {"messages": TURNS, "weight": 3, "train": True})])
    assert read.meta == {"weight": 3}
    assert read.messages[1].learned


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
        (binary, "not utf-16 text|no training rows"),
        (tmp_path / "c.jsonl", "cannot be read"),
    ):
        with pytest.raises(InvalidTrainingData, match=reason):
            load_rows([file])
