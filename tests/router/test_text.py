"""What the router says is there in both languages, whoever says it."""

import re
from collections.abc import Iterator

import pytest

from router import default_policy
from router.advice.catalogue import load_catalogue
from router.decide import _ASKED
from router.review.explanation import _WORDS, rules_of
from router.text import Language, Text

HAN = re.compile(r"[\u4e00-\u9fff]")


def reasons() -> Iterator[tuple[str, Text]]:
    """Yield every reason that a decision of the default policy can give, by its rule."""
    policy = default_policy()
    for each in rules_of(policy):
        stated = policy.fallback if each.rule is None else each.rule.stated
        yield stated.id, stated.because
    settling = policy.settling
    for finding in (settling.without_retrieval, settling.otherwise):
        yield finding.rule, finding.because
    yield from ((rule.id, rule.because) for rule in _ASKED.values())


def test_every_reason_of_a_decision_is_a_sentence_in_both_languages() -> None:
    told = list(reasons())
    assert len(told) > 40
    wrong = [rule for rule, text in told if not HAN.search(text.zh) or not _is_english(text.en)]
    assert wrong == []


@pytest.mark.parametrize("texts", [load_catalogue(), _WORDS], ids=["advice", "explanation"])
def test_every_text_of_advice_and_explanation_has_its_letters(texts: dict[str, Text]) -> None:
    wrong = [name for name, text in texts.items() if HAN.search(text.en)]
    untold = [name for name, text in texts.items() if re.search(r"[a-z]{4} [a-z]{4}", text.zh)]
    assert (wrong, untold) == ([], [])


def test_a_text_is_given_in_the_language_that_was_asked_for() -> None:
    text = Text(zh="好", en="good")
    assert [text.in_language(each) for each in (Language.ZH, Language.EN)] == ["好", "good"]


def _is_english(text: str) -> bool:
    return bool(text.strip()) and not HAN.search(text)
