"""`fingerpost data context`: rows from a corpus or from a gateway's knowledge base."""

import inspect
import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from adapters import PASSAGES_ARE_DATA, ContextMix
from service.cli import app
from service.cli.data.context import context
from tests.fakes.embedder import FakeEmbedder
from tests.service.cli.conftest import CannedGateway, Run

CORPUS = [
    {"id": "returns", "title": "Returns", "text": "Lamps may be returned within thirty days."},
    {"id": "delivery", "title": "Delivery", "text": "Parcels come by courier before noon."},
    {"id": "warranty", "title": "Warranty", "text": "Kettles have a warranty of two years."},
    {"id": "invoice", "title": "Invoices", "text": "Invoices are sent on the first day."},
]
QUESTIONS: list[dict[str, Any]] = [
    {"question": "Within what time may lamps be returned?", "answers": ["thirty days"]},
    {"question": "Who brings parcels?", "answers": ["courier"], "gold_ids": ["delivery"]},
    {"question": "How long is the warranty of kettles?", "answers": ["two years"]},
    {"question": "When are invoices sent?", "answers": ["first day"], "gold_ids": ["invoice"]},
]
Make = Callable[..., Result]


def write(file: Path, rows: list[Any]) -> Path:
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return file


def read(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Make:
    """Return a function that runs the command on the four rows, or on other questions."""
    monkeypatch.setattr("service.cli.data.context.load_embedder", lambda _: FakeEmbedder())
    monkeypatch.setenv("FINGERPOST_HOME", str(tmp_path / "home"))

    def run(*words: str, questions: list[Any] | None = None, corpus: bool = True) -> Result:
        asked = write(tmp_path / "q.jsonl", QUESTIONS if questions is None else questions)
        place = ["--corpus", str(write(tmp_path / "corpus.jsonl", CORPUS))] if corpus else []
        files = ["--questions", str(asked), "--out", str(tmp_path / "rows.jsonl"), *place]
        return CliRunner().invoke(app, ["data", "context", *files, *words, "--json"])

    return run


def test_a_corpus_becomes_rows_with_their_evidence(make: Make, tmp_path: Path) -> None:
    result = make("--refusals", "0.5")
    assert result.exit_code == 0, result.output
    figures = json.loads(result.stdout)
    assert (figures["rows"], figures["refusals"], figures["answer_share"]) == (8, 4, 1.0)
    assert (figures["refusals_with_answer"], figures["left_out"]) == (0, {})
    assert figures["context_trained"] is True
    rows = read(tmp_path / "rows.jsonl")
    assert len(rows) == 8
    answered = [row for row in rows if not row["refusal"]]
    for row in answered:
        _system, prompt, answer = (turn["content"] for turn in row["messages"])
        assert prompt.startswith("<passages>\n[1] ")
        mark, text = answer.split(" ", 1)
        assert text in row["answers"]
        assert text in next(line for line in prompt.split("\n[") if text in line)
        assert f"{mark[1:]} {row['passages'][int(mark[1:-1]) - 1]} > " in prompt


def test_each_question_has_its_twin_unless_told_otherwise(make: Make) -> None:
    figures = json.loads(make().stdout)
    assert (figures["rows"], figures["refusals"]) == (8, 4)
    figures = json.loads(make("--refusals", "0").stdout)
    assert (figures["rows"], figures["refusals"]) == (4, 0)


def test_the_command_mixes_as_the_room_does() -> None:
    told = inspect.signature(context).parameters
    assert {name: told[name].default for name in asdict(ContextMix())} == asdict(ContextMix())


def test_questions_held_out_stand_in_no_row(make: Make, tmp_path: Path) -> None:
    figures = json.loads(make("--hold-out", "0.5").stdout)
    assert figures["held_out_questions"] == 2
    held = read(Path(figures["held_out"]))
    assert Path(figures["held_out"]).parent == tmp_path
    said = (tmp_path / "rows.jsonl").read_text(encoding="utf-8")
    assert not any(row["question"] in said for row in held)
    assert {row["question"] for row in held} < {row["question"] for row in QUESTIONS}
    again = make("--seed", "1", questions=held)  # and they can be read again
    assert again.exit_code == 0, again.output


def test_prompts_ask_for_markers_only_on_request(make: Make, tmp_path: Path) -> None:
    for words, asks in (((), False), (("--ask-for-markers",), True)):
        assert make(*words).exit_code == 0
        prompts = [row["messages"][1]["content"] for row in read(tmp_path / "rows.jsonl")]
        assert all(("Cite the passages" in prompt) is asks for prompt in prompts)


@pytest.mark.parametrize(
    ("questions", "words", "said"),
    [
        ([{"question": "Why?"}], (), "line 1: `answers` is missing"),
        ([{"question": "Why?", "answers": []}], (), "line 1: `answers` is missing"),
        (
            [{"question": "Why?", "answers": [3]}],
            (),
            "line 1: `answers` must be a list of non-empty strings",
        ),
        ([{"answers": ["x"]}], (), "line 1: `question` is missing"),
        (
            [{"question": "Why?", "answers": ["x"], "gold_ids": ["nowhere"]}],
            (),
            "has no document 'nowhere'",
        ),
        ([{"question": "Why?", "answers": ["blue whale"]}], (), "no question produced a row"),
        ([], (), "contains no rows"),
        (None, ("--refusals", "0.7"), "the share of refusals is 0.7"),
        (None, ("--passages", "0"), "at least one passage"),
        (None, ("--knowledge-base", "kb"), "either --knowledge-base or --corpus"),
    ],
)
def test_bad_input_is_told_and_loses_nothing(
    make: Make, tmp_path: Path, questions: list[Any] | None, words: tuple[str, ...], said: str
) -> None:
    (tmp_path / "rows.jsonl").write_text("as before", encoding="utf-8")
    result = make(*words, questions=questions)
    assert result.exit_code == 1
    assert said in json.loads(result.stdout)["detail"]
    assert (tmp_path / "rows.jsonl").read_text(encoding="utf-8") == "as before"


def test_a_gateways_knowledge_base_and_use_case_make_the_rows(
    gateway: CannedGateway, run: Run, tmp_path: Path
) -> None:
    data = [
        {"external_id": row["id"], "filename": "f.md", "text": row["text"], "score": 0.5}
        for row in CORPUS
    ]
    documents = [{"id": row["id"], "external_id": row["id"]} for row in CORPUS]
    listed = {"object": "list", "data": documents, "has_more": False}
    gateway.answer("GET /v1/vector_stores/kb/documents", listed)
    gateway.answer("POST /v1/vector_stores/kb/search", {"data": data})
    case = {"id": "desk", "role": "You are the desk.", "refusal": {"zh": "不知", "en": "No idea."}}
    gateway.answer("GET /use_cases/desk", case)
    out = tmp_path / "rows.jsonl"
    files = ["--questions", str(write(tmp_path / "q.jsonl", QUESTIONS)), "--out", str(out)]
    words = ["--knowledge-base", "kb", "--use-case", "desk", "--refusals", "0.5", "--json"]
    result = run("data", "context", *files, *words)
    assert result.exit_code == 0, result.output
    rows = read(out)
    told = f"You are the desk.\n{PASSAGES_ARE_DATA['en']}"
    assert {row["messages"][0]["content"] for row in rows} == {told}
    assert {row["messages"][-1]["content"] for row in rows if row["refusal"]} == {"No idea."}
    assert gateway.sent("POST /v1/vector_stores/kb/search").json["max_num_results"] == 20
    bad = [{**QUESTIONS[0], "gold_ids": ["gone"]}]
    files[1] = str(write(tmp_path / "bad.jsonl", bad))
    assert "kb has no document 'gone'" in run("data", "context", *files, *words).stdout
