import pytest

from knowledge.languages import detect_language, reads, written_language


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
        ("1234 ?!", "en"),
    ],
)
def test_the_script_tells_the_language(text: str, language: str) -> None:
    assert detect_language(text) == language


def test_an_embedder_for_all_languages_reads_any() -> None:
    assert reads(frozenset({"*"}), "zh")
    assert not reads(frozenset({"en"}), "zh")


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("员工每年有十五天年假。", "zh"),
        ("員工每年有十五天年假。", "zh-Hant"),
        ("Staff have leave.", "en"),
        ("返品はできますか", "ja"),
        ("\n", ""),
    ],
)
def test_traditional_letters_are_told_apart(text: str, language: str) -> None:
    assert written_language(text) == language
