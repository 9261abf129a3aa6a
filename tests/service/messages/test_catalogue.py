"""Sentences in every language, and which language is meant."""

import re
from pathlib import Path

import pytest

from service.messages.catalogue import Language, catalogue, chosen, negotiated, translated


def test_every_sentence_is_there_in_both_languages_with_the_same_placeholders() -> None:
    lacking = {key for key, texts in catalogue().items() if not texts.keys() >= {"en", "zh"}}
    assert {key for key in lacking if not re.fullmatch(r"error\.\w+\.hint", key)} == set()
    assert all("zh" in texts for texts in catalogue().values())
    assert len(catalogue()) > 250
    other = {
        key
        for key, texts in catalogue().items()
        if len({frozenset(re.findall(r"\{(\w+)", text)) for text in texts.values()}) > 1
    }
    assert other == set()


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "answering at http://x/发"),
        ("zh", "网关已就绪：http://x/发"),
        ("zh-Hant", "網關已就緒：http://x/发"),
    ],
)
def test_a_sentence_is_converted_and_its_values_are_not(language: Language, said: str) -> None:
    assert translated("quickstart.answering", language, url="http://x/发").strip() == said


def test_a_traditional_text_of_its_own_comes_before_the_converted_one() -> None:
    assert chosen({"zh": "网络", "en": "net", "zh-Hant": "網路"}, "zh-Hant") == "網路"
    assert chosen({"zh": "网络", "en": "net"}, "zh-Hant") == "網絡"


@pytest.mark.parametrize(
    ("header", "language"),
    [
        (None, "en"),
        ("", "en"),
        ("zh", "zh"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("zh-TW", "zh-Hant"),
        ("zh-Hant-HK, en;q=0.5", "zh-Hant"),
        ("en;q=0.5, zh-Hans;q=0.7", "zh"),
        ("fr, de;q=0.9, zh;q=0.1", "zh"),
        ("zh;q=0, en;q=0.1", "en"),
        ("zh;q=x", "en"),
        ("zh; q=0.1, en ; q=0.9", "en"),
        ("en ;q=0.3 , zh", "zh"),
        ("zh;q=nan, en;q=0.1", "en"),
        ("zh;q=inf, en;q=0.1", "en"),
        ("*", "en"),
    ],
)
def test_a_header_is_negotiated(header: str | None, language: str) -> None:
    assert negotiated(header) == language


def test_a_key_that_two_files_hold_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.messages.catalogue.resources.files", lambda _: tmp_path)
    (tmp_path / "a.toml").write_text('[ask]\nby = { en = "by", zh = "由" }\n', encoding="utf-8")
    assert catalogue.__wrapped__() == {"ask.by": {"en": "by", "zh": "由"}}
    (tmp_path / "b.toml").write_text('[ask]\nby = { en = "at", zh = "在" }\n', encoding="utf-8")
    with pytest.raises(ValueError, match=r"b\.toml repeats the key ask\.by"):
        catalogue.__wrapped__()
