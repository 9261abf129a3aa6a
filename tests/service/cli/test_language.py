"""The commands speak the language that was asked for; the data stays as it is."""

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from service.cli import app, quickstart
from service.cli.language import follow_script
from service.cli.output import Output
from service.messages.catalogue import Language
from service.messages.spoken import speak, spoken
from tests.service.cli.conftest import CannedGateway, Run

ANSWER: dict[str, Any] = {
    "id": "req_1",
    "answer": "30 天内可以退货。",
    "outcome": "answered",
    "strategy": "rag",
    "model": "smollm2",
    "decision": {
        "strategy": "rag",
        "rule": "asks",
        "because": {"zh": "问题询问事实", "en": "the question asks for a fact"},
        "rejected": [
            {
                "strategy": "hybrid",
                "rule": rule,
                "because": {"zh": "没有可用的适配器", "en": "there is no adapter"},
            }
            for rule in ("no_adapter", "not_loaded")
        ],
    },
    "citations": [
        {"marker": 1, "filename": "退货.md", "knowledge_base": "handbook", "version": 2},
    ],
    "timings_ms": {"total": 1234.0},
}
SAID = {
    "en": [
        "answered by rag on smollm2, 1.2 s",
        "strategy rag: rule asks",
        "  because the question asks for a fact",
        "  not hybrid: there is no adapter (no_adapter) (and 1 more)",
        "  [1] 退货.md (handbook, version 2)",
        "every rule and fact: fingerpost why req_1",
    ],
    "zh": [
        "已回答，策略 rag，模型 smollm2，用时 1.2 秒",
        "策略 rag：规则 asks",
        "  理由：问题询问事实",
        "  未选 hybrid：没有可用的适配器（no_adapter）（另有 1 条理由）",
        "  [1] 退货.md（知识库 handbook，第 2 版）",
        "查看全部规则和事实：fingerpost why req_1",
    ],
    "zh-Hant": [
        "已回答，策略 rag，模型 smollm2，用時 1.2 秒",
        "策略 rag：規則 asks",
        "  理由：問題詢問事實",
        "  未選 hybrid：沒有可用的適配器（no_adapter）（另有 1 條理由）",
        "  [1] 退货.md（知識庫 handbook，第 2 版）",
        "查看全部規則和事實：fingerpost why req_1",
    ],
}


@pytest.mark.parametrize(
    ("words", "language"),
    [
        (["ask", "How long?"], "en"),
        (["--lang", "zh", "ask", "How long?"], "zh"),
        (["ask", "How long?", "--lang", "zh"], "zh"),
        (["--lang", "en", "ask", "多久？", "--lang", "zh"], "zh"),
        (["--lang", "zh-Hant", "ask", "How long?"], "zh-Hant"),
        (["--lang", "zh", "ask", "退貨要幾天？"], "zh-Hant"),
        (["--lang", "en", "ask", "退貨要幾天？"], "en"),
    ],
)
def test_ask_words_its_reasons_in_the_language(
    run: Run, gateway: CannedGateway, words: list[str], language: str
) -> None:
    gateway.answer("POST /chat", ANSWER)
    answer, blank, *lines = run(*words).stdout.splitlines()
    assert (answer, blank) == (ANSWER["answer"], "")
    assert lines == SAID[language]


def test_a_language_that_there_is_not_is_refused(run: Run) -> None:
    result = run("--lang", "fr", "ask", "How long?")
    assert result.exit_code == 2
    assert "zh-Hant" in result.stderr


def test_a_language_does_not_outlive_its_command(tmp_path: Path) -> None:
    facts = tmp_path / "facts.yaml"
    facts.write_text("need: style\nlabelled_examples: 600\n", encoding="utf-8")
    for words, said in ((["--lang", "zh-Hant"], "現在不要微調"), ([], "Do not fine-tune yet")):
        told = CliRunner().invoke(app, [*words, "advise", str(facts)]).stdout
        assert said in told


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", ["== demo content", "   demo content: 0 s (total 0 s)"]),
        ("zh", ["== 演示内容", "   演示内容：0 秒（累计 0 秒）"]),
    ],
)
def test_a_stage_of_the_quickstart_is_named_in_the_language_and_keyed_in_english(
    language: Language, said: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    speak(language)
    stages = quickstart.Stages(Output(as_json=False))
    with stages.stage("demo content"):
        pass
    assert capsys.readouterr().err.splitlines() == said
    assert list(stages.seconds) == ["demo content"]


def test_the_end_of_the_quickstart_says_what_to_do_next() -> None:
    speak("zh")
    lines = quickstart._next_steps("http://127.0.0.1:8080").splitlines()
    assert lines[1].startswith("全部进程已启动。网关地址：http://127.0.0.1:8080")
    assert lines[-1].endswith("停止全部进程")
    speak("en")
    english = quickstart._next_steps("http://127.0.0.1:8080").splitlines()
    assert [line for line in lines if "curl" in line] == [li for li in english if "curl" in li]


def test_only_a_chinese_command_follows_the_letters_of_a_question() -> None:
    languages: dict[Language, Language] = {"zh": "zh-Hant", "en": "en", "zh-Hant": "zh-Hant"}
    for language, then in languages.items():
        speak(language)
        follow_script("退貨要幾天？")
        assert spoken() == then
    speak("zh")
    follow_script("可否分期")
    assert spoken() == "zh"


def test_an_error_is_told_with_its_title_and_hint_in_the_language_of_the_command(
    run: Run, gateway: CannedGateway
) -> None:
    gateway.refuse("GET /v1/vector_stores", 503, "vector_store_unavailable", "Chroma is away.")
    told = run("--lang", "zh", "kb", "ls")
    assert told.exit_code == 1
    assert told.stderr == "fingerpost：Chroma is away.\n提示：do this\n"
    assert gateway.sent("GET /v1/vector_stores").language == "zh-Hans"
    told = run("--lang", "zh", "kb", "rm", "handbook")
    assert told.stderr.startswith("fingerpost：命令用法错误。Name a document")
    assert "提示：加上 --help" in told.stderr


def test_the_environment_names_the_language_and_is_no_setting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FINGERPOST_HOME", str(tmp_path))
    monkeypatch.setenv("FINGERPOST_LANG", "zh-Hant")
    told = CliRunner().invoke(app, ["train", "show", "none"])
    assert told.exit_code == 1
    assert "訓練" in told.stderr
    assert "提示：" in told.stderr
    in_english = CliRunner().invoke(app, ["--lang", "en", "train", "show", "none"])
    assert "hint: " in in_english.stderr
