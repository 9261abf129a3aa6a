"""`fingerpost data versions`: what changed between two versions of a FAQ."""

import json
from pathlib import Path

from typer.testing import CliRunner, Result

from service.cli import app


def run(*words: str) -> Result:
    return CliRunner().invoke(app, words)


def written(file: Path, *pairs: tuple[str, str]) -> str:
    lines = (json.dumps({"prompt": q, "completion": a}, ensure_ascii=False) for q, a in pairs)
    file.write_text("\n".join(lines), encoding="utf-8")
    return str(file)


def test_changed_answers_are_shown_and_outdated_rows_marked(tmp_path: Path) -> None:
    old = written(tmp_path / "old.jsonl", ("退货多久？", "7 天"), ("运费", "买家"), ("旧", "x"))
    new = written(tmp_path / "new.jsonl", ("退货 多久", "15 天"), ("运费", "买家。"))
    out = tmp_path / "marked.jsonl"
    result = run("data", "versions", old, new, "--out", str(out))
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("1 the same, 1 changed, 0 added, 1 removed\n")
    assert "before (no date): 7 天" in result.stdout
    assert "now (no date): 15 天" in result.stdout
    marked = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert [row.get("outdated", False) for row in marked] == [True, False, True]
    told = json.loads(run("data", "versions", old, new, "--json").stdout)
    assert (told["same"], told["changed"], told["removed"], told["outdated"]) == (1, 1, 1, 2)
