"""A light classifier of rows, fitted on labelled ones."""

import json
import random

import pytest

from adapters import InvalidRowFilter
from adapters.data.filters.classifier import (
    MIN_LABELS,
    ClassifierSettings,
    filter_by_classifier,
    fit_row_classifier,
)
from adapters.data.rows import Row
from tests.adapters.data.filters.rows import row
from tests.fakes.embedder import FakeEmbedder

THINGS = "订单 发票 退款 物流 账户 密码 地址 优惠券 会员 客服".split()
PLACES = "故宫 长城 天坛 颐和园 北海 香山 雍和宫 鸟巢 什刹海 圆明园".split()


def support(count: int, seed: int = 0) -> list[Row]:
    draw = random.Random(seed)
    return [
        row(f"我的{draw.choice(THINGS)}{n}有问题，怎么处理？", "您好，我们马上为您处理。", n)
        for n in range(count)
    ]


def travel(count: int, seed: int = 0) -> list[Row]:
    draw = random.Random(seed)
    return [row(f"{draw.choice(PLACES)}{n}点开门吗", "上午九点开门。", n) for n in range(count)]


@pytest.mark.parametrize("features", ["letters", "embedder", "both"])
def test_rows_of_the_wanted_kind_go_on(features: str) -> None:
    settings = ClassifierSettings.model_validate({"features": features})
    embed = FakeEmbedder().embed_passages
    fitted = fit_row_classifier(
        support(40), travel(40), settings, embed=embed, embedder_id="fake 1"
    )
    assert fitted.quality.auc > 0.99
    assert fitted.quality.wanted_kept > 0.8 > 0.05 >= fitted.quality.unwanted_kept
    results = list(filter_by_classifier(fitted).run([*support(10, 9), *travel(10, 9)]))
    assert sum(not one.is_dropped for one in results[:10]) >= 8
    assert {one.reason for one in results[10:]} == {"probability_too_low"}
    assert all(0 <= one.scores["probability"] <= 1 for one in results)


def test_form_is_told_by_letters_where_the_words_are_the_same() -> None:
    plain = [row(f"去{PLACES[n % 10]}{n}", f"{PLACES[n % 10]}九点开门", n) for n in range(40)]
    forms = [
        row(f"去{PLACES[n % 10]}{n}", json.dumps({"place": PLACES[n % 10]}), n + 50)
        for n in range(40)
    ]
    assert fit_row_classifier(forms, plain, ClassifierSettings()).quality.auc > 0.99


def test_quality_is_that_of_rows_left_out() -> None:
    draw = random.Random(1)
    rows = [row("".join(draw.choices("天地玄黄宇宙洪荒日月", k=12)), "-", n) for n in range(200)]
    found = fit_row_classifier(rows[:100], rows[100:], ClassifierSettings()).quality
    assert 0.3 < found.auc < 0.7  # the labels are chance; on the rows themselves it would be 1


def test_copies_stay_in_one_fold() -> None:
    draw = random.Random(1)
    texts = ["".join(draw.choices("天地玄黄宇宙洪荒日月", k=12)) for _ in range(60)]
    rows = [row(text + "！" * n, "-", n) for text in texts for n in range(4)]
    found = fit_row_classifier(rows[:120], rows[120:], ClassifierSettings()).quality
    assert found.auc < 0.8


def test_the_probability_does_not_depend_on_how_many_were_labelled() -> None:
    neither = [row("嗯", "哦"), row("故宫订单", "您好，开门")]
    few, many = (
        fit_row_classifier(support(40), travel(count), ClassifierSettings()) for count in (40, 400)
    )
    assert many.probabilities(neither) == pytest.approx(few.probabilities(neither), abs=0.1)


def test_too_few_labels_and_labels_of_both_kinds_are_refused() -> None:
    with pytest.raises(InvalidRowFilter, match=f"{MIN_LABELS} different wanted rows.* are 1;"):
        fit_row_classifier(support(1) * 50, travel(40), ClassifierSettings())
    both = [*travel(40), row("我的订单 有问题", "好", 1)]
    with pytest.raises(InvalidRowFilter, match="1 rows are labelled both"):
        fit_row_classifier(
            [*support(40), row("我的订单有问题！", "好", 2)], both, ClassifierSettings()
        )
    with pytest.raises(InvalidRowFilter, match="need an embedder"):
        fit_row_classifier(support(40), travel(40), ClassifierSettings(features="both"))


def test_other_labels_or_another_embedder_are_other_settings() -> None:
    def settings_of(count: int, embedder_id: str = "") -> object:
        fitted = fit_row_classifier(
            support(count), travel(40), ClassifierSettings(), embedder_id=embedder_id
        )
        return filter_by_classifier(fitted).settings

    assert settings_of(40) == settings_of(40)
    assert settings_of(40) != settings_of(41)
    assert settings_of(40) != settings_of(40, "fake 2")
