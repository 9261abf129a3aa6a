from collections.abc import Sequence
from typing import Literal

import pytest

from adapters.data import FittedPrompt, Message, fit_prompt


class Words:
    """One token a word, and two for each turn's frame."""

    def count(self, turns: Sequence[Message]) -> int:
        return sum(2 + len(turn.content.split()) for turn in turns)

    def spans(self, text: str) -> list[tuple[int, int]]:
        found, start = [], 0
        for word in text.split():
            start = text.index(word, start)
            found.append((start, start + len(word)))
            start += len(word)
        return found


SYSTEM = Message("system", "be short")
LONG = " ".join(f"w{i}" for i in range(100))
ANSWER = Message("assistant", "yes")


def fit(keep: Literal["head", "tail", "windows"], limit: int = 67) -> FittedPrompt:
    prompt = (SYSTEM, Message("user", LONG))
    return fit_prompt(prompt, [ANSWER], counter=Words(), limit=limit, keep=keep)


def test_what_fits_stays_as_it_is() -> None:
    assert fit("head", limit=109).prompts == ((SYSTEM, Message("user", LONG)),)


@pytest.mark.parametrize(("keep", "first", "last"), [("head", "w0", "w53"), ("tail", "w46", "w99")])
def test_the_longest_turn_gives_way_and_the_cut_is_counted(
    keep: Literal["head", "tail"], first: str, last: str
) -> None:
    fitted = fit(keep)
    ((system, user),) = fitted.prompts
    assert system == SYSTEM
    words = user.content.split()
    assert (words[0], words[-1], len(words)) == (first, last, 54)
    assert fitted.tokens_cut == 46
    assert Words().count((system, user, ANSWER)) <= 67


def test_windows_overlap_and_leave_nothing_out() -> None:
    fitted = fit("windows")
    assert fitted.tokens_cut == 0
    bodies = []
    for i, (_, user) in enumerate(fitted.prompts, start=1):
        header, body = user.content.split("\n")
        assert header == f"[part {i} of {len(fitted.prompts)}]"
        assert Words().count((SYSTEM, user, ANSWER)) <= 67
        bodies.append(body.split())
    assert sorted({word for body in bodies for word in body}, key=lambda w: int(w[1:])) == (
        LONG.split()
    )
    assert bodies[0][-1] in bodies[1]


def test_an_answer_that_is_itself_too_long_is_left_to_the_trainer() -> None:
    prompt = (Message("user", "why"),)
    answer = Message("assistant", LONG)
    fitted = fit_prompt(prompt, [answer], counter=Words(), limit=50, keep="head")
    assert fitted == FittedPrompt((prompt,))


def test_the_longer_answer_of_a_pair_decides() -> None:
    prompt = (Message("user", LONG),)
    answers = [ANSWER, Message("assistant", "no " * 20)]
    fitted = fit_prompt(prompt, answers, counter=Words(), limit=80, keep="head")
    assert Words().count((*fitted.prompts[0], answers[1])) <= 80
