"""Conversion: rows come back from every kind of file, and every row is written or told."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters import InvalidTrainingData, Refusal, Row, RowFormat, convert_files, iter_rows
from adapters.data.formats.refusals import BadRow
from adapters.data.formats.writers import open_writer
from tests.adapters.data.formats.test_export import rows

KINDS = ("jsonl", "json", "csv", "xlsx", "parquet")
QA = {"instruction": "几点开门？", "input": "", "output": "九点。"}


def write(file: Path, *lines: object) -> Path:
    text = (
        line if isinstance(line, str) else json.dumps(line, ensure_ascii=False) for line in lines
    )
    file.write_text("\n".join(text) + "\n", encoding="utf-8")
    return file


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=10)
@given(some=st.lists(rows(), max_size=3), form=st.sampled_from(RowFormat))
def test_rows_come_back_from_every_kind_of_file(
    kind: str, some: list[Row], form: RowFormat
) -> None:
    written = []
    with TemporaryDirectory() as folder:
        file = Path(folder) / f"rows.{kind}"
        with open_writer(file, kind, form) as writes:  # type: ignore[arg-type]  # one of KINDS
            for row in some:
                row.meta.pop("id", None)  # type: ignore[attr-defined]  # a dict here
                try:
                    writes(row)
                except BadRow:
                    continue
                written.append(row)
        back = list(iter_rows([file])) if written else []
    assert [one for one in back if isinstance(one, Refusal)] == []
    texts = [[(m.role, m.content) for m in row.messages] for row in back if isinstance(row, Row)]
    assert texts == [[(m.role, m.content) for m in row.messages] for row in written]
    assert [row.meta for row in back if isinstance(row, Row)] == [row.meta for row in written]
    if form is not RowFormat.PREFERENCE:
        assert [row.messages for row in back if isinstance(row, Row)] == [
            row.messages for row in written
        ]


cells = st.sampled_from(
    ["", "几点开门？", "九点。", "user", "[", "{", "null", "\0", "0"]
) | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\n\r"), max_size=6)
turns = st.lists(
    st.dictionaries(st.sampled_from(["role", "content", "from", "value", "weight"]), cells),
    max_size=3,
)
keys = st.sampled_from(
    ["messages", "instruction", "input", "output", "prompt", "chosen", "rejected", "history", "id"]
)
objects = st.dictionaries(keys, cells | turns | st.none() | st.integers(0, 2), max_size=5)
good = st.just(QA) | st.builds(
    lambda asked, told: {"prompt": asked, "completion": told, "rejected": None},
    st.sampled_from(["几点开门？", "在吗"]),
    st.sampled_from(["九点。", "在的"]),
)
lines = st.builds(
    lambda value, cut: json.dumps(value, ensure_ascii=False)[:cut],
    objects | good | st.lists(st.integers(), max_size=2),
    st.none() | st.integers(1, 30),
)


@settings(max_examples=60)
@given(texts=st.lists(lines, min_size=1, max_size=12), encoding=st.sampled_from(["utf-8", "gbk"]))
def test_rows_in_are_rows_out_and_rows_refused(texts: list[str], encoding: str) -> None:
    first = json.dumps(QA, ensure_ascii=False)  # says what file it is
    content = "\n".join([first, *texts]).encode("utf-8") + b"\n"
    content += "\n".join(texts).encode(encoding, "replace")
    with TemporaryDirectory() as folder:
        file, out = Path(folder) / "rows.jsonl", Path(folder) / "out.jsonl"
        file.write_bytes(content)
        done = convert_files([file], out, RowFormat.MESSAGES)
        listed = [] if done.refused_file is None else done.refused_file.read_text().splitlines()
        written = out.read_text().count("\n")
    assert done.rows + done.refused == 1 + 2 * len(texts)
    assert (written, len(listed)) == (done.rows, done.refused)


@settings(max_examples=60)
@given(content=st.binary(max_size=300), start=st.sampled_from([b"", b"[", b"{", b"a,output\n"]))
def test_any_bytes_are_read_or_told(content: bytes, start: bytes) -> None:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "rows"
        file.write_bytes(start + content)
        assert all(isinstance(one, Row | Refusal) for one in iter_rows([file]))


def test_what_is_refused_stands_beside_the_rows_with_file_line_and_reason(tmp_path: Path) -> None:
    file = write(tmp_path / "a.json", QA, {"text": "x"}, QA, "{oh")
    table = write(tmp_path / "b.jsonl", "问题,答案", "在吗,在的")
    done = convert_files([file, table], tmp_path / "out.csv", RowFormat.ALPACA)
    assert (done.rows, done.refused) == (3, 2)
    assert [(one.kind, one.encoding) for one in done.files] == [
        ("jsonl", "utf-8"),
        ("csv", "utf-8"),
    ]
    assert done.refused_file == tmp_path / "out.csv.refused.jsonl"
    told = [json.loads(line) for line in done.refused_file.read_text().splitlines()]
    assert [(one["file"], one["line"]) for one in told] == [(str(file), 2), (str(file), 4)]
    assert told[1]["reason"].startswith("not JSON")
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "a.json",
        "b.jsonl",
        "out.csv",
        "out.csv.refused.jsonl",
    ]
    again = convert_files([table], tmp_path / "out.csv", RowFormat.ALPACA)
    assert again.refused_file is None
    assert not done.refused_file.exists()


def test_a_conversion_that_fails_leaves_the_old_file(tmp_path: Path) -> None:
    bad = write(tmp_path / "bad.jsonl", {"text": "x"})
    out = write(tmp_path / "out.jsonl", QA)
    with pytest.raises(InvalidTrainingData, match=r"bad\.jsonl:1: no known format"):
        convert_files([bad], out, RowFormat.MESSAGES)
    assert json.loads(out.read_text()) == QA
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("out.txt", r"must end in \.jsonl, \.json, \.csv"),
        ("rows.jsonl", "one of the files that are read"),
        ("none/out.jsonl", "cannot be written: No such file"),
    ],
)
def test_a_place_that_cannot_be_written_is_refused(tmp_path: Path, name: str, reason: str) -> None:
    file = write(tmp_path / "rows.jsonl", QA)
    with pytest.raises(InvalidTrainingData, match=reason):
        convert_files([file], tmp_path / name, RowFormat.MESSAGES)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("长" * 32_768, "a cell of Excel has 32,767"),
        ("a\rb", "carriage return"),
        ("_x000D_", "code"),
        ("\ufffe", "code"),
        ("\x01", "control"),
    ],
)
def test_what_excel_has_no_place_for_is_refused(tmp_path: Path, answer: str, reason: str) -> None:
    file = write(tmp_path / "rows.jsonl", QA, {**QA, "output": answer})
    done = convert_files([file], tmp_path / "out.xlsx", RowFormat.ALPACA)
    assert (done.rows, done.refused) == (1, 1)
    assert reason in done.refusals[0].reason


def test_a_text_that_begins_like_a_formula_stays_a_text(tmp_path: Path) -> None:
    file = write(tmp_path / "rows.jsonl", {**QA, "output": "=1+1"})
    convert_files([file], tmp_path / "out.xlsx", RowFormat.ALPACA)
    (row,) = iter_rows([tmp_path / "out.xlsx"])
    assert isinstance(row, Row)
    assert row.messages[-1].content == "=1+1"
