import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from adapters import METHODS, InvalidTrainingData, load_pairs
from adapters.data import Message, Pair, hash_rows, hold_out

TURNS = [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]


def read(tmp_path: Path, *rows: Mapping[str, object]) -> list[Pair]:
    file = tmp_path / "pairs.jsonl"
    file.write_text("\n".join(json.dumps(row) for row in rows))
    return load_pairs([file])


@pytest.mark.parametrize(
    "row",
    [
        {"prompt": "q\n\nm", "chosen": "a", "rejected": "b"},
        {"prompt": [{"role": "user", "content": "q\n\nm"}], "chosen": "a", "rejected": "b"},
        {"instruction": "q", "input": "m", "chosen": "a", "rejected": "b"},
        {
            "conversations": [{"from": "human", "value": "q\n\nm"}],
            "chosen": {"from": "gpt", "value": "a"},
            "rejected": {"from": "gpt", "value": "b"},
        },
        {"prompt": "q", "context": "m", "chosen": "a", "rejected": "b"},
        {  # as OpenAI has it
            "input": {"messages": [{"role": "user", "content": "q\n\nm"}], "tools": []},
            "preferred_output": [{"role": "assistant", "content": "a"}],
            "non_preferred_output": [{"role": "assistant", "content": "b"}],
        },
        {  # as axolotl has it
            "messages": [{"role": "user", "content": "q\n\nm"}],
            "chosen": {"role": "assistant", "content": "a"},
            "rejected": {"role": "assistant", "content": "b"},
        },
        {  # whole conversations, as ultrafeedback has them
            "prompt": "q\n\nm",
            "chosen": [
                {"role": "user", "content": "q\n\nm"},
                {"role": "assistant", "content": "a"},
            ],
            "rejected": [
                {"role": "user", "content": "q\n\nm"},
                {"role": "assistant", "content": "b"},
            ],
        },
        {
            "prompt": "q\n\nm",
            "chosen": [{"role": "assistant", "content": "a"}],
            "rejected": [{"role": "assistant", "content": "b"}],
        },
    ],
)
def test_every_form_becomes_the_same_pair(tmp_path: Path, row: Mapping[str, object]) -> None:
    (pair,) = read(tmp_path, {**row, "source": "s1"})
    assert pair.prompt == (Message("user", "q\n\nm"),)
    assert (pair.chosen.content, pair.rejected.content) == ("a", "b")
    assert {**pair.meta, "prompt": None} == {"source": "s1", "prompt": None}


@pytest.mark.parametrize(
    "history",
    [
        [{"role": "user", "content": "h"}, {"role": "assistant", "content": "i"}],
        [["h", "i"]],
    ],
)
def test_history_comes_before_the_prompt(tmp_path: Path, history: list[object]) -> None:
    row = {"prompt": "q", "chosen": "a", "rejected": "b", "history": history, "system": "s"}
    (pair,) = read(tmp_path, row)
    assert [m.role for m in pair.prompt] == ["system", "user", "assistant", "user"]
    assert [m.content for m in pair.prompt] == ["s", "h", "i", "q"]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"prompt": "q", "completion": "a"}, "needs prompt, chosen and rejected"),
        ({"prompt": "q", "chosen": "a", "rejected": " a "}, "the same answer"),
        ({"prompt": "q", "chosen": "a", "rejected": ""}, "empty question or answer"),
        ({"prompt": 3, "chosen": "a", "rejected": "b"}, "prompt must be text"),
        ({"chosen": "a", "rejected": "b"}, "needs a prompt"),
        ({"prompt": "q", "chosen": "a", "rejected": "b", "tools": [{}]}, "`tools`"),
        ({"prompt": "q", "chosen": "a", "rejected": "b", "output": "c"}, "the text under `output`"),
        ({"preferred_output": [], "input": {}}, "`non_preferred_output`"),
        (
            {"prompt": "p", "chosen": TURNS, "rejected": [TURNS[0], {**TURNS[1], "content": "b"}]},
            "the text under `prompt`",
        ),
        (
            {"chosen": TURNS, "rejected": [{**TURNS[0], "content": "b"}, TURNS[1]]},
            "may differ in their last turn only",
        ),
        ({"prompt": "q", "chosen": "a", "rejected": {"role": "user", "content": "b"}}, "rejected"),
        ({"prompt": "q", "chosen": "a", "rejected": "b", "history": [["h"]]}, "history"),
    ],
)
def test_a_bad_pair_is_named_with_file_and_line(
    tmp_path: Path, row: Mapping[str, object], reason: str
) -> None:
    good = {"prompt": "q", "chosen": "a", "rejected": "b"}
    with pytest.raises(InvalidTrainingData, match=rf"pairs\.jsonl:2: .*{reason}"):
        read(tmp_path, good, row)


def test_pairs_are_held_out_by_source_and_hashed_with_both_answers(tmp_path: Path) -> None:
    rows = [
        {"prompt": f"q{i}", "chosen": "a", "rejected": "b", "source": f"s{i // 2}"}
        for i in range(8)
    ]
    pairs = read(tmp_path, *rows)
    kept, held = hold_out(pairs, 2, seed=1)
    assert (len(kept), len({pair.meta["source"] for pair in held})) == (6, 1)
    other = read(tmp_path, *({**row, "rejected": "c"} for row in rows))
    assert hash_rows(pairs) != hash_rows(other)


def test_the_common_turns_of_whole_conversations_are_the_prompt(tmp_path: Path) -> None:
    last = {"role": "user", "content": "and?"}
    chosen, rejected = ({"role": "assistant", "content": text} for text in ("x", "y"))
    row = {"chosen": [*TURNS, last, chosen], "rejected": [*TURNS, last, rejected], "system": "s"}
    (pair,) = read(tmp_path, {**row, "history": TURNS})
    assert [turn.content for turn in pair.prompt] == ["s", "q", "a", "and?"]
    assert (pair.chosen.content, pair.rejected.content) == ("x", "y")


def test_a_pair_that_is_marked_is_not_learned(tmp_path: Path) -> None:
    pair = {"prompt": "q", "chosen": "a", "rejected": "b"}
    marked = {**pair, "chosen": {"role": "assistant", "content": "a", "weight": 0}}
    pairs = read(tmp_path, pair, {**pair, "train": False}, marked)
    assert [one.chosen.learned for one in pairs] == [True, False, False]
    assert METHODS["dpo"].to_examples(pairs, True) == pairs[:1]
