import pytest

from knowledge.search.questions import (
    MOST_QUESTIONS,
    Asked,
    last_sentences,
    names_nothing,
    questions_of,
)


def asked(message: str, max_chars: int = 8192) -> list[str]:
    return [each.question for each in questions_of(message, max_chars=max_chars)]


@pytest.mark.parametrize(
    ("message", "questions"),
    [
        ("When are you open? How do I pay?", ["When are you open?", "How do I pay?"]),
        ("你们几点开门？怎么付款？", ["你们几点开门？", "怎么付款？"]),
        ("你們幾點開門？怎麼付款？", ["你們幾點開門？", "怎麼付款？"]),
        ("退貨要運費嗎？這個誰付？", ["退貨要運費嗎？ 這個誰付？"]),
        ("你们几点开门?怎么付款?", ["你们几点开门?", "怎么付款?"]),
        ("Do you ship? How much is it?", ["Do you ship? How much is it?"]),
        ("Do you ship? And when?", ["Do you ship? And when?"]),
        ("Who is Dr. Smith? Is the shop open?", ["Who is Dr. Smith?", "Is the shop open?"]),
        ('What does "Are you sure?" mean?', ['What does "Are you sure?" mean?']),
        ("What is the fee for approx. 3.5 kg?", ["What is the fee for approx. 3.5 kg?"]),
        ("Tell me the fee. I pay by card.", ["Tell me the fee. I pay by card."]),
        ("Hello! How do I pay? Thanks!", ["How do I pay?"]),
        ("Hello!", ["Hello!"]),
    ],
)
def test_each_question_is_asked_apart(message: str, questions: list[str]) -> None:
    assert asked(message) == questions


def test_more_questions_than_are_searched_go_with_the_last() -> None:
    message = " ".join(f"Is room{n} open?" for n in range(7))
    found = asked(message)
    assert len(found) == MOST_QUESTIONS
    assert " ".join(found) == message


@pytest.mark.parametrize(
    ("message", "before", "question", "after"),
    [
        (
            "I bought a lamp. Can I return it?",
            "I bought a lamp.",
            "Can I return it?",
            "",
        ),
        ("Can I return it? I bought it today.", "", "Can I return it?", "I bought it today."),
        ("And the deposit, how big is it?", "And the deposit,", "how big is it?", ""),
        ("我买了一盏灯，请问可以退货吗？", "我买了一盏灯，", "可以退货吗？", ""),
        ("我買了一盞燈，請問可以退貨嗎？", "我買了一盞燈，", "可以退貨嗎？", ""),
    ],
)
def test_what_is_told_goes_with_the_question_next_to_it(
    message: str, before: str, question: str, after: str
) -> None:
    (found,) = questions_of(message, max_chars=8192)
    assert found == Asked(question, before, after)
    assert found.text == " ".join(filter(None, [before, question, after]))


def test_of_a_long_story_the_last_sentence_is_embedded() -> None:
    (found,) = questions_of("I write about my lamp. " * 300 + "How do I pay?", max_chars=8192)
    assert found.question == "How do I pay?"
    assert found.text == "I write about my lamp. How do I pay?"
    assert found.story == ""


def test_of_a_long_story_more_is_searched_where_the_question_alone_says_nothing() -> None:
    story = "The brass lamp is broken. " + "I write about my lamp. " * 20
    (found,) = questions_of(f"{story}What can I do?", max_chars=8192)
    assert found.text == f"{story}What can I do?"
    assert found.story == story.strip()


def test_a_message_over_the_limit_is_read_from_its_end_by_whole_sentences() -> None:
    assert last_sentences("One lamp. Two lamps. Three lamps.", max_chars=25) == "Three lamps."
    assert last_sentences("One lamp.", max_chars=25) == "One lamp."
    assert last_sentences("一盏灯。两盏灯。三盏灯。", max_chars=6) == "三盏灯。"
    assert last_sentences("x" * 100, max_chars=6) == "xxxxxx"
    assert asked("Is it? " * 20_000 + "How do I pay?")[-1].endswith("How do I pay?")


@pytest.mark.parametrize(
    ("question", "left_to_what_was_said"),
    [
        ("Is this one open on Sundays?", True),
        ("Does THIS come in green?", True),
        ("Is the thistle lamp in stock?", False),
        ("这家店几点关门？", True),
        ("這個多少錢？", True),
        ("此款有货吗？", True),
        ("这是什么材质？", True),
        ("这样退货可以吗？", False),
        ("Is the museum open this weekend?", False),
        ("What was placed this year?", False),
        ("这个周末博物馆几点开门？", False),
        ("这个月公积金缴存比例是多少？", False),
        ("这次台风期间开放吗？", False),
        ("因此个人所得税怎么申报？", False),
        ("在此处理退款吗？", False),
        ("退货要几天？", False),
    ],
)
def test_this_leaves_the_subject_to_what_was_said(
    question: str, left_to_what_was_said: bool
) -> None:
    assert names_nothing(question) is left_to_what_was_said
