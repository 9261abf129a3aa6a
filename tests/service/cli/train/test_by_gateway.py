"""The rows of a configuration as they are uploaded."""

from pathlib import Path

import pytest

from service.cli.output import CommandFailed
from service.cli.train.by_gateway import read_row_files


def test_files_are_sent_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"question,answer\r\na,b\r\n")
    (tmp_path / "b.jsonl").write_bytes(b'{"prompt": "a", "completion": "b"}\n')
    config = tmp_path / "train.yaml"
    csv = ("a.csv", b"question,answer\r\na,b\r\n")
    assert read_row_files(config, "dataset", "a.csv") == [csv]
    assert read_row_files(config, "dataset", ["a.csv", "b.jsonl"])[0] == csv
    with pytest.raises(CommandFailed, match=r"replay_dataset: .*none\.jsonl"):
        read_row_files(config, "replay_dataset", "none.jsonl")
    with pytest.raises(CommandFailed, match="`dataset` must name a file of rows or a list"):
        read_row_files(config, "dataset", [])
