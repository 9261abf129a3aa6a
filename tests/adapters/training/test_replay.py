"""Which prompts are replayed where a configuration names none."""

from adapters.evaluation.guards import is_chinese, load_guards
from adapters.training.replay import own_prompts


def test_nothing_that_the_gate_asks_is_trained_on() -> None:
    asked = {turn["content"] for item in load_guards() for turn in item.messages}
    passages = {line[4:] for text in asked for line in text.splitlines() if line.startswith("[")}
    for prompt in own_prompts():
        for turn in prompt:
            assert turn["content"] not in asked
            assert not any(passage in turn["content"] for passage in passages)


def test_the_first_prompts_already_hold_each_habit_in_both_languages() -> None:
    first = own_prompts()[:16]
    with_passages = [prompt for prompt in first if prompt[0]["role"] == "system"]
    assert len(with_passages) == len(first) // 2
    assert {is_chinese(prompt[0]["content"]) for prompt in with_passages} == {True, False}
    assert all("[2] " in prompt[-1]["content"] for prompt in with_passages)
