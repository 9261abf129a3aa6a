"""`fingerpost data convert`: what is written, what is told, and the exit code."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from service.cli import app


def convert(*words: object) -> Result:
    return CliRunner().invoke(app, ["data", "convert", *map(str, words)])


@pytest.fixture
def table(tmp_path: Path) -> Path:
    file = tmp_path / "客服.csv"
    file.write_bytes("问题,答案\n车铃放在哪里？,在第1层。\n车锁呢？,\n".encode("gb18030"))
    return file


def test_refused_rows_are_told_and_end_with_3(table: Path, tmp_path: Path) -> None:
    out = tmp_path / "rows.jsonl"
    result = convert(table, "--to", "alpaca", "--out", out)
    assert result.exit_code == 3, result.output
    assert result.stdout.splitlines() == [
        f"{table} was read as gb18030",
        f"1 row written to {out}",
        f"1 row refused: {out}.refused.jsonl",
        f"  {table}:3: an empty question or answer",
    ]
    row = {"instruction": "车铃放在哪里？", "input": "", "output": "在第1层。"}
    assert json.loads(out.read_text(encoding="utf-8")) == row


def test_json_tells_counts_and_files(table: Path, tmp_path: Path) -> None:
    once = tmp_path / "rows.jsonl"
    convert(table, "--to", "messages", "--out", once)
    result = convert(once, "--to", "prompt_completion", "--out", tmp_path / "b.parquet", "--json")
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert (told["object"], told["rows"], told["refused"]) == ("conversion", 1, 0)
    assert told["files"] == [{"file": str(once), "kind": "jsonl", "encoding": "utf-8"}]


def test_nothing_usable_ends_with_1_and_writes_nothing(tmp_path: Path) -> None:
    bad = tmp_path / "bad.jsonl"
    bad.write_text("{oh\n")
    result = convert(bad, "--to", "dolly", "--out", tmp_path / "out.jsonl", "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["error"]["code"] == "invalid_training_data"
    assert list(tmp_path.iterdir()) == [bad]
