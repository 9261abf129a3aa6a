"""Files of rows: all of them or none, or one after the other with what was refused."""

import json
from datetime import date
from pathlib import Path

import pytest

from adapters import InvalidTrainingData, Refusal, iter_rows, load_rows
from adapters.data.formats import reading

QA = {"instruction": "几点开门？", "output": "九点。"}
PAIR = {"prompt": "几点开门？", "chosen": "九点。", "rejected": "不知道"}


def write(file: Path, *rows: object) -> Path:
    file.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows) + "\n")
    return file


def refused(*files: Path, today: date | None = None) -> list[tuple[str, int, str]]:
    return [
        (one.file.name, one.line, one.reason)
        for one in iter_rows(files, today=today)
        if isinstance(one, Refusal)
    ]


@pytest.mark.parametrize("recent", [1, 2, 50_000])
def test_an_id_counts_once_in_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, recent: int
) -> None:
    monkeypatch.setattr(reading, "RECENT_IDS", recent)
    one = write(
        tmp_path / "a.jsonl", *({**QA, "id": name} for name in (3, 1, 2, "1", 4, 3)), QA, QA
    )
    other = write(tmp_path / "b.jsonl", {**QA, "id": 1})
    assert refused(one, other) == [
        ("a.jsonl", 4, "the id 1 is that of an earlier row"),
        ("a.jsonl", 6, "the id 3 is that of an earlier row"),
    ]


def test_a_date_to_come_is_refused_where_the_day_is_known(tmp_path: Path) -> None:
    days = ("2026-03-31", "2026-04-01", "2026年4月2日", "soon")
    file = write(tmp_path / "a.jsonl", *({**QA, "date": day} for day in days))
    assert refused(file) == []
    assert refused(file, today=date(2026, 3, 31)) == [
        ("a.jsonl", 3, "dated 2026-04-02, which is in the future")
    ]


def test_pairs_are_rows_with_the_other_answer_beside_them(tmp_path: Path) -> None:
    (row,) = iter_rows([write(tmp_path / "a.jsonl", PAIR)])
    assert not isinstance(row, Refusal)
    assert (row.messages[-1].content, row.meta) == ("九点。", {"rejected": "不知道"})


def test_a_file_that_is_no_rows_does_not_stop_the_others(tmp_path: Path) -> None:
    packed = tmp_path / "a.gz"
    packed.write_bytes(b"\x1f\x8b\x08")
    good = write(tmp_path / "b.jsonl", QA)
    assert refused(packed, good) == [("a.gz", 0, "is packed (gzip); unpack it first")]
    assert len(list(iter_rows([packed, good]))) == 2


def test_files_of_several_kinds_are_read_one_after_the_other(tmp_path: Path) -> None:
    one = tmp_path / "a.json"
    one.write_text(json.dumps([QA, QA]))
    table = tmp_path / "b.csv"
    table.write_bytes("问题,答案\n在吗,在的\n".encode("gbk"))
    found = [(row.file.name, row.messages[1].content) for row in load_rows([one, table])]
    assert found == [("a.json", "九点。"), ("a.json", "九点。"), ("b.csv", "在的")]
    with pytest.raises(InvalidTrainingData, match=r"bad\.jsonl:2: a preference pair"):
        load_rows([one, write(tmp_path / "bad.jsonl", QA, PAIR)])
