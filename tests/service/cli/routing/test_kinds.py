"""`fingerpost route fit-kinds`: what it writes, and that a bad file loses nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from router import MessageKind, labelled_messages, load_kind_classifier
from service.cli import app
from tests.fakes.embedder import FakeEmbedder

FitKinds = Callable[..., Result]


@pytest.fixture
def fit_kinds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FitKinds:
    monkeypatch.setenv("FINGERPOST_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(
        "service.cli.routing.kinds.SentenceTransformerEmbedder.configured",
        lambda _path, _config: FakeEmbedder(),
    )
    return lambda *words: CliRunner().invoke(app, ["route", "fit-kinds", *map(str, words)])


def test_it_writes_a_classifier_for_the_embedder_of_the_home(
    fit_kinds: FitKinds, tmp_path: Path
) -> None:
    own, asked, notice = (tmp_path / name for name in ("own.jsonl", "asked.jsonl", "notice.txt"))
    own.write_text('{"message": "the gym smells", "kind": "remark", "lang": "en"}\n')
    asked.write_text(
        '{"query": "is the tram red", "label": "needs_knowledge", "lang": "en"}\n'
        '{"query": "hm well", "label": "chitchat", "lang": "en"}\n'
    )
    notice.write_text("ours\n")
    result = fit_kinds(own, "--questions", asked, "--notice", notice, "--json")
    assert result.exit_code == 0, result.output
    figures = json.loads(result.stdout)
    file = tmp_path / "home" / "kind_classifier.json"
    assert figures["file"] == str(file)
    assert figures["rows"] == len(labelled_messages()) + 2  # small talk is labelled finer
    written = load_kind_classifier(file)
    assert (written.embedder, written.dimension) == ("fake-words", 64)
    assert set(written.kinds) == set(MessageKind)
    assert written.notice == ("ours",)
    assert written.made_by == "fingerpost route fit-kinds own.jsonl --questions asked.jsonl"
    assert figures["taken_though_sources_are_needed"] <= 0.021


def test_a_person_reads_what_it_recognises(fit_kinds: FitKinds, tmp_path: Path) -> None:
    result = fit_kinds("--out", tmp_path / "kinds.json")
    assert result.exit_code == 0, result.output
    assert "acted on from a confidence of" in result.stdout
    assert load_kind_classifier(tmp_path / "kinds.json").figures["rows"] > 2_000


def test_a_bad_row_is_named_and_nothing_is_written(fit_kinds: FitKinds, tmp_path: Path) -> None:
    (tmp_path / "own.jsonl").write_text('{"message": "lovely", "kind": "song", "lang": "en"}\n')
    result = fit_kinds(tmp_path / "own.jsonl", "--json")
    assert result.exit_code == 1
    body = json.loads(result.stdout)
    assert body["error"]["code"] == "invalid_evaluation_file"
    assert "own.jsonl, line 1: kind 'song' is not one of" in body["detail"]
    assert not (tmp_path / "home" / "kind_classifier.json").exists()
