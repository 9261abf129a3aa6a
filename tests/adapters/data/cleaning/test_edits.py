"""Distances of texts."""

import random

from adapters.data.cleaning.edits import differs_by_numbers, edits, is_within


def slow(one: str, other: str) -> int:
    before = list(range(len(other) + 1))
    for i, a in enumerate(one, start=1):
        now = [i]
        for j, b in enumerate(other, start=1):
            now.append(min(before[j] + 1, now[-1] + 1, before[j - 1] + (a != b)))
        before = now
    return before[-1]


def test_edits_is_the_levenshtein_distance_up_to_the_most_that_counts() -> None:
    rng = random.Random(0)
    for _ in range(1_000):
        one, other = ("".join(rng.choices("甲乙c", k=rng.randint(0, 12))) for _ in range(2))
        wanted, most = slow(one, other), rng.randint(0, 6)
        assert edits(one, other, 99) == wanted
        assert (edits(one, other, most) <= most) == (wanted <= most)


def test_a_share_is_of_the_longer_text() -> None:
    assert is_within("abcdefghij", "abcdefgh", 0.2)
    assert not is_within("abcdefghij", "abcdefg", 0.2)
    assert is_within("abc", "abd", 0, least=1)


def test_numbers_count_where_they_are_most_of_the_difference() -> None:
    assert differs_by_numbers("套餐58元", "套餐88元")
    assert not differs_by_numbers("套餐58元", "套餐58元整")
    assert not differs_by_numbers("第1个登录密码错误", "第2登陆密码有误")
