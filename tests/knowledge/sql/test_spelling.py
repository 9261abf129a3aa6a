import pytest

from knowledge.sql.spelling import can_be_misspelt, one_slip_away


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("warrnty", "warranty"), ("warrantty", "warranty"), ("warranti", "warranty")]
    + [("claen", "clean"), ("assemblz", "assembly")],
)
def test_a_letter_left_out_added_changed_or_swapped_is_one_slip(typed: str, meant: str) -> None:
    assert meant in one_slip_away(typed)


def test_another_first_letter_or_two_slips_are_another_word() -> None:
    assert "table" not in one_slip_away("cable")
    assert "warranty" not in one_slip_away("warrntie")
    assert "lamps" not in one_slip_away("lamps")


@pytest.mark.parametrize("word", ["lamp", "größe", "e149x", "年假年假年假", "a" * 21])
def test_short_words_codes_and_other_scripts_are_taken_as_they_are(word: str) -> None:
    assert not can_be_misspelt(word)
    assert can_be_misspelt("lamps")
