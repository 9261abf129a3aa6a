import math

import pytest

from adapters import InvalidEffectReference, judge_effect, read_effect_reference

RUN = {
    "effect_reference": [
        {"token_ids": [1, 2, 3], "base": [-4.0, -3.0], "adapter": [-1.0, -2.0]},
        {"token_ids": [4, 5], "base": [-5.0], "adapter": [-2.0]},
    ]
}
BASE, ADAPTER = [[-4.0, -3.0], [-5.0]], [[-1.0, -2.0], [-2.0]]


def shifted(values: list[list[float]], by: float) -> list[list[float]]:
    return [[x + by for x in row] for row in values]


def test_an_applied_adapter_passes_with_small_differences_of_precision() -> None:
    verdict = judge_effect(read_effect_reference(RUN), shifted(BASE, 0.03), shifted(ADAPTER, -0.03))
    assert verdict.is_applied
    assert verdict.error == pytest.approx(0.03)
    assert verdict.base_error == pytest.approx(0.03)
    assert verdict.reference_shift == pytest.approx(7 / 3)


def test_a_server_that_answers_as_the_base_model_fails_both() -> None:
    verdict = judge_effect(read_effect_reference(RUN), BASE, shifted(BASE, 0.01))
    assert not verdict.differs
    assert not verdict.matches_reference


def test_another_adapter_differs_but_does_not_match() -> None:
    verdict = judge_effect(read_effect_reference(RUN), BASE, shifted(BASE, -2.0))
    assert verdict.differs
    assert not verdict.matches_reference


def test_a_partly_applied_adapter_does_not_match() -> None:
    part = [[-2.2, -2.4], [-3.2]]  # three fifths of the way
    verdict = judge_effect(read_effect_reference(RUN), BASE, part)
    assert verdict.differs
    assert not verdict.matches_reference


def test_an_adapter_that_changes_nothing_never_differs() -> None:
    run = {"effect_reference": [{"token_ids": [1, 2], "base": [-4.0], "adapter": [-4.0]}]}
    assert not judge_effect(read_effect_reference(run), [[-4.0]], [[-4.0]]).differs


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_numbers_that_are_not_finite_fail(bad: float) -> None:
    verdict = judge_effect(read_effect_reference(RUN), BASE, [[bad, -2.0], [-2.0]])
    assert not verdict.differs
    assert not verdict.matches_reference


@pytest.mark.parametrize(
    "run",
    [
        {},
        {"effect_reference": []},
        {"effect_reference": [{"token_ids": [1], "base": [], "adapter": []}]},
        {"effect_reference": [{"token_ids": [1, 2], "base": [-1.0], "adapter": []}]},
        {"effect_reference": [{"token_ids": [1, 2], "base": ["x"], "adapter": [-1]}]},
    ],
)
def test_a_damaged_reference_is_refused(run: dict[str, object]) -> None:
    with pytest.raises(InvalidEffectReference):
        read_effect_reference(run)


def test_an_answer_of_another_length_is_refused() -> None:
    with pytest.raises(InvalidEffectReference, match="differ in length"):
        judge_effect(read_effect_reference(RUN), BASE, [[-1.0], [-2.0]])
