"""What every command promises: one result on stdout, the rest on stderr, exit codes 0, 1 and 2."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from service.cli import app
from service.cli.compare import print_table, read_rows
from service.cli.kb.folders import find_files
from service.cli.output import CommandFailed
from service.cli.replies import ComparisonSummary
from tests.service.cli.conftest import CannedGateway, Run

DECISION = {
    "strategy": "rag",
    "rule": "knowledge_changes_often",
    "because": {"en": "facts change", "zh": "知识更新"},
    "findings": [{"rule": "knowledge_changes_often", "kind": "preference", "verdict": "true"}],
    "rejected": [
        {"strategy": "fine_tuned", "rule": "no_adapter", "because": {"en": "none", "zh": "没有"}}
    ],
}
ANSWER = {
    "id": "r1",
    "answer": "You have 30 days. [1]",
    "outcome": "answered",
    "strategy": "rag",
    "model": "smollm2",
    "decision": DECISION,
    "citations": [
        {"marker": 1, "filename": "returns.md", "knowledge_base": "handbook", "version": 2}
    ],
    "usage": {},
    "timings_ms": {"total": 1234.0},
}


def _summary() -> dict[str, Any]:
    def strategy(fact: float, score: float) -> dict[str, Any]:
        return {
            "score": score,
            "score_low": score - 0.1,
            "score_high": score + 0.1,
            "by_kind": {"fact": {"n": 6, "score": fact}, "style": {"n": 3, "score": 0.25}},
            "latency_ms": {"p50": 812.0, "p95": 1490.0},
            "prompt_tokens": 310.0,
            "completion_tokens": 41.0,
            "errors": 0,
        }

    return {
        "strategies": {"prompt_only": strategy(0.0, 0.13), "rag": strategy(0.83, 0.64)},
        "winner": {"strategy": "rag", "because": "rag scores 0.64, prompt_only 0.13"},
        "by_kind_winner": {"fact": ["rag"], "style": ["prompt_only", "rag"]},
    }


def test_ask_prints_answer_reason_and_source(run: Run, gateway: CannedGateway) -> None:
    gateway.answer("POST /chat", ANSWER)
    result = run("ask", "How long?", "--strategy", "rag", "--use-case", "demo")
    assert result.exit_code == 0
    assert result.stdout.startswith("You have 30 days. [1]\n")
    assert "answered by rag on smollm2, 1.2 s" in result.stdout
    assert "every rule and fact: fingerpost why r1" in result.stdout
    assert "because facts change" in result.stdout
    assert "[1] returns.md (handbook, version 2)" in result.stdout
    sent = gateway.sent("POST /chat").json
    assert sent["messages"] == [{"role": "user", "content": "How long?"}]
    assert (sent["strategy"], sent["use_case"]) == ("rag", "demo")


def test_ask_as_json_prints_the_reply_and_nothing_else(run: Run, gateway: CannedGateway) -> None:
    gateway.answer("POST /chat", ANSWER)
    assert json.loads(run("ask", "How long?", "--json").stdout) == ANSWER


def test_ask_streams_words_and_then_the_reasons(run: Run, gateway: CannedGateway) -> None:
    events: list[tuple[str, Any]] = [
        ("decision", {"strategy": "rag"}),
        ("delta", {"text": "You have "}),
    ]
    events += [("delta", {"text": "30 days."}), ("done", ANSWER)]
    frames = "".join(f"event: {name}\ndata: {json.dumps(data)}\n\n" for name, data in events)
    gateway.answer("POST /chat", ": keep-alive\n\n" + frames)
    result = run("ask", "How long?", "--stream")
    assert result.stdout.startswith("You have 30 days.\n")
    assert "answered by rag" in result.stdout


def test_a_stream_that_ends_in_an_error_fails(run: Run, gateway: CannedGateway) -> None:
    error = {"status": 502, "detail": "engine gone", "error": {"code": "stream_broken"}}
    gateway.answer("POST /chat", f"event: error\ndata: {json.dumps(error)}\n\n")
    result = run("ask", "How long?", "--stream", "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout) == error


def test_a_refusal_says_message_and_hint_on_stderr(run: Run, gateway: CannedGateway) -> None:
    gateway.refuse("POST /route", 409, "strategy_forbidden", "no adapter")
    result = run("route", "Hello")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr == "fingerpost: no adapter\nhint: do this\n"


def test_a_refusal_as_json_is_the_error_body(run: Run, gateway: CannedGateway) -> None:
    gateway.refuse("POST /route", 409, "strategy_forbidden", "no adapter")
    result = run("route", "Hello", "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["error"]["code"] == "strategy_forbidden"


def test_no_gateway_names_the_command_that_starts_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FINGERPOST_HOME", str(tmp_path))
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "ports.json").write_text('{"gateway": 1, "engine": 2, "chroma": 3}')
    result = CliRunner().invoke(app, ["ask", "Hello"])
    assert result.exit_code == 1
    assert "No gateway answers at http://127.0.0.1:1" in result.stderr
    assert "fingerpost up" in result.stderr


def test_a_wrong_option_exits_2_with_one_json_document() -> None:
    argv = [sys.executable, "-m", "service.cli", "route", "Hello", "--nonsense", "--json"]
    finished = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert finished.returncode == 2
    assert json.loads(finished.stdout)["error"]["code"] == "usage"


def test_use_case_apply_puts_the_file_under_its_id(
    run: Run, gateway: CannedGateway, tmp_path: Path
) -> None:
    file = tmp_path / "case.yaml"
    file.write_text("id: shop\nrole: 客服\n", encoding="utf-8")
    gateway.answer("PUT /use_cases/shop", {"id": "shop", "warnings": ["it has no documents"]})
    applied = run("use-case", "apply", str(file))
    assert applied.exit_code == 0
    assert "warning: it has no documents" in applied.stderr
    assert gateway.sent("PUT /use_cases/shop").json == {"id": "shop", "role": "客服"}


def test_kb_add_names_documents_by_their_path_and_waits_for_jobs(
    run: Run, gateway: CannedGateway, tmp_path: Path
) -> None:
    (tmp_path / "en").mkdir()
    (tmp_path / "en" / "returns.md").write_text("30 days")
    path = "/v1/vector_stores/handbook/documents/en/returns.md"
    gateway.answer(f"PUT {path}", {"job": {"id": "job_1"}}, status=202)
    running = {"id": "job_1", "status": "running", "progress": {"fraction": 0.5}}
    gateway.answer("GET /jobs/job_1", running, {**running, "status": "succeeded"})
    gateway.answer(f"GET {path}", {"external_id": "en/returns.md", "version": 1})
    result = run("kb", "add", "handbook", str(tmp_path), "--json")
    assert json.loads(result.stdout)["data"] == [{"external_id": "en/returns.md", "version": 1}]
    assert b"30 days" in gateway.sent(f"PUT {path}").body


def test_a_failed_job_fails_the_command_with_its_reason(
    run: Run, gateway: CannedGateway, tmp_path: Path
) -> None:
    file = tmp_path / "empty.md"
    file.write_text("")
    path = "/v1/vector_stores/handbook/documents/empty.md"
    gateway.answer(f"PUT {path}", {"job": {"id": "job_1"}}, status=202)
    error = {"code": "empty_document", "message": "empty.md holds no text", "status": 400}
    gateway.answer("GET /jobs/job_1", {"id": "job_1", "status": "failed", "error": error})
    result = run("kb", "add", "handbook", str(file), "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["detail"] == "empty.md holds no text"


def test_two_files_of_one_name_are_refused(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "x.md").write_text("x")
    with pytest.raises(CommandFailed, match=r"both be the document 'x\.md'"):
        find_files([tmp_path / "a" / "x.md", tmp_path / "b" / "x.md"])


def test_kb_show_prints_what_is_measured(run: Run, gateway: CannedGateway) -> None:
    base = {"id": "handbook", "chunks": 9, "measured": {"tokens": 1800, "age_days": 60.5}}
    gateway.answer("GET /v1/vector_stores/handbook", base)
    rows = {"object": "list", "data": [{"external_id": "returns.md"}], "has_more": False}
    gateway.answer("GET /v1/vector_stores/handbook/documents", rows)
    lines = run("kb", "show", "handbook").stdout.splitlines()
    assert lines == ["id: handbook", "chunks: 9", "tokens: 1800", "age_days: 60.5", "  returns.md"]


def test_kb_search_sends_its_budget_and_says_what_it_left_out(
    run: Run, gateway: CannedGateway
) -> None:
    row = {"score": 0.5, "external_id": "returns.md", "text": "30 days"}
    found = {"data": [row], "passages_over_budget": 2}
    gateway.answer("POST /v1/vector_stores/handbook/search", found)
    said = run("kb", "search", "handbook", "How long?", "--max-tokens", "60").stdout
    sent = gateway.sent("POST /v1/vector_stores/handbook/search").json
    assert (sent["max_tokens"], sent["query"]) == (60, "How long?")
    assert "passages left out by the token budget: 2" in said


def test_kb_create_and_update_say_where_text_is_recognised(
    run: Run, gateway: CannedGateway
) -> None:
    made = {"id": "scans", "name": "scans"}
    gateway.answer("POST /v1/vector_stores", made)
    gateway.answer("POST /v1/vector_stores/scans", made)
    assert run("kb", "create", "scans", "--ocr", "always").exit_code == 0
    assert gateway.sent("POST /v1/vector_stores").json["ocr"] == "always"
    assert run("kb", "update", "scans", "--ocr", "never").exit_code == 0
    assert gateway.sent("POST /v1/vector_stores/scans").json == {"ocr": "never"}
    assert run("kb", "update", "scans").exit_code == 1


def test_kb_rm_of_everything_has_to_be_said(run: Run, gateway: CannedGateway) -> None:
    assert run("kb", "rm", "handbook").exit_code == 1
    assert gateway.calls == []


def test_train_uploads_rows_and_publishes(run: Run, gateway: CannedGateway, tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text('{"messages": []}\n')
    config = tmp_path / "train.yaml"
    config.write_text("task: helpdesk\nlora_rank: 16\ndataset: rows.jsonl\nseed: 7\n")
    job = {"id": "job_7", "status": "running", "progress": {"fraction": 0.5, "loss": 1.25}}
    done = {**job, "status": "succeeded", "adapter_id": "helpdesk@0a1b2c3d"}
    gateway.answer("POST /v1/files", {"id": "file_1"})
    gateway.answer("POST /v1/fine_tuning/jobs", job, status=202)
    gateway.answer("GET /v1/fine_tuning/jobs/job_7", job, done)
    gateway.answer("POST /adapters/helpdesk@0a1b2c3d/publish", {"id": "helpdesk@0a1b2c3d"})
    result = run("train", "run", str(config), "--publish")
    assert result.exit_code == 0, result.stderr
    assert result.stdout == "trained helpdesk@0a1b2c3d, it is live now\n"
    assert gateway.sent("POST /v1/fine_tuning/jobs").json == {
        "training_file": "file_1",
        "config": {"task": "helpdesk", "lora_rank": 16, "seed": 7},
        "suffix": "helpdesk",
        "seed": 7,
    }


def test_an_adapter_whose_evaluation_failed_is_not_published(
    run: Run, gateway: CannedGateway, tmp_path: Path
) -> None:
    for name in ("a.jsonl", "b.jsonl"):
        (tmp_path / name).write_text('{"messages": []}\n')
    config = tmp_path / "train.yaml"
    config.write_text("task: helpdesk\ndataset: [a.jsonl, b.jsonl]\n")
    gateway.answer("POST /v1/files", {"id": "file_1"}, {"id": "file_2"})
    gateway.answer("POST /v1/fine_tuning/jobs", {"id": "job_7", "status": "queued"}, status=202)
    done = {"id": "job_7", "status": "succeeded", "adapter_id": "helpdesk@0a1b2c3d"}
    result = {"adapter_id": "helpdesk@0a1b2c3d", "evaluation_error": "memory ran out"}
    gateway.answer("GET /v1/fine_tuning/jobs/job_7", {**done, "result": result})
    told = run("train", "run", str(config), "--publish")
    assert told.exit_code == 3
    assert "the evaluation failed: memory ran out; not published" in told.stdout
    sent = gateway.sent("POST /v1/fine_tuning/jobs").json
    assert (sent["training_file"], sent["config"]["dataset"]) == ("file_1", ["file_2"])


def test_adapters_ls_shows_which_one_serves(run: Run, gateway: CannedGateway) -> None:
    rows = [{"adapter_id": "a@1", "state": "live"}, {"adapter_id": "a@0", "state": "trained"}]
    draft = {"task": "a", "state": "draft", "run_id": "job_1", "status": "running"}
    page = {"object": "list", "data": rows, "drafts": [draft], "has_more": False}
    gateway.answer("GET /adapters", page)
    shown = run("adapters", "ls").stdout
    assert shown == "a@1  live\na@0  trained\na  draft  job_1 (running)\n"


def test_adapters_show_tells_the_states_it_went_through(run: Run, gateway: CannedGateway) -> None:
    change = {"state": "evaluated", "at": 0.0, "by": "job_1", "why": "verdict IMPROVED"}
    metrics = {"steps": 2, "curve": [{"step": 1}, {"step": 2}]}
    body = {"adapter_id": "a@1", "state": "evaluated", "metrics": metrics, "history": [change]}
    gateway.answer("GET /adapters/a@1", body)
    lines = run("adapters", "show", "a@1").stdout.splitlines()
    assert lines[:3] == ["adapter_id: a@1", "state: evaluated", "metrics: {'steps': 2}"]
    assert lines[3].endswith("evaluated: verdict IMPROVED by job_1")


def test_a_reply_of_another_shape_is_a_sentence_and_no_traceback(
    run: Run, gateway: CannedGateway
) -> None:
    gateway.answer("GET /adapters", {"data": [{"unknown": 1}]})
    result = run("adapters", "ls", "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["error"]["code"] == "internal_error"
    assert "Traceback" not in result.stderr


def test_compare_prints_a_table_and_keeps_the_outcomes(
    run: Run, gateway: CannedGateway, tmp_path: Path
) -> None:
    questions = tmp_path / "set.jsonl"
    questions.write_text('{"id": "1", "kind": "fact", "question": "q", "answers": ["a"]}\n')
    done = {"id": "job_9", "status": "succeeded", "progress": {}, "summary": _summary()}
    gateway.answer("POST /compare", {"id": "job_9", "status": "queued"}, status=202)
    gateway.answer("GET /compare/job_9", done)
    gateway.answer("GET /compare/job_9/outcomes", '{"id": "1", "strategy": "rag"}\n')
    out = tmp_path / "outcomes.jsonl"
    result = run("compare", str(questions), "-u", "demo", "--out", str(out))
    assert result.exit_code == 0, result.stderr
    assert out.read_text() == '{"id": "1", "strategy": "rag"}\n'
    rows = {line.split()[0]: line.split() for line in result.stdout.splitlines() if line}
    assert rows["rag"] == [
        "rag",
        "0.83",
        "0.25",
        "0.64",
        "(0.54-0.74)",
        *"812 1490 310+41 0".split(),
    ]
    assert "winner: rag (rag scores 0.64, prompt_only 0.13)" in result.stdout
    assert "best by kind: fact: rag; style: prompt_only = rag" in result.stdout
    assert "questions in" not in result.stdout


def test_compare_shows_questions_in_two_languages_by_language(
    run: Run, gateway: CannedGateway, tmp_path: Path
) -> None:
    questions = tmp_path / "set.jsonl"
    questions.write_text("")
    strategies = _summary()["strategies"]
    by_language = {
        "en": {"rag": strategies["rag"]},
        "zh": {"prompt_only": strategies["prompt_only"]},
    }
    summary = {**_summary(), "by_language": by_language}
    gateway.answer("POST /compare", {"id": "job_9"})
    gateway.answer("GET /compare/job_9", {"id": "job_9", "status": "succeeded", "summary": summary})
    lines = run("compare", str(questions), "-u", "demo").stdout.splitlines()
    english, chinese = (lines.index(f"questions in {name}") for name in ("English", "Chinese"))
    assert any(line.startswith("rag") for line in lines[english:chinese])
    assert not any(line.startswith("prompt_only") for line in lines[english:chinese])
    assert any(line.startswith("prompt_only") for line in lines[chinese:])


def test_compare_prints_its_table_in_chinese(
    run: Run, gateway: CannedGateway, tmp_path: Path
) -> None:
    questions = tmp_path / "set.jsonl"
    questions.write_text('{"id": "1", "kind": "fact", "question": "q", "answers": ["a"]}\n')
    gateway.answer("POST /compare", {"id": "job_9", "status": "queued"}, status=202)
    done = {"id": "job_9", "status": "succeeded", "progress": {}, "summary": _summary()}
    gateway.answer("GET /compare/job_9", done)
    told = run("--lang", "zh", "compare", str(questions), "-u", "demo").stdout
    assert (
        told.splitlines()[1].split() == "策略 (6) (3) 总分（95 %） 毫秒 毫秒 输入+输出 错误".split()
    )
    assert "最佳策略：rag（rag scores 0.64, prompt_only 0.13）" in told
    assert "各类问题的最佳策略：事实：rag；风格：prompt_only = rag" in told


def test_compare_names_the_line_that_is_no_json(run: Run, tmp_path: Path) -> None:
    questions = tmp_path / "set.jsonl"
    questions.write_text('{"id": "1"}\nnot json\n')
    result = run("compare", str(questions), "-u", "demo")
    assert result.exit_code == 1
    assert "line 2 is not JSON" in result.stderr


def test_questions_with_a_byte_order_mark_are_read(tmp_path: Path) -> None:
    rows = tmp_path / "set.jsonl"
    rows.write_bytes(b'\xef\xbb\xbf{"id": "a"}\r\n{"id": "b"}\r\n')
    assert read_rows(rows) == [{"id": "a"}, {"id": "b"}]


@pytest.mark.parametrize(("lang", "said"), [("en", "not UTF-8 text"), ("zh", "不是 UTF-8 文本")])
def test_questions_that_are_no_text_are_refused_in_plain_words(
    run: Run, tmp_path: Path, lang: str, said: str
) -> None:
    questions = tmp_path / "set.jsonl"
    questions.write_bytes('{"id": "a"}'.encode("utf-16"))
    result = run("--lang", lang, "compare", str(questions), "-u", "demo")
    assert result.exit_code == 1
    assert said in result.stderr
    assert "codec" not in result.stderr


def test_a_line_separator_inside_a_string_does_not_split_the_row(tmp_path: Path) -> None:
    rows = tmp_path / "set.jsonl"
    rows.write_bytes('{"question": "one\u2028two\x85three"}\r\n{"question": "four"}\n'.encode())
    read: list[Any] = read_rows(rows)
    assert [row["question"] for row in read] == ["one\u2028two\x85three", "four"]


def test_the_table_shows_a_dash_where_a_kind_was_not_answered(
    capsys: pytest.CaptureFixture[str],
) -> None:
    from rich.console import Console

    summary = _summary()
    del summary["strategies"]["rag"]["by_kind"]["style"]
    print_table(Console(highlight=False), ComparisonSummary.model_validate(summary))
    line = next(x for x in capsys.readouterr().out.splitlines() if x.startswith("rag"))
    assert line.split()[:3] == ["rag", "0.83", "-"]


def test_status_of_an_idle_home_exits_1_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FINGERPOST_HOME", str(tmp_path))
    result = CliRunner().invoke(app, ["status", "--json"])
    assert result.exit_code == 1
    document = json.loads(result.stdout)
    assert (document["running"], document["ready"]) == (False, False)


def test_status_tells_of_a_damaged_index_that_was_set_aside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FINGERPOST_HOME", str(tmp_path))
    assert "set aside" not in CliRunner().invoke(app, ["status"]).stdout
    aside = tmp_path / "chroma.damaged-20260102T030405"
    aside.mkdir()
    document = json.loads(CliRunner().invoke(app, ["status", "--json"]).stdout)
    assert (document["set_aside"]["count"], document["set_aside"]["newest"]) == (1, aside.name)
    said = CliRunner().invoke(app, ["status"]).stdout
    assert f"set aside: {aside}. Delete it once" in said


def test_down_of_an_idle_home_is_no_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FINGERPOST_HOME", str(tmp_path))
    result = CliRunner().invoke(app, ["down", "--json"])
    assert result.exit_code == 0
    assert json.loads(result.stdout)["stopped"] == []


@pytest.mark.parametrize("figures", [{"n": 0}, {"n": 0, "score": None, "latency_ms": None}])
def test_the_table_shows_dashes_for_a_strategy_that_could_not_run(
    figures: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    from rich.console import Console

    summary = _summary()
    summary["strategies"]["hybrid"] = {
        **summary["strategies"]["rag"],
        **{"score": 0.0, "score_low": 0.0, "score_high": 1.0, "by_kind": {}, "errors": 9},
        **figures,
    }
    print_table(Console(highlight=False), ComparisonSummary.model_validate(summary))
    told = capsys.readouterr().out
    line = next(x for x in told.splitlines() if x.startswith("hybrid"))
    assert line.split() == ["hybrid", "-", "-", "-", "-", "-", "-", "9"]
    assert "-: no answer to score" in told


def test_a_lead_that_is_not_clear_is_not_called_a_winner(
    capsys: pytest.CaptureFixture[str],
) -> None:
    from rich.console import Console

    summary = _summary()
    summary["winner"]["clear"] = False
    print_table(Console(highlight=False), ComparisonSummary.model_validate(summary))
    told = capsys.readouterr().out
    assert "ahead, but not clearly: rag (rag scores" in told
    assert "winner:" not in told
    assert "no answer to score" not in told


@pytest.mark.parametrize(
    ("reason", "lang", "said"),
    [
        ("uncited", "en", "sources are required"),
        ("out_of_scope", "zh", "超出该用例的范围"),
        ("of a later release", "en", "abstained by"),
    ],
)
def test_ask_says_why_a_question_is_not_answered(
    run: Run, gateway: CannedGateway, reason: str, lang: str, said: str
) -> None:
    gateway.answer("POST /chat", {**ANSWER, "outcome": "abstained", "reason": reason})
    result = run("ask", "How long?", "--lang", lang)
    assert result.exit_code == 0, result.stderr
    assert said in result.stdout
