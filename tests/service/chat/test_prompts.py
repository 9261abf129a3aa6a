"""What the model reads, in which order, and what goes when it does not fit."""

import json
from collections.abc import Sequence
from itertools import permutations
from pathlib import Path

import pytest
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace

from adapters import ContextMix, ContextQuestion
from knowledge import Passage
from service.chat.prompts import (
    CITE_LINE,
    Prompt,
    build_prompt,
    canonical_order,
    estimate_tokens,
    load_token_counter,
)
from service.engine.client import Message
from service.errors import ContextLengthExceeded
from service.fine_tuning.context_rows import FoundPassage, make_rows
from service.stores.use_cases import Refusal, UseCase
from tests.fakes.passages import passage

USE_CASE = UseCase(id="demo", role="You help.", instructions="Be brief.")
FIRST = passage("alpha text", document="doc_a", score=0.2)
SECOND = passage("beta text", document="doc_b", score=0.9)
THIRD = passage("gamma text", document="doc_b", ordinal=1, score=0.5)
FOUND = [FoundPassage(p.external_id, p.filename, p.text) for p in (FIRST, THIRD)]
CHATML = (
    "{% for m in messages %}<s> {{ m['role'] }} {{ m['content'] }} </s> {% endfor %}"
    "{% if add_generation_prompt %}<s> assistant{% endif %}"
)


def count_words(messages: Sequence[Message]) -> int:
    return sum(len(message.content.split()) for message in messages)


def prompt_of(
    *texts: str,
    passages: Sequence[Passage] = (),
    limit: int = 10_000,
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
        limit_tokens=limit,
        count_tokens=count_words,
    )


def test_the_system_message_is_the_same_bytes_whatever_is_asked() -> None:
    prompts = [
        prompt_of("When?"),
        prompt_of("Hi", "Hello", "And where?", passages=[FIRST, SECOND]),
        prompt_of("什么时候？", passages=[THIRD], markers=True),
    ]
    assert {prompt.messages[0] for prompt in prompts} == {Message("system", "You help.\nBe brief.")}


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
        limit_tokens=99,
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


def test_the_passages_with_the_lowest_score_go_first() -> None:
    whole = prompt_of("a", "b", "c", passages=[FIRST, SECOND, THIRD])
    kept = []
    for limit in range(whole.tokens, 8, -1):
        shown = prompt_of("a", "b", "c", passages=[FIRST, SECOND, THIRD], limit=limit)
        assert shown.tokens <= limit
        assert shown.passages_left_out == 3 - len(shown.passages)
        if shown.passages not in kept:
            kept.append(shown.passages)
    assert kept == [(FIRST, SECOND, THIRD), (SECOND, THIRD), (SECOND,), ()]


def test_turns_go_only_after_every_passage_and_the_oldest_first() -> None:
    prompt = prompt_of("one", "two", "three", passages=[FIRST], limit=6)
    assert [m.content for m in prompt.messages[1:]] == ["two", "three"]
    assert (prompt.passages_left_out, prompt.turns_left_out) == (1, 1)


def test_no_more_is_left_out_than_must_be() -> None:
    texts = [f"turn{n}" for n in range(31)]
    prompt = prompt_of(*texts, passages=[FIRST, SECOND], limit=4 + 20)
    assert prompt.tokens == 4 + 20
    assert prompt.turns_left_out == 11
    assert prompt.messages[-1].content == "turn30"


def test_the_callers_system_message_outlasts_the_oldest_turns() -> None:
    turns = [Message("system", "French")]
    turns += [Message("user", "old words here"), Message("user", "new question")]
    prompt = build_prompt(
        USE_CASE, turns, (), ask_for_markers=False, limit_tokens=7, count_tokens=count_words
    )
    assert prompt.messages[0].content.endswith("French")
    assert [m.content for m in prompt.messages[1:]] == ["new question"]


def test_a_question_that_alone_is_too_long_is_refused_with_the_numbers() -> None:
    with pytest.raises(ContextLengthExceeded, match="24 tokens.*reads 10") as refused:
        prompt_of("old", "older", "word " * 20, passages=[FIRST], limit=10)
    assert refused.value.param == "messages"


def test_a_long_conversation_is_counted_a_few_times_only() -> None:
    calls: list[int] = []

    def count(messages: Sequence[Message]) -> int:
        calls.append(len(messages))
        return count_words(messages)

    turns = [Message("user", "word " * 10) for _ in range(1000)]
    build_prompt(USE_CASE, turns, (), ask_for_markers=False, limit_tokens=100, count_tokens=count)
    assert len(calls) < 20


@pytest.fixture
def model_folder(tmp_path: Path) -> Path:
    """Return a folder with a tokenizer of whole words and a chat template."""
    words = ["<unk>", "<s>", "</s>", "user", "system", "assistant", "lamp", "days"]
    model = WordLevel({word: n for n, word in enumerate(words)}, unk_token="<unk>")
    tokenizer = Tokenizer(model)
    tokenizer.add_special_tokens(["<s>", "</s>"])
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    (tmp_path / "tokenizer_config.json").write_text(json.dumps({"chat_template": CHATML}))
    return tmp_path


def test_tokens_are_counted_with_the_models_own_tokenizer_and_template(model_folder: Path) -> None:
    count = load_token_counter(model_folder)
    # <s> user lamp days </s> and <s> assistant
    assert count([Message("user", "lamp days")]) == 7
    assert count([Message("system", "lamp"), Message("user", "lamp days")]) == 11


def test_a_template_in_its_own_file_wins(model_folder: Path) -> None:
    (model_folder / "chat_template.jinja").write_text("{{ messages[0]['content'] }}")
    assert load_token_counter(model_folder)([Message("user", "lamp days")]) == 2


@pytest.mark.parametrize("mark", ["<s>", {"content": "<s>", "lstrip": False}])
def test_the_template_may_name_the_tokenizers_special_tokens(
    model_folder: Path, mark: object
) -> None:
    config = {"chat_template": "{{ bos_token }} {{ messages[0]['content'] }}", "bos_token": mark}
    (model_folder / "tokenizer_config.json").write_text(json.dumps(config))
    assert load_token_counter(model_folder)([Message("user", "lamp")]) == 2


@pytest.mark.parametrize(
    "template",
    ["{% generation %}x{% endgeneration %}", "{{ raise_exception('roles must alternate') }}"],
    ids=["unknown tag", "refused role"],
)
def test_a_template_that_cannot_be_run_is_estimated(model_folder: Path, template: str) -> None:
    (model_folder / "chat_template.jinja").write_text(template)
    message = [Message("user", "lamp days")]
    assert load_token_counter(model_folder)(message) == estimate_tokens(message)


@pytest.mark.parametrize("missing", ["tokenizer.json", "tokenizer_config.json"])
def test_a_folder_without_tokenizer_or_template_is_estimated(
    model_folder: Path, missing: str
) -> None:
    (model_folder / missing).unlink()
    assert load_token_counter(model_folder) is estimate_tokens


def test_the_estimate_takes_a_han_character_for_a_token() -> None:
    frame = estimate_tokens([Message("user", "")])
    assert estimate_tokens([Message("user", "退货期限三十天")]) == frame + 7
    assert estimate_tokens([Message("user", "x" * 30)]) == frame + 10
    assert estimate_tokens([Message("user", ""), Message("user", "")]) == 2 * frame


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


@pytest.mark.parametrize(("asked", "refusal"), [("多久？", "不知道。"), ("How long?", "No idea.")])
def test_training_rows_refuse_in_the_language_of_the_question(asked: str, refusal: str) -> None:
    use_case = USE_CASE.model_copy(update={"refusal": Refusal(zh="不知道。", en="No idea.")})
    made = make_rows(
        [ContextQuestion(asked, ("alpha",), "s")],
        lambda _: FOUND,
        use_case=use_case,
        ask_for_markers=False,
        mix=ContextMix(refusals=0.5, passages=1),
    )
    said = {row["messages"][-1]["content"] for row in made.rows}
    assert said == {"[1] alpha", refusal}
