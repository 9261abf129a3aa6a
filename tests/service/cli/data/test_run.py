"""`fingerpost data run`: from a folder to rows, with the pipelines that ship."""

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from adapters import Outside, load_pipeline, load_rows
from service.cli import app
from service.settings import CHECKOUT

PIPELINES = sorted((CHECKOUT / "deploy" / "pipelines").glob("*.yaml"))
DAY = (datetime.now(UTC) - timedelta(days=30)).date()
CHAT = f"客户({DAY})：我的电话13812345678，能退吗\n客服：可以，请寄回。\n"


def run(*words: str) -> Result:
    return CliRunner().invoke(app, words)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FINGERPOST_HOME", str(tmp_path / "home"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("退货", "物流"):
        (tmp_path / "in" / name).mkdir(parents=True)
    (tmp_path / "in" / "退货" / "chat.txt").write_text(CHAT, encoding="utf-8")
    faq = "问：几天到？\n答：三天。\n"
    (tmp_path / "in" / "物流" / f"faq_{DAY:%Y%m%d}.html").write_text(
        "".join(f"<p>{line}</p>" for line in faq.splitlines()), encoding="utf-8"
    )
    return tmp_path


def test_a_folder_of_documents_and_chats_becomes_rows(folder: Path) -> None:
    out = folder / "rows.jsonl"
    qa = CHECKOUT / "deploy" / "pipelines" / "qa.yaml"
    result = run("data", "run", str(qa), "--read", str(folder / "in"), "--out", str(out), "--json")
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert (told["read"], told["written"], told["dropped"], told["refused"]) == (2, 2, 0, 0)
    by_scenario = {row.meta["scenario"]: row for row in load_rows([out])}
    assert "13812345678" not in out.read_text(encoding="utf-8")
    assert re.fullmatch(r"我的电话100\d{8}，能退吗", by_scenario["退货"].messages[0].content)
    assert by_scenario["物流"].messages[1].content == "三天。"
    assert by_scenario["物流"].meta["date"] == str(DAY)
    checks = {check["name"]: check["status"] for check in told["check"]["checks"]}
    assert (checks["scenarios"], checks["recency"], checks["personal_data"]) == ("pass",) * 3
    assert [part["name"] for part in told["check"]["readiness"]["parts"]] == [
        "quality",
        "quantity",
        "match",
    ]
    lines = Path(told["lineage"]).read_text(encoding="utf-8").splitlines()
    assert len(lines) == 2
    again = run("data", "run", str(qa), "--read", str(folder / "in"), "--out", str(out))
    assert "9 of 9 steps were done before" in again.stdout
    assert "readiness at most 0.1 % = quality" in again.stdout
    anew = run("data", "run", str(qa), "--read", str(folder / "in"), "--out", str(out), "--restart")
    assert "were done before" not in anew.stdout


def test_rows_that_fail_a_check_end_with_1_and_are_written(folder: Path) -> None:
    pipeline = folder / "p.yaml"
    pipeline.write_text("read: [in]\nsteps: [speakers]\nout: rows.jsonl\n", encoding="utf-8")
    result = run("data", "run", str(pipeline))
    assert result.exit_code == 1
    assert "fail     personal_data: mask 1 rows (1 cn_mobile)" in result.stdout
    assert (folder / "rows.jsonl").read_text(encoding="utf-8").count("\n") == 2


def test_what_is_wrong_is_told_in_a_line(folder: Path) -> None:
    pipeline = folder / "p.yaml"
    pipeline.write_text("read: [in]\nsteps: [wash]\n", encoding="utf-8")
    unnamed = run("data", "run", str(pipeline), "--json")
    assert json.loads(unnamed.stdout)["error"]["code"] == "usage"
    unknown = run("data", "run", str(pipeline), "--out", str(folder / "o.jsonl"), "--json")
    assert json.loads(unknown.stdout)["error"]["code"] == "invalid_pipeline"
    assert "no step 'wash'" in unknown.stdout


def test_a_folder_without_conversations_gives_no_rows_and_ends_with_1(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("只是文字。", encoding="utf-8")
    pipeline = tmp_path / "p.yaml"
    pipeline.write_text("read: [a.txt]\nout: rows.jsonl\n", encoding="utf-8")
    result = run("data", "run", str(pipeline))
    assert result.exit_code == 1
    assert "0 rows in" in result.stdout
    assert "dropped: no_conversation" in result.stdout


@pytest.mark.parametrize("file", PIPELINES, ids=lambda file: file.stem)
def test_a_pipeline_that_ships_can_be_run(file: Path, tmp_path: Path) -> None:
    rows = tmp_path / "in.jsonl"
    rows.write_text('{"prompt": "打13812345678", "completion": "好"}\n', encoding="utf-8")
    out = tmp_path / "out.jsonl"
    result = run("data", "run", str(file), "--read", str(rows), "--out", str(out))
    assert result.exit_code == 0, result.output
    assert load_pipeline(file).checks.scenarios == "folders"
    assert re.search(r"打100\d{8}\"", out.read_text(encoding="utf-8"))


def test_there_is_a_pipeline_for_each_task() -> None:
    names = {file.stem for file in PIPELINES}
    assert names == {"qa", "support_style", "extraction", "classification"}
    assert Outside.__dataclass_fields__.keys() >= {"embed", "secret", "today"}
