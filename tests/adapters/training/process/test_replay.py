"""Which prompts are replayed where a configuration names none."""

import pytest

from adapters import PASSAGES_ARE_DATA, parse_training_config
from adapters.evaluation.guards import is_chinese, load_guards
from adapters.training.process.replay import choose_prompts

Prompts = list[list[dict[str, str]]]


@pytest.fixture
def prompts() -> Prompts:
    values = {"task": "t", "model_name_or_path": "m", "dataset": "rows.jsonl"}
    return choose_prompts(parse_training_config({**values, "replay_ratio": 0.2}))


def test_nothing_that_the_gate_asks_is_trained_on(prompts: Prompts) -> None:
    asked = {turn["content"] for item in load_guards() for turn in item.messages}
    passages = {line[4:] for text in asked for line in text.splitlines() if line.startswith("[")}
    assert len(prompts) > 50
    for prompt in prompts:
        for turn in prompt:
            assert turn["content"] not in asked
            assert not any(passage in turn["content"] for passage in passages)


def test_the_first_prompts_already_hold_each_habit_in_both_languages(prompts: Prompts) -> None:
    first = prompts[:16]
    with_passages = [prompt for prompt in first if prompt[0]["role"] == "system"]
    assert len(with_passages) == len(first) // 2
    assert {is_chinese(prompt[0]["content"]) for prompt in with_passages} == {True, False}
    for told, asked in with_passages:
        is_data = PASSAGES_ARE_DATA["zh" if is_chinese(told["content"]) else "en"]
        assert told["content"].endswith(f"\n{is_data}")
        assert asked["content"].startswith("<passages>\n[1] ")
        assert "\n[2] " in asked["content"]
