"""`fingerpost regret` on files, good and bad; it needs no gateway."""

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from router import DEFAULT_POLICY_FILE
from service.cli import app
from service.messages.spoken import speak
from tests.service.compare.test_regret import rows


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    made = tmp_path / "home"
    made.mkdir()
    monkeypatch.setenv("FINGERPOST_HOME", str(made))
    return made


@pytest.fixture
def outcomes(tmp_path: Path) -> Path:
    file = tmp_path / "outcomes.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows()), encoding="utf-8")
    return file


def run(*words: object) -> Result:
    return CliRunner().invoke(app, ["regret", *map(str, words)])


def test_json_is_one_document(outcomes: Path) -> None:
    result = run(outcomes, "--json")
    assert result.exit_code == 0, result.output
    done = json.loads(result.stdout)
    assert (done["object"], done["questions"]) == ("regret", 20)
    assert done["router"]["regret"] == 50.0


def test_people_get_a_table_of_choosers_and_one_of_rules(outcomes: Path) -> None:
    lines = run(outcomes).stdout.splitlines()
    (router,) = [line for line in lines if line.startswith("router (this policy)")]
    assert "0.500" in router
    assert "50.0" in router
    (best,) = [line for line in lines if line.startswith("best fixed: rag")]
    assert "+0.0" in best
    (rule,) = [line for line in lines if line.startswith("task_on_given_text")]
    assert "fine_tuned 10" in rule
    assert "+50.0" in rule
    assert any(line.startswith("always prompt_only") for line in lines)


def test_another_policy_is_judged(outcomes: Path, home: Path, tmp_path: Path) -> None:
    text = DEFAULT_POLICY_FILE.read_text(encoding="utf-8")
    other = tmp_path / "other.yaml"
    swapped = text.replace("prefer: [hybrid, rag, fine_tuned]", "prefer: [rag, hybrid, fine_tuned]")
    other.write_text(swapped.replace("name: default", "name: other"), encoding="utf-8")
    done = json.loads(run(outcomes, "--policy", other, "--json").stdout)
    assert done["policy_version"].startswith("other@")
    assert done["router"]["regret"] == 0.0
    (home / "fingerpost.toml").write_text(f'policy = "{other}"\n', encoding="utf-8")
    assert json.loads(run(outcomes, "--json").stdout) == done  # the one in force in this home


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "there are no rows"),
        ('{"id": "a"}\n{oops\n', "outcomes.jsonl line 2 is not JSON"),
        ('{"id": "a", "strategy": "rag", "score": 1}\n', "was asked by one strategy only"),
        ('{"id": "a", "strategy": "rag", "score": 7}\n', "outcomes.jsonl line 1: `score`"),
    ],
)
def test_a_bad_file_is_named_with_its_line(outcomes: Path, content: str, said: str) -> None:
    outcomes.write_text(content, encoding="utf-8")
    result = run(outcomes, "--json")
    assert result.exit_code == 1
    body = json.loads(result.stdout)
    assert body["error"]["code"] == "invalid_outcomes"
    assert said in body["detail"]


def test_a_file_that_is_not_there_or_no_text_is_refused(outcomes: Path) -> None:
    assert "cannot be read" in json.loads(run("nowhere.jsonl", "--json").stdout)["detail"]
    outcomes.write_bytes(b"\xff\xfe\x00")
    assert "cannot be read" in json.loads(run(outcomes, "--json").stdout)["detail"]


def test_a_bad_policy_is_refused_naming_its_place(outcomes: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.yaml"
    other.write_text("name: other\n", encoding="utf-8")
    body = json.loads(run(outcomes, "--policy", other, "--json").stdout)
    assert body["error"]["code"] == "invalid_policy"
    assert "other.yaml" in body["detail"]


def test_everything_but_names_is_chinese_where_that_is_asked_for(outcomes: Path) -> None:
    made = rows(facts={})
    made[0]["score"] = made[5]["score"] = made[6]["score"] = None
    outcomes.write_text("".join(json.dumps(row) + "\n" for row in made), encoding="utf-8")
    try:
        told = CliRunner().invoke(app, ["--lang", "zh", "regret", str(outcomes)]).stdout
    finally:
        speak("en")
    for words in (
        "20 个问题，策略文件",
        "路由器（此策略文件）",
        "最佳固定策略：",
        "注意：",
        "每次增益",
    ):
        assert words in told
    assert "20 个问题中有 20 个没有事实" in told
    assert not re.search(r"(?:\b[a-z]{2,} ){2}", told.replace("prompt_only ", "")), told
