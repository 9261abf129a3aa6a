"""How large a text is."""

from knowledge.chunking.size import CHARS_PER_TOKEN, Size


def test_letters_count_where_a_tokenizer_sees_one_word() -> None:
    asked: list[str] = []

    def one(text: str) -> int:
        asked.append(text)
        return 1

    size = Size(one)
    assert size("word") == 1
    assert size("x" * 10 * CHARS_PER_TOKEN) == 10
    assert size("x" * (10 * CHARS_PER_TOKEN + 1)) == 11
    assert size("word") == 1
    assert asked.count("word") == 1
