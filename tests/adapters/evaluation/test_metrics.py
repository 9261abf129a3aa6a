"""Metric values computed by hand, and what must hold for any text."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.evaluation.metrics import (
    METRICS,
    Metric,
    MetricName,
    Wanted,
    get_metric,
    read_pairs,
    read_tokens,
)

CORPUS_METRICS: tuple[MetricName, ...] = METRICS


def score(name: MetricName, rows: list[tuple[str, str]]) -> float:
    """Return the score of (answer, wanted) rows."""
    metric = get_metric(name, [Wanted(wanted) for _, wanted in rows])
    counts = np.stack([metric.count(answer, Wanted(wanted)) for answer, wanted in rows])
    return float(metric.score(counts.sum(axis=0)))


@pytest.mark.parametrize(
    ("name", "answer", "wanted", "expected"),
    [
        ("exact_match", "  The  Sky ", "the sky", 1.0),
        ("exact_match", "Ｐａｒｉｓ", "paris", 1.0),
        ("exact_match", "the sky is blue", "the sky", 0.0),
        # {blue, sky} against {blue, sky, very}: 2·2 / (2 + 3), the article does not count
        ("token_f1", "the blue sky", "very blue sky", 0.8),
        # 北京市 against 北京: 2·2 / (3 + 2)
        ("token_f1", "北京市", "北京", 0.8),
        ("token_f1", "", "sky", 0.0),
        ("accuracy", "Refund.", "refund", 1.0),
        ("accuracy", "refund please", "refund", 0.0),
        ("contained", "It is 28 days.", "28 days", 1.0),
        ("contained", "It is 27 days.", "28 days", 0.0),
        ("json_validity", '{"a": 2}', '{"b": 1}', 1.0),
        ("json_validity", '[{"a": 2}]', '{"b": 1}', 0.0),
        ("json_validity", '{"a": 2', '{"b": 1}', 0.0),
    ],
)
def test_one_row_scores_what_was_computed_by_hand(
    name: MetricName, answer: str, wanted: str, expected: float
) -> None:
    assert score(name, [(answer, wanted)]) == pytest.approx(expected)


def test_slot_f1_is_the_micro_average_over_all_pairs() -> None:
    rows = [
        ('{"food": "Thai", "area": "city"}', '{"food": "Thai", "area": "riverside"}'),  # 1 of 2, 2
        ('{"name": "Mill", "near": "x"}', '{"name": "Mill"}'),  # 1 right of 2 said, 1 wanted
        ("no json", '{"name": "A", "food": "B"}'),  # no pairs: 0 said, 2 wanted
    ]
    assert score("slot_f1", rows) == pytest.approx(2 * 2 / (4 + 5))


def test_an_unparsable_answer_has_no_pairs_and_is_not_right() -> None:
    metric = get_metric("slot_f1", [])
    assert metric.count("sorry", Wanted('{"a": 1}')).tolist() == [0, 0, 1]
    assert metric.is_right is not None
    assert not metric.is_right("sorry", Wanted("{}"))
    assert metric.is_right("{}", Wanted("{}"))


def test_order_of_keys_does_not_count_but_values_do() -> None:
    metric = get_metric("slot_f1", [])
    assert metric.is_right is not None
    assert metric.is_right('{"b": " x ", "a": [1]}', Wanted('{"a": [1], "b": "x"}'))
    assert not metric.is_right('{"a": "1"}', Wanted('{"a": 1}'))


def test_an_item_of_a_list_is_right_as_a_whole() -> None:
    wanted = '[{"act": "Request", "slot": "电话"}, {"act": "Inform", "slot": "评分"}]'
    mixed = '[{"act": "Request", "slot": "评分"}, {"act": "Inform", "slot": "评分"}]'
    assert score("slot_f1", [(mixed, wanted)]) == pytest.approx(0.5)


def test_macro_f1_weighs_every_label_alike() -> None:
    rows = [("a", "a"), ("a", "a"), ("a", "a"), ("a", "b")]
    # a: 2·3 / (4 + 3) = 6/7, b: 0; a plain share of right rows would be 0.75
    assert score("macro_f1", rows) == pytest.approx((6 / 7 + 0) / 2)


def test_chrf_of_a_short_text_by_hand() -> None:
    # "abc" against "abd": 1-grams 2/3, 2-grams 1/2, 3-grams 0/1; longer ones are in neither.
    mean = (2 / 3 + 1 / 2 + 0) / 3
    assert score("chrf", [("abc", "abd")]) == pytest.approx(mean)
    # "ab" against "abcd": lengths 1 and 2 are in both; precision 1, recall (2/4 + 1/3) / 2
    recall = (2 / 4 + 1 / 3) / 2
    assert score("chrf", [("ab", "abcd")]) == pytest.approx(5 * recall / (4 * 1 + recall))


def test_a_schema_decides_where_a_row_has_one() -> None:
    schema = {"type": "object", "required": ["reply"]}
    metric = get_metric("json_validity", [])
    assert metric.count('{"reply": "x"}', Wanted("", schema)).tolist() == [1, 1]
    assert metric.count('{"next": "x"}', Wanted("", schema)).tolist() == [0, 1]


def test_han_characters_are_tokens_and_words_are_words() -> None:
    assert read_tokens("The Wi-Fi 密码 is A1") == ["wi", "fi", "密", "码", "is", "a1"]


texts = st.one_of(
    st.text(max_size=30),
    st.dictionaries(st.text(max_size=4), st.text(max_size=4), max_size=3).map(json.dumps),
)


@given(name=st.sampled_from(METRICS), rows=st.lists(st.tuples(texts, texts), min_size=1))
def test_scores_lie_between_0_and_1(name: MetricName, rows: list[tuple[str, str]]) -> None:
    assert 0 <= score(name, rows) <= 1 + 1e-9


@given(name=st.sampled_from(METRICS), wanted=texts.filter(lambda text: text.strip() != ""))
def test_the_wanted_answer_itself_scores_1(name: MetricName, wanted: str) -> None:
    if name == "json_validity" and read_pairs(wanted) is None:
        return
    assert score(name, [(wanted, wanted)]) == pytest.approx(1.0)


@given(rows=st.lists(st.tuples(texts, texts), min_size=2, max_size=6))
def test_scores_do_not_depend_on_the_order_of_rows(rows: list[tuple[str, str]]) -> None:
    for name in METRICS:
        assert score(name, rows) == pytest.approx(score(name, rows[::-1]))


def test_every_metric_of_degree_has_no_right_and_wrong() -> None:
    metrics: list[Metric] = [get_metric(name, []) for name in METRICS]
    assert {metric.name for metric in metrics if metric.is_right is None} == {"token_f1", "chrf"}
