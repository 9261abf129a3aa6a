"""`fingerpost data structure|annotate|self-instruct`, with a canned gateway and a canned model."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
from pydantic import JsonValue
from typer.testing import CliRunner, Result

from adapters import Generate
from service.cli import app
from tests.service.cli.conftest import CannedGateway

Run = Callable[..., Result]

RULES = """
rules:
  - id: clause
    pattern: '^第(?P<n>[\\d.]+)条'
    rows: [{instruction: '第{n}条说什么？', output: '{body}'}]
"""
PAIRS = """
instruction: 写问答对
reply: {type: object, properties: {q: {type: string}, a: {type: string}}, required: [q, a]}
row: {instruction: '{q}', output: '{a}'}
"""


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    folder = tmp_path / "合同"
    folder.mkdir()
    (folder / "租赁.md").write_text(
        "第3.2条 每月5日前付款。\n第3.3条 押金两个月。", encoding="utf-8"
    )
    (folder / "通知.txt").write_text("今天放假。", encoding="utf-8")
    (folder / "坏.pdf").write_bytes(b"%PDF-1.4 broken")
    return folder


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Reply the same to every prompt; return the prompts."""
    prompts: list[str] = []

    def generate(prompt: str, schema: Mapping[str, JsonValue]) -> str:
        prompts.append(prompt)
        if "pairs" in json.dumps(schema):
            return '{"pairs": [{"question": "押金什么时候退？", "answer": "退租后七天。"}]}'
        return '{"q": "几号付款？", "a": "5日前", "intent": "查询", "result": "已解决"}'

    @contextmanager
    def opened(temperature: float) -> Iterator[Generate]:
        yield generate

    monkeypatch.setattr("service.cli.data.making.engine_of_this_home", opened)
    return prompts


def read(file: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def test_documents_become_rows_by_rules_and_nothing_is_dropped_silently(
    sources: Path, tmp_path: Path
) -> None:
    (rules := tmp_path / "rules.yaml").write_text(RULES, encoding="utf-8")
    out = tmp_path / "rows.jsonl"
    words = ("data", "structure", str(sources), "--rules", str(rules), "--out", str(out))
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("2 rows from 2 texts: ")
    assert "坏.pdf" in result.stderr
    assert [row["messages"] for row in read(out)][1] == [
        {"role": "user", "content": "第3.3条说什么？"},
        {"role": "assistant", "content": "押金两个月。"},
    ]
    [dropped] = read(tmp_path / "rows.jsonl.dropped.jsonl")
    assert (dropped["reason"], dropped["file"]) == ("no_rule_matched", str(sources / "通知.txt"))


def test_a_wrong_rule_file_is_told_by_its_key(sources: Path, tmp_path: Path) -> None:
    (rules := tmp_path / "rules.yaml").write_text(RULES.replace("{n}", "{m}"), encoding="utf-8")
    out = tmp_path / "rows.jsonl"
    words = ("data", "structure", str(sources), "--rules", str(rules), "--out", str(out))
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 1
    assert "{m} stands for nothing" in result.stderr
    assert not out.exists()


def test_annotated_rows_are_put_into_the_review_queue(
    run: Run, gateway: CannedGateway, sources: Path, tmp_path: Path, model: list[str]
) -> None:
    (config := tmp_path / "pairs.yaml").write_text(PAIRS, encoding="utf-8")
    gateway.answer("GET /review_batches", {"data": []})
    gateway.answer("POST /review_items", {"batch": "合同", "added": 2, "already_there": 0})
    result = run("data", "annotate", str(sources), "--config", str(config))
    assert result.exit_code == 0, result.output
    assert "2 new ones to review in batch '合同'" in result.stdout
    sent = gateway.sent("POST /review_items").json
    assert [row["messages"][0]["content"] for row in sent["rows"]] == ["几号付款？"] * 2
    assert sent["rows"][0]["meta"]["reviewed"] is False
    assert len(model) == 2


def test_conversations_become_triples_in_a_file(
    tmp_path: Path, model: list[str], gateway: CannedGateway
) -> None:
    chats = tmp_path / "chats.jsonl"
    row = {"prompt": "包裹在哪？", "completion": "今天到。"}
    chats.write_text(json.dumps(row), encoding="utf-8")
    out = tmp_path / "triples.jsonl"
    words = ("data", "annotate", str(chats), "--dialogues", "--intent", "查询", "--out", str(out))
    result = CliRunner().invoke(app, [*words, "--json"])
    assert json.loads(result.stdout)["reasons"] == {"not_of_the_schema": 1}  # two keys too many
    assert "intent 只能是：查询。" in model[0]
    assert (read(out), gateway.calls) == ([], [])


def test_new_pairs_go_into_the_queue_and_the_seeds_do_not(
    run: Run, gateway: CannedGateway, tmp_path: Path, model: list[str]
) -> None:
    seeds = tmp_path / "seeds.jsonl"
    seeds.write_text(json.dumps({"prompt": "怎么付款？", "completion": "转账。"}), encoding="utf-8")
    gateway.answer("GET /review_batches", {"data": []})
    gateway.answer("POST /review_items", {"batch": "seeds.jsonl", "added": 1, "already_there": 0})
    result = run("data", "self-instruct", str(seeds), "--json")
    assert json.loads(result.stdout)["added"] == 1
    [sent] = gateway.sent("POST /review_items").json["rows"]
    assert sent["messages"][0]["content"] == "押金什么时候退？"
    assert sent["meta"]["synthetic"] is True


@pytest.mark.parametrize("options", [(), ("--dialogues", "--config", "x.yaml")])
def test_annotate_takes_a_file_or_dialogues(
    run: Run, sources: Path, options: tuple[str, ...]
) -> None:
    result = run("data", "annotate", str(sources), *options)
    assert (result.exit_code, "Use either --config or --dialogues" in result.stderr) == (1, True)
