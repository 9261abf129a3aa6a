from concurrent.futures import ThreadPoolExecutor

import pytest

from knowledge.languages import (
    as_simplified,
    as_traditional,
    detect_language,
    is_in_traditional_script,
    reads,
    written_language,
)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("How long do I have to return a lamp?", "en"),
        ("年假有多少天？", "zh"),
        ("iPhone 15 保修多久", "zh"),
        ("What does 年假 mean in the handbook?", "en"),
        ("返品はできますか", "ja"),
        ("반품할 수 있나요", "ko"),
        ("Сколько дней отпуска", "ru"),
        ("كم يوما مدة الإجازة", "ar"),
        ("छुट्टी कितने दिन की है", "hi"),
        ("ลาพักร้อนได้กี่วัน", "th"),
        ("Πόσες ημέρες άδειας", "el"),
        ("כמה ימי חופשה", "he"),
        ("𠮷𠀋㐂", "zh"),
        ("東京都港区芝公園四丁目にて", "ja"),
        ("1234 ?!", "en"),
    ],
)
def test_the_script_tells_the_language(text: str, language: str) -> None:
    assert detect_language(text) == language


def test_an_embedder_for_all_languages_reads_any() -> None:
    assert reads(frozenset({"*"}), "zh")
    assert not reads(frozenset({"en"}), "zh")


def test_every_letter_is_simplified_in_its_place() -> None:
    han = [*map(chr, range(0x3400, 0xA000)), *map(chr, range(0x20000, 0x2A6E0))]
    assert [letter for letter in han if len(as_simplified(letter)) != 1] == []
    text = "一、員工守則\n👩‍🔧 请假 é \u0000 爲何？" * 3
    assert as_simplified(text) == "一、员工守则\n👩‍🔧 请假 é \u0000 为何？" * 3


def test_letters_of_hong_kong_are_simplified_too() -> None:
    assert as_simplified("衞生 敍述 粧 粽 糭 枱") == "卫生 叙述 妆 粽 粽 台"


def test_letters_of_other_languages_stay() -> None:
    for text in ("Straße ﬁx ½", "図は気になる", "한국어", "シンプル", "x = 1"):
        assert as_simplified(text) == text


def test_threads_simplify_at_once() -> None:
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(as_simplified, ["退貨運費" * 50, "沿著" * 50] * 100))
    assert found == ["退货运费" * 50, "沿着" * 50] * 100


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("员工每年有十五天年假。", "zh"),
        ("員工每年有十五天年假。", "zh-Hant"),
        ("年假有多少天？这是一份手册，請看第二頁。", "zh"),
        ("年假十五天", "zh"),
        ("Staff have leave.", "en"),
        ("返品はできますか", "ja"),
        ("\n", ""),
    ],
)
def test_traditional_letters_are_told_apart(text: str, language: str) -> None:
    assert written_language(text) == language


@pytest.mark.parametrize(
    ("text", "is_traditional"),
    [
        ("退貨要幾天？", True),
        ("iPhone 15 Pro Max 保固到期後怎麼辦😀", True),
        ("café 退貨", True),
        ("爲什麼衞生署不受理", True),
        ("台北門市幾點開", True),
        ("退货要几天？", False),
        ("請問「发票」怎麼開", False),
        ("吃飯了没？发我", False),
        ("可否分期", False),
        ("名著有哪些", False),
        ("How many days?", False),
    ],
)
def test_a_text_is_traditional_that_has_only_its_letters(text: str, is_traditional: bool) -> None:
    assert is_in_traditional_script(text) is is_traditional


def test_a_text_in_traditional_letters_keeps_its_words_and_what_is_no_chinese() -> None:
    simplified = "这里的头发\0和发票，皇后在后台 <b>RAG</b>"
    assert as_traditional(simplified) == "這裡的頭髮\0和發票，皇后在後臺 <b>RAG</b>"
    assert as_traditional("RAG") == "RAG"
