"""Titles and hints of every error code, in the language of a command or a request."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import service
import service.supervision.instance
import service.supervision.ports
import service.supervision.processes
from adapters.training.journal import RunStatus
from service.errors import ROOTS
from service.messages.catalogue import Language, catalogue
from service.messages.spoken import content_language, hint_of, say, speak, title_of

RAISING = {"CommandFailed", "problem", "error_body"}
ENDED = {f"training_{status}" for status in RunStatus.__args__} - {  # type: ignore[attr-defined]
    "training_running",
    "training_succeeded",
}
SOMEWHERE = dict.fromkeys(
    ("gateway_unavailable", "unknown_rule", "empty_folder", *sorted(ENDED)), "where it is raised"
)
HTTP = {"not_found", "method_not_allowed", "body_too_large", "http_error", "malformed_request"}


@pytest.fixture(autouse=True)
def english_again() -> Iterator[None]:
    """Leave no language behind."""
    yield
    speak("en")


def classes_of(root: type[Exception]) -> Iterator[type[Exception]]:
    """Yield a class and all below it."""
    yield root
    for below in root.__subclasses__():
        yield from classes_of(below)


def hints_of_classes() -> dict[str, str]:
    """Return the English hint of every code that a class of a room carries."""
    found = [each for root in ROOTS for each in classes_of(root)]
    return {each.code: each.hint for each in found if each.__module__.split(".")[0] != "tests"}  # type: ignore[attr-defined]


def codes_in_source() -> set[str]:
    """Return every code that is written out where an error body is made."""
    found = set[str]()
    for file in Path(service.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in RAISING:
                values = [each.value for each in node.keywords if each.arg == "code"]
                found |= {str(v.value) for v in values if isinstance(v, ast.Constant)}
    return found


def test_every_code_has_a_title_and_a_hint_in_both_languages() -> None:
    english = hints_of_classes()
    codes = english.keys() | codes_in_source() | ENDED | HTTP | {"unreadable_file"}
    assert len(codes) > 110
    titles = {code for code in codes if f"error.{code}.title" in catalogue()}
    assert codes - titles == set()
    for language in ("zh", "zh-Hant"):
        speak(language)
        told = {code: hint_of(code, english.get(code, "")) for code in codes}
        assert {code for code, hint in told.items() if not _has_chinese(hint)} == set()
    speak("en")
    without = {
        code for code in codes if not hint_of(code, english.get(code, SOMEWHERE.get(code, "")))
    }
    assert without == set()


def test_no_title_is_of_a_code_that_nothing_has() -> None:
    named = {key.split(".")[1] for key in catalogue() if key.startswith("error.")}
    known = hints_of_classes().keys() | codes_in_source() | ENDED | HTTP
    assert named - known == {"unreadable_file", "job_cancelled"}  # named by a constant, by a status


def test_two_codes_have_two_titles() -> None:
    titles = [texts["zh"] for key, texts in catalogue().items() if key.endswith(".title")]
    assert sorted(titles) == sorted(set(titles))


@pytest.mark.parametrize(
    ("language", "title", "hint", "named"),
    [
        ("en", "Wrong password", "Correct it.", "en"),
        ("zh", "密码错误", "请更正 `password`，或另存为不加密的文件再发送。", "zh-Hans"),
        ("zh-Hant", "密碼錯誤", "請更正 `password`，或另存為不加密的文件再發送。", "zh-Hant"),
    ],
)
def test_an_error_is_told_in_the_language_in_force(
    language: Language, title: str, hint: str, named: str
) -> None:
    speak(language)
    assert title_of("wrong_password") == title
    assert hint_of("wrong_password", "Correct it.") == hint
    assert content_language() == named


def test_an_unknown_code_keeps_what_it_came_with() -> None:
    speak("zh")
    assert title_of("of_another_version") == "出错"
    assert hint_of("of_another_version", "Correct it.") == "Correct it."


def test_a_hint_that_was_said_with_values_in_the_language_stays() -> None:
    speak("zh")
    said = say("command.other_syncs", sources="/data/a")
    assert hint_of("never_synced", said) == said == "有同步记录的文件夹：/data/a。"
    assert hint_of("never_synced", "") == "用 `fingerpost kb sync BASE DIR` 开始同步。"


def test_a_sentence_is_said_in_the_language_in_force() -> None:
    speak("zh")
    assert say("ask.comma") == "、"


def _has_chinese(text: str) -> bool:
    return any("\u4e00" <= letter <= "\u9fff" for letter in text)
