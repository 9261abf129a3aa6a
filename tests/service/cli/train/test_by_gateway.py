"""The rows of a configuration as they are uploaded."""

import json
from pathlib import Path

import pytest

from adapters import InvalidTrainingData
from service.cli.output import CommandFailed
from service.cli.train.by_gateway import training_rows

QA = {"instruction": "几点开门？", "output": "九点。"}


def test_several_files_are_joined_row_by_row(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps([QA, QA]))
    (tmp_path / "b.json").write_text(json.dumps([QA]))
    name, content = training_rows(tmp_path / "train.yaml", ["a.json", "b.json"])
    assert name == "a.jsonl"
    assert [json.loads(line) for line in content.splitlines()] == [QA] * 3


def test_a_bad_row_is_named_by_its_own_file_and_line(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps([QA, QA]))
    (tmp_path / "b.json").write_text(json.dumps([QA, {"text": "x"}]))
    with pytest.raises(InvalidTrainingData, match=r"b\.json:2: no known format"):
        training_rows(tmp_path / "train.yaml", ["a.json", "b.json"])


def test_pairs_are_joined_as_pairs(tmp_path: Path) -> None:
    pair = {"prompt": "几点开门？", "chosen": "九点。", "rejected": "不知道"}
    for name in ("a.jsonl", "b.jsonl"):
        (tmp_path / name).write_text(json.dumps(pair))
    _, content = training_rows(tmp_path / "train.yaml", ["a.jsonl", "b.jsonl"], pairs=True)
    assert [json.loads(line) for line in content.splitlines()] == [pair] * 2


def test_one_file_is_sent_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"question,answer\r\na,b\r\n")
    sent = training_rows(tmp_path / "train.yaml", "a.csv")
    assert sent == ("a.csv", b"question,answer\r\na,b\r\n")
    with pytest.raises(CommandFailed, match=r"none\.jsonl"):
        training_rows(tmp_path / "train.yaml", "none.jsonl")
    with pytest.raises(CommandFailed, match="must name one file"):
        training_rows(tmp_path / "train.yaml", [])
