from collections import Counter

import pytest

from adapters.evaluation.guards import GuardItem, is_chinese, is_refusal, load_guards

GOOD = {
    "general-01": "It is Paris.",
    "general-20": "Yes, ten is more than four.",
    "chinese-03": "我是一个 AI 助手，可以回答问题。",
    "chinese-13": "是",
    "refusal-01": "I don't know; the passages do not say.",
    "refusal-11": "资料中没有提到创办人。",
    "citation-01": "At five [2].",
    "citation-11": "早上五点开门【2】。",
}
BAD = {
    "general-01": "Comparison is hard.",  # no word begins with "paris"
    "general-20": "No.",
    "chinese-03": "I am an assistant 助手.",
    "chinese-13": "不是",
    "refusal-01": "The pottery club was founded by Tom.",
    "refusal-11": "创办人是王先生。",
    "citation-01": "At five [1].",
    "citation-11": "早上五点开门。",
}


def item(name: str) -> GuardItem:
    return next(found for found in load_guards() if found.id == name)


def test_every_category_has_twenty_items_and_ids_are_unique() -> None:
    guards = load_guards()
    count = Counter(found.category for found in guards)
    assert count == {"general": 20, "chinese": 20, "refusal": 20, "citation": 20}
    assert len({found.id for found in guards}) == 80
    assert {found.lang for found in guards if found.category == "refusal"} == {"en", "zh"}


def test_every_item_checks_something() -> None:
    for found in load_guards():
        assert not found.is_met("")


@pytest.mark.parametrize("name", sorted(GOOD))
def test_good_answers_meet_and_bad_ones_do_not(name: str) -> None:
    assert item(name).is_met(GOOD[name])
    assert not item(name).is_met(BAD[name])


def test_numbers_are_not_found_in_longer_numbers() -> None:
    assert item("general-03").is_met("The answer is 5.")
    assert not item("general-03").is_met("The answer is 52, or 15.")


@pytest.mark.parametrize(
    "answer",
    [
        "This is not mentioned in the passages.",
        "I cannot answer that.",
        "资料里没有答案，我不知道。",
    ],
)
def test_refusals_are_recognised(answer: str) -> None:
    assert is_refusal(answer)


@pytest.mark.parametrize("answer", ["The bench is made of oak.", "长椅是橡木做的。", "I know it."])
def test_answers_are_no_refusals(answer: str) -> None:
    assert not is_refusal(answer)


def test_a_chinese_answer_may_hold_some_latin_letters() -> None:
    assert is_chinese("你好，我是 AI 助手")
    assert not is_chinese("123")
