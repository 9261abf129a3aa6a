"""Training rows with passages are written as answers are asked."""

import pytest

from adapters import ContextMix, ContextQuestion
from service.fine_tuning.context_rows import FoundPassage, make_rows
from service.stores.use_cases import Refusal
from tests.service.chat.test_prompts import FIRST, THIRD, USE_CASE, prompt_of

FOUND = [FoundPassage(p.external_id, p.source, p.text) for p in (FIRST, THIRD)]


def test_training_rows_are_asked_as_answers_are() -> None:
    question = ContextQuestion("How long?", ("alpha",), "s")
    made = make_rows(
        [question],
        lambda _: FOUND,
        use_case=USE_CASE,
        ask_for_markers=True,
        mix=ContextMix(refusals=0.0, passages=1),
    )
    turns = made.rows[0]["messages"]
    sent = prompt_of("How long?", passages=[FIRST], markers=True).messages
    assert turns[:-1] == [{"role": m.role, "content": m.content} for m in sent]
    assert turns[-1] == {"role": "assistant", "content": "[1] alpha"}


@pytest.mark.parametrize(
    ("asked", "refusal"),
    [
        ("多久？", "资料中没有。"),
        ("要幾天？", "資料中沒有。"),
        ("How long?", "No idea."),
    ],
)
def test_training_rows_refuse_in_the_language_of_the_question(asked: str, refusal: str) -> None:
    use_case = USE_CASE.model_copy(update={"refusal": Refusal(zh="资料中没有。", en="No idea.")})
    made = make_rows(
        [ContextQuestion(asked, ("alpha",), "s")],
        lambda _: FOUND,
        use_case=use_case,
        ask_for_markers=False,
        mix=ContextMix(refusals=0.5, passages=1),
    )
    said = {row["messages"][-1]["content"] for row in made.rows}
    assert said == {"[1] alpha", refusal}
