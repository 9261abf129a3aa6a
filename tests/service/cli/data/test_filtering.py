"""`fingerpost data filter`: files in, files out, figures told."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from adapters import AdaptersConfig
from knowledge import SentenceTransformerEmbedder
from service.cli import app
from service.fine_tuning import filters
from tests.fakes.embedder import FakeEmbedder

Run = Callable[..., Result]


@pytest.fixture
def run() -> Run:
    """Return a function that runs `fingerpost`, which asks no gateway here."""
    return lambda *words: CliRunner().invoke(app, words)


def write(file: Path, rows: Sequence[dict[str, Any]]) -> Path:
    file.write_text("\n".join(json.dumps(one, ensure_ascii=False) for one in rows), "utf-8")
    return file


def read(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text("utf-8").splitlines()]


def support(count: int) -> list[dict[str, Any]]:
    return [
        {"prompt": f"订单{n}怎么退款", "completion": "退款三天到账", "source": f"s{n}"}
        for n in range(count)
    ]


def travel(count: int) -> list[dict[str, Any]]:
    return [{"prompt": f"故宫{n}点开门吗", "completion": "九点开门"} for n in range(count)]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return write(tmp_path / "rows.jsonl", [*support(5), *travel(3)])


@pytest.fixture
def embedder(monkeypatch: pytest.MonkeyPatch) -> None:
    def configured(_path: str, _config: object) -> FakeEmbedder:
        return FakeEmbedder(languages=("*",))

    monkeypatch.setattr(SentenceTransformerEmbedder, "configured", configured)


def test_rows_are_divided_into_two_files_and_none_is_lost(
    run: Run, file: Path, tmp_path: Path
) -> None:
    out = tmp_path / "kept.jsonl"
    words = ("--by", "keywords", "--keyword", "退款", "--out", str(out))
    result = run("data", "filter", str(file), *words, "--json")
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert (told["rows"], told["kept"], told["dropped"]) == (8, 5, 3)
    kept, dropped = read(out), read(tmp_path / "kept.jsonl.dropped.jsonl")
    assert [one["messages"][0]["content"] for one in kept] == [f"订单{n}怎么退款" for n in range(5)]
    assert [one["source"] for one in kept] == [f"s{n}" for n in range(5)]
    assert [one["dropped"]["line"] for one in dropped] == [6, 7, 8]
    assert dropped[0]["messages"][0]["content"] == "故宫0点开门吗"
    assert dropped[0]["dropped"] == {
        "file": str(file),
        "line": 6,
        "filter": "keywords",
        "reason": "too_few_keywords",
        "detail": "keywords 0, at least 1 needed",
        "scores": {"keywords": 0.0},
    }
    assert "<svg" in (tmp_path / "kept.jsonl.keywords.svg").read_text("utf-8")


def test_the_share_and_rows_of_both_sides_are_told(run: Run, file: Path, tmp_path: Path) -> None:
    words = tmp_path / "words.txt"
    words.write_text("\ufeff退款\n\n到账\n", "utf-8")
    options = ("--by", "keywords", "--keyword-file", str(words), "--min-keywords", "2")
    result = run("data", "filter", str(file), *options, "--out", str(tmp_path / "kept.jsonl"))
    assert result.exit_code == 0, result.output
    assert "keywords: 5 of 8 rows kept (62%), keywords at least 2: as set" in result.stdout
    assert "2  line 1: 订单0怎么退款 退款三天到账" in result.stdout
    assert "0  line 6: 故宫0点开门吗 九点开门" in result.stdout
    assert "5 of 8 rows kept: " in result.stdout.splitlines()[-1]


def test_a_dry_run_writes_the_histogram_alone(run: Run, file: Path, tmp_path: Path) -> None:
    out = tmp_path / "kept.jsonl"
    options = ("--by", "keywords", "--keyword", "退款", "--out", str(out), "--dry-run")
    result = run("data", "filter", str(file), *options)
    assert result.exit_code == 0, result.output
    assert {one.name for one in tmp_path.glob("kept*")} == {"kept.jsonl.keywords.svg"}


def test_filters_follow_one_another(run: Run, file: Path, tmp_path: Path, embedder: None) -> None:
    options = ("--by", "keywords", "--keyword", "开门", "--by", "similarity", "--domain", "退款")
    words = ("data", "filter", str(file), *options, "--out", str(tmp_path / "o"), "--json")
    result = run(*words, "--min-similarity", "0.9")
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert [(one["filter"], one["rows"], one["kept"]) for one in told["filters"]] == [
        ("keywords", 8, 3),
        ("similarity", 3, 0),
    ]
    assert (told["kept"], told["dropped"]) == (0, 8)
    by_default = json.loads(run(*words).stdout)["filters"][1]
    assert by_default["threshold"] == 0.08
    assert "by its own examples" in by_default["threshold_source"]


def test_rows_are_compared_with_rows_of_the_domain(
    run: Run, file: Path, tmp_path: Path, embedder: None
) -> None:
    like = write(tmp_path / "like.jsonl", support(20))
    options = ("--by", "similarity", "--like", str(like), "--out", str(tmp_path / "o"), "--json")
    told = json.loads(run("data", "filter", str(file), *options).stdout)
    assert (told["kept"], told["dropped"]) == (5, 3)
    assert told["filters"][0]["threshold_source"] == "95% of 20 rows of the domain reach it"


def test_a_classifier_says_how_good_it_is(run: Run, file: Path, tmp_path: Path) -> None:
    wanted = write(tmp_path / "wanted.jsonl", support(30))
    unwanted = write(tmp_path / "unwanted.jsonl", travel(30))
    labels = ("--wanted", str(wanted), "--unwanted", str(unwanted))
    options = ("--by", "classifier", *labels, "--out", str(tmp_path / "o"))
    result = run("data", "filter", str(file), *options)
    assert result.exit_code == 0, result.output
    assert "5 of 8 rows kept" in result.stdout.splitlines()[-1]
    assert "classifier on 60 labelled rows it was not fitted on: AUC 1.000" in result.stdout
    assert "fewer than 500 labelled rows" in result.stdout


def test_perplexity_is_measured_by_the_base_model_of_the_home(
    run: Run, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Base:
        id = "tiny"

    def measure(texts: Sequence[str], _before: object, **given: Any) -> list[float]:
        assert given["base"] is base
        assert isinstance(given["settings"], AdaptersConfig)
        return [2.0 if "退款" in text else 90.0 for text in texts]

    base = Base()
    monkeypatch.setattr(filters, "find_base", lambda _settings: base)
    monkeypatch.setattr(filters, "measure_perplexities", measure)
    like = write(tmp_path / "like.jsonl", support(30))
    options = ("--by", "perplexity", "--like", str(like), "--out", str(tmp_path / "o"), "--json")
    told = json.loads(run("data", "filter", str(file), *options).stdout)
    assert (told["kept"], told["filters"][0]["threshold"]) == (5, 2.0)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--by", "keywords"), "needs words"),
        (("--by", "keywords", "--keyword", "，"), "has no letter or digit"),
        (("--by", "similarity"), "--like"),
        (("--by", "classifier"), "--wanted"),
        (("--by", "perplexity"), "--like"),
        (("--by", "keywords", "--keyword-file", "nowhere.txt"), "cannot be read"),
    ],
)
def test_a_filter_without_what_it_needs_says_so(
    run: Run, file: Path, tmp_path: Path, options: Sequence[str], said: str
) -> None:
    out = tmp_path / "kept.jsonl"
    result = run("data", "filter", str(file), *options, "--out", str(out))
    assert result.exit_code == 1
    assert said in result.output
    assert not out.exists()


def test_the_file_itself_is_not_overwritten(run: Run, file: Path) -> None:
    before = file.read_bytes()
    options = ("--by", "keywords", "--keyword", "退款", "--out", str(file))
    result = run("data", "filter", str(file), *options)
    assert result.exit_code == 1
    assert file.read_bytes() == before


def test_a_preference_pair_stays_a_pair(run: Run, tmp_path: Path) -> None:
    pair = {"prompt": "怎么退款", "chosen": "三天到账", "rejected": "不知道", "lang": "zh"}
    file, out = write(tmp_path / "pairs.jsonl", [pair]), tmp_path / "kept.jsonl"
    options = ("--by", "keywords", "--keyword", "退款", "--out", str(out))
    assert run("data", "filter", str(file), *options).exit_code == 0
    assert read(out) == [pair]


def test_rows_that_cannot_be_read_are_listed_and_counted(
    run: Run, file: Path, tmp_path: Path
) -> None:
    with file.open("a", encoding="utf-8") as rows:
        rows.write('\n{"prompt": "退款"}\n')
    out = tmp_path / "kept.jsonl"
    options = ("--by", "keywords", "--keyword", "退款", "--out", str(out))
    result = run("data", "filter", str(file), *options, "--json")
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert (told["rows"], told["kept"], told["dropped"], told["refused"]) == (9, 5, 3, 1)
    (refused,) = [
        one["dropped"]
        for one in read(tmp_path / "kept.jsonl.dropped.jsonl")
        if one["dropped"]["reason"] == "unreadable"
    ]
    assert (refused["line"], refused["file"]) == (9, str(file))


def test_a_file_without_a_row_is_refused(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text("{}", "utf-8")
    options = ("--by", "keywords", "--keyword", "退款", "--out", str(tmp_path / "o"))
    result = run("data", "filter", str(file), *options)
    assert result.exit_code == 1
    assert "no row that can be used" in result.output
