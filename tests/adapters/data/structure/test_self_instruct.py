import json

import pytest

from adapters.data.structure.overlap import KnownTexts
from adapters.data.structure.self_instruct import SelfInstruct, SelfInstructSettings
from tests.adapters.data.structure.conftest import Model, qa

SEEDS = [
    qa("怎么办理退货？", "在订单页点击退货，七天内有效。", 1, source="faq", scenario="退货"),
    qa("发票什么时候开？", "发货后三天内开具电子发票。", 2, source="faq"),
]


def written(*pairs: tuple[str, str]) -> Model:
    body = {"pairs": [{"question": q, "answer": a} for q, a in pairs]}
    return Model(lambda _: body)


def run(model: Model, **settings: object) -> list[list[str]]:
    step = SelfInstruct(SelfInstructSettings.model_validate(settings), model)
    return [[row.messages[-2].content for row in one.rows] for one in step.run(SEEDS)]


def test_new_pairs_are_marked_and_keep_the_seeds_source() -> None:
    model = written(("换货要付运费吗？", "质量问题由商家承担。"))
    results = list(SelfInstruct(SelfInstructSettings(), model).run(SEEDS))
    seed, new = results[0].rows
    assert seed is SEEDS[0]
    assert [turn.content for turn in new.messages] == ["换货要付运费吗？", "质量问题由商家承担。"]
    marks = {"made_by": "self_instruct", "synthetic": True, "reviewed": False}
    assert new.meta == {"source": "faq", "scenario": "退货", **marks}
    assert (new.file, new.line) == (SEEDS[0].file, 1)
    assert results[1].detail == "0 new rows, 1 too_similar"  # the same pair once more
    assert "怎么办理退货" in model.prompts[0]


@pytest.mark.parametrize(
    ("question", "why"),
    [
        ("怎么办理退货？？", "too_similar"),
        ("请问怎么办理退货？", "too_similar"),
        ("发票 什么时候 开", "too_similar"),  # a seed that comes later
        ("吗？", "question_too_short"),
        ("How do I return it?", "other_language"),
    ],
)
def test_a_pair_that_adds_nothing_is_left_out(question: str, why: str) -> None:
    step = SelfInstruct(SelfInstructSettings(), written((question, "可以的，请联系客服。")))
    first = next(iter(step.run(SEEDS)))
    assert (first.rows, first.reason) == ((SEEDS[0],), "no_new_rows")
    assert first.detail == f"0 new rows, 1 {why}"


@pytest.mark.parametrize("answer", ["", "。", "换货要付运费吗"])
def test_a_pair_without_an_answer_is_left_out(answer: str) -> None:
    assert run(written(("换货要付运费吗？", answer)))[0] == ["怎么办理退货？"]


def test_a_broken_reply_keeps_the_seed_and_says_so() -> None:
    step = SelfInstruct(SelfInstructSettings(), Model(lambda _: '{"pairs": [{'))
    assert [(one.reason, one.rows) for one in step.run(SEEDS)] == [
        ("not_json", (seed,)) for seed in SEEDS
    ]


def test_rows_with_passages_and_conversations_give_no_new_ones() -> None:
    model = written(("换货要付运费吗？", "商家承担。"))
    rows = [qa("[1] 七天内可退\n可以退吗？", "可以 [1]"), qa("x", "y", context=True)]
    assert [one.rows for one in SelfInstruct(SelfInstructSettings(), model).run(rows)] == [
        (row,) for row in rows
    ]
    assert model.prompts == []


def test_a_higher_limit_lets_more_through() -> None:
    close = written(("请问怎么办理退货？", "点击退货。"))
    assert len(run(close, max_similarity=0.95)[0]) == 2


@pytest.mark.parametrize(
    ("one", "other", "low", "high"),
    [
        ("怎么办理退货？", "怎么办理退货", 1.0, 1.0),
        ("怎么办理退货？", "如何办理退货？", 0.5, 0.8),
        ("怎么办理退货？", "发票什么时候开？", 0.0, 0.1),
        ("Reset my password", "reset my PASSWORD!", 1.0, 1.0),
        ("Reset my password", "Where is my parcel?", 0.0, 0.5),
    ],
)
def test_overlap_of_two_texts(one: str, other: str, low: float, high: float) -> None:
    known = KnownTexts()
    known.add(one)
    assert low <= known.nearest(other) <= high


def test_the_schema_allows_no_more_pairs_than_asked_for() -> None:
    many = json.dumps({"pairs": [{"question": f"问题{n}好吗", "answer": "好的"} for n in range(3)]})
    step = SelfInstruct(SelfInstructSettings(per_seed=2), Model(lambda _: many))
    assert next(iter(step.run(SEEDS))).reason == "not_of_the_schema"
