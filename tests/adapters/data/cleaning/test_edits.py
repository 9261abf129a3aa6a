"""Distances of texts."""

from adapters.data.cleaning.edits import differs_by_numbers, is_within


def test_letters_put_in_left_out_and_changed_count_one_each() -> None:
    assert is_within("退货要几天", "退货大约要几天", 0.3)
    assert not is_within("退货要几天", "退货大约要几天吗", 0.3)
    assert is_within("abcdefghij", "bcdefxhij", 0.2)
    assert not is_within("abcdefghij", "bcdefxhi", 0.2)


def test_half_a_character_is_a_letter_like_any_other() -> None:
    assert is_within("abc\ud800", "abd\ud800", 0.25)


def test_a_share_is_of_the_longer_text() -> None:
    assert is_within("abcdefghij", "abcdefgh", 0.2)
    assert not is_within("abcdefghij", "abcdefg", 0.2)
    assert is_within("abc", "abd", 0, least=1)


def test_numbers_count_where_they_are_most_of_the_difference() -> None:
    assert differs_by_numbers("套餐58元", "套餐88元")
    assert not differs_by_numbers("套餐58元", "套餐58元整")
    assert not differs_by_numbers("第1个登录密码错误", "第2登陆密码有误")
