"""`fingerpost data clean`: rows, dropped rows with reasons, samples."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from knowledge import SentenceTransformerEmbedder
from service.cli import app
from tests.fakes.embedder import FakeEmbedder

Run = Callable[..., Result]


@pytest.fixture
def run() -> Run:
    return lambda *words: CliRunner().invoke(app, list(words))


ROWS = [
    ("在吗", "在的，请问有什么可以帮您"),
    ("如何修改１号套餐", "请拨打13812345678，由客服为您办理。"),
    ("如何修改1号套餐？", "请拨打13812345678，由客服为您办理"),
    ("如何修改1号套餐？", "请到营业厅的柜台办理。"),
    ("几点开门", "每天早上九点开门，周末也一样。"),
]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "rows.jsonl"
    lines = [
        json.dumps({"prompt": ask, "completion": said, "id": str(n)})
        for n, (ask, said) in enumerate(ROWS)
    ]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def test_rows_are_written_and_dropped_ones_listed(run: Run, file: Path, tmp_path: Path) -> None:
    out = tmp_path / "clean.jsonl"
    result = run("data", "clean", str(file), "--out", str(out))
    assert result.exit_code == 0, result.output
    assert "3 of 5 rows written to" in result.stdout
    assert "+ 如何修改1号套餐 → 请拨打<cn_mobile>" in result.stdout
    assert "13812345678" not in result.output
    written = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert written[0]["messages"][0]["content"] == "如何修改1号套餐"
    assert [row["id"] for row in written] == ["1", "3", "4"]
    beside = tmp_path / "clean.jsonl.dropped.jsonl"
    dropped = [json.loads(line) for line in beside.read_text(encoding="utf-8").splitlines()]
    assert [(row["line"], row["step"], row["reason"]) for row in dropped] == [
        (1, "noise", "chitchat"),
        (3, "deduplicate", "duplicate"),
    ]


def test_lines_that_are_no_rows_are_listed_and_the_rest_goes_on(
    run: Run, file: Path, tmp_path: Path
) -> None:
    lines = file.read_text(encoding="utf-8").splitlines()
    broken = ["{broken", json.dumps({"prompt": "几点关门"}), json.dumps({"messages": []})]
    file.write_text("\n".join([*lines[:2], *broken, *lines[2:]]), encoding="utf-8")
    out = tmp_path / "clean.jsonl"
    result = run("data", "clean", str(file), "--out", str(out), "--json")
    assert result.exit_code == 3, result.output
    told = json.loads(result.stdout)
    assert (told["rows"], told["written"], told["dropped"]["read: refused"]) == (8, 3, 3)
    assert told["rows"] == told["written"] + sum(told["dropped"].values())
    beside = (tmp_path / "clean.jsonl.dropped.jsonl").read_text(encoding="utf-8")
    dropped = [json.loads(line) for line in beside.splitlines()]
    refused = [(row["line"], row["reason"]) for row in dropped if row["step"] == "read"]
    assert refused == [(3, "refused"), (4, "refused"), (5, "refused")]
    assert "not JSON" in next(row["detail"] for row in dropped if row["line"] == 3)


@pytest.mark.parametrize(
    ("content", "told"), [(None, "nope.jsonl"), ("", "no training rows"), ("{broken\n", "not JSON")]
)
def test_a_file_without_rows_replaces_nothing(
    content: str | None, told: str, run: Run, tmp_path: Path
) -> None:
    out, file = tmp_path / "clean.jsonl", tmp_path / "nope.jsonl"
    out.write_text("earlier", encoding="utf-8")
    if content is not None:
        file.write_text(content, encoding="utf-8")
    result = run("data", "clean", str(file), "--out", str(out))
    assert result.exit_code == 1
    assert told in result.output.replace("\n", "")
    assert out.read_text(encoding="utf-8") == "earlier"


def test_a_copy_may_have_the_id_of_its_original(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    said = [
        ("几点开门", "每天早上九点开门。"),
        ("几点开门？", "每天早上九点开门"),
        ("几点关门", "晚上十点关门。"),
    ]
    lines = [json.dumps({"id": "1", "prompt": ask, "completion": told}) for ask, told in said]
    file.write_text("\n".join(lines), encoding="utf-8")
    result = run("data", "clean", str(file), "--dry-run", "--json")
    told = json.loads(result.stdout)
    assert (result.exit_code, told["written"]) == (0, 2)
    assert told["dropped"] == {"deduplicate: duplicate": 1}


def test_a_dry_run_writes_nothing(run: Run, file: Path, tmp_path: Path) -> None:
    result = run("data", "clean", str(file), "--dry-run", "--json")
    told = json.loads(result.stdout)
    assert (told["object"], told["rows"], told["written"]) == ("cleaning", 5, 3)
    assert told["dropped"] == {"noise: chitchat": 1, "deduplicate: duplicate": 1}
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["rows.jsonl"]


def test_rows_of_a_test_are_dropped(run: Run, file: Path, tmp_path: Path) -> None:
    test = tmp_path / "test.jsonl"
    test.write_text('{"prompt": "几点开门？", "completion": "九点"}', encoding="utf-8")
    result = run("data", "clean", str(file), "--dry-run", "--test", str(test), "--json")
    assert json.loads(result.stdout)["dropped"]["leakage: question_in_test"] == 1


def test_similar_rows_need_the_embedder_of_this_home(
    run: Run, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        SentenceTransformerEmbedder, "configured", lambda *_: FakeEmbedder(), raising=True
    )
    result = run("data", "clean", str(file), "--dry-run", "--similar", "0.99", "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["rows"] == 5


def test_without_a_file_to_write_it_is_refused(run: Run, file: Path) -> None:
    result = run("data", "clean", str(file))
    assert result.exit_code == 1
    assert "Use --out FILE or --dry-run." in result.stderr
