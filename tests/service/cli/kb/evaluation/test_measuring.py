"""`fingerpost kb eval` on six rows: real SQLite and Chroma, an embedder of words."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from service.cli import app
from service.cli.kb.evaluation.files import Question
from service.cli.kb.evaluation.measuring import Retriever, measure
from service.cli.output import Output
from tests.fakes.embedder import FakeEmbedder
from tests.fakes.knowledge import CannedKnowledge, Found

CORPUS = [
    {"id": "returns", "title": "Returns", "text": "Lamps may be returned within thirty days."},
    {"id": "delivery", "title": "Delivery", "text": "Parcels come by courier before noon."},
    {"id": "warranty", "title": "Warranty", "text": "Kettles have a warranty of two years."},
    {"id": "invoice", "title": "Invoices", "text": "Invoices are sent on the first day."},
    {"id": "hours", "title": "Hours", "text": "The shop opens at nine and closes at six."},
    {"id": "leave", "title": "年假", "text": "员工年假有十五天，申请年假需要提前两周。"},
]
TURNS = [{"role": "user", "content": "I bought a kettle. Kettles have a warranty?"}]
QUERIES: list[dict[str, Any]] = [
    {"id": "1", "question": "Within how many days may lamps be returned?", "gold_ids": ["returns"]},
    {"id": "2", "question": "Which courier brings parcels?", "gold_ids": ["delivery"]},
    {"id": "3", "question": "How long is it?", "gold_ids": ["warranty"], "history": TURNS},
    {"id": "4", "question": "When are invoices sent?", "gold_ids": ["invoice"]},
    {"id": "5", "question": "When does the shop close?", "gold_ids": ["hours", "leave"]},
    {"id": "6", "question": "年假有几天", "gold_ids": ["leave"]},
]
OTHER = [{"question": "Which galaxy is nearest?"}, {"question": "火星探测器何时着陆"}]
Evaluate = Callable[..., Result]


def write(file: Path, rows: list[Any]) -> Path:
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return file


@pytest.fixture
def evaluate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Evaluate:
    """Return a function that runs the command on the six rows, or on other files."""
    monkeypatch.setattr("service.cli.kb.evaluation.command.load_embedder", lambda _: FakeEmbedder())
    monkeypatch.setenv("FINGERPOST_HOME", str(tmp_path / "home"))

    def run(*words: str, corpus: Path | None = None, queries: Path | None = None) -> Result:
        corpus = corpus or write(tmp_path / "corpus.jsonl", CORPUS)
        queries = queries or write(tmp_path / "queries.jsonl", QUERIES)
        files = ["--corpus", str(corpus), "--queries", str(queries)]
        return CliRunner().invoke(app, ["kb", "eval", *files, *words])

    return run


def test_every_figure_is_printed(evaluate: Evaluate, tmp_path: Path) -> None:
    other = write(tmp_path / "other.jsonl", OTHER)
    result = evaluate("--unanswerable", str(other), "--json")
    assert result.exit_code == 0, result.output
    figures = json.loads(result.stdout)
    assert (figures["queries"], figures["documents"], figures["unanswerable"]) == (6, 6, 2)
    assert figures["hit_at_5"] == 1.0
    assert figures["recall_at_5"] > 0.9
    assert figures["flagged_unanswerable_default"] == 1.0
    assert figures["latency_ms"]["p50"] <= figures["latency_ms"]["p99"]
    assert set(figures["by_retriever"]) == {"hybrid", "dense", "lexical"}
    for name, (low, high) in figures["intervals"].items():
        assert low <= figures[name] <= high
    assert figures["floor"]["toml"].startswith("[knowledge]\nmin_relevance = 0.")


def test_one_retriever_alone_and_no_unanswerable_questions(evaluate: Evaluate) -> None:
    figures = json.loads(evaluate("--retriever", "lexical", "--json").stdout)
    assert (figures["retriever"], figures["retrievers_used"]) == ("lexical", ["lexical"])
    assert list(figures["by_retriever"]) == ["lexical"]
    assert figures["flagged_unanswerable"] is None
    assert figures["flagged_unanswerable_default"] is None
    assert figures["flagged_answerable"] is not None


def canned() -> CannedKnowledge:
    """Dense finds the row first, hybrid second, lexical third; each flags other questions."""
    relevance = (0.1, 0.9, 0.9, 0.9, 0.9)
    places = (
        (("dense", "lexical"), ("x", "g"), 2),
        (("dense",), ("g",), 0),
        (("lexical",), ("x", "y", "g"), 5),
    )
    found: dict[tuple[Any, ...], dict[str, Found]] = {}
    for retrievers, ids, flagged in places:
        rows = {f"q{n}": Found(ids, value, n < flagged) for n, value in enumerate(relevance)}
        is_hybrid = len(retrievers) == 2
        rows["f0"] = Found(("x",), 0.5 if is_hybrid else 0.0, is_hybrid)
        rows["f1"] = Found(("x",), 0.95 if is_hybrid else 0.0)
        found[retrievers] = rows
    return CannedKnowledge(found)


def test_each_figure_is_that_of_its_questions_and_its_retriever() -> None:
    asked = [Question(f"q{n}", (), frozenset({"g"})) for n in range(5)]
    foreign = [Question(name, (), frozenset()) for name in ("f0", "f1")]
    output = Output(as_json=True)
    figures: dict[str, Any] = measure(
        canned(), asked, foreign, only=None, output=output
    ).as_document()
    assert (figures["retriever"], figures["retrievers_used"]) == ("hybrid", ["dense", "lexical"])
    assert (figures["hit_at_1"], figures["mrr_at_10"]) == (0.0, 0.5)
    assert figures["intervals"]["mrr_at_10"] == [0.5, 0.5]
    ranks = {name: found["mrr_at_10"]["value"] for name, found in figures["by_retriever"].items()}
    assert ranks == {"hybrid": 0.5, "dense": 1.0, "lexical": pytest.approx(1 / 3)}
    # fitted without q0 the floor is 0.9, which flags q0; without another it is 0.1
    assert figures["flagged_answerable"] == pytest.approx(1 / 5)
    assert figures["flagged_unanswerable"] == pytest.approx((1 / 5 + 0) / 2)
    assert figures["flagged_answerable_default"] == pytest.approx(2 / 5)
    assert figures["flagged_unanswerable_default"] == pytest.approx(1 / 2)
    assert (figures["queries"], figures["unanswerable"]) == (5, 2)
    only = Retriever.LEXICAL
    alone: dict[str, Any] = measure(
        canned(), asked, foreign, only=only, output=output
    ).as_document()
    assert (alone["mrr_at_10"], alone["flagged_answerable_default"]) == (pytest.approx(1 / 3), 1.0)
    assert (alone["flagged_unanswerable"], list(alone["by_retriever"])) == (
        pytest.approx(1.0),
        ["lexical"],
    )


def test_earlier_turns_are_used(evaluate: Evaluate, tmp_path: Path) -> None:
    bare = [{k: v for k, v in QUERIES[2].items() if k != "history"}]
    shares = []
    for rows in (bare, [QUERIES[2]]):
        queries = write(tmp_path / "one.jsonl", rows)
        result = evaluate("--retriever", "lexical", "--json", queries=queries)
        shares.append(json.loads(result.stdout)["hit_at_1"])
        assert json.loads(result.stdout)["floor"]["fitted"] is None  # too few to fit
    assert shares == [0.0, 1.0]


def test_a_retriever_that_reads_no_question_has_no_figures(
    evaluate: Evaluate, tmp_path: Path
) -> None:
    chinese = write(tmp_path / "zh.jsonl", [QUERIES[5]])
    by_retriever = json.loads(evaluate("--json", queries=chinese).stdout)["by_retriever"]
    assert by_retriever["dense"] is None
    assert by_retriever["lexical"]["hit_at_5"]["value"] == 1.0
    assert "dense" not in evaluate(queries=chinese).stdout


def test_a_person_gets_a_table_and_the_lines_for_the_configuration(evaluate: Evaluate) -> None:
    result = evaluate()
    assert result.exit_code == 0
    assert "hit_at_5" in result.stdout
    assert "min_relevance = " in result.stdout


@pytest.mark.parametrize(
    ("corpus", "queries", "named"),
    [
        ([{"text": "x"}], QUERIES, "corpus-b.jsonl, line 1: `id`"),
        ([*CORPUS, CORPUS[0]], QUERIES, "line 7: the id 'returns' appears twice"),
        ([*CORPUS, {"id": "x", "text": " "}], QUERIES, "line 7: `text`"),
        ([*CORPUS, ["x"]], QUERIES, "line 7: must be a JSON object"),
        ([], QUERIES, "contains no rows"),
        (CORPUS, [], "queries-b.jsonl contains no rows"),
        (
            CORPUS,
            [*QUERIES, {"question": "x", "gold_ids": ["nobody"]}],
            "line 7: the corpus has no",
        ),
        (CORPUS, [{"question": "x"}], "queries-b.jsonl, line 1: `gold_ids`"),
        (CORPUS, [{"gold_ids": ["hours"]}], "line 1: `question`"),
        (CORPUS, [{**QUERIES[0], "history": ["x"]}], "line 1: a turn of `history`"),
    ],
)
def test_bad_rows_are_named_by_file_and_line(
    evaluate: Evaluate, tmp_path: Path, corpus: list[Any], queries: list[Any], named: str
) -> None:
    result = evaluate(
        "--json",
        corpus=write(tmp_path / "corpus-b.jsonl", corpus),
        queries=write(tmp_path / "queries-b.jsonl", queries),
    )
    body = json.loads(result.stdout)
    assert (result.exit_code, body["error"]["code"]) == (1, "invalid_evaluation_file")
    assert named in body["detail"]


def test_a_missing_or_broken_file_is_named(evaluate: Evaluate, tmp_path: Path) -> None:
    broken = tmp_path / "broken.jsonl"
    broken.write_text('{"id": "a", "text": "b"}\n{"id": \n', encoding="utf-8")
    for corpus, named in ((broken, "line 2: not JSON"), (tmp_path / "no.jsonl", "cannot be read")):
        result = evaluate("--json", corpus=corpus)
        assert result.exit_code == 1
        assert named in json.loads(result.stdout)["detail"]
