"""What the model reads, in which order, and what goes when it does not fit."""

from collections.abc import Sequence
from itertools import permutations

import pytest

from adapters import PASSAGES_ARE_DATA
from adapters.data.general_prompts import WITH_PASSAGES, general_prompts
from knowledge import Passage
from service.chat.prompts import (
    CITE_LINE,
    Prompt,
    Window,
    build_prompt,
    canonical_order,
)
from service.engine.client import Message
from service.errors import ContextLengthExceeded
from service.stores.use_cases import AnswerRules, UseCase
from tests.fakes.passages import passage

USE_CASE = UseCase(id="demo", role="You help.", instructions="Be brief.")
FIRST = passage("alpha text", document="doc_a", score=0.2)
SECOND = passage("beta text", document="doc_b", score=0.9)
THIRD = passage("gamma text", document="doc_b", ordinal=1, score=0.5)


def count_words(messages: Sequence[Message]) -> int:
    return sum(len(message.content.split()) for message in messages)


def prompt_of(
    *texts: str,
    passages: Sequence[Passage] = (),
    limit: int = 10_000,
    answer: int = 0,
    markers: bool = False,
    use_case: UseCase = USE_CASE,
) -> Prompt:
    """Build the prompt for alternating turns, the user's question last."""
    roles = ("user", "assistant")
    turns = [Message(roles[(len(texts) - 1 - n) % 2], text) for n, text in enumerate(texts)]
    return build_prompt(
        use_case,
        turns,
        passages,
        ask_for_markers=markers,
        window=Window(limit + answer, answer),
        count_tokens=count_words,
    )


def test_the_system_message_is_the_same_bytes_whatever_is_asked() -> None:
    with_passages = [
        prompt_of("Hi", "Hello", "And where?", passages=[FIRST, SECOND]),
        prompt_of("什么时候？", passages=[THIRD], markers=True),
    ]
    told = f"You help.\nBe brief.\n{PASSAGES_ARE_DATA['en']}"
    assert {prompt.messages[0] for prompt in with_passages} == {Message("system", told)}
    assert prompt_of("When?").messages[0] == Message("system", "You help.\nBe brief.")


def test_passages_stand_between_marks_and_the_question_does_not() -> None:
    sent = prompt_of("Which lamp?", passages=[FIRST]).messages[-1].content
    assert sent == "<passages>\n[1] doc_a.md: alpha text\n</passages>\n\nQuestion: Which lamp?"


def test_a_use_case_can_have_passages_as_an_adapter_of_before_knows_them() -> None:
    earlier = USE_CASE.model_copy(update={"answer": AnswerRules(passages_as_data=False)})
    prompt = prompt_of("Which lamp?", passages=[FIRST], use_case=earlier)
    assert prompt.messages == (
        Message("system", "You help.\nBe brief."),
        Message("user", "Passages:\n[1] doc_a.md: alpha text\n\nQuestion: Which lamp?"),
    )


def test_a_use_case_that_says_nothing_sends_no_system_message() -> None:
    prompt = prompt_of("Hi", use_case=UseCase(id="silent"))
    assert prompt.messages == (Message("user", "Hi"),)


def test_the_callers_system_message_comes_after_the_use_cases() -> None:
    turns = [Message("system", "Answer in French."), Message("user", "Hi")]
    prompt = build_prompt(
        USE_CASE,
        turns,
        (),
        ask_for_markers=False,
        window=Window(99, 0),
        count_tokens=count_words,
    )
    assert prompt.messages[0] == Message("system", "You help.\nBe brief.\nAnswer in French.")
    assert [message.role for message in prompt.messages] == ["system", "user"]


def test_the_order_of_passages_does_not_depend_on_their_order_or_score() -> None:
    for order in permutations((FIRST, SECOND, THIRD)):
        assert canonical_order(order) == (FIRST, SECOND, THIRD)
    assert prompt_of("Q", passages=[THIRD, SECOND, FIRST]).passages == (FIRST, SECOND, THIRD)


def test_passages_carry_the_numbers_that_citations_use() -> None:
    question = prompt_of("Q", passages=[SECOND, FIRST]).messages[-1].content
    assert "[1] doc_a.md: alpha text\n[2] doc_b.md: beta text" in question


def test_the_question_comes_last_after_the_passages() -> None:
    prompt = prompt_of("Earlier", "Yes", "Which lamp?", passages=[FIRST])
    assert prompt.messages[-1].role == "user"
    assert prompt.messages[-1].content.endswith("Question: Which lamp?")
    assert "alpha text" not in "".join(m.content for m in prompt.messages[:-1])


def test_earlier_turns_stay_as_they_were_said() -> None:
    prompt = prompt_of("Earlier", "Yes", "Which lamp?", passages=[FIRST])
    assert prompt.messages[1:3] == (Message("user", "Earlier"), Message("assistant", "Yes"))


@pytest.mark.parametrize("asked", [True, False])
def test_markers_are_asked_for_only_with_passages_and_on_request(asked: bool) -> None:
    with_passages = prompt_of("Q", passages=[FIRST], markers=asked).messages[-1].content
    assert (CITE_LINE in with_passages) == asked
    assert prompt_of("Q", markers=asked).messages[-1].content == "Q"


def test_a_prompt_that_fits_loses_nothing() -> None:
    prompt = prompt_of("a", "b", "c", passages=[FIRST, SECOND])
    assert (prompt.passages_left_out, prompt.turns_left_out) == (0, 0)
    assert prompt.tokens == count_words(prompt.messages)


def test_the_oldest_turns_go_first_then_the_passages_with_the_lowest_score() -> None:
    whole = prompt_of("a", "b", "c", passages=[FIRST, SECOND, THIRD])
    kept = []
    for limit in range(whole.tokens, 6, -1):
        shown = prompt_of("a", "b", "c", passages=[FIRST, SECOND, THIRD], limit=limit)
        assert shown.tokens <= limit
        assert shown.passages_left_out == 3 - len(shown.passages)
        turns = 2 - shown.turns_left_out
        if (turns, shown.passages) not in kept:
            kept.append((turns, shown.passages))
    every = (FIRST, SECOND, THIRD)
    assert kept == [
        (2, every),
        (1, every),
        (0, every),
        (0, (SECOND, THIRD)),
        (0, (SECOND,)),
        (0, ()),
    ]


def test_only_a_prompt_whose_best_passage_did_not_fit_has_lost_every_passage() -> None:
    assert prompt_of("Q", passages=[FIRST], limit=5).lost_every_passage
    assert not prompt_of("Q", passages=[FIRST], limit=99).lost_every_passage
    assert not prompt_of("Q", limit=5).lost_every_passage


def test_a_long_answer_is_shortened_before_anything_is_left_out() -> None:
    whole = prompt_of("a", "b", "c", passages=[FIRST, SECOND])
    window = Window(1024, 65_536)
    asked = build_prompt(
        USE_CASE,
        [Message("user", "Q")],
        [FIRST],
        ask_for_markers=False,
        window=window,
        count_tokens=count_words,
    )
    assert asked.answer_tokens == 1024 - asked.tokens
    assert asked.answer_tokens_left_out == 65_536 - asked.answer_tokens
    assert asked.passages == (FIRST,)
    fits = prompt_of("a", "b", "c", passages=[FIRST, SECOND], limit=whole.tokens, answer=300)
    assert (fits.answer_tokens, fits.answer_tokens_left_out) == (300, 0)
    assert fits.turns_left_out == 0


def test_an_answer_keeps_enough_for_a_short_one_when_the_conversation_is_long() -> None:
    turns = [Message("user", "word " * 100) for _ in range(50)]
    made = build_prompt(
        USE_CASE,
        turns,
        [FIRST],
        ask_for_markers=False,
        window=Window(2000, 4000),
        count_tokens=count_words,
    )
    assert made.answer_tokens >= 256
    assert made.tokens + made.answer_tokens <= 2000
    assert made.passages == (FIRST,)
    assert made.turns_left_out > 30


def test_a_small_window_keeps_a_quarter_for_the_answer() -> None:
    assert Window(400, 9000).prompt_tokens == 300
    assert Window(400, 10).prompt_tokens == 390


def test_no_more_is_left_out_than_must_be() -> None:
    texts = [f"turn{n}" for n in range(31)]
    limit = 4 + len(PASSAGES_ARE_DATA["en"].split()) + 21
    prompt = prompt_of(*texts, passages=[FIRST, SECOND], limit=limit)
    assert prompt.tokens == limit
    assert (prompt.turns_left_out, prompt.passages_left_out) == (21, 0)
    assert prompt.messages[-1].content.endswith("Question: turn30")


def test_the_callers_system_message_outlasts_the_oldest_turns() -> None:
    turns = [Message("system", "French")]
    turns += [Message("user", "old words here"), Message("user", "new question")]
    prompt = build_prompt(
        USE_CASE, turns, (), ask_for_markers=False, window=Window(7, 0), count_tokens=count_words
    )
    assert prompt.messages[0].content.endswith("French")
    assert [m.content for m in prompt.messages[1:]] == ["new question"]


def test_a_question_that_alone_is_too_long_is_refused_with_the_numbers() -> None:
    with pytest.raises(
        ContextLengthExceeded, match="maximum context length is 10 tokens.* have 24"
    ) as refused:
        prompt_of("old", "older", "word " * 20, passages=[FIRST], limit=10)
    assert refused.value.param == "messages"


def test_a_long_conversation_is_counted_a_few_times_only() -> None:
    calls: list[int] = []

    def count(messages: Sequence[Message]) -> int:
        calls.append(len(messages))
        return count_words(messages)

    turns = [Message("user", "word " * 10) for _ in range(1000)]
    build_prompt(
        USE_CASE, turns, (), ask_for_markers=False, window=Window(100, 0), count_tokens=count
    )
    assert len(calls) < 20


@pytest.mark.parametrize(("instructions", "texts", "question"), WITH_PASSAGES)
def test_replayed_prompts_of_a_training_are_what_the_service_sends(
    instructions: str, texts: tuple[str, ...], question: str
) -> None:
    passages = [passage(text, document=f"doc_{n}") for n, text in enumerate(texts, start=1)]
    use_case = UseCase(id="replayed", instructions=instructions)
    sent = prompt_of(question, passages=passages, use_case=use_case).messages
    replayed = [[Message(**turn) for turn in prompt] for prompt in general_prompts()]
    assert list(sent) in replayed
